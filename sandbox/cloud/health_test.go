package cloud

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

func TestHealthFollowsTheProbes(t *testing.T) {
	o := quiet()
	o.HealthEvery, o.Workers = 3*time.Millisecond, 2
	a, b := newGate(t, "a"), newGate(t, "b")
	c := start(t, o, clb(Listener{Backends: []Backend{a.Backend, b.Backend}}))
	eventually(t, "every worker has probed", func() bool { return a.conns.Load() > 8 })
	if got := field(t, c, 0, "Status"); got != "0" {
		t.Errorf("a backend that answers has Status %s", got)
	}
	a.ln.Close()
	eventually(t, "Status 1 is told", func() bool { return field(t, c, 0, "Status") == "1" })
	if got := fmt.Sprint(call1(t, c, "DescribeVServer", "ULBId", "ulb-1").at("DataSet", 0, "Status")); got != "2" {
		t.Errorf("the VServer's Status is %s, want 2: some are down", got)
	}
	before := c.Traffic(front).DialFailed
	eventually(t, "all workers find a down", func() bool {
		return c.state.backends["a"].down[0].Load() && c.state.backends["a"].down[1].Load()
	})
	if got := visits(t, c.Front(front), 20); got["b"] != 20 {
		t.Errorf("connections went to %v, want all to b", got)
	}
	if got := c.Traffic(front).DialFailed; got != before {
		t.Errorf("a backend known to be down was dialled %d times", got-before)
	}
	again, err := net.Listen("tcp", a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	go func() {
		for {
			conn, err := again.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	eventually(t, "Status 0 again", func() bool { return field(t, c, 0, "Status") == "0" })
}

func TestAVerdictTakesAsManyProbesInARowAsRiseAndFallSay(t *testing.T) {
	streak := 0
	for i, up := range []bool{true, true, false, false, true, false, false, false, true, true, true} {
		streak = lengthened(streak, up)
		if want := []int{1, 2, -1, -2, 1, -1, -2, -3, 1, 2, 3}[i]; streak != want {
			t.Errorf("after probe %d the streak is %d, want %d", i, streak, want)
		}
	}
}

func TestStatusIsPublishedLateAndOnlyAsGoodAsTheWorstWorkerSays(t *testing.T) {
	o := quiet()
	o.StatusLag = time.Hour
	c := start(t, o, world()...)
	b := c.state.backends["backend-1"]
	c.judge(b, 2, true)
	if got := truth(t, c, "backend-1").Status; got != 1 {
		t.Errorf("one worker of four finds it down, Status is %d, want 1", got)
	}
	if got := field(t, c, 0, "Status"); got != "0" {
		t.Errorf("told Status %s within the lag, want 0", got)
	}
	c.judge(b, 2, false)
	if got := truth(t, c, "backend-1").Status; got != 0 {
		t.Errorf("all workers find it healthy, Status is %d, want 0", got)
	}
}

func TestDisabledBackendsAreProbedUnlessTheOptionsSayNo(t *testing.T) {
	for _, skip := range []bool{false, true} {
		a, b := newGate(t, "a"), newGate(t, "b")
		a.Enabled = false
		o := quiet()
		o.HealthEvery, o.SkipDisabled = 2*time.Millisecond, skip
		start(t, o, clb(Listener{Backends: []Backend{a.Backend, b.Backend}}))
		eventually(t, "b is probed", func() bool { return b.conns.Load() > 20 })
		if got := a.conns.Load() == 0; got != skip {
			t.Errorf("SkipDisabled %v: the disabled backend saw %d probes", skip, a.conns.Load())
		}
	}
}

func TestAProbeSaysNothingAndEndsWithAFIN(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	o := quiet()
	o.HealthEvery = 5 * time.Millisecond
	at := ln.Addr().(*net.TCPAddr)
	start(t, o, clb(Listener{Backends: []Backend{{Host: "127.0.0.1", Port: at.Port, Enabled: true}}}))
	for range 3 {
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		if len(got) > 0 || err != nil {
			t.Errorf("a probe said %q and ended with %v, want nothing and a FIN", got, err)
		}
		conn.Close()
	}
}
