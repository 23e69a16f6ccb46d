package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
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

// shell runs a plan's commands over ssh, each machine's output kept in the run's log.
type shell struct {
	pool *remote.Pool
	log  func(name string) (io.WriteCloser, error)
	name func(host string) string
	// secrets is what a command is told beside its own environment, so that neither plan nor journal holds it; nil: nothing.
	secrets func(plans.Command) map[string]string
}

// Run gives the command's exit code; an error where that is not known.
func (s shell) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	rc := remote.Command{Line: c.Line, Dir: c.Dir, Env: c.Env, Within: within}
	if s.secrets != nil {
		rc.Env = maps.Collect(maps.All(c.Env))
		maps.Insert(rc.Env, maps.All(s.secrets(c)))
	}
	if c.Send != "" {
		f, err := os.Open(c.Send)
		if err != nil {
			return steps.Result{}, err
		}
		defer func() { _ = f.Close() }()
		st, err := f.Stat()
		if err != nil {
			return steps.Result{}, err
		}
		rc.Stdin, rc.Env = f, maps.Clone(rc.Env)
		rc.Env["ROLLOUT_SIZE"] = strconv.FormatInt(st.Size(), 10)
	}
	if changes(c.Do) {
		out, err := s.log(s.name(c.Host))
		if err != nil {
			return steps.Result{}, err
		}
		defer func() { _ = out.Close() }()
		rc.Output = out
	}
	res, err := s.patient(ctx, c, rc)
	text := strings.TrimSpace(res.Stdout + "\n" + res.Stderr)
	if len(text) > shown {
		text = "…" + text[len(text)-shown:]
	}
	var exit *remote.ExitError
	if errors.As(err, &exit) && exit.Code >= 0 {
		return steps.Result{Code: exit.Code, Output: text}, nil
	}
	return steps.Result{Output: text}, err
}

// Ask cannot know: what a lost connection was to tell is lost.
func (s shell) Ask(context.Context, plans.Command) (steps.Begun, error) { return steps.Lost, nil }

// changes says whether an act changes its machine; the others only look.
func changes(do plans.Act) bool {
	return do != plans.DoStatus && do != plans.DoHealth && do != plans.DoRelease
}

// shown is how much of a command's output goes into the journal; all of it is in the run's log.
const shown = 2000

// patient runs a command that changes the machine to its end although the run leaves: half a stop or half a start is worse than either.
// Only the waiting ends.
func (s shell) patient(ctx context.Context, c plans.Command, rc remote.Command) (remote.Result, error) {
	if !changes(c.Do) {
		return s.pool.Run(ctx, c.Host, rc)
	}
	type end struct {
		res remote.Result
		err error
	}
	ended := make(chan end, 1)
	go func() {
		res, err := s.pool.Run(context.WithoutCancel(ctx), c.Host, rc)
		ended <- end{res, err}
	}()
	select {
	case e := <-ended:
		return e.res, e.err
	case <-ctx.Done():
		return remote.Result{}, fmt.Errorf("%s: left running: %w", c.Host, context.Cause(ctx))
	}
}

// prober tries ports from the machine itself, through its ssh connection, so that no firewall between here and there matters.
type prober struct {
	pool   *remote.Pool
	within time.Duration
	// greet says hello on the connection and ends it well, for a service that a connection without a word may harm; nil: none is needed.
	greet func(context.Context, net.Conn) error
}

// Probe says whether a port answers.
func (p prober) Probe(ctx context.Context, of plans.Ports, port int) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	c, err := p.dial(ctx, of, port)
	switch {
	case err == nil && p.greet != nil:
		err = p.greet(ctx, c)
		return err == nil, err
	case err == nil:
		return true, c.Close()
	case strings.Contains(strings.ToLower(err.Error()), "refused"):
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
		var d net.Dialer
		return d.DialContext(ctx, "tcp", to)
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
