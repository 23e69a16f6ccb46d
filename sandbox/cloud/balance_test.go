package cloud

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"
)

const front = "vserver-1"

// off disables a backend through the API.
func off(t testing.TB, c *Cloud, id string) {
	t.Helper()
	if got := call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", id, "Enabled", "0").code(); got != "0" {
		t.Fatalf("disable %s: RetCode %s", id, got)
	}
}

func TestDisablingABackendKeepsItsConnectionsAndStopsNewOnes(t *testing.T) {
	a, b := newGate(t, "a"), newGate(t, "b")
	c := start(t, quiet(), clb(Listener{Backends: []Backend{a.Backend, b.Backend}}))
	var onA []*player
	for range 8 {
		if p := connect(t, c.Front(front)); p.ask() == "a" {
			onA = append(onA, p)
		}
	}
	if len(onA) == 0 {
		t.Fatal("none of 8 connections went to a")
	}
	off(t, c, "a")
	if got := visits(t, c.Front(front), 40); got["b"] != 40 {
		t.Errorf("new connections went to %v, want all to b", got)
	}
	call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Weight", "9")
	for _, p := range onA {
		if got := p.ask(); got != "a" {
			t.Errorf("an established connection was answered by %q, want a", got)
		}
	}
	if got := c.Traffic(front).Backends["a"].Open; got != len(onA) {
		t.Errorf("%d connections open on a, want %d", got, len(onA))
	}
}

func TestWithNoEligibleBackendAConnectionIsClosedAtOnceAndCounted(t *testing.T) {
	a := newGate(t, "a")
	c := start(t, quiet(), clb(Listener{Backends: []Backend{a.Backend}}), Balancer{ID: "ulb-2", Listeners: []Listener{{ID: "bare"}}})
	off(t, c, "a")
	for _, l := range []string{front, "bare"} {
		p := connect(t, c.Front(l))
		if n, err := p.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: read %d bytes, want the connection closed", l, n)
		}
		if got := c.Traffic(l); got.Accepted != 1 || got.Refused != 1 {
			t.Errorf("%s: counted %+v, want 1 accepted, 1 refused", l, got)
		}
	}
	if got := a.conns.Load(); got != 0 {
		t.Errorf("the disabled backend saw %d connections", got)
	}
}

func TestWeightsCountOnlyUnderAWeightedMethod(t *testing.T) {
	const n = 4000
	tests := []struct {
		method string
		want   float64 // share of a
	}{
		{"WeightRoundrobin", 0.7},
		{"WeightRoundRobin ", 0.7}, // as NLB's documents spell it
		{"Roundrobin", 0.5},
		{"", 0.5},
		{"Leastconn", 0.5},
	}
	a, b, none := newGate(t, "a"), newGate(t, "b"), newGate(t, "none")
	a.Weight, b.Weight = 7, 3
	for _, tt := range tests {
		t.Run(tt.method, func(t *testing.T) {
			c := start(t, quiet(), clb(Listener{Method: tt.method, Backends: []Backend{a.Backend, b.Backend}}))
			// Without sockets: thousands of them would leave the machine's ports
			// in TIME_WAIT for a minute.
			lanes := c.state.listenerNamed(front).lanes
			client := netip.MustParseAddrPort("127.0.0.1:4000")
			onA := 0
			for i := range n {
				l := lanes[worker(uint64(i), len(lanes))]
				chosen, ok := l.choose(client, nil)
				if !ok {
					t.Fatal("no backend is eligible")
				}
				l.done(chosen.b)
				onA += bit(chosen.b.id == "a")
			}
			// Five standard deviations of a fair draw.
			got, bound := float64(onA)/n, 5*math.Sqrt(tt.want*(1-tt.want)/n)
			if math.Abs(got-tt.want) > bound {
				t.Errorf("a took a share of %.3f, want %.2f ± %.3f", got, tt.want, bound)
			}
			if wire := visits(t, c.Front(front), 60); wire["a"] < 15 || wire["b"] < 5 {
				t.Errorf("60 connections went to %v", wire)
			}
		})
	}
	t.Run("weight 0 takes none", func(t *testing.T) {
		none.Weight = 0
		c := start(t, quiet(), clb(Listener{Method: "WeightRoundrobin", Backends: []Backend{a.Backend, none.Backend}}))
		if got := visits(t, c.Front(front), 50)["a"]; got != 50 {
			t.Errorf("a got %d of 50", got)
		}
		call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Weight", "0")
		if got := visits(t, c.Front(front), 4)[""]; got != 4 {
			t.Errorf("with all weights 0 %d of 4 were refused", got)
		}
	})
}

