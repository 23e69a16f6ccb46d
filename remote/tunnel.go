package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Dial opens a TCP connection from host to addr, a host:port as seen there:
// "127.0.0.1:3005" is host's own. It travels inside host's connection and ends
// with it. ctx bounds the opening only; deadlines of the result work. Where
// sshd forbids it the error is ErrForwarding; where nobody listens at addr it is
// a ClosedPortError.
func (p *Pool) Dial(ctx context.Context, host, addr string) (net.Conn, error) {
	c, err := p.hold(ctx, host)
	if err != nil {
		return nil, err
	}
	t, err := c.dial(ctx, addr)
	if err != nil {
		c.release()
		var closed *refusedChannel
		if errors.As(err, &closed) && closed.reason == ssh.ConnectionFailed && strings.Contains(strings.ToLower(closed.said), "refused") {
			return nil, &ClosedPortError{host, addr, closed.said}
		}
		return nil, fmt.Errorf("%s: dial %s from there: %w", host, addr, err)
	}
	return &tunnel{t, sync.OnceFunc(c.release)}, nil
}

// refusedChannel is sshd's word for why it opens no channel.
type refusedChannel struct {
	reason ssh.RejectionReason
	said   string
}

func (e *refusedChannel) Error() string { return e.said }

// tunnel releases its ssh connection when it is closed.
type tunnel struct {
	net.Conn
	release func()
}

// Close ends the tunnel.
func (t *tunnel) Close() error {
	defer t.release()
	return t.Conn.Close()
}

// dial opens a direct-tcpip channel to addr and makes a net.Conn of it.
func (c *conn) dial(ctx context.Context, addr string) (net.Conn, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q: %w", text, err)
	}
	ch, reqs, err := c.channel(ctx, "direct-tcpip", ssh.Marshal(struct {
		To       string
		ToPort   uint32
		From     string
		FromPort uint32
	}{host, uint32(port), "127.0.0.1", 0}))
	var refused *ssh.OpenChannelError
	switch {
	case errors.As(err, &refused) && refused.Reason == ssh.Prohibited:
		return nil, ErrForwarding
	case errors.As(err, &refused):
		return nil, &refusedChannel{refused.Reason, printable(or(refused.Message, refused.Reason.String()))}
	case err != nil:
		return nil, err
	}
	// A channel has no deadlines, and a Read of it is not ended by our own
	// Close when the machine is dark. A pipe in between has and is.
	near, far := net.Pipe()
	up := func() { _, _ = io.Copy(ch, far); _ = ch.Close(); _ = far.Close() }
	down := func() { _, _ = io.Copy(far, ch); _ = far.Close(); _ = ch.Close() }
	if !c.pool.spawn(func() { ssh.DiscardRequests(reqs) }) || !c.pool.spawn(up) || !c.pool.spawn(down) {
		_ = ch.Close()
		return nil, ErrClosed
	}
	return near, nil
}
