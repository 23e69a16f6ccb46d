package players_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/players"
)

func TestWithoutARestartNobodyIsCutAndEverybodyGetsIn(t *testing.T) {
	_, front := world(t, 1)
	c := players.Start(t.Context(), players.Options{Front: at(front), Players: 150, Game: 200 * time.Millisecond,
		Walk: 5 * time.Millisecond, Heartbeat: 50 * time.Millisecond, Seed: 1})
	eventually(t, "600 games", func() bool { return c.Stats().Finished >= 600 })
	c.Stop()
	s := c.Stats()
	if s.Cut != 0 || s.Failed.Total() != 0 || len(s.Incidents) != 0 {
		t.Errorf("got %d cut, %+v failed, %v", s.Cut, s.Failed, s.Incidents)
	}
	if s.BegunByRelease["v1"] != s.Begun || s.BegunByGroup["group1"]+s.BegunByGroup["group2"] != s.Begun {
		t.Errorf("got %v and %v of %d games", s.BegunByRelease, s.BegunByGroup, s.Begun)
	}
	if s.BegunByGroup["group1"] == 0 || s.BegunByGroup["group2"] == 0 {
		t.Errorf("got %v, want both groups", s.BegunByGroup)
	}
	if s.Playing != 0 || s.Begun < s.Finished {
		t.Errorf("after the end: got %d playing, %d begun, %d finished", s.Playing, s.Begun, s.Finished)
	}
	if s.WaitP50 < 5*time.Millisecond || s.WaitP99 < s.WaitP50 || s.WaitMax < s.WaitP99 {
		t.Errorf("waits: got p50 %s, p99 %s, max %s, want at least the walk, ascending", s.WaitP50, s.WaitP99, s.WaitMax)
	}
}

func TestEachSessionOfADeadMachineIsCountedAsCutOnce(t *testing.T) {
	for _, way := range []string{"kill -9", "stop"} {
		t.Run(way, func(t *testing.T) {
			h, front := world(t, 2)
			c := players.Start(t.Context(), players.Options{Front: at(front), Players: 60, Game: 500 * time.Hour, Arrive: 50 * time.Millisecond, Seed: 2,
				Retry: 20 * time.Millisecond})
			defer c.Stop()
			eventually(t, "all play", func() bool { return c.Stats().Playing == 60 })
			there := int64(c.Stats().PlayingByMachine["game-2"])
			if there == 0 || there == 60 {
				t.Fatalf("got %d sessions of 60 on game-2", there)
			}
			if way == "stop" {
				if said, err := h.Act(t.Context(), "game-2", "stop"); err != nil {
					t.Fatalf("%v: %s", err, said)
				}
			} else if err := h.Kill("game-2"); err != nil {
				t.Fatal(err)
			}
			eventually(t, "they notice", func() bool { return c.Stats().Cut >= there })
			eventually(t, "some find the dead connector, some the dead gate", func() bool {
				f := c.Stats().Failed
				return f.ConnectorRefused > 0 && f.BalancerClosed > 0
			})
			c.Stop()
			s := c.Stats()
			if s.Cut != there || s.PlayingByMachine["game-2"] != 0 || s.Finished != 0 {
				t.Errorf("got %d cut, %d there, %d finished, want %d, 0, 0", s.Cut, s.PlayingByMachine["game-2"], s.Finished, there)
			}
			if s.Failed.BalancerRefused != 0 || s.Failed.GateNonsense != 0 {
				t.Errorf("got %+v, want only dead gates and dead connectors", s.Failed)
			}
			if len(s.Incidents) > 100 || s.Incidents[0].Where != players.Game {
				t.Errorf("got %d incidents, the first %+v, want a hundred at most and a cut first", len(s.Incidents), s.Incidents[0])
			}
		})
	}
}

func TestLeavingIsNeitherACutNorAFinishedGame(t *testing.T) {
	_, front := world(t, 1)
	c := players.Start(t.Context(), players.Options{Front: at(front), Players: 30, Game: 500 * time.Hour, Arrive: 50 * time.Millisecond, Seed: 3})
	eventually(t, "all play", func() bool { return c.Stats().Playing == 30 })
	c.Stop()
	if s := c.Stats(); s.Cut != 0 || s.Finished != 0 || s.Playing != 0 || s.Failed.Total() != 0 || s.Begun != 30 {
		t.Errorf("got %+v", s)
	}
}

const welcome = "{\"ok\":true,\"release\":\"v1\",\"machine\":\"m\",\"group\":\"g\"}\n"

// to is a gate's answer that names addr.
func to(addr string) string {
	host, port, _ := strings.Cut(addr, ":")
	return fmt.Sprintf("{\"host\":%q,\"port\":%s}\n", host, port)
}

