package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestACommandRunsAsItWasGiven(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	nasty := "a'b\"c $HOME `id` \\ \n\té\x01\x7f*"
	for _, row := range []struct {
		name string
		c    Command
		out  string
	}{
		{"a line", Command{Line: "echo hello"}, "hello\n"},
		{"several lines", Command{Line: "a=1\nif true; then\n  echo $a\nfi"}, "1\n"},
		{"a here document", Command{Line: "cat <<E\nx\\y\nE"}, "x\\y\n"},
		{"a comment at its end", Command{Line: "echo x # that is all"}, "x\n"},
		{"with octal-looking text", Command{Line: `printf %s '\0101\n%d'`}, `\0101\n%d`},
		{"in a directory", Command{Line: "pwd", Dir: "/usr"}, "/usr\n"},
		{"in a directory that begins with a dash", Command{Line: "echo no", Dir: "-x"}, ""},
		{"with an environment", Command{Line: `printf %s "$A|$B"`, Env: map[string]string{"B": "2", "A": nasty}}, nasty + "|2"},
		{"no input", Command{Line: "cat; echo end"}, "end\n"},
		{"input", Command{Line: "cat", Stdin: strings.NewReader("first\nsecond\x00")}, "first\nsecond\x00"},
		{"input it does not read", Command{Line: "echo done", Stdin: strings.NewReader(strings.Repeat("x", 1<<20))}, "done\n"},
		{"a line of 100 kB", Command{Line: "printf %s " + strings.Repeat("x", 100_000) + " | wc -c"}, "100000\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r, err := p.Run(soon(t), "m", row.c)
			if strings.TrimSpace(r.Stdout) != strings.TrimSpace(row.out) {
				t.Errorf("got %q, want %q", r.Stdout, row.out)
			}
			if (err != nil) != (row.out == "") {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func TestACommandThatCannotBeSentSaysWhy(t *testing.T) {
	t.Parallel()
	p := newPool(t, Config{Home: t.TempDir()})
	for _, row := range []struct {
		name string
		c    Command
		want string
	}{
		{"a bad variable", Command{Env: map[string]string{"A;id": "x"}}, `environment "A;id": a name has letters, digits and _ only`},
		{"a digit first", Command{Env: map[string]string{"1A": "x"}}, `environment "1A": a name has letters, digits and _ only`},
		{"NUL in a value", Command{Env: map[string]string{"SECRET": "hush\x00"}}, "environment SECRET: a value with a NUL byte cannot be given to a shell"},
		{"NUL in the line", Command{Line: "echo \x00"}, "command echo: a value with a NUL byte cannot be given to a shell"},
		{"NUL in the directory", Command{Dir: "/\x00"}, `directory "/\x00": a value with a NUL byte cannot be given to a shell`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := p.Run(soon(t), "m", row.c)
			if err == nil || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if MayHaveRun(err) {
				t.Error("MayHaveRun of a command never sent")
			}
		})
	}
}

func TestAnExitCodeIsAnErrorWithTheLastWords(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	r, err := p.Run(soon(t), "m", Command{Line: `echo starting; printf 'EADDRINUSE \033[2J6203\n' >&2; exit 3`})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 || r.Code != 3 {
		t.Fatalf("got %v and code %d, want exit 3", err, r.Code)
	}
	want := `m: exit 3: EADDRINUSE  [2J6203 (ran: echo starting; printf 'EADDRINUSE \033[2J6203\n' >&2; exit 3)`
	if got := err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if r.Stdout != "starting\n" || !strings.HasPrefix(r.Stderr, "EADDRINUSE") {
		t.Errorf("got stdout %q, stderr %q", r.Stdout, r.Stderr)
	}
	if !MayHaveRun(err) {
		t.Error("MayHaveRun is false for a command that ended")
	}
	_, err = p.Run(soon(t), "m", Command{Line: "echo only this; exit 1"})
	if want := "m: exit 1: only this (ran: echo only this; exit 1)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = p.Run(soon(t), "m", Command{Line: "sh -c 'kill -KILL $$'"})
	if err == nil || !strings.Contains(err.Error(), "exit 137 (signal 9)") {
		t.Errorf("got %v, want it to name signal 9", err)
	}
}

func TestAnEndWithoutExitCodeIsAFailure(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		shell func(ssh.Channel, io.Reader)
		check func(error) bool
		want  string
	}{
		{"by a signal", func(ch ssh.Channel, in io.Reader) {
			_, _ = io.Copy(io.Discard, in)
			_, _ = ch.SendRequest("exit-signal", false, ssh.Marshal(struct {
				Signal  string
				Dumped  bool
				Message string
				Lang    string
			}{"KILL", false, "out of memory", ""}))
			_ = ch.Close()
		}, func(err error) bool {
			var e *ExitError
			return errors.As(err, &e) && e.Signal == "KILL" && !errors.Is(err, ErrExitMissing)
		}, "m: killed by SIGKILL (ran: x)"},
		{"without a word", func(ch ssh.Channel, in io.Reader) {
			_, _ = io.Copy(io.Discard, in)
			_ = ch.Close()
		}, func(err error) bool { return errors.Is(err, ErrExitMissing) }, "m: ended without an exit status (ran: x)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, nil, func(m *machine) { m.shell = row.shell })
			r, err := p.Run(soon(t), "m", Command{Line: "x"})
			if err == nil || !row.check(err) || err.Error() != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if r.Code != -1 || !MayHaveRun(err) {
				t.Errorf("got code %d, MayHaveRun %t", r.Code, MayHaveRun(err))
			}
		})
	}
}

func TestADroppedConnectionIsAnUnknownOutcomeAndNoSecondRun(t *testing.T) {
	t.Parallel()
	runs := make(chan string, 10)
	p, _ := pair(t, nil, func(m *machine) {
		m.shell = func(ch ssh.Channel, in io.Reader) {
			script, _ := io.ReadAll(in)
			runs <- string(script)
			if len(runs) == 1 {
				m.cut()
				return
			}
			sendExit(ch, 0)
			_ = ch.Close()
		}
	})
	_, err := p.Run(soon(t), "m", Command{Line: "restart"})
	var lost *LostError
	if !errors.As(err, &lost) || !MayHaveRun(err) {
		t.Fatalf("got %v, want LostError", err)
	}
	if want := "m: connection lost while the command ran; it may have run to its end (ran: restart)"; err.Error() != want {
		t.Errorf("got %s, want %s", err, want)
	}
	if len(runs) != 1 {
		t.Errorf("the command was sent %d times, want once", len(runs))
	}
	if _, err := p.Run(soon(t), "m", Command{Line: "next"}); err != nil {
		t.Errorf("the next command did not get a new connection: %v", err)
	}
}

func TestAConnectionThatDiedUnnoticedIsReplacedBeforeACommandIsSent(t *testing.T) {
	t.Parallel()
	p, m := pair(t, nil)
	for i := range 5 {
		if _, err := p.Run(soon(t), "m", Command{Line: "true"}); err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
		m.cut()
	}
}

func TestAShellThatIsNotOneIsToldFromAFailedCommand(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil, func(m *machine) {
		m.session = func(nc ssh.NewChannel) bool {
			ch, reqs, _ := nc.Accept()
			for r := range reqs {
				_ = r.Reply(r.Type == "exec", nil)
				_, _ = io.WriteString(ch.Stderr(), "This account is for backups only.\n")
				sendExit(ch, 1)
				_ = ch.Close()
			}
			return true
		}
	})
	_, err := p.Run(soon(t), "m", Command{Line: "restart"})
	if err == nil || !strings.Contains(err.Error(), "backups only") || MayHaveRun(err) {
		t.Errorf("got %v, want its words, and that nothing ran", err)
	}
}

