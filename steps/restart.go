package steps

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
)

// restart brings every machine of the group from the old processes to new ones: stop, prove that nothing is left, start. That nothing was
// left in between is the proof that what runs afterwards is new. A machine on which both are known to have succeeded is not touched
// again.
func (r *runner) restart(ctx context.Context, step plans.Step) error {
	if err := r.shut(ctx, step); err != nil {
		return err
	}
	r.ajar = nil
	if err := r.recall(ctx, step, step.Within.Duration()); err != nil {
		return err
	}
	if err := r.admit(ctx, step); err != nil {
		return err
	}
	hosts, err := r.todo(ctx, step)
	if err != nil {
		return err
	}
	waves, err := r.waves(ctx, step, hosts)
	if err != nil {
		return err
	}
	for i, wave := range waves {
		if i > 0 {
			if err := r.apart(ctx, step, len(waves)); err != nil {
				return err
			}
		}
		if err := r.renew(ctx, step, wave); err != nil {
			return err
		}
	}
	if len(step.Want) > 0 {
		if err := r.muster(ctx, step); err != nil {
			return err
		}
	}
	return r.event(ctx, plans.Event{What: plans.Ended, Note: fmt.Sprintf("%d machines", len(step.Hosts))})
}

// waves gives the machines that are stopped and started together: all of them, or one after another where sessions are about to be cut and the plan
// spreads that over a time.
func (r *runner) waves(ctx context.Context, step plans.Step, hosts []string) ([][]string, error) {
	if step.Drain.Spread == 0 || len(step.Want) > 0 || len(hosts) < 2 {
		return [][]string{hosts}, nil
	}
	if err := r.account(ctx, step); err != nil {
		return nil, err
	}
	if r.s.Progress[r.s.Step].Cut == 0 {
		return [][]string{hosts}, nil
	}
	var each [][]string
	for _, h := range hosts {
		each = append(each, []string{h})
	}
	return each, nil
}

// apart waits between two of n waves.
func (r *runner) apart(ctx context.Context, step plans.Step, n int) error {
	if err := r.note(ctx, "the next machine of %s follows: sessions are cut over %s", step.Group, step.Drain.Spread); err != nil {
		return err
	}
	return r.pass(ctx, step, step.Drain.Spread.Duration()/time.Duration(n-1))
}

// renew stops some machines, proves that nothing is left on them, and starts them.
func (r *runner) renew(ctx context.Context, step plans.Step, hosts []string) error {
	if err := r.taking(r.s.Weights, step.Hosts, "was opened ahead of schedule, and takes new connections"); err != nil && len(hosts) > 0 {
		return err // its sessions would be waited for, and never end
	}
	if err := r.account(ctx, step); err != nil {
		return err
	}
	if err := r.asked(ctx, true); err != nil {
		return err
	}
	// The gate again, since counting may have taken long: nothing may lie between it and the act.
	if err := r.admit(ctx, step); err != nil {
		return err
	}
	if err := r.command(ctx, step, r.unstopped(step, hosts), stopping(step), r.admit); err != nil {
		return err
	}
	if err := r.reap(ctx, step, hosts); err != nil {
		return err
	}
	if err := r.gone(ctx, step, hosts); err != nil {
		return err
	}
	return r.command(ctx, step, of(step, plans.DoStart, hosts), step.Within.Duration(), nil)
}

// unstopped gives the stops that are still to be sent. Where a process died after a stop had succeeded, its start may be on its way still: to stop again
// would restart what that one brings up.
func (r *runner) unstopped(step plans.Step, hosts []string) []plans.Command {
	stops := of(step, plans.DoStop, hosts)
	if r.anew {
		return stops
	}
	return slices.DeleteFunc(stops, func(c plans.Command) bool {
		start := r.did(c.Host, plans.DoStart)
		return r.did(c.Host, plans.DoStop).OK() && (start == plans.Attempt{} || start.Open() || start.Absent)
	})
}

// stopping is how long the command of a stop may take. That of a master ends by itself after Kill, since it is not believed anyway: what
// counts is what the reap after it finds.
func stopping(step plans.Step) time.Duration {
	if len(step.Want) > 0 {
		return step.Kill.Duration() + 10*time.Second
	}
	return step.Kill.Duration()
}

// admit is the interlock: no machine of the group takes new connections, and the other group is in full service.
func (r *runner) admit(ctx context.Context, step plans.Step) error {
	ctx, cancel := r.t.Clock.Within(ctx, step.Within.Duration(), fmt.Errorf("waited %s", step.Within))
	defer cancel()
	l, err := r.gate(ctx, r.s.Plan.Other(step.Group))
	if err != nil {
		return err
	}
	if err := r.asked(ctx, true); err != nil {
		return err
	}
	return cmp.Or(r.taking(l.Weights, step.Hosts, "still takes new connections"), r.ajar)
}

