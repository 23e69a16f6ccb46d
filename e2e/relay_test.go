//go:build e2e

package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// relay passes TCP connections on from the same port of another loopback address, like ssh -L, until it is cut.
type relay struct {
	from, to string
	mu       sync.Mutex
	listener net.Listener
	open     []net.Conn
}

// through gives a relay to an address.
func through(t *testing.T, to string) *relay {
	t.Helper()
	_, port, err := net.SplitHostPort(to)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{from: net.JoinHostPort("127.0.0.2", port), to: to}
	r.mend(t)
	t.Cleanup(r.cut)
	return r
}

// mend lets connections through, for the first time or again.
func (r *relay) mend(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", r.from)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener = l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(c)
		}
	}()
}

func (r *relay) pass(c net.Conn) {
	d, err := net.Dial("tcp", r.to)
	if err != nil {
		c.Close()
		return
	}
	r.mu.Lock()
	r.open = append(r.open, c, d)
	r.mu.Unlock()
	go func() { defer c.Close(); _, _ = io.Copy(c, d) }()
	defer d.Close()
	_, _ = io.Copy(d, c)
}

// cut breaks every connection and refuses new ones.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.listener.Close()
	for _, c := range r.open {
		_ = c.Close()
	}
	r.open = nil
}
