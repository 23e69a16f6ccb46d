package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestLoginReportsEveryMachineThatCannotBeReached(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	good := newMachine(t, who.pub)
	who.knows(t, good.listener.Addr().String(), good.keys[0].PublicKey())
	mute := newMachine(t, who.pub, func(m *machine) { m.mute = true })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	host := func(l net.Listener) Host {
		return Host{Addr: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	}
	p := newPool(t, Config{Home: who.home, Timeout: time.Second, Hosts: map[string]Host{
		"good": host(good.listener), "mute": host(mute.listener), "closed": host(closed),
	}})
	err = p.Login(soon(t), []string{"mute", "good", "closed", "good"})
	var timeout *TimeoutError
	if !errors.As(err, &timeout) || timeout.Host != "mute" || timeout.During != Handshaking {
		t.Errorf("got %v, want a timeout of the handshake with mute", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error("a TimeoutError is not a context.DeadlineExceeded")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "mute (127.0.0.1:") || !strings.HasSuffix(lines[0], "): handshake timed out after 1s") ||
		!strings.HasPrefix(lines[1], "closed: dial tcp 127.0.0.1:") {
		t.Errorf("got %q, want mute, then closed", lines)
	}
	if good.logins() != 1 {
		t.Errorf("logged in to good %d times, want once", good.logins())
	}
}

func TestOneConnectionServesAllCommands(t *testing.T) {
	t.Parallel()
	p, m := pair(t, nil)
	var all sync.WaitGroup
	for i := range 9 {
		all.Go(func() {
			r, err := p.Run(soon(t), "m", Command{Line: fmt.Sprintf("echo %d", i)})
			if err != nil || r.Stdout != fmt.Sprintf("%d\n", i) {
				t.Errorf("command %d: got %q, %v", i, r.Stdout, err)
			}
		})
	}
	all.Wait()
	if m.logins() != 1 {
		t.Errorf("got %d connections, want 1", m.logins())
	}
}

func TestNoMoreHandshakesAtOnceThanAllowed(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	var now, most atomic.Int32
	hosts, names := map[string]Host{}, []string(nil)
	for i := range 12 {
		m := newMachine(t, who.pub, func(m *machine) {
			check := m.config.PublicKeyCallback
			m.config.PublicKeyCallback = func(c ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
				for n := now.Add(1); n > most.Load(); {
					most.Store(n)
				}
				time.Sleep(5 * time.Millisecond)
				now.Add(-1)
				return check(c, k)
			}
		})
		who.knows(t, m.listener.Addr().String(), m.keys[0].PublicKey())
		name := fmt.Sprint("m", i)
		names = append(names, name)
		hosts[name] = Host{Addr: "127.0.0.1", Port: m.port()}
	}
	p := newPool(t, Config{Home: who.home, Handshakes: 3, Hosts: hosts})
	if err := p.Login(soon(t), names); err != nil {
		t.Fatal(err)
	}
	if got := most.Load(); got > 3 || got < 2 {
		t.Errorf("got %d handshakes at once, want 2 or 3", got)
	}
}

func TestACallThatWaitsForALoginMayGiveUpOnItsOwn(t *testing.T) {
	t.Parallel()
	p, m := pair(t, nil, func(m *machine) { m.mute = true })
	ctx, cancel := context.WithCancel(soon(t))
	first := make(chan error, 1)
	go func() { first <- p.Login(ctx, []string{"m"}) }()
	eventually(t, "a connection", func() bool { return m.logins() == 1 })
	short, stop := context.WithTimeout(soon(t), 20*time.Millisecond)
	defer stop()
	if err := p.Login(short, []string{"m"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline of the second", err)
	}
	select {
	case err := <-first:
		t.Errorf("the first ended with the second: %v", err)
	default:
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "m: handshake given up") {
		t.Errorf("got %v, want it given up", err)
	}
}

func TestALoginGivenUpByOneIsTriedByTheNext(t *testing.T) {
	t.Parallel()
	var mute atomic.Bool
	mute.Store(true)
	hold := make(chan struct{})
	p, m := pair(t, nil, func(m *machine) {
		check := m.config.PublicKeyCallback
		m.config.PublicKeyCallback = func(c ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if mute.Swap(false) {
				<-hold
			}
			return check(c, k)
		}
	})
	t.Cleanup(func() { close(hold) })
	ctx, cancel := context.WithCancel(soon(t))
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- p.Login(ctx, []string{"m"}) }()
	eventually(t, "a connection", func() bool { return m.logins() == 1 && !mute.Load() })
	go func() { second <- p.Login(soon(t), []string{"m"}) }()
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: got %v", err)
	}
	if err := <-second; err != nil {
		t.Errorf("the second: got %v, want a login of its own", err)
	}
}

func TestAClosedPoolRefuses(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil, func(m *machine) {
		m.shell = func(ch ssh.Channel, _ io.Reader) { _, _ = io.WriteString(ch, "on\n") }
	})
	running := make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		_, err := p.Run(soon(t), "m", Command{Line: "echo on; sleep 100", Output: signal(running)})
		done <- err
	}()
	<-running
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var lost *LostError
	if err := <-done; !errors.As(err, &lost) {
		t.Errorf("the command under way: got %v, want LostError", err)
	}
	if _, err := p.Run(soon(t), "m", Command{Line: "true"}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestAMachineThatHangsUpBeforeTheHandshakeIsSaidToBeBusy(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	p := newPool(t, Config{Home: newPerson(t).home, Port: l.Addr().(*net.TCPAddr).Port})
	if err := p.Login(soon(t), []string{"127.0.0.1"}); err == nil || !strings.Contains(err.Error(), "MaxStartups") {
		t.Errorf("got %v, want a word on MaxStartups", err)
	}
}

func TestAWrongConfigIsRefusedWhole(t *testing.T) {
	_, err := New(Config{Port: 70000, Timeout: -1, Handshakes: -1, Proxy: "a@", Hosts: map[string]Host{"x": {Port: -1}}}, nil)
	want := []string{
		"ssh port 70000: a port is 1 to 65535",
		"ssh port -1 of x: a port is 1 to 65535",
		"ssh timeout -1ns: cannot be negative",
		"ssh handshakes -1: cannot be negative",
		`jump host "a@": want user@host:port`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("got %v, want\n%s", err, strings.Join(want, "\n"))
	}
}

func TestDialReachesWhatTheMachineReaches(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	c, err := p.Dial(soon(t), "m", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "hello"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	var late net.Error
	if _, err := c.Read(b); !errors.As(err, &late) || !late.Timeout() {
		t.Errorf("got %v, want the deadline", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	if _, err := io.WriteString(c, "again"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "again" {
		t.Errorf("after a deadline: got %q, %v", b, err)
	}
}

func TestDialSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	p, _ := pair(t, nil, func(m *machine) {
		m.forward = func(nc ssh.NewChannel, addr string) {
			switch addr {
			case "127.0.0.1:1":
				_ = nc.Reject(ssh.Prohibited, "open failed")
			case "127.0.0.1:2":
				_ = nc.Reject(ssh.ConnectionFailed, "Connection refused")
			case "127.0.0.1:4":
				_ = nc.Reject(ssh.ConnectionFailed, "No route to host")
			case "127.0.0.1:5":
				_ = nc.Reject(ssh.ResourceShortage, "refused: too many channels")
			default:
				<-hang
			}
		}
	})
	t.Cleanup(func() { close(hang) })
	if _, err := p.Dial(soon(t), "m", "127.0.0.1:1"); !errors.Is(err, ErrForwarding) {
		t.Errorf("got %v, want ErrForwarding", err)
	}
	_, err := p.Dial(soon(t), "m", "127.0.0.1:2")
	if want := "m: dial 127.0.0.1:2 from there: Connection refused"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var closed *ClosedPortError
	if !errors.As(err, &closed) || closed.Host != "m" || closed.Addr != "127.0.0.1:2" {
		t.Errorf("got %#v, want the port called closed", err)
	}
	for _, addr := range []string{"127.0.0.1:1", "127.0.0.1:4", "127.0.0.1:5"} {
		if _, err := p.Dial(soon(t), "m", addr); err == nil || errors.As(err, &closed) {
			t.Errorf("%s: got %v, want that it is not known", addr, err)
		}
	}
	ctx, cancel := context.WithTimeout(soon(t), 10*time.Millisecond)
	defer cancel()
	if _, err := p.Dial(ctx, "m", "127.0.0.1:3"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if _, err := p.Dial(soon(t), "m", "nonsense"); err == nil {
		t.Error("an address without a port was taken")
	}
}

// TestARefusedLoginTellsNothingOfAPort: neither sshd, nor a jump host that is asked for sshd, has tried the port.
func TestARefusedLoginTellsNothingOfAPort(t *testing.T) {
	t.Parallel()
	who := newPerson(t)
	jump := newMachine(t, who.pub)
	who.knows(t, jump.listener.Addr().String(), jump.keys[0].PublicKey())
	hosts := map[string]Host{"m": {Addr: "127.0.0.1", Port: freePort(t)}}
	for name, proxy := range map[string]string{"by sshd": "", "by the jump host": jump.listener.Addr().String()} {
		p := newPool(t, Config{Home: who.home, Proxy: proxy, Hosts: hosts})
		var closed *ClosedPortError
		if _, err := p.Dial(soon(t), "m", "127.0.0.1:6150"); err == nil || !strings.Contains(err.Error(), "refused") || errors.As(err, &closed) {
			t.Errorf("%s: got %v, want a refusal that is not the port's", name, err)
		}
	}
}

// BenchmarkLogin logs in to machines of this process, so half of what it
// measures is theirs.
func BenchmarkLogin(b *testing.B) {
	for _, n := range []int{6, 60} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			who := newPerson(b)
			hosts, names := map[string]Host{}, []string(nil)
			for i := range n {
				m := newMachine(b, who.pub)
				who.knows(b, m.listener.Addr().String(), m.keys[0].PublicKey())
				names = append(names, fmt.Sprint("m", i))
				hosts[names[i]] = Host{Addr: "127.0.0.1", Port: m.port()}
			}
			for b.Loop() {
				p, err := New(Config{Home: who.home, Hosts: hosts}, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := p.Login(b.Context(), names); err != nil {
					b.Fatal(err)
				}
				_ = p.Close()
			}
		})
	}
}

// BenchmarkRun is a command on a connection that is there.
func BenchmarkRun(b *testing.B) {
	p, _ := pair(b, nil, func(m *machine) {
		m.shell = func(ch ssh.Channel, in io.Reader) {
			_, _ = io.Copy(io.Discard, in)
			sendExit(ch, 0)
			_ = ch.Close()
		}
	})
	for b.Loop() {
		if _, err := p.Run(b.Context(), "m", Command{Line: "true"}); err != nil {
			b.Fatal(err)
		}
	}
}
