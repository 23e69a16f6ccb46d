package remote

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// misses is how many keepalives may go unanswered.
const misses = 3

// conn is one live ssh connection.
type conn struct {
	hop
	pool   *Pool
	client *ssh.Client
	raw    net.Conn
	via    *conn // held as long as this one lives

	gone chan struct{} // closed when the connection is dead

	mu      sync.Mutex
	users   int
	retired bool // takes no new users, closed when the last one leaves
	dead    bool
}

// hold counts one more user. It is false when the connection is of no more use.
func (c *conn) hold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.retired {
		return false
	}
	c.users++
	return true
}

func (c *conn) release() {
	c.mu.Lock()
	c.users--
	idle := c.retired && c.users == 0
	c.mu.Unlock()
	if idle {
		c.shut(nil)
	}
}

// retire leaves the connection to those who have it and makes the next call
// open another. It is for one that answers keepalives but opens no session:
// closing it would cut a restart that may still be running over it.
func (c *conn) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retired = true
}

// shut ends the connection; why is nil when that is as it should be.
func (c *conn) shut(why error) {
	c.mu.Lock()
	was := c.dead
	c.dead = true
	c.mu.Unlock()
	if was {
		return
	}
	close(c.gone)
	// The raw connection first: a polite goodbye would wait for a peer that
	// takes no more bytes.
	_ = c.raw.Close()
	_ = c.client.Close()
	c.pool.forget(c)
	if why != nil && !errors.Is(why, ErrClosed) {
		c.pool.log.Warn("connection lost", "host", c.name, "addr", c.addr(), "err", why)
	}
	if c.via != nil {
		c.via.release()
	}
}

// lost reports whether the connection is dead. Its channels learn of that a
// moment before it does, hence the wait.
func (c *conn) lost() bool {
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-c.gone:
		return true
	case <-timer.C:
		return false
	}
}

// watch marks the connection dead when it ends.
func (c *conn) watch() {
	err := c.client.Wait()
	c.shut(err)
}

// keepAlive asks the other side now and then whether it is there. Without that
// a command on a machine gone dark would wait for ever (golang/go#19338).
func (c *conn) keepAlive() {
	ticker := time.NewTicker(c.pool.config.Keepalive)
	defer ticker.Stop()
	answered := make(chan struct{}, 1)
	asking, missed := false, 0
	seen := int64(0)
	for {
		select {
		case <-c.gone:
			return
		case <-answered:
			asking, missed = false, 0
		case <-ticker.C:
			// Anything received is a sign of life: on a slow line the answer
			// waits behind the output of a command.
			if n := received(c.raw); n != seen {
				seen, missed = n, 0
			} else if asking {
				missed++
			}
			if missed >= misses {
				c.shut(errSilent)
				return
			}
			if !asking {
				asking = c.pool.spawn(func() {
					// An error is for watch to see.
					_, _, _ = c.client.SendRequest("keepalive@openssh.com", true, nil)
					answered <- struct{}{}
				})
			}
		}
	}
}

// counted counts what is received.
type counted struct {
	net.Conn
	n atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func received(c net.Conn) int64 {
	if c, ok := c.(*counted); ok {
		return c.n.Load()
	}
	return 0
}

// channel opens a channel. The library's own call knows no deadline and can
// hang for ever (golang/go#26643): when ctx ends first this one returns, and a
// channel that comes late is closed.
func (c *conn) channel(ctx context.Context, kind string, payload []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	type opened struct {
		ch   ssh.Channel
		reqs <-chan *ssh.Request
		err  error
	}
	got := make(chan opened)
	if !c.pool.spawn(func() {
		var o opened
		o.ch, o.reqs, o.err = c.client.OpenChannel(kind, payload)
		select {
		case got <- o:
		case <-ctx.Done():
			if o.err == nil {
				_ = o.ch.Close()
				ssh.DiscardRequests(o.reqs)
			}
		}
	}) {
		return nil, nil, ErrClosed
	}
	select {
	case o := <-got:
		return o.ch, o.reqs, o.err
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}