func TestSourceKeepsAClientOnOneBackend(t *testing.T) {
	for _, method := range []string{"Source", "ConsistentHash"} {
		var gates []Backend
		for i := range 5 {
			gates = append(gates, newGate(t, fmt.Sprint("g", i)).Backend)
		}
		c := start(t, quiet(), clb(Listener{Method: method, Backends: gates}))
		if got := visits(t, c.Front(front), 20); len(got) != 1 {
			t.Errorf("%s spread one client over %v", method, got)
		}
	}
	t.Run("ports count for SourcePort and ConsistentHashPort", func(t *testing.T) {
		a, b := newGate(t, "a"), newGate(t, "b")
		for _, method := range []string{"SourcePort", "ConsistentHashPort"} {
			c := start(t, quiet(), clb(Listener{Method: method, ListenType: PacketsTransmit, Backends: []Backend{a.Backend, b.Backend}}))
			if got := visits(t, c.Front(front), 60); got["a"] < 10 || got["b"] < 10 {
				t.Errorf("%s spread 60 ports as %v", method, got)
			}
		}
	})
}

func TestLeastconnFillsTheEmptierBackend(t *testing.T) {
	a, b := newGate(t, "a"), newGate(t, "b")
	a.Weight, b.Weight = 1, 3
	for method, want := range map[string]int{"Leastconn": 4, "WeightLeastConn": 2} {
		o := quiet()
		o.Workers = 1
		c := start(t, o, clb(Listener{Method: method, Backends: []Backend{a.Backend, b.Backend}}))
		for range 8 {
			connect(t, c.Front(front)).ask()
		}
		if got := c.Traffic(front).Backends["a"].Open; got != want {
			t.Errorf("%s: %d of 8 connections on a, want %d", method, got, want)
		}
	}
}

func TestABackupServesOnlyWhenNoOtherCan(t *testing.T) {
	main, spare := newGate(t, "main"), newGate(t, "spare")
	spare.IsBackup = true
	c := start(t, quiet(), clb(Listener{Method: "Backup", Backends: []Backend{spare.Backend, main.Backend}}))
	if got := visits(t, c.Front(front), 10)["main"]; got != 10 {
		t.Errorf("main got %d of 10", got)
	}
	for w := range c.o.Workers {
		c.judge(c.state.backends["main"], w, true)
	}
	if got := visits(t, c.Front(front), 10)["spare"]; got != 10 {
		t.Errorf("with main abnormal, spare got %d of 10", got)
	}
}

func TestAChangeReachesTheWorkersOneAfterAnother(t *testing.T) {
	a := newGate(t, "a")
	t.Run("the first at once, the others not yet", func(t *testing.T) {
		o := quiet()
		o.Spread = time.Hour
		c := start(t, o, clb(Listener{Backends: []Backend{a.Backend}}))
		off(t, c, "a")
		got := visits(t, c.Front(front), 200)
		// One worker of four has heard.
		if got[""] < 20 || got[""] > 90 {
			t.Errorf("%d of 200 connections were refused, want about 50", got[""])
		}
	})
	t.Run("the last after Spread", func(t *testing.T) {
		o := quiet()
		o.Spread = 60 * time.Millisecond
		c := start(t, o, clb(Listener{Backends: []Backend{a.Backend}}))
		visits(t, c.Front(front), 20) // so that all workers hold a table
		began := time.Now()
		off(t, c, "a")
		for time.Since(began) < 20*time.Millisecond {
			visit(t, c.Front(front))
		}
		eventually(t, "no worker sends anyone to a", func() bool { return visits(t, c.Front(front), 40)[""] == 40 })
		if got := time.Since(began); got < o.Spread {
			t.Errorf("all workers had heard after %v, before Spread was over", got)
		}
	})
}

func TestReleaseCutsUnlessTheOptionsSayNo(t *testing.T) {
	for _, keep := range []bool{false, true} {
		a := newGate(t, "a")
		o := quiet()
		o.KeepRemoved = keep
		c := start(t, o, clb(Listener{Backends: []Backend{a.Backend}}))
		p := connect(t, c.Front(front))
		if got := p.ask(); got != "a" {
			t.Fatalf("answered by %q", got)
		}
		call1(t, c, "ReleaseBackend", "ULBId", "ulb-1", "BackendId", "a")
		want := ""
		if keep {
			want = "a"
		}
		if got := p.ask(); got != want {
			t.Errorf("KeepRemoved %v: after the release answered by %q, want %q", keep, got, want)
		}
		if got := visit(t, c.Front(front)); got != "" {
			t.Errorf("KeepRemoved %v: a new connection was answered by %q", keep, got)
		}
	}
}

func TestABackendThatCannotBeDialledIsPassedOver(t *testing.T) {
	dead, a := newGate(t, "dead"), newGate(t, "a")
	dead.ln.Close()
	for _, one := range []bool{false, true} {
		o := quiet()
		o.OneTry = one
		c := start(t, o, clb(Listener{Backends: []Backend{dead.Backend, a.Backend}}))
		refused := visits(t, c.Front(front), 20)[""]
		if got := c.Traffic(front); (refused > 0) != one || got.DialFailed == 0 || got.Refused != int64(refused) {
			t.Errorf("OneTry %v: %d of 20 refused, counted %+v", one, refused, got)
		}
	}
}