func TestAFailureIsCountedWhereItHappened(t *testing.T) {
	var closed string
	{ // a port where nobody listens any more
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		closed = ln.Addr().String()
		_ = ln.Close()
	}
	forever := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	gate := func(connector func(net.Conn)) string { return serve(t, says(to(serve(t, connector)), nil)) }
	for _, c := range []struct {
		name  string
		front string
		got   func(players.Stats) int64
	}{
		{"no balancer", closed, func(s players.Stats) int64 { return s.Failed.BalancerRefused }},
		{"balancer closes", serve(t, func(net.Conn) {}), func(s players.Stats) int64 { return s.Failed.BalancerClosed }},
		{"gate is silent", serve(t, forever), func(s players.Stats) int64 { return s.Failed.BalancerClosed }},
		{"gate talks without end", serve(t, says(strings.Repeat("x", 5000), forever)), func(s players.Stats) int64 { return s.Failed.BalancerClosed }},
		{"gate talks nonsense", serve(t, says("HTTP/1.1 502\n", nil)), func(s players.Stats) int64 { return s.Failed.GateNonsense }},
		{"gate names nobody", serve(t, says("{}\n", nil)), func(s players.Stats) int64 { return s.Failed.GateNonsense }},
		{"no connector", serve(t, says(to(closed), nil)), func(s players.Stats) int64 { return s.Failed.ConnectorRefused }},
		{"connector closes", gate(func(net.Conn) {}), func(s players.Stats) int64 { return s.Failed.ConnectorClosed }},
		{"connector refuses", gate(says("{\"ok\":false}\n", nil)), func(s players.Stats) int64 { return s.Failed.ConnectorClosed }},
		{"session closed", gate(says(welcome, nil)), func(s players.Stats) int64 { return s.Cut }},
		{"session frozen", gate(says(welcome, forever)), func(s players.Stats) int64 { return s.Cut }},
	} {
		t.Run(c.name, func(t *testing.T) {
			crowd := players.Start(t.Context(), players.Options{Front: at(c.front), Players: 1, Game: time.Hour, Seed: 4,
				Heartbeat: 5 * time.Millisecond, Timeout: 30 * time.Millisecond, Retry: time.Millisecond})
			eventually(t, "twice", func() bool { return c.got(crowd.Stats()) >= 2 })
			crowd.Stop()
			s := crowd.Stats()
			if n := c.got(s); n != s.Failed.Total()+s.Cut {
				t.Errorf("got %d here of %+v and %d cut", n, s.Failed, s.Cut)
			}
			if in := s.Incidents[0]; in.User != 1 || in.Error == "" || in.At.IsZero() || in.Addr == "" {
				t.Errorf("got %+v, want who, when, where and why", in)
			}
			if s.Playing != 0 {
				t.Errorf("got %d playing", s.Playing)
			}
		})
	}
}

func TestAGameThatTheConnectorDidNotSeeEndIsCut(t *testing.T) {
	connector := serve(t, says(welcome, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 100)) })) // hears bye, says nothing
	c := players.Start(t.Context(), players.Options{Front: at(serve(t, says(to(connector), nil))), Players: 1,
		Game: 5 * time.Millisecond, Retry: time.Millisecond, Seed: 5})
	eventually(t, "two cut", func() bool { return c.Stats().Cut >= 2 })
	c.Stop()
	if s := c.Stats(); s.Finished != 0 {
		t.Errorf("got %d finished games", s.Finished)
	}
}

func TestOnlyTheFirstHundredIncidentsAreKept(t *testing.T) {
	front := serve(t, func(net.Conn) {})
	c := players.Start(t.Context(), players.Options{Front: at(front), Players: 20, Game: time.Second, Retry: time.Millisecond, Seed: 6})
	eventually(t, "150 failures", func() bool { return c.Stats().Failed.Total() >= 150 })
	c.Stop()
	if got := len(c.Stats().Incidents); got != 100 {
		t.Errorf("got %d, want 100", got)
	}
}

// BenchmarkTwoThousandPlayers shows what the largest sandbox run carries: -benchtime 1x takes 20 s.
func BenchmarkTwoThousandPlayers(b *testing.B) {
	if testing.Short() {
		b.Skip("it takes 20 s")
	}
	_, front := world(b, 3)
	for b.Loop() {
		c := players.Start(b.Context(), players.Options{Front: at(front), Players: 2000, Game: 6 * time.Second, Seed: 1})
		<-time.After(20 * time.Second)
		c.Stop()
		s := c.Stats()
		if s.Cut != 0 || s.Failed.Total() != 0 {
			b.Errorf("got %d cut, %+v failed, first %+v", s.Cut, s.Failed, s.Incidents[0])
		}
		b.ReportMetric(float64(s.Finished), "games")
		b.ReportMetric(s.WaitP99.Seconds()*1000, "wait-p99-ms")
		b.ReportMetric(s.WaitP50.Seconds()*1000, "wait-p50-ms")
	}
}
