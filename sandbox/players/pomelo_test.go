package players_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/players"
)

// app is real Pomelo: one gate and two connectors.
type app struct {
	dir        string
	gate       string
	connectors []int
}

func startApp(t *testing.T) app {
	t.Helper()
	if os.Getenv("ROLLOUT_POMELO") == "" {
		t.Skip("ROLLOUT_POMELO is not set to the path of a node_modules/pomelo (npm install pomelo@2.2.7 --ignore-scripts)")
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc/net/tcp")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node, version 10 or later, in PATH")
	}
	a := app{dir: t.TempDir()}
	if err := os.CopyFS(a.dir, os.DirFS("testdata/app")); err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 7)
	a.gate = fmt.Sprintf("127.0.0.1:%d", ports[1])
	a.connectors = []int{ports[4], ports[6]}
	frontend := func(id string, port, clientPort int) map[string]any {
		return map[string]any{"id": id, "host": "127.0.0.1", "port": port, "clientHost": "127.0.0.1", "clientPort": clientPort, "frontend": true}
	}
	a.config(t, "master.json", map[string]any{"id": "master", "host": "127.0.0.1", "port": ports[0]})
	a.config(t, "servers.json", map[string]any{
		"gate":      []any{frontend("gate-1", ports[2], ports[1])},
		"connector": []any{frontend("connector-1", ports[3], ports[4]), frontend("connector-2", ports[5], ports[6])},
	})
	a.config(t, "adminUser.json", []any{})
	a.config(t, "log4js.json", map[string]any{"appenders": []any{map[string]any{"type": "console"}}, "levels": map[string]any{"[all]": "WARN"}})
	master := exec.Command(node, filepath.Join(a.dir, "app.js"), "env=development", "type=all")
	log, err := os.Create(filepath.Join(a.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	master.Stdout, master.Stderr, master.Dir = log, log, a.dir
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = master.Process.Kill() // it first, or it says something of each of the others
		_ = master.Wait()
		for _, id := range []string{"gate-1", "connector-1", "connector-2"} {
			if a.has(id, "pid") {
				a.signal(t, id, syscall.SIGKILL)
			}
		}
		_ = log.Close()
		if t.Failed() {
			if said, err := os.ReadFile(log.Name()); err == nil {
				t.Logf("the app said:\n%s", said[max(0, len(said)-4000):])
			}
		}
	})
	within(t, time.Minute, "the app is up", func() bool {
		return a.has("gate-1", "ready") && a.has("connector-1", "ready") && a.has("connector-2", "ready")
	})
	return a
}

func (a app) config(t *testing.T, name string, all any) {
	t.Helper()
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(a.dir, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "config", name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a app) has(id, what string) bool {
	_, err := os.Stat(filepath.Join(a.dir, id+"."+what))
	return err == nil
}

// closed is how many sessions have ended at a connector, by whatever side.
func (a app) closed(id string) int {
	lines, _ := os.ReadFile(filepath.Join(a.dir, id+".closed"))
	return bytes.Count(lines, []byte("\n"))
}

// established is how many connections to the connectors the players' side has.
func (a app) established(t *testing.T) int {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for row := range strings.Lines(string(table)) {
		cell := strings.Fields(row) // number, here, there, state
		for _, port := range a.connectors {
			if cell[3] == "01" && strings.HasSuffix(cell[2], fmt.Sprintf(":%04X", port)) {
				n++
			}
		}
	}
	return n
}

func (a app) signal(t *testing.T, id string, s syscall.Signal) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, id+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil || pid < 2 {
		t.Fatalf("%s has no process id: %q, %v", id, text, err)
	}
	_ = syscall.Kill(pid, s) // it may have ended already
}

func (a app) crowd(t *testing.T, n int, game time.Duration) *players.Crowd {
	t.Helper()
	c := players.Start(t.Context(), players.Options{Protocol: players.Pomelo, Front: at(a.gate), Players: n, Game: game,
		Arrive: 100 * time.Millisecond, Walk: 5 * time.Millisecond, Seed: 7, Timeout: 30 * time.Second})
	t.Cleanup(c.Stop)
	return c
}

