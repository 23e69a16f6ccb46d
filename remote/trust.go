package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// Key is a host key as a machine shows it.
type Key struct {
	Type        string // "ssh-ed25519"
	Fingerprint string // "SHA256:…"
	Line        string // the line that makes it known, for AddKnown
}

// Scan asks host for all its host keys, one connection for each kind, through
// the same jump hosts as always, whose own keys must be known. It trusts
// nothing and logs in nowhere. A jump host is scanned by its name in the chain.
func (p *Pool) Scan(ctx context.Context, host string) ([]Key, error) {
	route, err := p.routes.to(host)
	if err != nil {
		return nil, err
	}
	last := route[len(route)-1]
	var via *conn
	if len(route) > 1 {
		if via, err = p.holdRoute(ctx, route[:len(route)-1]); err != nil {
			return nil, fmt.Errorf("%s: by jump host %w", host, err)
		}
		defer via.release()
	}
	var keys []Key
	for _, kind := range scanned() {
		key, err := p.show(ctx, last, via, kind)
		if err != nil {
			return nil, err
		}
		if key == nil || slices.ContainsFunc(keys, func(k Key) bool { return k.Type == key.Type() }) {
			continue
		}
		keys = append(keys, Key{key.Type(), ssh.FingerprintSHA256(key), xknownhosts.Line([]string{last.addr()}, key)})
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no host key of a kind known here", host)
	}
	return keys, nil
}

// show returns the host key of one kind, nil if there is none of it.
func (p *Pool) show(ctx context.Context, h hop, via *conn, kind string) (ssh.PublicKey, error) {
	give, err := p.turns.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.name, err)
	}
	defer give()
	l := &login{hop: h, via: via, timeout: p.config.Timeout}
	hopCtx, _, stop := l.start(ctx)
	defer stop()
	conn, err := l.dial(hopCtx)
	if err != nil {
		return nil, l.explain(ctx, hopCtx, err)
	}
	var shown ssh.PublicKey
	_, err = l.shake(hopCtx, conn, &ssh.ClientConfig{
		User:              h.user,
		HostKeyAlgorithms: []string{kind},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			shown = key
			return errors.New("seen") // enough; the login ends here
		},
	})
	var none *ssh.AlgorithmNegotiationError
	if shown != nil || errors.As(err, &none) && strings.Contains(none.What, "host key") {
		return shown, nil
	}
	return nil, l.explain(ctx, hopCtx, err)
}

// AddKnown appends lines, as Key.Line has them, to the known_hosts file at path
// and syncs it. A line that is there is not added again; a file that is not is
// made, for its owner only.
func AddKnown(path string, lines []string) error {
	for _, line := range lines {
		_, _, _, _, rest, err := ssh.ParseKnownHosts([]byte(line))
		if err != nil || len(rest) > 0 || strings.ContainsAny(line, "\r\n") {
			return fmt.Errorf("known_hosts line %q: not one host key", short(line, 80))
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("known_hosts: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("known_hosts: %w", err)
	}
	err = appendLines(f, lines)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("known_hosts %s: %w", path, err)
	}
	return nil
}

func appendLines(f *os.File, lines []string) error {
	old, err := os.ReadFile(f.Name())
	if err != nil {
		return err
	}
	have := strings.Split(string(old), "\n")
	var add bytes.Buffer
	if len(old) > 0 && old[len(old)-1] != '\n' {
		add.WriteByte('\n')
	}
	before := add.Len()
	for _, line := range lines {
		if !slices.Contains(have, line) {
			have = append(have, line)
			add.WriteString(line + "\n")
		}
	}
	if add.Len() == before {
		return nil
	}
	// One write, so that two of us at once do not mix their lines.
	if _, err := f.Write(add.Bytes()); err != nil {
		return err
	}
	return f.Sync()
}
