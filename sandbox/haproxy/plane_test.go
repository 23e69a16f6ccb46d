package haproxy

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
)

var (
	clb = family{"ulb-1", "vserver-1"}
	alb = family{"alb-1", "als-1"}
	nlb = family{"nlb-1", "nls-1"}
)

func TestAClosedBackendGetsNoNewConnectionsWhileItsOldOnesLiveOn(t *testing.T) {
	one := []string{"ULBId", "ulb-1", "BackendId", "a"}
	targets := func(balancer string, of family) []string {
		return []string{balancer, of.balancer, "ListenerId", of.listener, "Targets.0.Id", "a"}
	}
	tests := []struct {
		name, method      string
		of                family
		action            string
		target            []string
		field, shut, open string
	}{
		{"clb Enabled", "Roundrobin", clb, "UpdateBackendAttribute", one, "Enabled", "0", "1"},
		{"clb Weight", "WeightRoundrobin", clb, "UpdateBackendAttribute", one, "Weight", "0", "5"},
		{"clb batch", "Roundrobin", clb, "UpdateBackendBatch", []string{"ULBId", "ulb-1", "Attributes.0.BackendId", "a"}, "Attributes.0.Enabled", "0", "1"},
		{"alb", "Roundrobin", alb, "UpdateTargetsAttribute", targets("LoadBalancerId", alb), "Targets.0.Enabled", "false", "true"},
		{"nlb", "WeightRoundRobin", nlb, "UpdateNLBTargetsAttribute", targets("NLBId", nlb), "Targets.0.Enabled", "false", "true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := start(t, tt.of, tt.method, newGate(t, "a", "127.0.0.2"), newGate(t, "b", "127.0.0.3"))
			var old *player
			for range 4 { // round robin: one of two in a row
				if p := w.connect(t); p.ask() == "a" {
					old = p
					break
				}
			}
			if old == nil {
				t.Fatal("none of 4 connections went to a")
			}
			w.must(t, tt.action, append(tt.target, tt.field, tt.shut)...)
			if got := w.visits(t, 20); got["b"] != 20 {
				t.Errorf("closed: 20 connections went to %v, want all to b", got)
			}
			if got := old.ask(); got != "a" {
				t.Errorf("the old connection is answered by %q, want a", got)
			}
			w.must(t, tt.action, append(tt.target, tt.field, tt.open)...)
			if got := w.visits(t, 12); got["a"] < 4 || got["a"]+got["b"] != 12 {
				t.Errorf("open again: 12 connections went to %v", got)
			}
			if got := old.ask(); got != "a" {
				t.Errorf("after all the old connection is answered by %q, want a", got)
			}
		})
	}
}

