package drain

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestSessionsAreCountedOnWhateverTheMachineHas(t *testing.T) {
	t.Parallel()
	base := func(awk string) map[string]string {
		return map[string]string{"sleep": "sleep", "awk": awk}
	}
	with := func(awk string) map[string]string {
		p := base(awk)
		p["ss"], p["stdbuf"] = "ss", "stdbuf"
		return p
	}
	tests := []struct {
		name     string
		sh       string
		programs map[string]string
		ss       string // a false ss
		by       string // what must have counted
	}{
		{"dash, mawk, ss", "dash", with("mawk"), "", "ss"},
		{"dash, gawk, ss", "dash", with("gawk"), "", "ss"},
		{"bash, mawk, ss", "bash", with("mawk"), "", "ss"},
		{"sh, awk, ss", "sh", with("awk"), "", "ss"},
		{"sh, awk", "sh", base("awk"), "", "proc"},
		{"bash, gawk", "bash", base("gawk"), "", "proc"},
		{"dash, original awk", "dash", base("original-awk"), "", "proc"},
		{"busybox alone", "busybox", map[string]string{"awk": "busybox", "sleep": "busybox"}, "", "proc"},
		{"ss is refused", "sh", base("awk"), "echo 'Cannot open netlink socket: Permission denied' >&2; exit 1", "proc"},
		{"ss complains but ends well", "sh", base("awk"), "echo 'Cannot open netlink socket: Permission denied' >&2", "proc"},
		{"ss is killed", "sh", base("awk"), "echo Recv-Q; kill -9 $$", "proc"},
		{"ss ends badly without a word", "sh", base("awk"), "echo Recv-Q; exit 1", "proc"},
		{"sleep knows no fractions", "sh", map[string]string{"awk": "awk"}, "", "proc"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := fmt.Sprintf("127.0.77.%d", 100+i)
			sh := newLocal(strings.Fields(tt.sh)...)
			if tt.sh == "busybox" {
				sh.sh = []string{"busybox", "sh"}
			}
			if _, err := exec.LookPath(tt.sh); err != nil {
				t.Skipf("no %s here", tt.sh)
			}
			sh.path, sh.edit = dir(t, tt.programs), noSbin
			if tt.ss != "" {
				program(t, sh.path, "ss", tt.ss)
			}
			if tt.programs["sleep"] == "" {
				truth, err := exec.LookPath("sleep")
				if err != nil {
					t.Skip("no sleep here")
				}
				program(t, sh.path, "sleep", "case $1 in *.*) echo 'invalid interval' >&2; exit 1;; esac; exec "+truth+" $1")
			}
			g := play(t, "tcp4", addr+":0")
			g.join(t, addr, 5)
			w := g.watch(t, sh, addr)
			wantSessions(t, w, 5)
			g.leave(2)
			wantSessions(t, w, 3)
			g.leave(3)
			wantSessions(t, w, 0)
			w.mu.Lock()
			got := w.channels[0].count.by
			w.mu.Unlock()
			if got != tt.by {
				t.Errorf("got counted by %s, want %s", got, tt.by)
			}
			w.Close()
			sh.wantNothingLeft(t)
		})
	}
}

// bothWays runs a test with ss and without.
func bothWays(t *testing.T, test func(t *testing.T, sh *local)) {
	t.Helper()
	t.Parallel()
	t.Run("ss", func(t *testing.T) {
		t.Parallel()
		if _, err := exec.LookPath("ss"); err != nil {
			t.Skip("no ss here")
		}
		test(t, newLocal("sh"))
	})
	t.Run("proc", func(t *testing.T) {
		t.Parallel()
		sh := newLocal("sh")
		sh.path, sh.edit = dir(t, map[string]string{"sleep": "sleep", "awk": "awk"}), noSbin
		test(t, sh)
	})
}

func TestOnlySocketsOnTheAddressCount(t *testing.T) {
	bothWays(t, func(t *testing.T, sh *local) {
		one := play(t, "tcp4", "127.0.77.11:0")
		other := play(t, "tcp4", fmt.Sprintf("127.0.77.12:%d", one.port))
		one.join(t, "127.0.77.11", 2)
		other.join(t, "127.0.77.12", 3)
		w := one.watch(t, sh, "127.0.77.11", "127.0.77.12", "127.0.77.13", "")
		want := map[string]int{"m127.0.77.11": 2, "m127.0.77.12": 3, "m127.0.77.13": 0, "m": 5}
		until(t, w, fmt.Sprint(want), func(r Reading) bool {
			return maps.Equal(r.ByHost, want) && slices.Equal(r.Silent, []string{"m127.0.77.13"})
		})
		one.join(t, "127.0.77.11", 1)
		want["m127.0.77.11"], want["m"] = 3, 6
		until(t, w, "a late session too", func(r Reading) bool { return maps.Equal(r.ByHost, want) })
	})
}