// TestPlayersOfRealPomelo takes 20 s, most of them waits for heartbeats: shorter ones cut players on a busy machine. It is one
// test as the app takes seconds to start; the last parts leave less and less of it.
func TestPlayersOfRealPomelo(t *testing.T) {
	a := startApp(t)
	const all = 20
	const ever = 500 * time.Hour
	playing := func(t *testing.T, c *players.Crowd) (one, two int64) {
		t.Helper()
		within(t, time.Minute, "all play", func() bool { return c.Stats().Playing == all })
		m := c.Stats().PlayingByMachine
		if m["connector-1"] == 0 || m["connector-2"] == 0 {
			t.Fatalf("got %v, want players on both connectors", m)
		}
		return int64(m["connector-1"]), int64(m["connector-2"])
	}
	t.Run("nobody is cut and everybody gets in", func(t *testing.T) {
		began := time.Now()
		c := a.crowd(t, all, 2200*time.Millisecond) // a heartbeat is in most
		within(t, time.Minute, "40 games", func() bool { return c.Stats().Finished >= 40 })
		c.Stop()
		s := c.Stats()
		if s.Cut != 0 || s.FrozenCut != 0 || s.Failed.Total() != 0 || len(s.Incidents) != 0 {
			t.Errorf("got %d and %d cut, %+v failed, %v", s.Cut, s.FrozenCut, s.Failed, s.Incidents)
		}
		if s.BegunByRelease["v1"] != s.Begun || s.BegunByGroup["group1"] != s.Begun || int64(c.Begun("group1", began)) != s.Begun {
			t.Errorf("got %v, %v and %d of %d games", s.BegunByRelease, s.BegunByGroup, c.Begun("group1", began), s.Begun)
		}
	})
	t.Run("leaving is neither a cut nor a finished game", func(t *testing.T) {
		c := a.crowd(t, all, ever)
		playing(t, c)
		c.Stop()
		if s := c.Stats(); s.Cut != 0 || s.Finished != 0 || s.Playing != 0 || s.Failed.Total() != 0 {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("the app ends frozen players and nobody is cut", func(t *testing.T) {
		c := a.crowd(t, all, ever)
		playing(t, c)
		before := a.closed("connector-1") + a.closed("connector-2")
		if n := c.Freeze(5); n != 5 {
			t.Fatalf("got %d frozen, want 5", n)
		}
		within(t, time.Minute, "the app gives them up", func() bool {
			return a.closed("connector-1")+a.closed("connector-2") >= before+5
		})
		if s := c.Stats(); s.Frozen != 5 || s.Playing != all || s.Cut != 0 || s.FrozenCut != 0 {
			t.Errorf("got %d frozen of %d playing, %d and %d cut, want 5 of %d, none", s.Frozen, s.Playing, s.Cut, s.FrozenCut, all)
		}
		if got := a.established(t); got != all {
			t.Errorf("got %d connections to the connectors, want %d: a frozen player does not close", got, all)
		}
		c.Thaw()
		within(t, time.Minute, "they notice and come back", func() bool {
			s := c.Stats()
			return s.FrozenCut == 5 && s.Playing == all && s.Frozen == 0
		})
		c.Stop()
		if s := c.Stats(); s.Cut != 0 || s.FrozenCut != 5 || s.Begun != all+5 {
			t.Errorf("got %d and %d cut of %d, want 0 and 5 of %d: %v", s.Cut, s.FrozenCut, s.Begun, all+5, s.Incidents)
		}
	})
	t.Run("a kick is a cut", func(t *testing.T) {
		c := a.crowd(t, all, ever)
		one, _ := playing(t, c)
		a.signal(t, "connector-1", syscall.SIGUSR2)
		within(t, time.Minute, "they notice", func() bool { return c.Stats().Cut >= one && c.Stats().Playing == all })
		c.Stop()
		s := c.Stats()
		if s.Cut != one || !strings.Contains(s.Incidents[0].Error, "for the test") {
			t.Errorf("got %d cut, want %d, and the reason: %v", s.Cut, one, s.Incidents)
		}
	})
	t.Run("each session of a dead connector is cut once", func(t *testing.T) {
		c := a.crowd(t, all, ever)
		_, two := playing(t, c)
		a.signal(t, "connector-2", syscall.SIGKILL)
		within(t, time.Minute, "they play on the other", func() bool {
			return c.Stats().PlayingByMachine["connector-1"] == all
		})
		c.Stop()
		if s := c.Stats(); s.Cut != two || s.Finished != 0 || s.FrozenCut != 0 {
			t.Errorf("got %d cut, %d finished, want %d, 0", s.Cut, s.Finished, two)
		}
	})
	t.Run("without a connector the gate's answer is nonsense", func(t *testing.T) {
		a.signal(t, "connector-1", syscall.SIGKILL)
		c := a.crowd(t, 1, ever)
		within(t, time.Minute, "twice", func() bool { return c.Stats().Failed.GateNonsense >= 2 })
	})
}

func TestAFailureOfPomeloIsCountedWhereItHappened(t *testing.T) {
	closed := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	for _, c := range []struct {
		name  string
		front string
		got   func(players.Stats) int64
	}{
		{"no balancer", closed, func(s players.Stats) int64 { return s.Failed.BalancerRefused }},
		{"balancer closes", serve(t, func(net.Conn) {}), func(s players.Stats) int64 { return s.Failed.BalancerClosed }},
		{"gate is silent", serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }), func(s players.Stats) int64 { return s.Failed.BalancerClosed }},
		{"gate talks without end", serve(t, says("HTTP/1.1 200 OK\r\n", func(conn net.Conn) {
			for {
				if _, err := conn.Write(bytes.Repeat([]byte("x"), 1024)); err != nil {
					return
				}
			}
		})), func(s players.Stats) int64 { return s.Failed.BalancerClosed }},
		{"no websocket", serve(t, says("HTTP/1.1 502 Bad Gateway\r\n\r\n", nil)), func(s players.Stats) int64 { return s.Failed.BalancerClosed }},
	} {
		t.Run(c.name, func(t *testing.T) {
			crowd := players.Start(t.Context(), players.Options{Protocol: players.Pomelo, Front: at(c.front), Players: 1, Game: time.Hour,
				Seed: 4, Timeout: 100 * time.Millisecond, Retry: time.Millisecond})
			eventually(t, "twice", func() bool { return c.got(crowd.Stats()) >= 2 })
			crowd.Stop()
			s := crowd.Stats()
			if n := c.got(s); n != s.Failed.Total() {
				t.Errorf("got %d here of %+v", n, s.Failed)
			}
			if in := s.Incidents[0]; in.User != 1 || in.Error == "" || in.At.IsZero() || in.Addr != c.front {
				t.Errorf("got %+v, want who, when, where and why", in)
			}
		})
	}
}
