package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
)

// unused gives a port of loopback at which nobody listens.
func unused(t *testing.T) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().(*net.TCPAddr)
}

// noSSHD gives connections to machines on loopback whose sshd does not run: a port that nobody has taken refuses.
func noSSHD(t *testing.T) *remote.Pool {
	t.Helper()
	dir := t.TempDir()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), "known": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := remote.New(remote.Config{User: "x", Port: unused(t).Port, Keys: []string{filepath.Join(dir, "key")}, KnownHosts: filepath.Join(dir, "known"), NoSSHConfig: true, Home: dir, Timeout: 10 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// TestAPortIsClosedOnlyWhereItWasTried: sshd that refuses is no word on the port behind it.
func TestAPortIsClosedOnlyWhereItWasTried(t *testing.T) {
	p := prober{pool: noSSHD(t), within: 10 * time.Second}
	if open, err := p.Probe(t.Context(), plans.Ports{Host: "127.0.0.1", Addr: "127.0.0.1"}, 6150); open || err == nil {
		t.Errorf("got open %v, %v, want that nobody knows", open, err)
	}
	var closed *remote.ClosedPortError
	if _, err := direct(t.Context(), unused(t).String()); !errors.As(err, &closed) {
		t.Errorf("tried from here: got %v, want it called closed", err)
	}
}