// todo gives the hosts that are still to be restarted: those whose start is not known to have succeeded.
func (r *runner) todo(ctx context.Context, step plans.Step) ([]string, error) {
	if len(step.Want) > 0 {
		return r.incomplete(ctx, step)
	}
	return slices.DeleteFunc(slices.Clone(step.Hosts), func(h string) bool { return r.did(h, plans.DoStart).OK() }), nil
}

// up says whether the service runs on a host, by its status line.
func (r *runner) up(ctx context.Context, step plans.Step, host string) (bool, error) {
	for _, c := range of(step, plans.DoStatus, []string{host}) {
		res, err := r.t.Shell.Run(ctx, c, step.Kill.Duration())
		if err != nil {
			return false, fmt.Errorf("status on %s: %w", r.s.Plan.Name(host), err)
		}
		if res.Code != 0 {
			return false, nil
		}
	}
	return true, nil
}

// account counts the sessions that the restart is about to cut and records the number. Where more are open than the drain
// left, they came after it had ended, and the group is drained again: nobody is cut who was not given the whole time.
func (r *runner) account(ctx context.Context, step plans.Step) error {
	allowed := step.Drain.Until
	within, opened := time.Duration(0), false
	for i, st := range r.s.Plan.Steps[:r.s.Step] {
		if st.Kind == plans.Drain && st.Group == step.Group {
			within, opened = st.Within.Duration(), false
			if r.s.Progress[i].EndedBy == string(drain.Deadline) {
				allowed = max(allowed, r.s.Progress[i].Left)
			}
		}
		opened = opened || r.s.Progress[i].Opened
	}
	if now := r.s.Progress[r.s.Step]; now.Opened || opened && now.Cuts == nil { // whoever came meanwhile is none of those who were left at the deadline
		allowed = step.Drain.Until
	}
	untouched := step // a service that this step has stopped may have nobody left to tell its count, which was taken before
	untouched.Hosts = slices.DeleteFunc(slices.Clone(step.Hosts), func(h string) bool {
		return r.did(step.By(plans.DoStop, h), plans.DoStop).Acted()
	})
	var c drain.Reading
	var err error
	why := r.during(ctx, step, func(ctx context.Context) { c, err = r.t.Sessions.Counter(step.Group, step.Watch).Count(ctx) })
	if why = cmp.Or(why, r.ajar); why != nil {
		return why
	}
	if err == nil && (r.unread(untouched, c) != "" || c.Total > allowed || r.overBudget(step, c)) {
		if err := r.note(ctx, "%d sessions on %s after the drain had ended: draining again", c.Total, step.Group); err != nil {
			return err
		}
		var out drain.Outcome
		out, err = r.empty(ctx, step, within)
		c = out.Last
	}
	if err != nil {
		return err
	}
	return r.event(ctx, plans.Event{What: plans.Counted, Sessions: told(c, drain.Forecast{}), Cut: &c.Total})
}

// gone waits until no port answers and no status line says that the service runs: for the time a stop may take.
func (r *runner) gone(ctx context.Context, step plans.Step, hosts []string) error {
	if len(hosts) == 0 {
		return nil
	}
	ports := slices.DeleteFunc(slices.Clone(step.Probe), func(p plans.Ports) bool { return !slices.Contains(hosts, p.Host) })
	ctx, cancel := r.t.Clock.Within(ctx, step.Kill.Duration(), fmt.Errorf("waited %s", step.Kill))
	defer cancel()
	for {
		why := r.answering(ctx, ports)
		if why == "" {
			why = r.running(ctx, step, hosts)
		}
		if why == "" {
			return nil
		}
		if err := r.note(ctx, "stopping: %s", why); err != nil {
			return err
		}
		if err := r.pass(ctx, step, 500*time.Millisecond); err != nil {
			return fmt.Errorf("stop: %s: %w", why, err)
		}
	}
}

// running says on which of the hosts the service still runs, or may; empty where it is proven stopped on all.
func (r *runner) running(ctx context.Context, step plans.Step, hosts []string) string {
	found := make([]string, len(hosts))
	r.each(len(hosts), func(i int) {
		up, err := r.up(ctx, step, hosts[i])
		switch {
		case err != nil:
			found[i] = err.Error()
		case up && len(of(step, plans.DoStatus, hosts[i:i+1])) > 0:
			found[i] = "the service still runs on " + r.s.Plan.Name(hosts[i])
		}
	})
	for _, f := range found {
		if f != "" {
			return f
		}
	}
	return ""
}

// of gives the step's commands for one act on some hosts.
func of(step plans.Step, do plans.Act, hosts []string) []plans.Command {
	var cs []plans.Command
	for _, c := range step.Run {
		if c.Do == do && c.For == "" && slices.Contains(hosts, c.Host) {
			cs = append(cs, c)
		}
	}
	return cs
}