func TestAProcessGroupOutOfBoundsIsRefused(t *testing.T) {
	for _, line := range []string{mark + "1", mark + "-1", mark + "0", mark + "x", mark, "-123", mark + "99999999999999999999"} {
		if n, ok := group(line); ok {
			t.Errorf("%q: got %d, want it refused: it would be an argument of kill", line, n)
		}
	}
	if n, ok := group("junk" + mark + "-123\n"); !ok || n != -123 {
		t.Errorf("got %d, %t, want -123", n, ok)
	}
}

func TestAHangingSessionTimesOutAndSparesTheCommandThatRuns(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	release := make(chan struct{})
	p, m := pair(t, nil, func(m *machine) {
		m.session = func(ssh.NewChannel) bool {
			select {
			case <-hang:
			default:
				return false
			}
			if m.logins() > 1 {
				return false
			}
			<-release
			return true
		}
	})
	t.Cleanup(func() { close(release) })
	started, out := make(chan struct{}, 1), make(chan error, 1)
	in, feed := io.Pipe()
	go func() {
		r, err := p.Run(soon(t), "m", Command{Line: "echo on; read a; echo $a", Stdin: in, Output: signal(started)})
		if err == nil && r.Stdout != "on\nfine\n" {
			err = fmt.Errorf("it printed %q", r.Stdout)
		}
		out <- err
	}()
	<-started
	close(hang)
	p.config.Timeout = 100 * time.Millisecond
	_, err := p.Run(soon(t), "m", Command{Line: "echo two"})
	p.config.Timeout = 10 * time.Second
	var timeout *TimeoutError
	if !errors.As(err, &timeout) || timeout.During != Opening || MayHaveRun(err) {
		t.Fatalf("got %v, want a timeout of the session", err)
	}
	if want := "m (" + m.listener.Addr().String() + "): session timed out after 100ms (ran: echo two)"; err.Error() != want {
		t.Errorf("got %s, want %s", err, want)
	}
	if _, err := p.Run(soon(t), "m", Command{Line: "echo three"}); err != nil {
		t.Errorf("the next command got no connection of its own: %v", err)
	}
	_, _ = io.WriteString(feed, "fine\n")
	_ = feed.Close()
	if err := <-out; err != nil {
		t.Errorf("the command that ran: %v", err)
	}
}

