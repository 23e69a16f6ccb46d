package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// cutter forwards to a port on loopback, and cuts the next connection where it
// is told to.
type cutter struct {
	port, to int

	mu    sync.Mutex
	bytes int64         // the next connection ends after so many, both ways together; 0: not so
	after time.Duration // or after so long; 0: not so
	cut   func()        // called when it was
	seen  int64         // bytes of the last connection
	all   []net.Conn
}

func newCutter(t testing.TB, to int) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{port: l.Addr().(*net.TCPAddr).Port, to: to}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", to))
			if err != nil {
				_ = near.Close()
				continue
			}
			wg.Go(func() { c.pass(near, far) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.mu.Lock()
		for _, conn := range c.all {
			_ = conn.Close()
		}
		c.mu.Unlock()
		wg.Wait()
	})
	return c
}

// next says where the next connection is cut.
func (c *cutter) next(bytes int64, after time.Duration, cut func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes, c.after, c.cut = bytes, after, cut
}

func (c *cutter) pass(near, far net.Conn) {
	c.mu.Lock()
	bytes, after, told := c.bytes, c.after, c.cut
	c.bytes, c.after, c.cut, c.seen = 0, 0, nil, 0
	c.all = append(c.all, near, far)
	c.mu.Unlock()
	var once sync.Once
	end := func() { _, _ = near.Close(), far.Close() }
	cut := func() {
		once.Do(func() {
			// A reset to one side or the other, as it comes.
			_ = near.(*net.TCPConn).SetLinger(0)
			end()
			told()
		})
	}
	var left atomic.Int64
	left.Store(bytes)
	if after > 0 {
		timer := time.AfterFunc(after, cut)
		defer timer.Stop()
	}
	forward := func(from, to net.Conn) {
		defer end()
		b := make([]byte, 4<<10)
		for {
			n, err := from.Read(b)
			if err != nil {
				return
			}
			c.mu.Lock()
			c.seen += int64(n)
			c.mu.Unlock()
			if bytes > 0 {
				if rest := left.Add(-int64(n)); rest <= 0 {
					if n += int(rest); n > 0 {
						_, _ = to.Write(b[:n])
					}
					cut()
					return
				}
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
	var both sync.WaitGroup
	both.Go(func() { forward(near, far) })
	both.Go(func() { forward(far, near) })
	both.Wait()
	once.Do(func() {})
}

// The promise itself: the line of each command is counted on the machine, while
// its connection is cut at a random byte or at a random moment. In half of the
// trials this process is as if killed at the cut, and another asks with the same
// ID.
func TestOpenSSHACommandBeginsExactlyOnceThoughItsConnectionIsCut(t *testing.T) {
	t.Parallel()
	cuts, workers := int64(120), 3
	if testing.Short() {
		cuts = 20
	}
	who := newPerson(t)
	s := newOpenSSH(t, who.pub)
	counts := t.TempDir()
	var done, byBytes, resumed, trials atomic.Int64
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			c := newCutter(t, s.port)
			who.knows(t, fmt.Sprintf("127.0.0.1:%d", c.port), s.key)
			pool := func() *Pool {
				return newPool(t, Config{Home: who.home, NoSSHConfig: true, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: c.port}}})
			}
			random := rand.New(rand.NewPCG(1, uint64(w)))
			once := func(n int64) Once {
				return Once{Command: Command{Line: "echo x >>" + quote(filepath.Join(counts, fmt.Sprint(n))) + "; sleep 0.03; echo done; exit 3", Within: time.Minute}, ID: fmt.Sprint("id-", n), Token: 7, Space: "game"}
			}
			// An uncut one says how long and how many bytes they are.
			began := time.Now()
			p := pool()
			if _, err := p.Once(soon(t), "m", once(int64(-1-w))); !exited(err, 3) {
				t.Errorf("uncut: %v", err)
				return
			}
			took := time.Since(began)
			_ = p.Close()
			c.mu.Lock()
			size := c.seen
			c.mu.Unlock()
			for done.Load() < cuts && !t.Failed() {
				n := trials.Add(1)
				ctx, cancel := context.WithCancel(soon(t))
				anew := random.IntN(2) == 0
				ofBytes := 2*byBytes.Load() <= done.Load()
				cut := func() {
					done.Add(1)
					if ofBytes {
						byBytes.Add(1)
					}
					if anew {
						resumed.Add(1)
						cancel()
					}
				}
				if ofBytes {
					c.next(1+random.Int64N(size), 0, cut)
				} else {
					c.next(0, time.Duration(1+random.Int64N(int64(took))), cut)
				}
				p := pool()
				r, err := p.Once(ctx, "m", once(n))
				for try := 0; !exited(err, 3) && try < 3; try++ {
					var lost *LostOnMachineError
					var answer *AnswerError
					if errors.As(err, &lost) || errors.As(err, &answer) {
						break
					}
					_ = p.Close()
					p = pool()
					r, err = p.Once(soon(t), "m", once(n))
				}
				cancel()
				_ = p.Close()
				if !exited(err, 3) || r.Stdout != "done\n" {
					t.Errorf("trial %d: got %q, %v", n, r.Stdout, err)
				}
			}
		})
	}
	all.Wait()
	times := map[int]int{}
	for n := int64(1); n <= trials.Load(); n++ {
		b, _ := os.ReadFile(filepath.Join(counts, fmt.Sprint(n)))
		times[strings.Count(string(b), "x\n")]++
	}
	t.Logf("%d trials, %d cuts: %d at a byte, %d at a moment; asked anew by another pool %d; begun 0 times: %d, once: %d, more often: %d",
		trials.Load(), done.Load(), byBytes.Load(), done.Load()-byBytes.Load(), resumed.Load(), times[0], times[1], int(trials.Load())-times[0]-times[1])
	if times[1] != int(trials.Load()) {
		t.Errorf("how often a command began, and of how many that is so: %v", times)
	}
	if done.Load() < cuts || byBytes.Load() < cuts/3 || done.Load()-byBytes.Load() < cuts/3 {
		t.Errorf("there were only %d cuts, %d of them at a byte", done.Load(), byBytes.Load())
	}
}

