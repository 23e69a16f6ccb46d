package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
	"github.com/seed59ee9cdc/rollout/ulb"
	"github.com/seed59ee9cdc/rollout/view"
)

// carrier carries a run out from the state it is in and tells what happens.
type carrier struct {
	site     *site
	balancer *ulb.Balancer
	pool     *remote.Pool
	run      *journal.Run
	known    herds           // of a Pomelo service: what its masters say
	mute     map[string]bool // hosts that could not be logged in to when the run was taken up
}

// told is a journal that tells each event after it is on disk.
type told struct {
	*journal.Run
	state plans.State
	ears  []ear
}

// Append keeps an event and tells it.
func (t *told) Append(ctx context.Context, e plans.Event) (plans.Event, error) {
	e, err := t.Run.Append(ctx, e)
	if err == nil {
		t.tell(e)
	}
	return e, err
}

// Requests keeps what was asked from elsewhere and tells it.
func (t *told) Requests(ctx context.Context) ([]plans.Event, error) {
	es, err := t.Run.Requests(ctx)
	for _, e := range es {
		t.tell(e)
	}
	return es, err
}

func (t *told) tell(e plans.Event) {
	t.state = t.state.Apply(e)
	for _, h := range t.ears {
		h.hear(t.state, e)
	}
}

// carry goes on from s until the run stops, prints how it ended, and gives the error that decides the exit code.
func (c *carrier) carry(ctx context.Context, s plans.State) error {
	deafen()
	abortOnPanic()
	e := c.site.env
	count := startCounting(ctx, c.site.cfg, c.pool, watched(update(s)))
	defer count.close()
	probe, sh := c.site.prober(c.pool), shell{pool: c.pool, log: c.run.Log, name: s.Plan.Name, space: s.Plan.Service}
	t := steps.Tools{
		Traffic:  &traffic{b: c.balancer, ours: s.Plan.Before},
		Prober:   probe,
		Sessions: count,
		By:       by(), PID: os.Getpid(), Floor: c.seen(ctx, s.Plan),
	}
	if f := c.site.front(update(s), c.known); f != nil {
		t.Front = f
	}
	if c.site.cfg.Pomelo != nil {
		sh.secrets = c.secrets(update(s))
		t.Roll, t.Gates = c.roll(update(s)), probe
	}
	t.Shell = sh
	n := c.site.news(s)
	j := &told{Run: c.run, state: s, ears: append(e.ears(), n)}
	hide := c.site.stage(j)
	defer hide()
	end, err := j.run(ctx, s, t)
	hide()
	if errors.Is(err, steps.ErrJournal) {
		n.broken(end, err)
	}
	if errors.Is(err, steps.ErrInterrupted) && end.Touched {
		err = errors.Join(errTouched, err)
	}
	if perr := e.result(end); perr != nil && !errors.Is(perr, syscall.EPIPE) { // where nobody reads, the exit code is the run's
		return errors.Join(perr, err)
	}
	if errors.Is(err, steps.ErrJournal) || errors.Is(err, errDefect) {
		return err // the summary cannot know it
	}
	if err != nil {
		return toldError{err}
	}
	return nil
}

// run carries a run out. A defect of ours that shows as a panic ends it like a kill, but is told: nothing more is done, and the journal has the place.
func (t *told) run(ctx context.Context, s plans.State, tools steps.Tools) (end plans.State, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: panic: %v", errDefect, p)
			stack := debug.Stack()
			if c, ok := p.(*steps.Crash); ok { // of another goroutine
				stack = c.Stack
			}
			_, rerr := t.Append(context.WithoutCancel(ctx), plans.Event{What: plans.Interrupted, Step: -1, Note: err.Error(), Output: string(stack)})
			end, err = t.state, errors.Join(err, rerr)
		}
	}()
	return steps.Run(ctx, s, t, tools)
}

// errDefect marks what should never happen.
var errDefect = errors.New("this is a defect of rollout, please report it with the journal")

// roll calls the processes of the groups of a plan that is under way, whatever their masters know by now.
func (c *carrier) roll(p plans.Plan) roll {
	l := c.site.roll(c.pool, c.known)
	for _, st := range p.Steps {
		if st.Kind == plans.Restart {
			l.add(st.Group, p.Hosts(st.Group), st.Run, st.Want)
		}
	}
	return l
}

// secrets gives the login at the master to the command that stops its group.
func (c *carrier) secrets(p plans.Plan) func(plans.Command) map[string]string {
	return func(cmd plans.Command) map[string]string {
		i := slices.IndexFunc(p.Machines, func(m plans.Machine) bool { return m.Host == cmd.Host })
		if cmd.Do != plans.DoStop || i < 0 {
			return nil
		}
		return adminEnv(c.known.account(p.Machines[i].Group, c.site.cfg.Pomelo.Admin))
	}
}