func TestIdleConnectionsAreClosedAndBusyOnesAreNot(t *testing.T) {
	a := newGate(t, "a")
	o := quiet()
	o.IdleTimeout = 300 * time.Millisecond
	c := start(t, o, clb(Listener{Backends: []Backend{a.Backend}}))
	busy, idle := connect(t, c.Front(front)), connect(t, c.Front(front))
	busy.ask()
	idle.ask()
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Since(began) < 3*o.IdleTimeout {
		<-tick.C
		if got := busy.ask(); got != "a" {
			t.Fatalf("the busy connection was closed after %v", time.Since(began))
		}
	}
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
		t.Errorf("the idle connection: %v, want it closed", err)
	}
	if got := field(t, c, 0, "Weight"); got != "1" {
		t.Fatalf("weight %s", got)
	}
	if got := fmt.Sprint(call1(t, c, "DescribeVServer").at("DataSet", 0, "ClientTimeout")); got != "1" {
		t.Errorf("ClientTimeout is told as %s, want 1: a begun second", got)
	}
}

func TestAHalfCloseIsPassedOn(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		all, _ := io.ReadAll(conn) // until the client's end
		_, _ = conn.Write(bytes.ToUpper(all))
	}()
	for _, idle := range []time.Duration{0, time.Minute} {
		o := quiet()
		o.IdleTimeout = idle
		at := ln.Addr().(*net.TCPAddr)
		c := start(t, o, clb(Listener{Backends: []Backend{{Host: "127.0.0.1", Port: at.Port, Enabled: true}}}))
		if idle > 0 {
			go func() {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				all, _ := io.ReadAll(conn)
				_, _ = conn.Write(bytes.ToUpper(all))
			}()
		}
		p := connect(t, c.Front(front))
		large := bytes.Repeat([]byte("all of it "), 100_000)
		go func() {
			_, _ = p.Write(large)
			_ = p.Conn.(*net.TCPConn).CloseWrite()
		}()
		got, err := io.ReadAll(p)
		if err != nil || !bytes.Equal(got, bytes.ToUpper(large)) {
			t.Errorf("idle %v: read %d bytes, %v, want %d", idle, len(got), err, len(large))
		}
	}
}

func TestUnderPacketsTransmitAClientKeepsItsBackendForAWhile(t *testing.T) {
	a, b := newGate(t, "a"), newGate(t, "b")
	l := Listener{ListenType: PacketsTransmit, ClientTimeout: time.Minute, Backends: []Backend{a.Backend, b.Backend}}
	c := start(t, quiet(), clb(l))
	first := visit(t, c.Front(front))
	if got := visits(t, c.Front(front), 10)[first]; got != 10 {
		t.Errorf("%d of 10 went to %s again", got, first)
	}
	// The worse case of what is not documented: a disabled one is still used.
	off(t, c, first)
	if got := visits(t, c.Front(front), 10)[first]; got != 10 {
		t.Errorf("disabled, %d of 10 went to %s again", got, first)
	}
	call1(t, c, "ReleaseBackend", "ULBId", "ulb-1", "BackendId", first)
	if got := visits(t, c.Front(front), 10)[first]; got != 0 {
		t.Errorf("released, %d of 10 went to %s", got, first)
	}
	l.ClientTimeout = 0
	c = start(t, quiet(), clb(l))
	if got := visits(t, c.Front(front), 40); len(got) != 2 {
		t.Errorf("without persistence all went to one: %v", got)
	}
}

func TestSwitchingPersistenceCutsAndAMethodComesIntoForce(t *testing.T) {
	a, b := newGate(t, "a"), newGate(t, "b")
	b.Weight = 0
	c := start(t, quiet(), clb(Listener{Backends: []Backend{a.Backend, b.Backend}}))
	p := connect(t, c.Front(front))
	p.ask()
	set := func(pairs ...string) {
		t.Helper()
		if got := call1(t, c, "UpdateVServerAttribute", append([]string{"ULBId", "ulb-1", "VServerId", front}, pairs...)...).code(); got != "0" {
			t.Fatalf("RetCode %s", got)
		}
	}
	set("Method", "WeightRoundrobin")
	if got := visits(t, c.Front(front), 20)["a"]; got != 20 {
		t.Errorf("under the new method a got %d of 20", got)
	}
	if got := p.ask(); got == "" {
		t.Error("a new method cut a connection")
	}
	set("PersistenceType", "ServerInsert")
	if got := p.ask(); got != "" {
		t.Errorf("after persistence was switched still answered by %q, want it cut", got)
	}
}
