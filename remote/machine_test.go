package remote

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
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
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// machine is an ssh server in this process, for what OpenSSH never does.
type machine struct {
	t        testing.TB
	listener net.Listener
	config   *ssh.ServerConfig
	keys     []ssh.Signer

	mute    bool                                // says nothing at all
	session func(ssh.NewChannel) bool           // true: it has dealt with it
	shell   func(ssh.Channel, io.Reader)        // after exec; nil: a real sh
	forward func(c ssh.NewChannel, addr string) // direct-tcpip; nil: real

	wg    sync.WaitGroup
	mu    sync.Mutex
	conns []net.Conn
}

func newMachine(t testing.TB, login ssh.PublicKey, change ...func(*machine)) *machine {
	t.Helper()
	m := &machine{t: t}
	m.config = &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if login != nil && string(k.Marshal()) == string(login.Marshal()) {
			return nil, nil
		}
		return nil, errors.New("no")
	}}
	m.keys = []ssh.Signer{newSigner(t)}
	for _, c := range change {
		c(m)
	}
	for _, k := range m.keys {
		m.config.AddHostKey(k)
	}
	var err error
	if m.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	m.wg.Go(func() {
		for {
			c, err := m.listener.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns = append(m.conns, c)
			m.mu.Unlock()
			m.wg.Go(func() { m.serve(c) })
		}
	})
	t.Cleanup(func() { _ = m.listener.Close(); m.cut(); m.wg.Wait() })
	return m
}

// cut drops every connection to m.
func (m *machine) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		_ = c.Close()
	}
	m.conns = nil
}

func (m *machine) logins() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.conns)
}

func (m *machine) port() int { return m.listener.Addr().(*net.TCPAddr).Port }

func (m *machine) serve(c net.Conn) {
	defer c.Close()
	if m.mute {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	_, chans, reqs, err := ssh.NewServerConn(c, m.config)
	if err != nil {
		return
	}
	m.wg.Go(func() { ssh.DiscardRequests(reqs) })
	for nc := range chans {
		m.wg.Go(func() { m.channel(nc) })
	}
}

func (m *machine) channel(nc ssh.NewChannel) {
	if nc.ChannelType() == "direct-tcpip" {
		var to struct {
			Host string
			Port uint32
			From string
			Src  uint32
		}
		_ = ssh.Unmarshal(nc.ExtraData(), &to)
		addr := net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port)))
		if m.forward != nil {
			m.forward(nc, addr)
			return
		}
		far, err := net.Dial("tcp", addr)
		if err != nil {
			_ = nc.Reject(ssh.ConnectionFailed, err.Error())
			return
		}
		ch, reqs, _ := nc.Accept()
		m.wg.Go(func() { ssh.DiscardRequests(reqs) })
		m.wg.Go(func() { _, _ = io.Copy(far, ch); _ = far.Close() })
		_, _ = io.Copy(ch, far)
		_ = ch.Close()
		return
	}
	if m.session != nil && m.session(nc) {
		return
	}
	ch, reqs, err := nc.Accept()
	if err != nil {
		return
	}
	for r := range reqs {
		if r.Type != "exec" {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		line := string(r.Payload[4:])
		m.wg.Go(func() {
			if m.shell == nil {
				realShell(ch, line)
				return
			}
			_, _ = io.WriteString(ch, mark+"-999999\n")
			_, _ = io.WriteString(ch.Stderr(), mark+"-999999\n")
			m.shell(ch, ch)
		})
	}
}

// realShell runs line as a plain server would: not leading a process group.
func realShell(ch ssh.Channel, line string) {
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		_ = ch.Close()
		return
	}
	var fed sync.WaitGroup
	fed.Go(func() { _, _ = io.Copy(in, ch); _ = in.Close() })
	err = cmd.Wait()
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	}
	sendExit(ch, uint32(status))
	_ = ch.Close()
	fed.Wait()
}

func sendExit(ch ssh.Channel, status uint32) {
	_, _ = ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, status))
}

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newECDSA(t testing.TB) ssh.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// person is somebody at home: a home directory with a key.
type person struct {
	home string
	key  crypto.Signer
	pub  ssh.PublicKey
}

func newPerson(t testing.TB) person {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := person{home: t.TempDir(), key: key}
	if p.pub, err = ssh.NewPublicKey(pub); err != nil {
		t.Fatal(err)
	}
	writeKey(t, p.file("id_ed25519"), key)
	return p
}

func (p person) file(name string) string { return filepath.Join(p.home, ".ssh", name) }

// knows writes a known_hosts line for addr.
func (p person) knows(t testing.TB, addr string, key ssh.PublicKey) {
	t.Helper()
	if err := AddKnown(p.file("known_hosts"), []string{xknownhosts.Line([]string{addr}, key)}); err != nil {
		t.Fatal(err)
	}
}

func writeKey(t testing.TB, path string, key crypto.Signer) {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(pem.EncodeToMemory(block)))
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newPool returns a pool with short waits, closed at the end of the test.
func newPool(t testing.TB, c Config) *Pool {
	t.Helper()
	p, err := New(c, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	p.linger, p.grace = 200*time.Millisecond, 200*time.Millisecond
	t.Cleanup(func() {
		done := make(chan struct{})
		go func() { _ = p.Close(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Error("Close did not return: a goroutine of the pool is stuck")
		}
	})
	return p
}

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// pair returns a machine that lets a new person in, who knows it, and a pool of
// that person in which the machine is called "m".
func pair(t testing.TB, change func(*Config), changes ...func(*machine)) (*Pool, *machine) {
	t.Helper()
	who := newPerson(t)
	m := newMachine(t, who.pub, changes...)
	who.knows(t, m.listener.Addr().String(), m.keys[0].PublicKey())
	c := Config{Home: who.home, Hosts: map[string]Host{"m": {Addr: "127.0.0.1", Port: m.port(), User: "deploy"}}}
	if change != nil {
		change(&c)
	}
	return newPool(t, c), m
}

// soon returns a context no test should ever need the end of.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok, for a few seconds at most.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(5 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not seen within 5 s: %s", what)
		}
	}
}