// update gives the plan that updates the groups, also where a retreat has come after it.
func update(s plans.State) plans.Plan {
	if s.Plan.Purpose == plans.Leaving && len(s.Earlier) > 0 {
		return s.Earlier[len(s.Earlier)-1].Plan
	}
	return s.Plan
}

// result prints how a run ended.
func (e *env) result(s plans.State) error {
	e.ci.stopped(s)
	if e.text() {
		return view.Summary(e.stdout, s, e.again)
	}
	return e.document(view.ResultOf(s))
}

// login logs in to every machine of a plan before anything is done. A machine that cannot be reached is said and not fatal: the step that
// needs it will say so, and the way back may not.
func (c *carrier) login(ctx context.Context, p plans.Plan) {
	errs := make([]error, len(p.Machines))
	together(len(p.Machines), func(i int) { errs[i] = c.pool.Login(ctx, []string{p.Machines[i].Host}) })
	c.mute = map[string]bool{}
	for i, m := range p.Machines {
		c.mute[m.Host] = errs[i] != nil
	}
	if err := errors.Join(errs...); err != nil {
		c.site.env.say("rollout: %v", err)
	}
}

// seen gives the highest token that a machine of a plan has begun a command for. It is told by clocks, and one that was ahead during another run may have
// been put right since: then that machine would refuse this one. A machine that cannot be asked is said and not fatal, as at login; one that has not answered
// there is not waited for again.
func (c *carrier) seen(ctx context.Context, p plans.Plan) int64 {
	within, cancel := context.WithTimeout(ctx, c.site.cfg.SSH.Timeout)
	defer cancel()
	tokens, errs := make([]int64, len(p.Machines)), make([]error, len(p.Machines))
	together(len(p.Machines), func(i int) {
		if h := p.Machines[i].Host; !c.mute[h] {
			tokens[i], errs[i] = c.pool.Seen(within, h, p.Service)
		}
	})
	if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
		c.site.env.say("rollout: %v", err)
	}
	return slices.Max(append(tokens, 0))
}

// lock takes the service's lock for this command.
func (s *site) lock(command, run string) (*journal.Store, error) {
	user, host := whoami()
	for _, f := range journal.Flaws(s.dir) {
		if !f.Fatal { // what is fatal is refused, or, where a run goes on, said there
			s.env.say("rollout: %v", f)
		}
	}
	return journal.Lock(s.dir, journal.Holder{User: user, Host: host, PID: os.Getpid(), Run: run, Command: "rollout " + command, Since: time.Now().UTC()})
}

// goOn takes up the newest run where it was left.
func (s *site) goOn(ctx context.Context, command string, then func(context.Context, *carrier, plans.State) (plans.State, error)) error {
	if err := s.unbuilt(); err != nil {
		return err
	}
	id, ok, err := journal.Latest(s.dir)
	if err != nil {
		return err
	}
	if !ok {
		return refusedf("there is no run of %s in %s; begin one with `rollout start`", s.cfg.Service, s.dir)
	}
	for _, f := range journal.Flaws(s.dir) {
		if f.Fatal { // a run that is under way is better ended than left, as long as there is any room
			s.env.say("rollout: %v", f)
		}
	}
	store, err := s.lock(command, id)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	run, st, err := store.Continue(id)
	if err != nil {
		return err
	}
	if st.Phase.Over() {
		s.env.say("run %s is %s; there is nothing to %s", id, st.Phase, command)
		return s.env.result(st)
	}
	if err := s.same(st.Plan); err != nil {
		return err
	}
	if st.Plan.Config != s.cfg.Sum {
		s.env.say("rollout.yaml has changed since run %s began: the run goes on with its own plan", id)
	}
	b, _, err := s.balancer()
	if err != nil {
		return err
	}
	ms, err := s.machines()
	if err != nil {
		return usageError{err}
	}
	pool, err := s.pool(ms)
	if err != nil {
		return usageError{err}
	}
	defer func() { _ = pool.Close() }()
	c := &carrier{site: s, balancer: b, pool: pool, run: run}
	c.login(ctx, st.Plan)
	if s.cfg.Pomelo != nil {
		if c.known, err = s.remember(ctx, pool); err != nil {
			s.env.say("rollout: %v", err)
		}
	}
	if st, err = then(ctx, c, st); err != nil {
		return err
	}
	return c.fallBack(ctx, store, c.carry(ctx, st))
}