func TestMappedAndRealIPv6SessionsCount(t *testing.T) {
	bothWays(t, func(t *testing.T, sh *local) {
		g := play(t, "tcp", "[::]:0")
		g.join(t, "127.0.77.21", 2)
		g.join(t, "::1", 3)
		w := g.watch(t, sh, "127.0.77.21", "::1", "")
		want := map[string]int{"m127.0.77.21": 2, "m::1": 3, "m": 5}
		until(t, w, fmt.Sprint(want), func(r Reading) bool { return maps.Equal(r.ByHost, want) && len(r.Silent) == 0 })
	})
}

func TestProbesDoNotHoldADrainOpen(t *testing.T) {
	bothWays(t, func(t *testing.T, sh *local) {
		// Counts are a tenth of a second apart, so that each probe is in several.
		sh.set("young=200", "young=1000")
		g := play(t, "tcp4", "127.0.77.31:0")
		g.join(t, "127.0.77.31", 2)
		ctx, stop := context.WithCancel(t.Context())
		var probing sync.WaitGroup
		var probes atomic.Int64
		for range 8 {
			probing.Go(func() {
				for ctx.Err() == nil {
					c, err := net.Dial("tcp", fmt.Sprintf("127.0.77.31:%d", g.port))
					if err != nil {
						t.Error(err)
						return
					}
					probes.Add(1)
					_ = Wall{}.Wait(ctx, 400*time.Millisecond)
					c.Close()
				}
			})
		}
		defer probing.Wait()
		defer stop()
		w := g.watch(t, sh, "127.0.77.31")
		wantSessions(t, w, 2)
		g.leave(2)
		got, err := Wait(t.Context(), w, Policy{StableFor: 400 * time.Millisecond, Within: 20 * time.Second, Interval: 50 * time.Millisecond}, nil)
		if err != nil || got.Ended != Zero {
			t.Errorf("got %+v, %v after %d probes, want zero", got, err, probes.Load())
		}
	})
}

func TestManySessionsGrowingFewAreNeverZero(t *testing.T) {
	bothWays(t, func(t *testing.T, sh *local) {
		sh.set("pairs=2000", "pairs=4")
		g := play(t, "tcp4", "127.0.77.41:0")
		g.join(t, "127.0.77.41", 6)
		w := g.watch(t, sh, "127.0.77.41")
		least := 6
		note := func(r Reading) {
			if r.Known() && r.Total < least {
				least = r.Total
			}
		}
		until(t, w, "6 sessions", func(r Reading) bool { note(r); return r.Total == 6 })
		g.leave(4)
		again := 0
		until(t, w, "2 sessions five times", func(r Reading) bool {
			note(r)
			if r.Total == 2 {
				again++
			}
			return again == 5
		})
		if least != 2 {
			t.Errorf("got %d at the least, want 2", least)
		}
	})
}

func TestAKilledScriptIsUnreadAndThenRecovers(t *testing.T) {
	t.Parallel()
	g := play(t, "tcp4", "127.0.77.51:0")
	g.join(t, "127.0.77.51", 2)
	sh := newLocal("sh")
	w := g.watch(t, sh, "127.0.77.51")
	wantSessions(t, w, 2)
	if err := syscall.Kill(-sh.lastPid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, w, "the machine unread", func(r Reading) bool { return r.Unread["m"] != "" && r.Total == 0 })
	wantSessions(t, w, 2)
}