// Many ask for the same at the same time, as a rollout and the one that was
// started because it seemed to hang.
func TestOpenSSHManyWhoAskAtOnceGetOneRun(t *testing.T) {
	t.Parallel()
	p, s, who := openPair(t)
	other := newPool(t, Config{Home: who.home, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: s.port}}})
	file := filepath.Join(t.TempDir(), "count")
	o := Once{Command: Command{Line: "echo x >>" + quote(file) + "; sleep 0.1; echo $$"}, ID: "one", Space: "game"}
	var all sync.WaitGroup
	said := make([]string, 8)
	for i := range said {
		all.Go(func() {
			pool := p
			if i%2 == 0 {
				pool = other
			}
			r, err := pool.Once(soon(t), "m", o)
			if said[i] = r.Stdout; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := readFile(t, file); got != "x\n" {
		t.Errorf("it ran %d times", strings.Count(got, "x"))
	}
	for _, got := range said {
		if got != said[0] || got == "" {
			t.Errorf("got %q and %q, want one result", got, said[0])
		}
	}
}

func TestOpenSSHACommandOutlivesItsConnectionAndItsOutcomeIsFound(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	s := newOpenSSH(t, who.pub)
	c := newCutter(t, s.port)
	who.knows(t, fmt.Sprintf("127.0.0.1:%d", c.port), s.key)
	p := newPool(t, Config{Home: who.home, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: c.port}}})
	gate := filepath.Join(t.TempDir(), "gate")
	o := Once{Command: Command{Line: "echo on; while [ ! -e " + quote(gate) + " ]; do sleep 0.02; done; echo off"}, ID: "long", Space: "game"}
	type outcome struct {
		r   Result
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		r, err := p.Once(soon(t), "m", o)
		ended <- outcome{r, err}
	}()
	eventually(t, "the command", func() bool {
		st, err := p.State(soon(t), "m", o)
		return err == nil && st.Phase == Going && st.Code == -1 && st.Output == "on\n"
	})
	c.mu.Lock()
	for _, conn := range c.all {
		_ = conn.Close()
	}
	c.mu.Unlock()
	writeFile(t, gate, "")
	if got := <-ended; got.err != nil || got.r.Stdout != "on\noff\n" {
		t.Errorf("got %q, %v", got.r.Stdout, got.err)
	}
	st, err := p.State(soon(t), "m", o)
	if err != nil || st.Phase != Finished || st.Code != 0 || st.Output != "on\noff\n" {
		t.Errorf("got %+v, %v", st, err)
	}
}

func TestNobodyCanSayWhatBecameOfACommandWhoseMachineIsGone(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	p, m := pair(t, nil, func(m *machine) {
		m.shell = onceShell("wait\n", func(io.Reader) { close(begun) }, nil)
	})
	ctx, cancel := context.WithCancel(soon(t))
	go func() {
		<-begun
		_ = m.listener.Close()
		m.cut()
		cancel()
	}()
	_, err := p.Once(ctx, "m", Once{Command: Command{Line: "x"}, ID: "a", Space: "game"})
	var lost *LostError
	if !errors.As(err, &lost) || !MayHaveRun(err) {
		t.Errorf("got %v, want LostError", err)
	}
}
