package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOpenSSHRunsACommandWithoutTheNoiseOfTheLoginShell(t *testing.T) {
	t.Parallel()
	p, s, _ := openPair(t)
	r, err := p.Run(soon(t), "m", Command{Line: `echo out; echo err >&2; cat; echo "$A"; pwd`, Env: map[string]string{"A": "it's"}, Stdin: strings.NewReader("in\n"), Dir: s.home})
	if err != nil || r.Stderr != "err\n" || r.Stdout != "out\nin\nit's\n"+s.home+"\n" || r.Held {
		t.Errorf("got %q, %q, held %t, %v", r.Stdout, r.Stderr, r.Held, err)
	}
	r, err = p.Run(soon(t), "m", Command{Line: "exit 7"})
	if r.Code != 7 || err == nil {
		t.Errorf("got code %d, %v, want 7", r.Code, err)
	}
	_, err = p.Run(soon(t), "m", Command{Line: "kill -KILL $$"})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Signal != "KILL" {
		t.Errorf("got %v, want killed by SIGKILL", err)
	}
	r, _ = p.Run(soon(t), "m", Command{Line: "tty; ps -o args= -p $$", Env: map[string]string{"SECRET": "canary"}})
	if !strings.HasPrefix(r.Stdout, "not a tty") || strings.Contains(r.Stdout, "canary") {
		t.Errorf("got %q, want no terminal, and no value in the process list", r.Stdout)
	}
}

// Not parallel, since it measures the memory of the whole process.
func TestOpenSSHMuchOutputCostsNoMemory(t *testing.T) {
	p, _, _ := openPair(t)
	if err := p.Login(soon(t), []string{"m"}); err != nil {
		t.Fatal(err)
	}
	const size = 60 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r, err := p.Run(soon(t), "m", Command{Line: fmt.Sprintf("echo first; head -c %d /dev/zero; echo last", size)})
	runtime.ReadMemStats(&after)
	if err != nil || !strings.HasPrefix(r.Stdout, "first\n") || !strings.HasSuffix(r.Stdout, "\x00last\n") {
		t.Fatalf("got %d bytes, %v", len(r.Stdout), err)
	}
	if want := fmt.Sprintf("[… %d bytes left out …]", size+len("first\nlast\n")-2*excerptHalf); !strings.Contains(r.Stdout, want) {
		t.Errorf("it does not say %q", want)
	}
	if grew := int64(after.HeapSys) - int64(before.HeapSys); grew > 16<<20 {
		t.Errorf("memory grew by %d MB for %d MB of output", grew>>20, size>>20)
	}
}

