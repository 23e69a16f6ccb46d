package remote

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// spaceDir is where the machine of openPair keeps what it knows of the space
// "game".
func (s *openSSH) spaceDir() string {
	return filepath.Join(s.home, ".local/state/rollout-once/game/m")
}

func TestOpenSSHTheSameIDIsOneRunAndOneResult(t *testing.T) {
	t.Parallel()
	p, s, _ := openPair(t)
	file := filepath.Join(t.TempDir(), "count")
	var output strings.Builder
	o := Once{Command: Command{Line: "echo x >>" + quote(file) + "; echo out $A; echo err >&2; pwd; exit 3", Env: map[string]string{"A": "it's"}, Dir: s.home}, ID: "run-1.restart.m", Space: "game"}
	first, err := p.Once(soon(t), "m", o)
	if !exited(err, 3) || first.Code != 3 || first.Stdout != "out it's\n"+s.home+"\n" || first.Stderr != "err\n" || first.Held {
		t.Fatalf("got %+v, %v", first, err)
	}
	if want := "m: exit 3: err (ran: echo x"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %s, want %s", err, want)
	}
	o.Output = &output
	again, err := p.Once(soon(t), "m", o)
	if !exited(err, 3) || again != first {
		t.Errorf("got %+v, %v, want %+v", again, err, first)
	}
	if output.String() != first.Stdout+first.Stderr {
		t.Errorf("Output got %q", output.String())
	}
	if got := readFile(t, file); got != "x\n" {
		t.Errorf("it ran %d times", strings.Count(got, "x"))
	}
	// With another line it is not the same.
	other := o
	other.Line = "echo y >>" + quote(file)
	var reused *ReusedError
	if _, err := p.Once(soon(t), "m", other); !errors.As(err, &reused) || reused.ID != o.ID || MayHaveRun(err) {
		t.Errorf("another line: got %v, want ReusedError", err)
	}
	other = o
	other.Dir = "/"
	if _, err := p.Once(soon(t), "m", other); !errors.As(err, &reused) {
		t.Errorf("another directory: got %v, want ReusedError", err)
	}
	// Of another space or under another name it is another.
	other = o
	other.Space = "other"
	if _, err := p.Once(soon(t), "m", other); !exited(err, 3) {
		t.Errorf("another space: got %v", err)
	}
	if got := readFile(t, file); got != "x\nx\n" {
		t.Errorf("got %q, want one more run", got)
	}
}

func TestOpenSSHALowerTokenIsRefused(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t)
	file := filepath.Join(t.TempDir(), "count")
	seen := func(space string, want int64) {
		t.Helper()
		if got, err := p.Seen(soon(t), "m", space); err != nil || got != want {
			t.Errorf("seen of %s: got %d, %v, want %d", space, got, err, want)
		}
	}
	seen("game", 0)
	do := func(id string, token int64) error {
		_, err := p.Once(soon(t), "m", Once{Command: Command{Line: "echo " + id + " >>" + quote(file)}, ID: id, Token: token, Space: "game"})
		return err
	}
	if err := do("nine", 9); err != nil {
		t.Fatal(err)
	}
	err := do("seven", 7)
	var fenced *FencedError
	if !errors.As(err, &fenced) || *fenced != (FencedError{"m", 7, 9, "nine", false}) || MayHaveRun(err) {
		t.Errorf("7 after 9: got %v, want FencedError", err)
	}
	if err := do("nine-too", 9); err != nil {
		t.Errorf("9 after 9: %v", err)
	}
	seen("game", 9)
	seen("other", 0)
	if err := do("last", math.MaxInt64); err != nil {
		t.Errorf("the highest: %v", err)
	}
	if err := do("nine", 9); !errors.As(err, &fenced) || *fenced != (FencedError{"m", 9, math.MaxInt64, "last", true}) || !MayHaveRun(err) {
		t.Errorf("9 after the highest: got %v, want a FencedError that says it had begun", err)
	}
	var odd *AnswerError
	if got, err := p.Seen(soon(t), "m", "game"); !errors.As(err, &odd) || got != 0 {
		t.Errorf("seen: got %d, %v, want no belief in what nobody can count on from", got, err)
	}
	// To look is free.
	if st, err := p.State(soon(t), "m", Once{ID: "nine", Space: "game"}); err != nil || st.Phase != Finished {
		t.Errorf("got %+v, %v", st, err)
	}
	if got := readFile(t, file); got != "nine\nnine-too\nlast\n" {
		t.Errorf("ran: %q", got)
	}
}

