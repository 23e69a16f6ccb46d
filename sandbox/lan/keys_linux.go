package lan

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func (l *LAN) keyPath(name string) string { return filepath.Join(l.o.Dir, "keys", name) }

// writeKeys makes who may log in where: the operator and every machine's root may, on every machine, without being asked anything.
func (l *LAN) writeKeys() error {
	if err := os.MkdirAll(filepath.Join(l.o.Dir, "keys"), 0o700); err != nil {
		return err
	}
	l.Key, l.KnownHosts, l.SSHConfig = l.keyPath("operator"), l.keyPath("known_hosts"), l.keyPath("ssh_config")
	var allowed, known, config strings.Builder
	for _, name := range []string{"operator", "machines"} {
		key, err := keep(l.keyPath(name), name)
		if err != nil {
			return err
		}
		allowed.Write(ssh.MarshalAuthorizedKey(key))
	}
	port := strconv.Itoa(l.SSHPort)
	for _, m := range l.Machines {
		key, err := keep(l.keyPath("host_"+m.Name), m.Name)
		if err != nil {
			return err
		}
		names := []string{knownhosts.Normalize(net.JoinHostPort(m.IP, port)), knownhosts.Normalize(net.JoinHostPort(m.Name, port))}
		known.WriteString(knownhosts.Line(names, key) + "\n")
		config.WriteString("Host " + m.Name + "\n  HostName " + m.IP + "\n")
	}
	config.WriteString("Host *\n  User " + l.User + "\n  Port " + port + "\n  IdentityFile " + quote(l.Key) +
		"\n  IdentitiesOnly yes\n  UserKnownHostsFile " + quote(l.KnownHosts) + "\n  StrictHostKeyChecking yes\n  BatchMode yes\n")
	for path, text := range map[string]string{l.keyPath("authorized_keys"): allowed.String(), l.KnownHosts: known.String(), l.SSHConfig: config.String()} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	key, err := os.ReadFile(l.keyPath("machines"))
	if err != nil {
		return err
	}
	for _, m := range l.machines {
		dir := filepath.Join(m.dir, "ssh")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		for name, text := range map[string][]byte{"id_ed25519": key, "known_hosts": []byte(known.String())} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep reads the private key at path, or makes one and writes it there with its .pub beside it.
func keep(path, comment string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = generate(path, comment)
	}
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " " + comment + "\n"
	if err := os.WriteFile(path+".pub", []byte(public), 0o600); err != nil { //nolint:gosec // G703: the directory is the caller's own
		return nil, fmt.Errorf("key: %w", err)
	}
	return signer.PublicKey(), nil
}

func generate(path, comment string) ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(block)
	return text, os.WriteFile(path, text, 0o600)
}
