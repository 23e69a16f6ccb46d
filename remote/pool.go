package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// Pool holds at most one connection to each machine and each jump host, opened
// at first use and used by all commands, from any number of goroutines. One
// that died is opened anew by the next call.
type Pool struct {
	config Config
	log    *slog.Logger
	routes routes
	keys   *keyring
	known  *hostKeys
	turns  turn // handshakes under way

	linger time.Duration // how long output is waited for after the exit status
	grace  time.Duration // how long a process group has between TERM and KILL

	mu     sync.Mutex
	closed bool
	slots  map[string]*slot // by key(route)
	conns  map[*conn]bool   // alive
	wg     sync.WaitGroup   // all goroutines of all connections
}

// slot is the place of one connection.
type slot struct {
	mu      sync.Mutex
	live    *conn
	attempt *attempt // a login under way
}

// attempt is a login that several calls may wait for.
type attempt struct {
	done chan struct{} // closed when err is set
	err  error
	quit bool // its caller gave up, which says nothing to the others
}

// New returns a pool and reports everything that is wrong with c. It opens
// neither connections nor files.
func New(c Config, log *slog.Logger) (*Pool, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Home == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("ssh: home directory: %w", err)
		}
		c.Home = home
	}
	c.Timeout = or(c.Timeout, 10*time.Second)
	c.Keepalive = or(c.Keepalive, 5*time.Second)
	c.KnownHosts = tilde(c.KnownHosts, c.Home)
	c.SSHConfig = tilde(c.SSHConfig, c.Home)
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Pool{
		config: c,
		log:    log,
		routes: newRoutes(c, log),
		keys:   &keyring{given: c.Keys, home: c.Home, socket: c.Agent, ask: c.Passphrase, files: map[string]*keyFile{}},
		known:  &hostKeys{dbs: map[string]loaded{}},
		turns:  make(turn, or(c.Handshakes, 8)),
		linger: time.Second,
		grace:  2 * time.Second,
		slots:  map[string]*slot{},
		conns:  map[*conn]bool{},
	}, nil
}

// Login connects to all hosts at once, no more handshakes at a time than
// Config.Handshakes, and reports the error of every host that could not be
// reached. The connections stay for the commands to come.
func (p *Pool) Login(ctx context.Context, hosts []string) error {
	errs := make([]error, len(hosts))
	var all sync.WaitGroup
	for i, host := range hosts {
		if slices.Index(hosts, host) < i {
			continue
		}
		all.Go(func() {
			c, err := p.hold(ctx, host)
			if errs[i] = err; err == nil {
				c.release()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Close ends all connections, and with them every call that uses one. The
// commands run on; only streams end. It returns when nothing of the pool runs
// here any more. Calls after it fail with ErrClosed.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	var all []*conn
	for c := range p.conns {
		all = append(all, c)
	}
	p.mu.Unlock()
	for _, c := range all {
		c.shut(ErrClosed)
	}
	p.wg.Wait()
	return nil
}

// hold returns the connection to host, and keeps it from being closed as
// disused until it is released.
func (p *Pool) hold(ctx context.Context, host string) (*conn, error) {
	route, err := p.routes.to(host)
	if err != nil {
		return nil, err
	}
	return p.holdRoute(ctx, route)
}

func (p *Pool) holdRoute(ctx context.Context, route []hop) (*conn, error) {
	name := route[len(route)-1].name
	s := p.slot(key(route))
	if s == nil {
		return nil, fmt.Errorf("%s: %w", name, ErrClosed)
	}
	for {
		s.mu.Lock()
		if s.live != nil && s.live.hold() {
			defer s.mu.Unlock()
			return s.live, nil
		}
		a := s.attempt
		if a == nil {
			a = &attempt{done: make(chan struct{})}
			s.attempt = a
			s.mu.Unlock()
			return p.fill(ctx, s, a, route)
		}
		s.mu.Unlock()
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: waiting for its connection: %w", name, ctx.Err())
		}
		// All who waited share the outcome: behind a jump host that is down,
		// sixty machines must not try it one after another.
		if a.err != nil && !a.quit {
			return nil, a.err
		}
	}
}

// fill makes the connection for s and tells those who wait for a.
func (p *Pool) fill(ctx context.Context, s *slot, a *attempt, route []hop) (*conn, error) {
	c, err := p.open(ctx, route)
	s.mu.Lock()
	s.live, s.attempt = c, nil
	s.mu.Unlock()
	a.err, a.quit = err, ctx.Err() != nil
	close(a.done)
	return c, err
}

// open makes a new connection, held once, by way of those before it.
func (p *Pool) open(ctx context.Context, route []hop) (*conn, error) {
	last := route[len(route)-1]
	var via *conn
	if len(route) > 1 {
		var err error
		if via, err = p.holdRoute(ctx, route[:len(route)-1]); err != nil {
			return nil, fmt.Errorf("%s: by jump host %w", last.name, err)
		}
	}
	c, err := p.login(ctx, last, via)
	if err != nil && via != nil {
		via.release()
	}
	return c, err
}

func (p *Pool) login(ctx context.Context, h hop, via *conn) (*conn, error) {
	give, err := p.turns.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: waiting for its turn to log in: %w", h.name, err)
	}
	defer give()
	began := time.Now()
	l := &login{hop: h, via: via, timeout: p.config.Timeout}
	client, raw, err := l.connect(ctx, p.keys, p.known)
	if err != nil {
		return nil, err
	}
	c := &conn{hop: h, pool: p, client: client, raw: raw, via: via, users: 1, gone: make(chan struct{})}
	if !p.adopt(c) {
		_ = raw.Close()
		_ = client.Close()
		return nil, fmt.Errorf("%s: %w", h.name, ErrClosed)
	}
	p.log.Debug("logged in", "host", h.name, "addr", h.addr(), "user", h.user, "took", time.Since(began))
	return c, nil
}

// adopt takes a new connection in, with its goroutines; not into a closed pool.
func (p *Pool) adopt(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.conns[c] = true
	p.wg.Go(c.watch)
	p.wg.Go(c.keepAlive)
	return true
}

func (p *Pool) forget(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// spawn runs f in a goroutine that Close waits for. In a closed pool it runs
// nothing and returns false.
func (p *Pool) spawn(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.wg.Go(f)
	return true
}

// slot returns the place for the connection of a key, nil in a closed pool.
func (p *Pool) slot(key string) *slot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	if p.slots[key] == nil {
		p.slots[key] = &slot{}
	}
	return p.slots[key]
}