func TestAOnceThatCannotBeSentSaysWhy(t *testing.T) {
	t.Parallel()
	p := newPool(t, Config{Home: t.TempDir()})
	good := func(change func(*Once)) Once {
		o := Once{Command: Command{Line: "x"}, ID: "a", Space: "b"}
		change(&o)
		return o
	}
	rows := map[string]Once{
		"standard input":    good(func(o *Once) { o.Stdin = strings.NewReader("") }),
		"a negative token":  good(func(o *Once) { o.Token = -1 }),
		"a negative time":   good(func(o *Once) { o.Within = -1 }),
		"negative fresh":    good(func(o *Once) { o.Fresh = -1 }),
		"NUL in the line":   good(func(o *Once) { o.Line = "\x00" }),
		"NUL in a value":    good(func(o *Once) { o.Env = map[string]string{"A": "\x00"} }),
		"NUL in the dir":    good(func(o *Once) { o.Dir = "\x00" }),
		"a bad variable":    good(func(o *Once) { o.Env = map[string]string{"A;id": ""} }),
		"an id of 129":      good(func(o *Once) { o.ID = strings.Repeat("a", 129) }),
		"a space of spaces": good(func(o *Once) { o.Space = " " }),
	}
	for _, id := range []string{"", ".", "..", ".a", "-a", "../x", "a/b", "a b", "a\n", "a\r", "a\x00", "é", "$(id)", "--help", "a;b"} {
		rows[fmt.Sprintf("id %q", id)] = good(func(o *Once) { o.ID = id })
		rows[fmt.Sprintf("space %q", id)] = good(func(o *Once) { o.Space = id })
	}
	for name, o := range rows {
		t.Run(name, func(t *testing.T) {
			// A connection would be refused for want of a known_hosts file.
			var unknown *UnknownHostError
			_, err := p.Once(soon(t), "127.0.0.1", o)
			if err == nil || errors.As(err, &unknown) || strings.Contains(err.Error(), "127.0.0.1") || MayHaveRun(err) {
				t.Errorf("got %v, want it refused before a connection", err)
			}
		})
	}
}

func TestHostsThatShareAHomeShareNoState(t *testing.T) {
	seen := map[string]string{}
	for _, host := range []string{"m", "10.9.0.4", "[::1]:22", "[::2]:22", "a/b", "a_b", "..", ".", "", "-x", "_x", "a b", strings.Repeat("x", 200), strings.Repeat("x", 201)} {
		dir := hostDir(host)
		if !plainName(dir) {
			t.Errorf("%q became %q", host, dir)
		}
		if other, taken := seen[dir]; taken {
			t.Errorf("%q and %q are both %q", host, other, dir)
		}
		seen[dir] = host
	}
}

func TestOpenSSHGivingUpLeavesACommandRunning(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t)
	gate := filepath.Join(t.TempDir(), "gate")
	o := Once{Command: Command{Line: "echo on; while [ ! -e " + quote(gate) + " ]; do sleep 0.02; done"}, ID: "a", Space: "game"}
	ctx, cancel := context.WithCancel(soon(t))
	go func() {
		eventually(t, "the command", func() bool {
			st, err := p.State(soon(t), "m", o)
			return err == nil && st.Phase == Going && st.Output == "on\n"
		})
		cancel()
	}()
	_, err := p.Once(ctx, "m", o)
	var stopped *StoppedError
	if !errors.As(err, &stopped) || !stopped.Left || !stopped.Begun || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the command runs on") {
		t.Errorf("got %v, want StoppedError", err)
	}
	if st, err := p.State(soon(t), "m", o); err != nil || st.Phase != Going {
		t.Errorf("got %+v, %v, want it to run on", st, err)
	}
	writeFile(t, gate, "")
	if r, err := p.Once(soon(t), "m", o); err != nil || r.Stdout != "on\n" {
		t.Errorf("got %q, %v", r.Stdout, err)
	}
	if st, err := p.State(soon(t), "m", Once{ID: "never", Space: "game"}); err != nil || st.Phase != Absent {
		t.Errorf("got %+v, %v, want absent", st, err)
	}
	if st, err := p.State(soon(t), "m", Once{ID: "never", Space: "nowhere"}); err != nil || st.Phase != Absent {
		t.Errorf("got %+v, %v, want absent", st, err)
	}
}

