package drain

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// local is a Shell to this machine. Like sshd it does not kill what it began:
// it closes its output, and whoever wrote to it must go by itself.
type local struct {
	sh   []string            // the shell and its first arguments
	path string              // PATH; empty: that of the test
	edit func(string) string // what to change in the script
	mark string              // in the environment of all that runs

	mu   sync.Mutex
	pids []int // of the shells begun
}

func (s *local) Stream(ctx context.Context, _, script string, line func(string) error) error {
	// A neighbour with many sockets must not make these tests slow.
	script = strings.Replace(script, "\nshare=2\n", "\nshare=50\n", 1)
	if s.edit != nil {
		script = s.edit(script)
	}
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(s.sh[0], append(s.sh[1:len(s.sh):len(s.sh)], "-c", script)...)
	cmd.Env = append(os.Environ(), "DRAIN_TEST="+s.mark)
	if s.path != "" {
		cmd.Env = append(cmd.Env, "PATH="+s.path)
	}
	cmd.Stdout = in
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = cmd.Start()
	in.Close()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.pids = append(s.pids, cmd.Process.Pid)
	s.mu.Unlock()
	defer context.AfterFunc(ctx, func() { out.Close() })()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if err = line(lines.Text()); err != nil {
			break
		}
	}
	out.Close()
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	return err
}

// set has the script run with another setting.
func (s *local) set(line, other string) {
	before := s.edit
	s.edit = func(script string) string {
		if before != nil {
			script = before(script)
		}
		return strings.Replace(script, "\n"+line+"\n", "\n"+other+"\n", 1)
	}
}

func (s *local) lastPid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pids[len(s.pids)-1]
}

// alive are the command lines, by pid, of all that s began and that still runs.
func (s *local) alive(t *testing.T) map[int]string {
	t.Helper()
	found := map[int]string{}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		// A process that has just ended cannot be read any more.
		env, _ := os.ReadFile(dir + "/environ")
		if !strings.Contains("\x00"+string(env), "\x00DRAIN_TEST="+s.mark+"\x00") {
			continue
		}
		line, _ := os.ReadFile(dir + "/cmdline")
		pid, _ := strconv.Atoi(filepath.Base(dir))
		found[pid] = strings.ReplaceAll(strings.TrimRight(string(line), "\x00"), "\x00", " ")
	}
	return found
}

func (s *local) wantNothingLeft(t *testing.T) {
	t.Helper()
	var left map[int]string
	for range 100 {
		if left = s.alive(t); len(left) == 0 {
			return
		}
		tick(t)
	}
	t.Errorf("got %v still running, want nothing left behind", left)
}

// tick is the shortest wait of these tests for the world to change.
func tick(t *testing.T) {
	t.Helper()
	if (Wall{}).Wait(t.Context(), 50*time.Millisecond) != nil {
		t.Fatal(t.Context().Err())
	}
}

var marks atomic.Int64

func newLocal(sh ...string) *local {
	return &local{sh: sh, mark: fmt.Sprintf("%d-%d", os.Getpid(), marks.Add(1))}
}

// game is a listening process and the sessions of its players, both ends.
type game struct {
	port     int
	mu       sync.Mutex
	accepted []net.Conn
	players  []net.Conn
}

// play starts a game on an address, with any port or with that given.
func play(t *testing.T, network, addr string) *game {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Skipf("no such address here: %v", err)
	}
	g := &game{port: l.Addr().(*net.TCPAddr).Port}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.mu.Lock()
			g.accepted = append(g.accepted, c)
			g.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		g.leave(len(g.players))
		for _, c := range g.accepted {
			c.Close()
		}
	})
	return g
}

// join lets n players begin a session through an address.
func (g *game) join(t *testing.T, host string, n int) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(g.port)))
		if err != nil {
			t.Fatal(err)
		}
		g.players = append(g.players, c)
	}
}

func (g *game) leave(n int) {
	for _, c := range g.players[:n] {
		c.Close()
	}
	g.players = g.players[n:]
}

// watch starts a Watch of the game's port: one machine m, or one for each of
// several addresses, named like it.
func (g *game) watch(t *testing.T, sh *local, binds ...string) *Watch {
	t.Helper()
	var targets []Target
	for _, bind := range binds {
		targets = append(targets, Target{Host: "m" + bind, Ports: []int{g.port}, Bind: bind})
	}
	if len(targets) == 1 {
		targets[0].Host = "m"
	}
	w := Sockets(sh, targets, Options{Interval: 100 * time.Millisecond, Backoff: 200 * time.Millisecond})
	w.Start(t.Context())
	t.Cleanup(w.Close)
	return w
}

// until looks again and again until a reading is as wanted.
func until(t *testing.T, w *Watch, what string, good func(Reading) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		r, err := w.Count(ctx)
		if err != nil {
			t.Fatalf("got %+v at last, want %s", r, what)
		}
		if good(r) {
			return
		}
		tick(t)
	}
}

func wantSessions(t *testing.T, w *Watch, n int) {
	t.Helper()
	until(t, w, fmt.Sprintf("%d sessions", n), func(r Reading) bool { return r.Full && r.Total == n && len(r.Silent) == 0 })
}

// dir makes a PATH of the named programs, some of which may be others in truth.
func dir(t *testing.T, programs map[string]string) string {
	t.Helper()
	d := t.TempDir()
	for name, truth := range programs {
		at, err := exec.LookPath(truth)
		if err != nil {
			t.Skipf("no %s here", truth)
		}
		if at, err = filepath.Abs(at); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(at, filepath.Join(d, name)); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// program writes a sh program into a directory of programs.
func program(t *testing.T, d, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// noSbin keeps the script from finding programs outside the PATH it is given.
func noSbin(script string) string {
	return strings.Replace(script, "PATH=$PATH:/usr/sbin:/sbin", "", 1)
}