func TestOpenSSHATimeoutEndsTheWholeProcessGroup(t *testing.T) {
	t.Parallel()
	p, s, _ := openPair(t)
	for _, row := range []struct{ name, trap string }{
		{"which heeds TERM", ""},
		{"which ignores TERM", "trap '' TERM; "},
	} {
		t.Run(row.name, func(t *testing.T) {
			pid := filepath.Join(t.TempDir(), "pid")
			began := time.Now()
			r, err := p.Run(soon(t), "m", Command{
				Line:   row.trap + "echo begun; (sleep 300 & echo $! >" + quote(pid+".child") + "; wait) & echo $$ >" + quote(pid) + "; sleep 300; sleep 300",
				Within: 500 * time.Millisecond, Dir: s.home,
			})
			var timeout *TimeoutError
			if !errors.As(err, &timeout) || timeout.During != Running || timeout.Left || !MayHaveRun(err) {
				t.Fatalf("got %v, want a timeout of the command and nothing left", err)
			}
			if !strings.HasPrefix(err.Error(), "m: command timed out after 500ms (ran: ") {
				t.Errorf("got %s", err)
			}
			if r.Stdout != "begun\n" {
				t.Errorf("got %q, want what it printed", r.Stdout)
			}
			if alive(t, pid) || alive(t, pid+".child") {
				t.Error("a process of the group lives on")
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestOpenSSHCancellingEndsTheCommandAndSparesItsDaemon(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t)
	pid := filepath.Join(t.TempDir(), "pid")
	t.Cleanup(func() { endProcess(pid + ".daemon") })
	ctx, cancel := context.WithCancel(soon(t))
	running := make(chan struct{}, 1)
	go func() { <-running; cancel() }()
	_, err := p.Run(ctx, "m", Command{
		Line:   "setsid sh -c 'echo $$ >" + pid + ".daemon; exec sleep 300' </dev/null >/dev/null 2>&1 & echo $$ >" + pid + "; while [ ! -s " + pid + ".daemon ]; do sleep 0.01; done; echo on; sleep 300",
		Output: signal(running),
	})
	var stopped *StoppedError
	if !errors.As(err, &stopped) || stopped.Left || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want StoppedError and nothing left", err)
	}
	if alive(t, pid) {
		t.Error("the command lives on")
	}
	if !alive(t, pid+".daemon") {
		t.Error("the daemon did not survive")
	}
}

func TestOpenSSHADaemonDoesNotHoldTheCall(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t)
	began := time.Now()
	r, err := p.Run(soon(t), "m", Command{Line: "sleep 300 & echo $!"})
	if err != nil || !r.Held {
		t.Errorf("got held %t, %v, want it to say that the output is held", r.Held, err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	if _, err := p.Run(soon(t), "m", Command{Line: "kill " + r.Stdout}); err != nil {
		t.Errorf("the daemon was not there any more: %v", err)
	}
}

func TestOpenSSHACommandSurvivesTheLossOfItsConnection(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	s := newOpenSSH(t, who.pub)
	dark := make(chan struct{})
	front := blackHole(t, s.port, dark)
	who.knows(t, fmt.Sprintf("127.0.0.1:%d", front), s.key)
	p := newPool(t, Config{Home: who.home, Keepalive: 20 * time.Millisecond, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: front}}})
	file := filepath.Join(t.TempDir(), "done")
	running := make(chan struct{}, 1)
	go func() { <-running; close(dark) }()
	_, err := p.Run(soon(t), "m", Command{Line: "echo on; sleep 0.5; echo x >>" + quote(file), Output: signal(running)})
	var lost *LostError
	if !errors.As(err, &lost) {
		t.Fatalf("got %v, want LostError", err)
	}
	eventually(t, "the command's end", func() bool { b, _ := os.ReadFile(file); return string(b) == "x\n" })
}

func TestOpenSSHAStreamDeliversLinesAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t)
	// Silent after its beginning, so that no broken pipe tells it to end.
	script := func(pid string) string {
		return "sleep 300 & echo $! >" + pid + ".child; echo $$ >" + pid + "; echo one; echo 'two  words'; wait"
	}
	t.Run("when its caller has enough", func(t *testing.T) {
		pid := filepath.Join(t.TempDir(), "pid")
		var got []string
		enough := errors.New("enough")
		err := p.Stream(soon(t), "m", script(pid), func(l string) error {
			if got = append(got, l); len(got) == 2 {
				return enough
			}
			return nil
		})
		if err != enough || strings.Join(got, "|") != "one|two  words" {
			t.Errorf("got %q, %v", got, err)
		}
		eventually(t, "the end of its processes", func() bool { return !alive(t, pid) && !alive(t, pid+".child") })
	})
	t.Run("when its context ends", func(t *testing.T) {
		pid := filepath.Join(t.TempDir(), "pid")
		ctx, cancel := context.WithCancel(soon(t))
		err := p.Stream(ctx, "m", script(pid), func(string) error { cancel(); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		eventually(t, "the end of its processes", func() bool { return !alive(t, pid) && !alive(t, pid+".child") })
	})
	t.Run("when its connection is cut", func(t *testing.T) {
		pid := filepath.Join(t.TempDir(), "pid")
		err := p.Stream(soon(t), "m", script(pid), func(string) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			for c := range p.conns {
				_ = c.raw.Close()
			}
			return nil
		})
		var lost *LostError
		if !errors.As(err, &lost) {
			t.Errorf("got %v, want LostError", err)
		}
		eventually(t, "the end of its processes", func() bool { return !alive(t, pid) && !alive(t, pid+".child") })
	})
	t.Run("when it ends", func(t *testing.T) {
		pid := filepath.Join(t.TempDir(), "pid")
		err := p.Stream(soon(t), "m", "sleep 300 >/dev/null 2>&1 & echo $! >"+pid+"; echo no such ss >&2; exit 4", func(string) error { return nil })
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Code != 4 || exit.Tail != "no such ss\n" {
			t.Errorf("got %v, want exit 4", err)
		}
		eventually(t, "the end of its processes", func() bool { return !alive(t, pid) })
	})
}

func TestOpenSSHByTwoJumpHosts(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	one, two, last := newOpenSSH(t, who.pub), newOpenSSH(t, who.pub), newOpenSSH(t, who.pub)
	who.knows(t, fmt.Sprintf("localhost:%d", one.port), one.key)
	p := newPool(t, Config{
		Home:  who.home,
		Proxy: fmt.Sprintf("localhost:%d,127.0.0.1:%d", one.port, two.port),
		Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: last.port}},
	})
	for _, row := range []struct{ name, addr, sentence string }{
		{"127.0.0.1", two.addr(), "m: by jump host 127.0.0.1: host key of " + two.addr() + " is unknown"},
		{"m", last.addr(), "m: host key of " + last.addr() + " is unknown"},
	} {
		var unknown *UnknownHostError
		_, err := p.Run(soon(t), "m", Command{Line: "echo there"})
		if !errors.As(err, &unknown) || unknown.Host != row.name || unknown.Addr != row.addr || unknown.Hint != "rollout trust "+row.name {
			t.Fatalf("got %v, want the key of %s to be unknown", err, row.name)
		}
		if !strings.HasPrefix(err.Error(), row.sentence) {
			t.Errorf("got %s, want %s", err, row.sentence)
		}
		keys, err := p.Scan(soon(t), row.name)
		if err != nil || len(keys) != 1 || keys[0].Fingerprint != unknown.Fingerprint {
			t.Fatalf("got %v, %v, want the key just refused", keys, err)
		}
		if err := AddKnown(who.file("known_hosts"), []string{keys[0].Line}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := p.Run(soon(t), "m", Command{Line: "echo there"})
	if err != nil || r.Stdout != "there\n" {
		t.Errorf("got %q, %v", r.Stdout, err)
	}
}

func TestOpenSSHSixMachinesBehindOneJumpHostShareItsConnection(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	jump, last := newOpenSSH(t, who.pub), newOpenSSH(t, who.pub)
	who.knows(t, jump.addr(), jump.key)
	who.knows(t, last.addr(), last.key)
	hosts, names := map[string]Host{}, []string(nil)
	for i := range 6 {
		name := fmt.Sprint("m", i)
		names = append(names, name)
		hosts[name] = Host{Addr: "127.0.0.1", Port: last.port, User: localUser()}
	}
	p := newPool(t, Config{Home: who.home, Proxy: jump.addr(), Hosts: hosts})
	if err := p.Login(soon(t), names); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			if r, err := p.Run(soon(t), name, Command{Line: "echo $SSH_CONNECTION"}); err != nil || !strings.Contains(r.Stdout, strconv.Itoa(last.port)) {
				t.Errorf("%s: got %q, %v", name, r.Stdout, err)
			}
		})
	}
	all.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	// All six names are one address, so it is one connection, and the jump's.
	if len(p.conns) != 2 {
		t.Errorf("got %d connections, want 2", len(p.conns))
	}
}