func TestOpenSSHARequestThatComesLateBeginsNothing(t *testing.T) {
	t.Parallel()
	p, s, _ := openPair(t)
	file := filepath.Join(t.TempDir(), "count")
	o := Once{Command: Command{Line: "echo x >>" + quote(file)}, ID: "a", Space: "game", Fresh: time.Nanosecond}
	var stale *StaleError
	if _, err := p.Once(soon(t), "m", o); !errors.As(err, &stale) || MayHaveRun(err) {
		t.Errorf("got %v, want StaleError", err)
	}
	if _, err := os.Stat(filepath.Join(s.spaceDir(), "a")); err == nil {
		t.Error("something is there of it")
	}
	o.Fresh = time.Minute
	if _, err := p.Once(soon(t), "m", o); err != nil {
		t.Error(err)
	}
	// Who only wants the outcome gets it, however late.
	o.Fresh = time.Nanosecond
	if _, err := p.Once(soon(t), "m", o); err != nil {
		t.Error(err)
	}
	if got := readFile(t, file); got != "x\n" {
		t.Errorf("got %q", got)
	}
}

func TestOpenSSHACommandWhoseMachineWasRebootedOrKeeperKilledIsLost(t *testing.T) {
	t.Parallel()
	p, s, _ := openPair(t)
	dir := t.TempDir()
	begin := func(id string) (o Once, ended chan error) {
		o = Once{Command: Command{Line: "echo $$ >" + quote(filepath.Join(dir, id)) + "; echo partial >&2; exec sleep 300"}, ID: id, Space: "game"}
		t.Cleanup(func() { endProcess(filepath.Join(dir, id)) })
		ended = make(chan error, 1)
		go func() {
			_, err := p.Once(soon(t), "m", o)
			ended <- err
		}()
		eventually(t, "the command", func() bool {
			st, err := p.State(soon(t), "m", o)
			return err == nil && st.Phase == Going && st.Output == "partial\n"
		})
		return o, ended
	}
	lost := func(o Once, ended chan error, why string) {
		t.Helper()
		var outcome *LostOnMachineError
		if err := <-ended; !errors.As(err, &outcome) || outcome.Why != why || !MayHaveRun(err) {
			t.Errorf("got %v, want it lost: %s", err, why)
		}
		if _, err := p.Once(soon(t), "m", o); !errors.As(err, &outcome) {
			t.Errorf("asked again: got %v", err)
		}
		st, err := p.State(soon(t), "m", o)
		if err != nil || st.Phase != Lost || st.Why != why || st.Output != "partial\n" {
			t.Errorf("got %+v, %v", st, err)
		}
	}

	o, ended := begin("killed")
	began := strings.Fields(readFile(t, filepath.Join(s.spaceDir(), "killed", "begun")))
	keeper, err := strconv.Atoi(began[3])
	if err != nil || keeper < 2 {
		t.Fatalf("keeper %q", began)
	}
	if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if st, err := p.State(soon(t), "m", o); err != nil || st.Phase != Going {
		t.Errorf("got %+v, %v: without its keeper the command still runs", st, err)
	}
	endProcess(filepath.Join(dir, "killed"))
	lost(o, ended, "died")

	// As after a reboot: another boot id, and none of the processes.
	o, ended = begin("rebooted")
	file := filepath.Join(s.spaceDir(), "rebooted", "begun")
	began = strings.Fields(readFile(t, file))
	if keeper, err = strconv.Atoi(began[3]); err != nil || keeper < 2 {
		t.Fatalf("keeper %q", began)
	}
	writeFile(t, file, strings.Replace(readFile(t, file), began[1], "0"+began[1][1:]+"x", 1))
	if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	endProcess(filepath.Join(dir, "rebooted"))
	lost(o, ended, "rebooted")

	// What had ended before the reboot is known.
	o = Once{Command: Command{Line: "exit 3"}, ID: "before", Space: "game"}
	if _, err := p.Once(soon(t), "m", o); !exited(err, 3) {
		t.Fatal(err)
	}
	file = filepath.Join(s.spaceDir(), "before", "begun")
	writeFile(t, file, strings.Replace(readFile(t, file), began[1], "x", 1))
	if _, err := p.Once(soon(t), "m", o); !exited(err, 3) {
		t.Errorf("got %v, want exit 3", err)
	}
}

func TestOpenSSHADaemonDoesNotKeepAOnceGoing(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t)
	pid := filepath.Join(t.TempDir(), "pid")
	t.Cleanup(func() { endProcess(pid) })
	r, err := p.Once(soon(t), "m", Once{Command: Command{Line: "sleep 300 & echo $! >" + quote(pid) + "; echo up", Within: time.Minute}, ID: "a", Space: "game"})
	if err != nil || r.Stdout != "up\n" {
		t.Errorf("got %q, %v", r.Stdout, err)
	}
	if !alive(t, pid) {
		t.Error("the daemon is gone")
	}
}
