package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Cloud is a running pretend UCloud. All its methods may be called from
// several goroutines.
type Cloud struct {
	o        Options
	state    *state
	faults   *faults
	log      *requestLog
	api      net.Listener
	fronts   map[string]net.Listener // by listener id
	cancel   context.CancelFunc
	steering steering // of Options.Plane
	// spawn runs f in a goroutine that Close waits for; false when it is too late.
	spawn func(f func(context.Context)) bool

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// Start brings up the API and one listening socket per Listener, all on
// loopback, and begins to probe the backends, which need not be up yet. With
// [Options].Plane only the API comes up, and the plane, which must be, is told
// of the backends. It ends with Close, or by itself when ctx is done; Close
// waits in both cases.
func Start(ctx context.Context, o Options, balancers []Balancer) (*Cloud, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	s, err := newState(o, balancers)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Cloud{
		o: o, state: s, faults: newFaults(o.Seed), log: &requestLog{},
		fronts: map[string]net.Listener{}, cancel: cancel, steering: steering{applied: map[*listener]uint64{}},
	}
	c.spawn = func(f func(context.Context)) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closed || ctx.Err() != nil {
			return false
		}
		c.wg.Go(func() { f(ctx) })
		return true
	}
	if err := c.listen(ctx); err != nil {
		_ = c.Close() // has nothing to add
		return nil, err
	}
	c.run(ctx)
	return c, nil
}

// listen opens all sockets, so that a port in use is found before anything runs.
func (c *Cloud) listen(ctx context.Context) error {
	var lc net.ListenConfig
	var err error
	if c.api, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("cloud api: %w", err)
	}
	if c.o.Plane != nil {
		return c.board()
	}
	for _, b := range c.state.balancers {
		for _, l := range b.listeners {
			if l.front == "" {
				l.front = "127.0.0.1:0"
			}
			at, err := netip.ParseAddrPort(l.front)
			if err != nil {
				return fmt.Errorf("listener %s: front %q: %w", l.id, l.front, err)
			}
			if !at.Addr().IsLoopback() {
				return fmt.Errorf("listener %s: front %s is not a loopback address", l.id, l.front)
			}
			front, err := lc.Listen(ctx, "tcp", l.front)
			if err != nil {
				return fmt.Errorf("listener %s: %w", l.id, err)
			}
			c.fronts[l.id] = front
			l.front = front.Addr().String()
			if l.port == 0 {
				l.port = front.Addr().(*net.TCPAddr).Port
			}
		}
	}
	return nil
}

// run starts what Close ends.
func (c *Cloud) run(ctx context.Context) {
	if c.o.Plane == nil {
		c.balance()
	} else if c.o.HealthEvery > 0 {
		c.spawn(c.attend)
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(c.answer),
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		// The server's own goroutines are counted too, from here on.
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				c.wg.Add(1)
			case http.StateClosed, http.StateHijacked:
				c.wg.Done()
			case http.StateActive, http.StateIdle:
			}
		},
	}
	c.spawn(func(context.Context) { _ = server.Serve(c.api) }) // ends with ErrServerClosed
	c.spawn(func(ctx context.Context) {
		<-ctx.Done()
		_ = server.Close()
		c.hangUp()
	})
}

// balance starts the built-in balancer and its probes.
func (c *Cloud) balance() {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	for _, b := range c.state.balancers {
		for _, l := range b.listeners {
			from := c.fronts[l.id].(*net.TCPListener)
			c.spawn(func(ctx context.Context) { c.serve(ctx, l, from) })
			for _, backend := range l.backends {
				c.watch(backend)
			}
		}
	}
}

// hangUp closes the listening sockets and all that goes through them.
func (c *Cloud) hangUp() {
	for _, f := range c.fronts {
		_ = f.Close()
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	for _, b := range c.state.balancers {
		for _, l := range b.listeners {
			for _, backend := range l.backends {
				backend.links.cut()
			}
		}
	}
}

// Close ends the API and the balancer, cuts the connections that are open and
// waits until every goroutine has ended. A second Close is harmless. The error
// is what a [Plane] does not have or does not say by then; close that later.
func (c *Cloud) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	if c.api != nil {
		_ = c.api.Close()
	}
	for _, f := range c.fronts {
		_ = f.Close()
	}
	c.wg.Wait()
	return c.steering.err()
}

// URL returns where the API listens, such as http://127.0.0.1:40123: the
// client's base URL.
func (c *Cloud) URL() string { return "http://" + c.api.Addr().String() }

// Front returns the host:port players connect to for a listener, "" for an id
// there is no listener of.
func (c *Cloud) Front(listenerID string) string {
	if l := c.state.listenerNamed(listenerID); l != nil {
		return l.front
	}
	return ""
}

// Snapshot returns what is true now: every balancer with its listeners and
// living backends as last written into the data plane, whatever the API tells
// and however late the workers hear of it. Status is what all workers' probes
// say, without lag.
func (c *Cloud) Snapshot() []Balancer {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	var all []Balancer
	for _, b := range c.state.balancers {
		shown := Balancer{ID: b.id, Name: b.name, Kind: b.kind}
		for _, l := range b.listeners {
			is := l.settings.last()
			is.Front, is.Port = l.front, l.port
			for _, backend := range l.backends {
				now := backend.real.last()
				if now.gone {
					continue
				}
				now.Status = backend.status.last()
				is.Backends = append(is.Backends, now.Backend)
			}
			shown.Listeners = append(shown.Listeners, is)
		}
		all = append(all, shown)
	}
	return all
}

// Set changes a backend as an operator with another tool does: told and real
// at once, the lags as usual, no request in the log. Its id stays. An id there
// is no backend of is an error, and so is what a [Plane] refuses.
func (c *Cloud) Set(backendID string, f func(*Backend)) error {
	if err := c.state.set(backendID, f); err != nil {
		return err
	}
	return c.steer()
}

func (s *state) set(backendID string, f func(*Backend)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.backends[backendID]
	if b == nil {
		return errors.New("backend " + strconv.Quote(backendID) + ": there is none of this id")
	}
	s.change(b, true, true, f)
	return nil
}

// later runs f after a delay, unless the cloud is closed before.
func (c *Cloud) later(d time.Duration, f func()) {
	c.spawn(func(ctx context.Context) {
		if pause(ctx, d); ctx.Err() == nil {
			f()
		}
	})
}
