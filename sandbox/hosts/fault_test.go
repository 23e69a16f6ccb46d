package hosts

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAFaultDoesWhatItsNameSays(t *testing.T) {
	h := start(t, machines(1, 2))
	m := h.Machines[0]
	for _, c := range []struct {
		fault   Fault
		text    string
		verb    string
		fails   bool
		says    string
		running int // afterwards; the verb start begins with 0, stop with 2
	}{
		{StartFails, "", "start", true, "planted fault", 0},
		{StartNoop, "", "start", false, "started", 0},
		{StopFails, "", "stop", true, "planted fault", 2},
		{StopNoop, "", "stop", false, "stopped", 2},
		{Crash, "", "start", true, "died while starting", 0},
		{SlowStart, "300ms", "start", false, "started", 2},
		{IgnoreTerm, "", "start", false, "started", 2},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			mustAct(t, h, "game-1", "stop")
			if c.verb == "stop" {
				mustAct(t, h, "game-1", "start")
			}
			if err := h.Plant("game-1", c.fault, c.text); err != nil {
				t.Fatal(err)
			}
			said, err := h.Act(t.Context(), "game-1", c.verb)
			if (err != nil) != c.fails {
				t.Errorf("%s: got %v, want an error: %v", c.verb, err, c.fails)
			}
			contains(t, said, c.says)
			if c.fault == Crash {
				eventually(t, "all crashed", func() bool { return len(truthOf(t, h, "game-1").Running) == 0 })
			}
			if got := truthOf(t, h, "game-1").Running; len(got) != c.running {
				t.Errorf("running: got %v, want %d", got, c.running)
			}
			if err := h.Clear("game-1", c.fault); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("what ignored TERM was killed", func(t *testing.T) {
		contains(t, mustAct(t, h, "game-1", "stop"), "killing it")
		mustAct(t, h, "game-1", "start")
	})
	for _, c := range []struct {
		fault Fault
		text  string
		check func(t *testing.T)
	}{
		{OldRelease, "v0", func(t *testing.T) {
			if got := truthOf(t, h, "game-1"); !slices.Equal(got.Serving, []string{"v0"}) || got.Release != "v1" {
				t.Errorf("got %+v, want v0 served and v1 on disk", got)
			}
		}},
		{CrashAfter, "50ms", func(t *testing.T) {
			eventually(t, "both crashed", func() bool { return len(truthOf(t, h, "game-1").Running) == 0 })
		}},
		{Half, "", func(t *testing.T) {
			if conn, err := net.Dial("tcp", gate(m, 0)); err != nil {
				t.Error(err)
			} else {
				_ = conn.Close()
			}
			if conn, err := net.Dial("tcp", gate(m, 1)); err == nil {
				_ = conn.Close()
				t.Error("the second half listens")
			}
		}},
		{Mute, "", func(t *testing.T) {
			conn, err := net.Dial("tcp", gate(m, 0))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_, _ = conn.Write([]byte("{\"user\":1}\n"))
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			if _, err := conn.Read(make([]byte, 1)); !os.IsTimeout(err) {
				t.Errorf("got %v, want silence", err)
			}
		}},
		{StartFails, "once", func(*testing.T) {}},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			mustAct(t, h, "game-1", "stop")
			if err := h.Plant("game-1", c.fault, c.text); err != nil {
				t.Fatal(err)
			}
			if c.text == "once" {
				if _, err := h.Act(t.Context(), "game-1", "start"); err == nil {
					t.Error("the first start: got success")
				}
			}
			mustAct(t, h, "game-1", "start")
			c.check(t)
			if err := h.Clear("game-1", c.fault); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAStartThatComesTooLateFailsAndLeavesWhatItStartedToTheStop(t *testing.T) {
	h := start(t, machines(1, 1))
	path := h.Machines[0].game("game.conf")
	conf, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	shorter := strings.Replace(string(conf), "START_WITHIN='10'", "START_WITHIN='1'", 1)
	if err := os.WriteFile(path, []byte(shorter), 0o600); err != nil {
		t.Fatal(err)
	}
	mustAct(t, h, "game-1", "stop")
	if err := h.Plant("game-1", HangBeforeListen, ""); err != nil {
		t.Fatal(err)
	}
	said, err := h.Act(t.Context(), "game-1", "start")
	if err == nil {
		t.Error("got a start of processes that do not listen")
	}
	contains(t, said, "does not listen after 1s")
	if got := truthOf(t, h, "game-1"); len(got.Running) != 2 || len(got.Serving) != 0 {
		t.Errorf("got %+v, want two processes that serve nothing", got)
	}
	mustAct(t, h, "game-1", "stop")
	if got := truthOf(t, h, "game-1").Running; len(got) != 0 {
		t.Errorf("after the stop: got %v", got)
	}
}

func TestAHangingActEndsWithItsCallerAndIsSeenAsUnfinished(t *testing.T) {
	h := start(t, machines(1, 1))
	for _, c := range []struct {
		fault Fault
		verb  string
	}{{StopHangs, "stop"}, {StartHangs, "start"}} {
		if err := h.Plant("game-1", c.fault, ""); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := h.Act(ctx, "game-1", c.verb); done <- err }()
		eventually(t, c.verb+" begun", func() bool {
			acts := truthOf(t, h, "game-1").Acts
			last := acts[len(acts)-1]
			return last.Verb == c.verb && last.Exit == -1
		})
		select {
		case err := <-done:
			t.Errorf("%s: got %v, want it to hang", c.verb, err)
		case <-time.After(50 * time.Millisecond):
		}
		cancel()
		if err := <-done; err == nil {
			t.Errorf("%s: got success after it was killed", c.verb)
		}
	}
}

func TestAFaultCanBePlantedByCreatingAFile(t *testing.T) {
	h := start(t, machines(1, 1))
	if err := os.WriteFile(filepath.Join(h.Machines[0].Dir, "faults", "start-fails"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Act(t.Context(), "game-1", "start"); err == nil {
		t.Error("got success")
	}
	if err := h.Plant("game-9", StartFails, ""); err == nil {
		t.Error("planted on a machine that is not there")
	}
}

func TestAMachinesPathIsWhatItsCommandsFind(t *testing.T) {
	m := Machine{Name: "game-1", Dir: t.TempDir()}
	h := &Hosts{Machines: []Machine{m}}
	if err := os.Mkdir(filepath.Join(m.Dir, "faults"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := func() string {
		out, err := command(m, `echo "$PATH"`).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	if got := path(); got != os.Getenv("PATH") {
		t.Errorf("got %q, want our own", got)
	}
	if err := h.Plant("game-1", Path, "/nowhere"); err != nil {
		t.Fatal(err)
	}
	if got := path(); got != "/nowhere" {
		t.Errorf("planted: got %q", got)
	}
	if err := h.Clear("game-1", Path); err != nil {
		t.Fatal(err)
	}
	if got := path(); got != os.Getenv("PATH") {
		t.Errorf("cleared: got %q, want our own", got)
	}
}

func TestASpoiltToolFailsOnItsMachineAlone(t *testing.T) {
	h := start(t, machines(1, 2))
	line := "date +%s"
	if err := command(h.Machines[0], line).Run(); err != nil {
		t.Fatalf("before: %v", err)
	}
	if err := h.Spoil("game-1", "date"); err != nil {
		t.Fatal(err)
	}
	said, err := command(h.Machines[0], line+" 2>&1").Output()
	if err == nil || !strings.Contains(string(said), "a planted fault") {
		t.Errorf("spoilt: got %q, %v; want that it fails and says why", said, err)
	}
	if err := command(h.Machines[1], line).Run(); err != nil {
		t.Errorf("the other machine: %v", err)
	}
	if err := h.Spoil("nosuch", "date"); err == nil {
		t.Error("a machine that is not there: got no error")
	}
}

func TestActsAreSeenWhileTheyAreUnderWay(t *testing.T) {
	h := start(t, machines(1, 2))
	if err := h.Plant("game-1", StopHangs, ""); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = h.Act(ctx, "game-1", "stop")
	}()
	eventually(t, "the stop is seen", func() bool {
		acts, err := h.Acts("game-1")
		return err == nil && len(acts) == 2 && acts[1].Verb == "stop" && acts[1].Exit == -1
	})
	cancel()
	<-ended
	if _, err := h.Acts("nosuch"); err == nil {
		t.Error("a machine that is not there: got no error")
	}
}