// signal is a writer that says when it was first written to.
type signal chan struct{}

func (s signal) Write(b []byte) (int, error) {
	select {
	case s <- struct{}{}:
	default:
	}
	return len(b), nil
}

func TestAMachineGoneDarkIsNoticed(t *testing.T) {
	t.Parallel()
	dark := make(chan struct{})
	p, _ := pair(t, func(c *Config) { c.Keepalive = 20 * time.Millisecond }, func(m *machine) {
		m.shell = func(ssh.Channel, io.Reader) {}
	})
	// Stands between the two and stops to pass anything on, without a word.
	front := blackHole(t, p.config.Hosts["m"].Port, dark)
	who := person{home: p.config.Home}
	text := readFile(t, who.file("known_hosts"))
	kind, rest, _ := strings.Cut(text, " ")
	_ = kind
	writeFile(t, who.file("known_hosts"), fmt.Sprintf("[127.0.0.1]:%d %s", front, rest))
	p.config.Hosts["m"] = Host{Addr: "127.0.0.1", Port: front}
	done := make(chan error, 1)
	go func() {
		_, err := p.Run(soon(t), "m", Command{Line: "sleep 1000"})
		done <- err
	}()
	eventually(t, "a connection", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.conns) == 1 })
	// Longer than the keepalives would allow, so that an answered one counts.
	select {
	case err := <-done:
		t.Fatalf("ended though the machine answers: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	began := time.Now()
	close(dark)
	var lost *LostError
	if err := <-done; !errors.As(err, &lost) {
		t.Errorf("got %v, want LostError", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("noticed after %s, want some 100 ms", took)
	}
}

func TestOutputIsStreamedWholeAndKeptInPart(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	var out bytes.Buffer
	r, err := p.Run(soon(t), "m", Command{Line: "echo first; i=0; while [ $i -lt 3000 ]; do echo 'fifty bytes fifty bytes fifty bytes fifty bytes 50'; i=$((i+1)); done; echo last", Output: &out})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out.Len(), 6+3000*51+5; got != want {
		t.Errorf("Output got %d bytes, want %d", got, want)
	}
	if !strings.HasPrefix(r.Stdout, "first\n") || !strings.HasSuffix(r.Stdout, "last\n") ||
		!strings.Contains(r.Stdout, "\n[… 87475 bytes left out …]\n") || len(r.Stdout) > 66_000 {
		t.Errorf("got %d bytes, %.20q … %q", len(r.Stdout), r.Stdout, r.Stdout[len(r.Stdout)-20:])
	}
}

func TestAFullDiskUnderTheLogDoesNotFailTheCommand(t *testing.T) {
	t.Parallel()
	p, _ := pair(t, nil)
	r, err := p.Run(soon(t), "m", Command{Line: "echo a; echo b", Output: full{}})
	if err != nil || r.Stdout != "a\nb\n" {
		t.Errorf("got %q, %v", r.Stdout, err)
	}
	if r.OutputErr == nil {
		t.Error("OutputErr is nil")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestCancellingReturnsAtOnceEvenFromAMuteShell(t *testing.T) {
	t.Parallel()
	running := make(chan struct{})
	p, _ := pair(t, nil, func(m *machine) {
		shells := 0
		m.session = func(ssh.NewChannel) bool { shells++; return shells > 1 } // no second session to end it with
		m.shell = func(_ ssh.Channel, in io.Reader) { _, _ = io.Copy(io.Discard, in); close(running) }
	})
	ctx, cancel := context.WithCancel(soon(t))
	go func() { <-running; p.config.Timeout = 50 * time.Millisecond; cancel() }()
	_, err := p.Run(ctx, "m", Command{Line: "hang"})
	var stopped *StoppedError
	if !errors.As(err, &stopped) || !errors.Is(err, context.Canceled) || !stopped.Left {
		t.Fatalf("got %v, want StoppedError that says that something is left", err)
	}
	if want := "m: command stopped: context canceled (ran: hang); its processes may still be there"; err.Error() != want {
		t.Errorf("got %s, want %s", err, want)
	}
}
