package hosts

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// KnownHosts is the text that a known_hosts file needs for a machine: one line for each of its host keys, ended by \n.
func KnownHosts(m Machine, keys ...ssh.PublicKey) string {
	var b strings.Builder
	addr := knownhosts.Normalize(net.JoinHostPort(m.Host, strconv.Itoa(m.SSHPort)))
	for _, key := range keys {
		b.WriteString(knownhosts.Line([]string{addr}, key) + "\n")
	}
	return b.String()
}

// keep reads the OpenSSH private key at path, or makes it by create and writes it there with its .pub beside it.
func keep(path, comment string, create func() (crypto.Signer, error)) (ssh.Signer, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		signer, err := ssh.ParsePrivateKey(text)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", path, err)
		}
		return signer, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("key: %w", err)
	}
	key, err := create()
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	public := strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(signer.PublicKey())), "\n") + " " + comment + "\n"
	if err := os.WriteFile(path+".pub", []byte(public), 0o600); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return signer, nil
}

func newEd25519() (crypto.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

func newECDSA() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
