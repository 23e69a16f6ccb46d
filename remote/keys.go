package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// keyring holds the private keys a pool logs in with. A file is read once.
type keyring struct {
	given  []string // Config.Keys
	home   string
	socket string // of the agent
	ask    func(file string) ([]byte, error)

	mu    sync.Mutex
	files map[string]*keyFile
	asks  sync.Mutex // one question to the person at a time
}

// keyFile is a private key on disk. public is known even of most encrypted ones.
type keyFile struct {
	path   string
	public ssh.PublicKey
	locked []byte // the file if it is encrypted, else nil

	mu      sync.Mutex
	signer  ssh.Signer
	refused error // what came of asking for the passphrase
}

// offer is the keys for one login, in the order they are tried.
type offer struct {
	signers []ssh.Signer
	tried   []string // a name for each, and why others cannot be used
	close   func()   // ends the connection to the agent
}

// offer collects the keys for h: given ones (the agent's copy if it has one),
// the agent's others, ssh_config's, those of ~/.ssh. It asks a person only for
// a key whose public half is unknown; others are unlocked when the machine has
// said that it would take them. pause stops the clock of the login meanwhile.
func (k *keyring) offer(ctx context.Context, h hop, pause func() (resume func())) (offer, error) {
	o := offer{close: func() {}}
	held, err := k.agent(ctx, &o)
	if err != nil {
		o.tried = append(o.tried, fmt.Sprintf("agent (%v)", err))
	}
	var has []string // public keys offered, to offer each once
	add := func(name string, s ssh.Signer) {
		if blob := string(s.PublicKey().Marshal()); !slices.Contains(has, blob) {
			has = append(has, blob)
			o.signers, o.tried = append(o.signers, s), append(o.tried, name)
		}
	}
	file := func(path string, must bool) error {
		resume := pause()
		f, err := k.file(path)
		resume()
		switch {
		case errors.Is(err, fs.ErrNotExist) && !must:
			return nil
		case err != nil && must:
			return &KeyError{err}
		case err != nil:
			o.tried = append(o.tried, err.Error())
			return nil
		}
		if i := slices.IndexFunc(held, f.same); i >= 0 {
			add(path+" in the agent", held[i])
			return nil
		}
		if f.locked != nil && k.ask == nil {
			if must {
				return &KeyError{unaskable(path)}
			}
			o.tried = append(o.tried, unaskable(path).Error())
			return nil
		}
		add(path, unlocker{f, k, pause})
		return nil
	}
	for _, path := range k.given {
		if err := file(tilde(path, k.home), true); err != nil {
			o.close()
			return offer{}, err
		}
	}
	for _, s := range held {
		add("agent "+ssh.FingerprintSHA256(s.PublicKey()), s)
	}
	for _, path := range h.identities {
		_ = file(path, false) // what is wrong with it is in tried
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		_ = file(filepath.Join(k.home, ".ssh", name), false)
	}
	return o, nil
}

// agent returns the agent's keys; o closes the connection they need.
func (k *keyring) agent(ctx context.Context, o *offer) ([]ssh.Signer, error) {
	if k.socket == "" {
		return nil, nil
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", k.socket)
	if err != nil {
		return nil, err
	}
	// An agent that hangs would hang the login: agent calls know no context.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	o.close = func() { stop(); _ = conn.Close() }
	signers, err := agent.NewClient(conn).Signers()
	return signers, err
}

// file reads the key at path, once.
func (k *keyring) file(path string) (*keyFile, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f := k.files[path]; f != nil {
		return f, nil
	}
	text, err := readKey(path)
	if err != nil {
		return nil, err
	}
	f := &keyFile{path: path}
	f.signer, err = ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		f.public = f.signer.PublicKey()
	case errors.As(err, &locked):
		f.locked, f.public = text, locked.PublicKey
		if f.public == nil {
			f.public = beside(path)
		}
		if f.public == nil {
			if k.ask == nil {
				return nil, unaskable(path)
			}
			if err := k.unlock(f); err != nil {
				return nil, err
			}
			f.public = f.signer.PublicKey()
		}
	default:
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "ssh: "))
	}
	k.files[path] = f
	return f, nil
}

// largestKey is more than any key needs.
const largestKey = 1 << 20

// readKey returns what is in the file of a key that is its owner's alone.
func readKey(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if err := alone(path, info); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(in, largestKey))
}

// KeyError means that a key that was given cannot be used.
type KeyError struct{ Err error }

func (e *KeyError) Error() string { return "ssh key: " + e.Err.Error() }

// Unwrap returns Err.
func (e *KeyError) Unwrap() error { return e.Err }

// beside returns the public key in path.pub, nil if there is none.
func beside(path string) ssh.PublicKey {
	text, err := os.ReadFile(path + ".pub")
	if err != nil {
		return nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return nil
	}
	return public
}

func unaskable(path string) error {
	return fmt.Errorf("%s is encrypted, and nobody can be asked for its passphrase: ssh-add %s", path, path)
}

// unlock asks for the passphrase of f, unless that was done.
func (k *keyring) unlock(f *keyFile) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signer != nil || f.refused != nil {
		return f.refused
	}
	k.asks.Lock()
	defer k.asks.Unlock()
	for range 3 {
		pass, err := k.ask(f.path)
		if err != nil {
			f.refused = fmt.Errorf("passphrase of %s: %w", f.path, err)
			return f.refused
		}
		if f.signer, err = ssh.ParsePrivateKeyWithPassphrase(f.locked, pass); err == nil {
			return nil
		}
	}
	// Remembered, so that sixty machines do not ask sixty times.
	f.refused = fmt.Errorf("passphrase of %s: wrong three times", f.path)
	return f.refused
}

func (f *keyFile) same(s ssh.Signer) bool {
	return f.public != nil && bytes.Equal(f.public.Marshal(), s.PublicKey().Marshal())
}

// unlocker signs with a key file and asks for its passphrase when it comes to
// that, with the login's clock stopped: a person types slower than a handshake.
type unlocker struct {
	*keyFile
	ring  *keyring
	pause func() (resume func())
}

func (u unlocker) PublicKey() ssh.PublicKey { return u.public }

func (u unlocker) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return u.SignWithAlgorithm(rand, data, "")
}

func (u unlocker) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	if u.locked != nil {
		resume := u.pause()
		err := u.ring.unlock(u.keyFile)
		resume()
		if err != nil {
			return nil, err
		}
	}
	if as, ok := u.signer.(ssh.AlgorithmSigner); ok {
		return as.SignWithAlgorithm(rand, data, algorithm)
	}
	return u.signer.Sign(rand, data)
}
