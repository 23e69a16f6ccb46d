package remote

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// openSSH is a real sshd on loopback, for the user who runs the tests.
type openSSH struct {
	port int
	key  ssh.PublicKey
	home string // of the user in there
	cmd  *exec.Cmd
}

// newOpenSSH starts an sshd that lets login in. Where there is none the test is
// skipped.
func newOpenSSH(t testing.TB, login ssh.PublicKey, options ...string) *openSSH {
	t.Helper()
	const sshd = "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); err != nil {
		t.Skip("no OpenSSH server here: install openssh-server to run this test")
	}
	if os.Geteuid() == 0 {
		// The package makes it when its service starts.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skip("sshd as root needs /run/sshd: ", err)
		}
	}
	dir := t.TempDir()
	s := &openSSH{home: filepath.Join(dir, "home")}
	host := newPersonKey(t, filepath.Join(dir, "host"))
	s.key = host
	writeFile(t, filepath.Join(dir, "authorized"), string(ssh.MarshalAuthorizedKey(login)))
	writeFile(t, filepath.Join(s.home, ".bashrc"), "echo noise of a login shell; echo noise >&2\n")
	for range 5 {
		s.port = freePort(t)
		config := fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %s
AuthorizedKeysFile %s
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100:30:200
SetEnv HOME=%s
%s
`, s.port, filepath.Join(dir, "host"), filepath.Join(dir, "authorized"), s.home, strings.Join(options, "\n"))
		writeFile(t, filepath.Join(dir, "config"), config)
		var log bytes.Buffer
		s.cmd = exec.Command(sshd, "-D", "-e", "-f", filepath.Join(dir, "config"))
		s.cmd.Stderr = &log
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.cmd.Wait() }()
		if s.up(ended) {
			t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-ended })
			return s
		}
		_ = s.cmd.Process.Kill()
		t.Logf("sshd: %s", log.String())
	}
	t.Fatal("sshd does not start")
	return nil
}

// up waits until s listens, or has ended.
func (s *openSSH) up(ended chan error) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		select {
		case err := <-ended:
			ended <- err
			return false
		case <-tick.C:
		}
		if c, err := net.Dial("tcp", s.addr()); err == nil {
			_ = c.Close()
			return true
		}
	}
	return false
}

func (s *openSSH) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func newPersonKey(t testing.TB, path string) ssh.PublicKey {
	t.Helper()
	who := newPerson(t)
	writeKey(t, path, who.key)
	return who.pub
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// openPair is pair with a real sshd.
func openPair(t testing.TB, options ...string) (*Pool, *openSSH, person) {
	t.Helper()
	who := newPerson(t)
	s := newOpenSSH(t, who.pub, options...)
	who.knows(t, s.addr(), s.key)
	p := newPool(t, Config{Home: who.home, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: s.port}}})
	return p, s, who
}

// alive reports whether the process whose id is in file exists.
func alive(t testing.TB, file string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	pid, bad := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || bad != nil || syscall.Kill(pid, 0) != nil {
		return false
	}
	// Dead, though nobody reaped it: the first process of a container may not.
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !bytes.Contains(stat, []byte(") Z "))
}

// newAgent holds the person's key on a socket.
func newAgent(t testing.TB, holds ...person) (socket string) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, who := range holds {
		if err := ring.Add(agent.AddedKey{PrivateKey: who.key}); err != nil {
			t.Fatal(err)
		}
	}
	// Not in t.TempDir, whose name may be too long for a socket.
	dir, err := os.MkdirTemp("", "a")
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { _ = agent.ServeAgent(ring, c); _ = c.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait(); _ = os.RemoveAll(dir) })
	return socket
}

// endProcess kills the process whose id is in file.
func endProcess(file string) {
	text, _ := os.ReadFile(file)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && pid > 1 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
