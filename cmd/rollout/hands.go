package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// traffic lets a run read and write the weights of one load balancer. It remembers the last reading, by which a write is addressed.
type traffic struct {
	b    *ulb.Balancer
	ours map[string]plans.Backend // the plan's; others are nobody's business
	seen map[string]ulb.Backend
}

func addr(b ulb.Backend) string { return net.JoinHostPort(b.Host, strconv.Itoa(b.Port)) }

// Look reads every backend.
func (t *traffic) Look(ctx context.Context) (steps.Look, error) {
	r, err := t.b.Read(ctx)
	var denied *ulb.AuthError
	if errors.As(err, &denied) {
		return steps.Look{}, fmt.Errorf("%w: %w", steps.ErrDenied, err)
	}
	if err != nil {
		return steps.Look{}, err
	}
	l := steps.Look{Weights: map[string]int{}, Addrs: map[string]string{}}
	t.seen = map[string]ulb.Backend{}
	for _, b := range r.Backends {
		if _, ok := t.ours[b.ID]; !ok {
			continue
		}
		t.seen[b.ID], l.Weights[b.ID], l.Addrs[b.ID] = b, b.Weight, addr(b)
		if !b.Healthy {
			l.Sick = append(l.Sick, b.ID)
		}
	}
	return l, nil
}

// Write sends one request for each backend and repeats none.
func (t *traffic) Write(ctx context.Context, weights map[string]int) []plans.Answer {
	var cs []ulb.Change
	for _, id := range slices.Sorted(maps.Keys(weights)) {
		cs = append(cs, ulb.Change{Backend: t.seen[id], Weight: weights[id]})
	}
	var as []plans.Answer
	for _, o := range t.b.Write(ctx, cs) {
		a := plans.Answer{Backend: o.ID, Outcome: plans.Unknown}
		switch o.State {
		case ulb.Done:
			a.Outcome = plans.Accepted
		case ulb.Refused:
			a.Outcome = plans.Refused
			var r *ulb.RefusedError
			a.Again = errors.As(o.Err, &r) && r.Retry
		}
		if o.Err != nil {
			a.Error = o.Err.Error()
		}
		as = append(as, a)
	}
	return as
}

// prober tries ports from the machine itself, through its ssh connection, so that no firewall between here and there matters.
type prober struct {
	pool   *remote.Pool
	within time.Duration
	// greet says hello on the connection and ends it well, for a service that a connection without a word may harm; nil: none is needed.
	greet func(context.Context, net.Conn) error
}

// Probe says whether a port answers. That it does not is said by who has tried it: a connection that is refused on the way there, by the machine's sshd or a
// jump host, tells nothing of the port.
func (p prober) Probe(ctx context.Context, of plans.Ports, port int) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	c, err := p.dial(ctx, of, port)
	var closed *remote.ClosedPortError
	switch {
	case err == nil && p.greet != nil:
		err = p.greet(ctx, c)
		return err == nil, err
	case err == nil:
		return true, c.Close()
	case errors.As(err, &closed):
		return false, nil
	}
	return false, err
}

// dial connects to a port of a machine from the machine itself, or from here where it forwards nothing.
func (p prober) dial(ctx context.Context, of plans.Ports, port int) (net.Conn, error) {
	at := of.Bind
	if at == "" {
		at = of.Addr
	}
	to := net.JoinHostPort(at, strconv.Itoa(port))
	c, err := p.pool.Dial(ctx, of.Host, to)
	if errors.Is(err, remote.ErrForwarding) {
		return direct(ctx, to)
	}
	return c, err
}

// direct connects from here.
func direct(ctx context.Context, to string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", to)
	if errors.Is(err, connRefused) {
		return nil, &remote.ClosedPortError{Host: "here", Addr: to, Said: err.Error()}
	}
	return c, err
}

// Ask asks a Pomelo gate where it sends the users 0 to n-1.
func (p prober) Ask(ctx context.Context, of plans.Ports, port int, g plans.Gates) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	c, err := p.dial(ctx, of, port)
	if err != nil {
		return nil, err
	}
	return pomelo.Directions(ctx, c, g.Route, g.Field, len(g.To))
}

// prober gives the way this service's ports are tried.
func (s *site) prober(pool *remote.Pool) prober {
	p := prober{pool: pool, within: s.cfg.SSH.Timeout}
	if s.cfg.Pomelo != nil {
		p.greet = pomelo.Greet
	}
	return p
}

// together calls do for 0 to n-1, all at once, and waits.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}
