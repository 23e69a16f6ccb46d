package remote_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// BenchmarkFanOut logs in to many of the sandbox's machines at once and runs `true` on each: cold, and again on the connections that stand.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{6, 60, 300} {
		dir := b.TempDir()
		key, authorized := newKey(b, dir)
		all, known := map[string]remote.Host{}, ""
		var names []string
		for i := range n {
			m := hosts.Machine{Name: fmt.Sprint("m", i), Host: "127.0.0.1", Dir: dir}
			host, _ := newKey(b, b.TempDir())
			signer, err := ssh.ParsePrivateKey(read(b, host))
			if err != nil {
				b.Fatal(err)
			}
			s := hosts.NewSSHServer(hosts.SSHConfig{Machine: m, HostKeys: []ssh.Signer{signer}, AuthorizedKeys: authorized})
			if err := s.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = s.Close() })
			m.SSHPort = s.Port()
			known += hosts.KnownHosts(m, signer.PublicKey())
			all[m.Name] = remote.Host{Addr: m.Host, Port: m.SSHPort}
			names = append(names, m.Name)
		}
		hostsFile := filepath.Join(dir, "known_hosts")
		if err := os.WriteFile(hostsFile, []byte(known), 0o600); err != nil {
			b.Fatal(err)
		}
		c := remote.Config{User: "bench", Keys: []string{key}, KnownHosts: hostsFile, NoSSHConfig: true, Home: dir, Hosts: all, Handshakes: 32}
		b.Run(fmt.Sprintf("cold/machines=%d", n), func(b *testing.B) {
			for b.Loop() {
				p := pool(b, c)
				everywhere(b, p, names)
				_ = p.Close()
			}
		})
		b.Run(fmt.Sprintf("warm/machines=%d", n), func(b *testing.B) {
			p := pool(b, c)
			everywhere(b, p, names)
			for b.Loop() {
				everywhere(b, p, names)
			}
			_ = p.Close()
		})
	}
}

func pool(b *testing.B, c remote.Config) *remote.Pool {
	b.Helper()
	p, err := remote.New(c, nil)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// everywhere runs true on every machine at once.
func everywhere(b *testing.B, p *remote.Pool, names []string) {
	b.Helper()
	errs := make(chan error, len(names))
	for _, n := range names {
		go func() {
			_, err := p.Run(b.Context(), n, remote.Command{Line: "true"})
			errs <- err
		}()
	}
	for range names {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
}

// newKey writes a key pair and gives the paths of the private key and of an authorized_keys file with it.
func newKey(b *testing.B, dir string) (key, authorized string) {
	b.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		b.Fatal(err)
	}
	p, err := ssh.NewPublicKey(pub)
	if err != nil {
		b.Fatal(err)
	}
	key, authorized = filepath.Join(dir, "key"), filepath.Join(dir, "authorized_keys")
	for path, text := range map[string][]byte{key: pem.EncodeToMemory(block), authorized: ssh.MarshalAuthorizedKey(p)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return key, authorized
}

func read(b *testing.B, path string) []byte {
	b.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return text
}
