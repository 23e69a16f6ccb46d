package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// counters count what became of a listener's connections.
type counters struct {
	accepted, refused, dialFailed atomic.Int64
	next                          atomic.Uint64 // deals connections to the workers
}

// serve accepts connections until the listening socket is closed and hands
// each to a worker. The kernel of a real cluster deals them out likewise,
// without looking at who is busy.
func (c *Cloud) serve(ctx context.Context, l *listener, from *net.TCPListener) {
	for {
		conn, err := from.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, most likely: it passes, and spinning on it
			// would keep those from closing theirs.
			pause(ctx, 5*time.Millisecond)
			continue
		}
		l.counts.accepted.Add(1)
		w := l.lanes[worker(l.counts.next.Add(1), len(l.lanes))]
		if !c.spawn(func(ctx context.Context) { c.proxy(ctx, w, conn) }) {
			_ = conn.Close()
		}
	}
}

// worker deals the nth connection to a worker: mixed, because workers in a row
// would fall into step with players who connect in a row.
func worker(n uint64, of int) int {
	n *= 0x9e3779b97f4a7c15
	return int((n >> 33) % uint64(of))
}

// proxy finds a backend for one client and carries their data.
func (c *Cloud) proxy(ctx context.Context, w *lane, client *net.TCPConn) {
	from := client.RemoteAddr().(*net.TCPAddr).AddrPort()
	chosen, upstream := c.reach(ctx, w, from)
	if upstream == nil {
		w.of.counts.refused.Add(1)
		_ = client.Close()
		return
	}
	defer w.done(chosen.b)
	k := &link{client: client, upstream: upstream, idle: chosen.idle}
	fresh := chosen.b.links.add(k, chosen.cuts)
	defer chosen.b.links.remove(k)
	// Whoever closes or cuts meanwhile finds the link just added, or is seen here.
	if !fresh || ctx.Err() != nil {
		k.cut()
		return
	}
	k.carry()
}

// reach dials the chosen backend, and the next eligible one when that fails.
// No connection means that none could be had.
func (c *Cloud) reach(ctx context.Context, w *lane, client netip.AddrPort) (choice, *net.TCPConn) {
	var tried []*backend
	for {
		chosen, ok := w.choose(client, tried)
		if !ok {
			return choice{}, nil
		}
		upstream, err := dial(ctx, chosen.addr, c.o.DialTimeout)
		if err == nil {
			return chosen, upstream
		}
		w.done(chosen.b)
		w.of.counts.dialFailed.Add(1)
		if c.o.OneTry || ctx.Err() != nil {
			return choice{}, nil
		}
		tried = append(tried, chosen.b)
	}
}

// dial connects to a loopback address; any other is refused here, the one
// place from which this package opens connections.
func dial(ctx context.Context, addr string, within time.Duration) (*net.TCPConn, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("backend address %q: %w", addr, err)
	}
	if !to.Addr().IsLoopback() {
		return nil, fmt.Errorf("backend address %s: not a loopback address", addr)
	}
	d := net.Dialer{Timeout: within, KeepAlive: -1}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// pause waits, and returns early when ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
