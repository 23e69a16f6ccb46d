package hosts

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// bare is two machines without a game: ssh only.
func bare() []Machine {
	list := machines(1, 1)
	for i := range list {
		list[i].Gates, list[i].Connectors = nil, nil
	}
	return list
}

// login is a client that checks the host key against the world's known_hosts.
func login(t *testing.T, h *Hosts, m Machine) (*ssh.Client, error) {
	t.Helper()
	text, err := os.ReadFile(h.ClientKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(h.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", m.SSHAddr(), time.Second)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	c, chans, reqs, err := ssh.NewClientConn(conn, m.SSHAddr(), &ssh.ClientConfig{
		User: "deploy", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: check})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	client := ssh.NewClient(c, chans, reqs)
	t.Cleanup(func() { _ = client.Close() })
	return client, nil
}

func mustLogin(t *testing.T, h *Hosts, m Machine) *ssh.Client {
	t.Helper()
	client, err := login(t, h, m)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// run is one command on a connection of its own: its stdout, its stderr, and how it ended.
func run(t *testing.T, h *Hosts, m Machine, line string) (string, string, error) {
	t.Helper()
	session, err := mustLogin(t, h, m).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	session.Stdout, session.Stderr = &out, &errs
	err = session.Run(line)
	return out.String(), errs.String(), err
}

func TestACommandRunsAtHomeWithItsOwnOutputsAndExitCode(t *testing.T) {
	h := start(t, bare())
	m := h.Machines[0]
	out, errs, err := run(t, h, m, `cd "${SANDBOX_HOME:-$HOME}/game" && pwd && echo "$SANDBOX_MACHINE" && echo oh >&2; exit 7`)
	var exit *ssh.ExitError
	if !errors.As(err, &exit) || exit.ExitStatus() != 7 {
		t.Errorf("got %v, want exit status 7", err)
	}
	if want := m.game() + "\n" + m.Name + "\n"; out != want || errs != "oh\n" {
		t.Errorf("got %q and %q, want %q and oh", out, errs, want)
	}
	_, _, err = run(t, h, m, `kill -TERM $$`)
	if !errors.As(err, &exit) || exit.Signal() != "TERM" {
		t.Errorf("got %v, want an exit by TERM", err)
	}
}

func TestAShellReadsItsCommandsFromStdin(t *testing.T) {
	h := start(t, bare())
	client := mustLogin(t, h, h.Machines[0])
	for _, line := range []string{"sh -s", ""} {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		session.Stdin = strings.NewReader("echo one\necho two; exit 3\necho three\n")
		var out bytes.Buffer
		session.Stdout = &out
		if line == "" {
			err = errors.Join(session.Shell(), session.Wait())
		} else {
			err = session.Run(line)
		}
		var exit *ssh.ExitError
		if !errors.As(err, &exit) || exit.ExitStatus() != 3 || out.String() != "one\ntwo\n" {
			t.Errorf("%q: got %q, %v", line, out.String(), err)
		}
	}
}

func TestASignalReachesTheWholeProcessGroup(t *testing.T) {
	h := start(t, bare())
	session, err := mustLogin(t, h, h.Machines[0]).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(`sleep 300 & echo up; wait`); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if err := session.Signal(ssh.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var exit *ssh.ExitError
	// The channel ends only when the sleep has let go of its pipes too.
	if err := session.Wait(); !errors.As(err, &exit) || exit.Signal() != "KILL" {
		t.Errorf("got %v, want an exit by KILL", err)
	}
}

func TestOneConnectionCarriesTenSessionsAndNoMore(t *testing.T) {
	h := start(t, bare())
	client := mustLogin(t, h, h.Machines[0])
	var open []*ssh.Session
	for range 10 {
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, session)
	}
	var refused *ssh.OpenChannelError
	if _, err := client.NewSession(); !errors.As(err, &refused) {
		t.Errorf("the eleventh: got %v, want a refused channel", err)
	}
	_ = open[0].Close()
	eventually(t, "a place is free", func() bool {
		session, err := client.NewSession()
		if err == nil {
			_ = session.Close()
		}
		return err == nil
	})
}

func TestAKeepaliveIsAnswered(t *testing.T) {
	h := start(t, bare())
	client := mustLogin(t, h, h.Machines[0])
	if ok, _, err := client.SendRequest("keepalive@openssh.com", true, nil); ok || err != nil {
		t.Errorf("got %v, %v, want an answer that says no such request", ok, err)
	}
}

func TestAMachineIsReachedThroughAnotherButNothingOutsideLoopbackIs(t *testing.T) {
	h := start(t, bare())
	client := mustLogin(t, h, h.Machines[0])
	conn, err := client.Dial("tcp", h.Machines[1].SSHAddr())
	if err != nil {
		t.Fatal(err)
	}
	banner := make([]byte, 8)
	if _, err := io.ReadFull(conn, banner); err != nil || string(banner) != "SSH-2.0-" {
		t.Errorf("got %q, %v", banner, err)
	}
	_ = conn.Close()
	if _, err := client.Dial("tcp", "192.0.2.1:22"); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("outside: got %v, want a refusal", err)
	}
}

func TestACommandOutlivesItsConnection(t *testing.T) {
	h := start(t, bare())
	m := h.Machines[0]
	session, err := mustLogin(t, h, m).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// It waits for the file "go", and then needs a pipe no more.
	if err := session.Start(`echo up; while [ ! -e go ]; do sleep 0.05; done; echo late > done`); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if err := h.SSH[m.Name].Break(SSHDrop); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err == nil {
		t.Error("the client was not told of the break")
	}
	if err := os.WriteFile(filepath.Join(m.Dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the command finished alone", func() bool {
		text, _ := os.ReadFile(filepath.Join(m.Dir, "done"))
		return string(text) == "late\n"
	})
}

func TestWhoWritesToABrokenConnectionDiesOfIt(t *testing.T) {
	h := start(t, bare())
	m := h.Machines[0]
	session, err := mustLogin(t, h, m).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(`sh -c 'while :; do echo tick; sleep 0.02; done'; echo $? > code`); err != nil {
		t.Fatal(err)
	}
	_ = session.Close()
	eventually(t, "the writer ended by SIGPIPE", func() bool {
		text, _ := os.ReadFile(filepath.Join(m.Dir, "code"))
		return len(text) > 0 && strings.TrimSpace(string(text)) != "0"
	})
}

func TestTheGameStartedOverSSHDoesNotHoldTheChannelUnlessPlanted(t *testing.T) {
	h := start(t, machines(1, 1))
	m := h.Machines[0]
	if out, errs, err := run(t, h, m, `cd "${SANDBOX_HOME:-$HOME}/game" && ./game.sh stop && ./game.sh start`); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	if err := h.Plant(m.Name, StartKeepsOutput, ""); err != nil {
		t.Fatal(err)
	}
	session, err := mustLogin(t, h, m).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start(`cd game && ./game.sh stop && ./game.sh start`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- session.Wait() }()
	eventually(t, "started", func() bool {
		tr := truthOf(t, h, m.Name)
		return len(tr.Acts) == 5 && tr.Acts[4].Exit == 0
	})
	select {
	case err := <-done:
		t.Errorf("the channel ended with %v while the game holds it", err)
	case <-time.After(50 * time.Millisecond):
	}
	mustAct(t, h, m.Name, "stop")
	if err := <-done; err != nil {
		t.Errorf("after the game's end: got %v", err)
	}
}