func TestNoConnectionBegunAfterTheAnswerReachesAClosedBackendUnderLoad(t *testing.T) {
	w := start(t, clb, "", newGate(t, "a", "127.0.0.2"), newGate(t, "b", "127.0.0.3"))
	var closed, onA, late atomic.Int64 // closed is odd from the answer that closes a to the call that opens it
	var crowd sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		crowd.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				before := closed.Load()
				conn, err := net.Dial("tcp", w.front)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				p := &player{conn, bufio.NewReader(conn)}
				who := p.ask()
				conn.Close()
				if who == "a" {
					onA.Add(1)
				}
				if who == "a" && before%2 == 1 && closed.Load() == before {
					late.Add(1)
				}
			}
		})
	}
	for range 6 {
		w.must(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Enabled", "0")
		closed.Add(1)
		w.visits(t, 10)
		closed.Add(1)
		before := onA.Load()
		w.must(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Enabled", "1")
		eventually(t, "a takes connections again", func() bool { return onA.Load() > before+2 })
	}
	close(stop)
	crowd.Wait()
	if got := late.Load(); got != 0 {
		t.Errorf("%d connections begun while a was closed reached it", got)
	}
}

func TestWithEveryBackendClosedAConnectionIsEnded(t *testing.T) {
	w := start(t, clb, "", newGate(t, "a", "127.0.0.2"))
	w.must(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Enabled", "0")
	if got := w.visits(t, 3); got[""] != 3 {
		t.Errorf("3 connections went to %v, want none answered", got)
	}
}

func TestWeightsCountOnlyUnderTheWeightedMethod(t *testing.T) {
	a, b := newGate(t, "a", "127.0.0.2"), newGate(t, "b", "127.0.0.3")
	a.Weight = 90
	w := start(t, clb, "Roundrobin", a, b)
	if got := w.visits(t, 20); got["a"] < 9 || got["a"] > 11 {
		t.Errorf("Roundrobin: 20 connections went to %v, want half to each", got)
	}
	w.must(t, "UpdateVServerAttribute", "ULBId", "ulb-1", "VServerId", "vserver-1", "Method", "WeightRoundrobin")
	w.must(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "b", "Weight", "10")
	if got := w.visits(t, 20); got["a"] < 17 || got["a"] > 19 {
		t.Errorf("WeightRoundrobin 90 to 10: 20 connections went to %v", got)
	}
	if got := w.call(t, "UpdateVServerAttribute", "ULBId", "ulb-1", "VServerId", "vserver-1", "Method", "Leastconn")["RetCode"]; got == 0.0 {
		t.Error("Leastconn is accepted, which the proxy does not do")
	}
}

func TestStatusIsWhatHAProxysChecksFindAlsoOfAClosedBackend(t *testing.T) {
	a, b := newGate(t, "a", "127.0.0.2"), newGate(t, "b", "127.0.0.3")
	w := start(t, clb, "", a, b)
	w.must(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "b", "Enabled", "0")
	for _, g := range []*gate{a, b} {
		if got := w.status(t, g.ID); got != "0" {
			t.Fatalf("%s has Status %s at first", g.ID, got)
		}
		g.ln.Close()
		eventually(t, g.ID+" is abnormal", func() bool { return w.status(t, g.ID) == "1" })
		g.open(t)
		eventually(t, g.ID+" is healthy again", func() bool { return w.status(t, g.ID) == "0" })
	}
	if got := w.visits(t, 6); got["a"] != 6 {
		t.Errorf("6 connections went to %v, want all to a: b is closed, though healthy", got)
	}
}

func TestWhatHAProxyCannotDoWhileItRunsIsRefusedInWords(t *testing.T) {
	a, b := newGate(t, "a", "127.0.0.2"), newGate(t, "b", "127.0.0.3")
	w := start(t, clb, "", a, b)
	elsewhere := a.Backend
	elsewhere.Host = "127.0.0.8"
	heavy := a.Backend
	heavy.Weight = 257
	tests := []struct {
		name     string
		listener string
		backends []cloud.Backend
		want     string
	}{
		{"one more", "vserver-1", []cloud.Backend{a.Backend, b.Backend, {ID: "c"}}, "backend c: HAProxy has no such server"},
		{"one less", "vserver-1", []cloud.Backend{a.Backend}, "server b: it is none of the backends"},
		{"moved", "vserver-1", []cloud.Backend{elsewhere, b.Backend}, "not at 127.0.0.8:"},
		{"too heavy", "vserver-1", []cloud.Backend{heavy, b.Backend}, "weight 257"},
		{"another listener", "vserver-2", nil, "show servers state vserver-2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := w.proxy.Apply(t.Context(), tt.listener, tt.backends)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	if err := w.proxy.tell(t.Context(), "set server vserver-1/a weight many"); err == nil {
		t.Error("HAProxy's refusal of a weight went unnoticed")
	}
	for _, call := range [][]string{
		{"AllocateBackend", "ULBId", "ulb-1", "VServerId", "vserver-1", "ResourceType", "UHost", "ResourceIP", "127.0.0.4", "Port", "80"},
		{"ReleaseBackend", "ULBId", "ulb-1", "BackendId", "a"},
	} {
		if got := w.call(t, call[0], call[1:]...); got["RetCode"] == 0.0 || !strings.Contains(got["Message"].(string), "cannot change") {
			t.Errorf("%s: answered %v", call[0], got)
		}
	}
	if got := w.visits(t, 8); got["a"] != 4 || got["b"] != 4 {
		t.Errorf("8 connections went to %v, want half to each: nothing has changed", got)
	}
}

func TestAForeignChangeOfHAProxyIsMendedByTheNextWrite(t *testing.T) {
	w := start(t, clb, "", newGate(t, "a", "127.0.0.2"), newGate(t, "b", "127.0.0.3"))
	if err := w.proxy.tell(t.Context(), "set server vserver-1/a state maint"); err != nil {
		t.Fatal(err)
	}
	w.must(t, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Enabled", "1")
	if got := w.visits(t, 8); got["a"] < 3 {
		t.Errorf("8 connections went to %v, want half to each", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1\n# srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port\na 127.0.0.2 2 8 7 46151\n")
	f.Add("Can't find backend.")
	f.Fuzz(func(t *testing.T, answer string) {
		all, err := parse(answer)
		if err != nil && all != nil {
			t.Errorf("%q: servers and the error %v", answer, err)
		}
	})
}

func TestAnAnswerThatIsNotUnderstoodIsAnError(t *testing.T) {
	const columns = "1\n# srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port\n"
	got, err := parse(columns + "a 127.0.0.2 2 8 7 46151\nb 127.0.0.3 0 0 1 46151")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []server{{"a", "127.0.0.2:46151", true, false, 7}, {"b", "127.0.0.3:46151", false, true, 1}} {
		if got[want.name] != want {
			t.Errorf("got %+v, want %+v", got[want.name], want)
		}
	}
	for _, answer := range []string{"", "2\n#", columns + "a 127.0.0.2 2 8 7", columns + "a 127.0.0.2 up 8 7 46151", "1\n# srv_name\na"} {
		if got, err := parse(answer); err == nil {
			t.Errorf("%q: parsed as %v", answer, got)
		}
	}
}
