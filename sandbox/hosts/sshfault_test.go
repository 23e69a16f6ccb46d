package hosts

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestEachFaultOfSSHShowsAndIsMended(t *testing.T) {
	h := start(t, bare())
	m := h.Machines[0]
	s := h.SSH[m.Name]
	for _, c := range []struct {
		fault SSHFault
		says  string
	}{
		{SSHRefuse, "refused"},
		{SSHHang, "timeout"},
		{SSHStrangeKey, "key mismatch"},
		{SSHRefuseAuth, "unable to authenticate"},
	} {
		if err := s.Break(c.fault); err != nil {
			t.Fatal(err)
		}
		if c.fault == SSHHang {
			conn, err := net.Dial("tcp", m.SSHAddr())
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			if _, err := conn.Read(make([]byte, 1)); !os.IsTimeout(err) {
				t.Errorf("%s: got %v, want silence", c.fault, err)
			}
			_ = conn.Close()
		} else if _, err := login(t, h, m); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", c.fault, err, c.says)
		}
		if err := s.Mend(t.Context()); err != nil {
			t.Fatal(err)
		}
		if out, _, err := run(t, h, m, "echo fine"); err != nil || out != "fine\n" {
			t.Errorf("%s mended: got %q, %v", c.fault, out, err)
		}
	}
	if err := s.Break("ssh-nonsense"); err == nil {
		t.Error("got no error for a fault that does not exist")
	}
}

func TestFaultsOfAStandingConnection(t *testing.T) {
	h := start(t, bare())
	m := h.Machines[0]
	s := h.SSH[m.Name]
	client := mustLogin(t, h, m)
	alive := func() chan error {
		done := make(chan error, 1)
		go func() {
			session, err := client.NewSession()
			if err == nil {
				err = session.Run("true")
			}
			done <- err
		}()
		return done
	}
	for _, f := range []SSHFault{SSHFreeze, SSHHangSessions} {
		if err := s.Break(f); err != nil {
			t.Fatal(err)
		}
		done := alive()
		select {
		case err := <-done:
			t.Errorf("%s: got %v, want silence", f, err)
		case <-time.After(50 * time.Millisecond):
		}
		if err := s.Mend(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s mended: %v", f, err)
		}
	}
	if err := s.Break(SSHRefuseSessions); err != nil {
		t.Fatal(err)
	}
	if err := <-alive(); err == nil {
		t.Error("refused sessions: got one")
	}
	if err := errors.Join(s.Mend(t.Context()), s.Break(SSHSlow)); err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	if err := <-alive(); err != nil || time.Since(from) < 200*time.Millisecond {
		t.Errorf("slow: got %v after %s, want both ways delayed by 100ms", err, time.Since(from))
	}
	if err := errors.Join(s.Mend(t.Context()), s.Break(SSHRefuse)); err != nil {
		t.Fatal(err)
	}
	if err := <-alive(); err != nil {
		t.Errorf("a refusing port must not touch what stands: %v", err)
	}
	if err := s.Break(SSHDrop); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = client.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("dropped: the connection stands")
	}
}

func TestTooManyAtTheDoorAreTurnedAway(t *testing.T) {
	h := start(t, bare())
	m := h.Machines[0]
	key, err := os.ReadFile(h.HostKey[m.Name])
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	m.SSHPort = 0
	s := NewSSHServer(SSHConfig{Machine: m, HostKeys: []ssh.Signer{signer}, AuthorizedKeys: h.Authorized, MaxStartups: 2})
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	m.SSHPort = s.Port()
	var heard int
	for range 3 {
		conn, err := net.Dial("tcp", m.SSHAddr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		if n, _ := conn.Read(make([]byte, 100)); n > 0 {
			heard++
		}
	}
	if heard != 2 {
		t.Errorf("got %d banners, want 2 of 3", heard)
	}
}