func TestNothingIsLeftOnTheMachine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		kill string // a part of the command line of what is killed first
	}{
		{"the channel ends", ""},
		{"the awk is killed", "awk"},
		{"ss -E is killed", "ss -E"},
		{"the shell that was logged in to is killed", "login"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range []string{"ss", "stdbuf"} {
				if _, err := exec.LookPath(p); err != nil {
					t.Skipf("no %s here", p)
				}
			}
			addr := fmt.Sprintf("127.0.77.%d", 61+i)
			g := play(t, "tcp4", addr+":0")
			g.join(t, addr, 3)
			sh := newLocal("sh")
			w := g.watch(t, sh, addr)
			wantSessions(t, w, 3)
			first := sh.lastPid()
			victim := 0
			for range 200 {
				tails := 0
				for pid, line := range sh.alive(t) {
					if strings.HasPrefix(line, "ss -E") {
						tails++
					}
					if tt.kill != "" && strings.HasPrefix(line, tt.kill) {
						victim = pid
					}
				}
				if tails == 1 && (victim != 0 || tt.kill == "" || tt.kill == "login") {
					break
				}
				tick(t)
			}
			if tt.kill == "login" {
				victim = first
			}
			if tt.kill != "" {
				if victim == 0 {
					t.Fatalf("got nothing called %s among %v", tt.kill, sh.alive(t))
				}
				if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
			sh.wantNothingLeft(t)
		})
	}
}

func TestEventsMakeACountComeEarlier(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"ss", "stdbuf"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("no %s here", p)
		}
	}
	g := play(t, "tcp4", "127.0.77.71:0")
	g.join(t, "127.0.77.71", 40)
	sh := newLocal("sh")
	// Without the gauge of the whole machine only an event can be the cause of
	// a second count within the hour.
	sh.edit = func(s string) string { return strings.Replace(s, "n != before", "0", 1) }
	w := Sockets(sh, []Target{{Host: "m", Ports: []int{g.port}, Bind: "127.0.77.71"}}, Options{Interval: time.Hour})
	w.Start(t.Context())
	defer w.Close()
	if got := count(t, w, 20*time.Second); got.Total != 40 {
		t.Fatalf("got %+v, want 40", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	fewer := make(chan Reading, 1)
	go func() {
		r, _ := w.Count(ctx)
		fewer <- r
	}()
	for {
		select {
		case r := <-fewer:
			if !r.Full || r.Total >= 40 {
				t.Errorf("got %+v, want fewer than 40", r)
			}
			return
		default:
		}
		if len(g.players) > 0 {
			g.leave(1)
		}
		g.mu.Lock()
		for _, c := range g.accepted[:min(40-len(g.players), len(g.accepted))] {
			c.Close() // the process ends its side as well, and the socket goes
		}
		g.mu.Unlock()
		tick(t)
		tick(t)
	}
}

func TestAMachineWithoutTheToolsSaysSo(t *testing.T) {
	t.Parallel()
	nowhere := func(s string) string {
		return strings.ReplaceAll(noSbin(s), "/proc/net/tcp", "/nowhere/net/tcp")
	}
	tests := []struct {
		name     string
		programs map[string]string
		edit     func(string) string
		why      string
	}{
		{"no awk", map[string]string{"sleep": "sleep"}, noSbin, "there is no awk on this machine"},
		{"neither ss nor /proc", map[string]string{"sleep": "sleep", "awk": "awk"}, nowhere, "neither ss nor /nowhere/net/tcp can be read on this machine"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sh := newLocal("sh")
			var err error
			if sh.sh[0], err = exec.LookPath("sh"); err != nil {
				t.Skip("no sh here")
			}
			sh.path, sh.edit = dir(t, tt.programs), tt.edit
			w := (&game{port: 6200}).watch(t, sh, "")
			until(t, w, tt.why, func(r Reading) bool { return r.Unread["m"] == tt.why })
		})
	}
}

func TestAWrongPortLooksSilentAndNotEmpty(t *testing.T) {
	bothWays(t, func(t *testing.T, sh *local) {
		g := play(t, "tcp4", "127.0.77.81:0")
		g.join(t, "127.0.77.81", 2)
		w := (&game{port: 1}).watch(t, sh, "127.0.77.81")
		until(t, w, "it silent", func(r Reading) bool { return r.Known() && r.Total == 0 && len(r.Silent) == 1 })
	})
}

func TestNothingIsLeftWhereSIGPIPEIsIgnored(t *testing.T) {
	for _, awk := range []string{"awk", "busybox"} {
		t.Run(awk, func(t *testing.T) {
			t.Parallel()
			sh := newLocal("sh", "-c", `trap "" PIPE; exec sh "$@"`, "sh")
			sh.path, sh.edit = dir(t, map[string]string{"awk": awk, "sleep": "sleep", "sh": "sh"}), noSbin
			g := play(t, "tcp4", "127.0.77.85:0")
			g.join(t, "127.0.77.85", 1)
			w := g.watch(t, sh, "127.0.77.85")
			wantSessions(t, w, 1)
			w.Close()
			sh.wantNothingLeft(t)
		})
	}
}