func TestOpenSSHWithTheKeyInTheAgent(t *testing.T) {
	t.Parallel()
	p, s, who := openPair(t)
	socket := newAgent(t, who)
	if err := os.Remove(who.file("id_ed25519")); err != nil {
		t.Fatal(err)
	}
	hosts := map[string]Host{"m": {Addr: "127.0.0.1", Port: s.port}}
	with := newPool(t, Config{Home: who.home, Agent: socket, Hosts: hosts})
	if err := with.Login(soon(t), []string{"m"}); err != nil {
		t.Error(err)
	}
	var auth *AuthError
	if err := p.Login(soon(t), []string{"m"}); !errors.As(err, &auth) || !strings.HasSuffix(err.Error(), "refused: there was no key to offer") {
		t.Errorf("without it: got %v, want AuthError", err)
	}
	gone := newPool(t, Config{Home: who.home, Agent: "/nowhere", Hosts: hosts})
	if err := gone.Login(soon(t), []string{"m"}); !errors.As(err, &auth) || !strings.Contains(err.Error(), "agent (dial unix /nowhere") {
		t.Errorf("with an agent that is gone: got %v, want it named", err)
	}
}

func TestOpenSSHForbidsForwarding(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t, "AllowTcpForwarding no")
	if _, err := p.Dial(soon(t), "m", echo(t)); !errors.Is(err, ErrForwarding) {
		t.Errorf("got %v, want ErrForwarding", err)
	}
	p, s, _ := openPair(t)
	c, err := p.Dial(soon(t), "m", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	banner := make([]byte, 7)
	if _, err := io.ReadFull(c, banner); err != nil || string(banner) != "SSH-2.0" {
		t.Errorf("got %q, %v", banner, err)
	}
	var closed *ClosedPortError
	if _, err := p.Dial(soon(t), "m", fmt.Sprintf("127.0.0.1:%d", freePort(t))); !errors.As(err, &closed) {
		t.Errorf("got %v, want the port called closed", err)
	}
}

func TestOpenSSHSaysWhenItHasTooManySessions(t *testing.T) {
	t.Parallel()
	p, _, _ := openPair(t, "MaxSessions 1")
	err := p.Stream(soon(t), "m", "echo on; sleep 300", func(string) error {
		_, err := p.Run(soon(t), "m", Command{Line: "true"})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "MaxSessions") || MayHaveRun(err) {
		t.Errorf("got %v, want a word on MaxSessions", err)
	}
}
