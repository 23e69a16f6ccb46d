package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
)

// drain waits until the group's sessions have ended, or for its deadline, and then follows the plan's policy. It changes
// nothing, so that doing it twice is harmless.
func (r *runner) drain(ctx context.Context, step plans.Step) error {
	if err := r.shut(ctx, step); err != nil {
		return err
	}
	if r.s.Progress[r.s.Step].Opened { // and is closed now, by this process or by one that has ended since
		if err := r.event(ctx, plans.Event{What: plans.Began, Note: fmt.Sprintf("the deadline of %s starts anew: the group had been opened", step.Within)}); err != nil {
			return err
		}
	}
	gone, err := r.waited(ctx, step)
	if err != nil {
		return err
	}
	out, err := r.empty(ctx, step, step.Within.Duration()-gone)
	if err != nil {
		return err
	}
	return r.event(ctx, plans.Event{What: plans.Ended, EndedBy: string(out.Ended)})
}

// waited gives how much of the drain's deadline has gone by before this process took it up. It counts only time that is proven: both
// stamps of one boot. Otherwise the deadline starts anew, which is longer and never shorter.
func (r *runner) waited(ctx context.Context, step plans.Step) (time.Duration, error) {
	gone, proven := r.s.Last.Since(r.s.Progress[r.s.Step].Began)
	if proven {
		return gone, nil
	}
	return 0, r.event(ctx, plans.Event{What: plans.Began, Note: fmt.Sprintf("the deadline of %s starts anew: the time since the drain began cannot be proven", step.Within)})
}

// empty waits for the sessions of the step's group to end. At the deadline it does what the plan says; where it returns an outcome,
// the group may be restarted.
func (r *runner) empty(ctx context.Context, step plans.Step, within time.Duration) (drain.Outcome, error) {
	d := *step.Drain
	// Whatever has gone by, a count must be made and confirmed before a deadline can be said to have come.
	policy := drain.Policy{Until: d.Until, StableFor: step.Stable.Duration(), Interval: d.Interval.Duration(),
		Within: max(within, step.Stable.Duration()+5*d.Interval.Duration())}
	before := r.cutting(step, nil)
	if d.CutBudget != nil {
		policy.Until = min(d.Until, max(0, *d.CutBudget-before))
	}
	for {
		out, err := r.await(ctx, step, policy)
		if err != nil {
			return out, err
		}
		if out.Ended == drain.Zero {
			return out, nil
		}
		if out.Last, err = r.whole(ctx, step, out.Last); err != nil {
			return out, err
		}
		if why := r.unread(step, out.Last); why != "" {
			return out, fmt.Errorf("the deadline came and the sessions left are not known: %s", why)
		}
		switch {
		case r.ajar != nil: // players come while it waits, and not one is to be cut who has just been let in
			return out, r.ajar
		case d.OnDeadline == plans.Wait:
			policy.Within = 0
		case d.OnDeadline == plans.Abort:
			return out, &stop{plans.AskAbort, fmt.Sprintf("%d sessions left on %s at the deadline", out.Last.Total, step.Group)}
		case d.OnDeadline == plans.Pause:
			return out, &stop{plans.AskPause, fmt.Sprintf("%d sessions left on %s at the deadline", out.Last.Total, step.Group)}
		case !r.overBudget(step, out.Last):
			return out, nil
		case before > 0:
			return out, &stop{plans.AskPause, fmt.Sprintf("%d sessions left on %s at the deadline, and %d cut already, more than the cut_budget of %d", out.Last.Total, step.Group, before, *d.CutBudget)}
		default:
			return out, &stop{plans.AskPause, fmt.Sprintf("%d sessions left on %s at the deadline, more than the cut_budget of %d", out.Last.Total, step.Group, *d.CutBudget)}
		}
	}
}

// overBudget says that to go on with so many sessions left would cut more in the step, with those it has cut already, than the plan allows.
func (r *runner) overBudget(step plans.Step, c drain.Reading) bool {
	return step.Drain.CutBudget != nil && r.cutting(step, c.ByHost) > *step.Drain.CutBudget
}

// cutting gives the sessions that the step will have cut in all if so many are open on each of its machines; on those that are not counted, nobody.
func (r *runner) cutting(step plans.Step, byHost map[string]int) int {
	all := map[string]int{}
	for _, h := range step.Hosts {
		all[h] = byHost[h]
	}
	return r.s.Progress[r.s.Step].Cutting(step, all)
}

// whole gives the count that a drain's deadline is judged by. The last one was broken off by the deadline, more often than not, and is in part of what was
// known before: then one more is made, and given the time that counts take.
func (r *runner) whole(ctx context.Context, step plans.Step, last drain.Reading) (drain.Reading, error) {
	if last.Full || !last.Known() {
		return last, nil
	}
	patient, cancel := r.t.Clock.Within(ctx, 10*time.Second+5*step.Drain.Interval.Duration(), errQuick)
	defer cancel()
	var c drain.Reading
	var err error
	if why := r.during(patient, step, func(ctx context.Context) { c, err = r.t.Sessions.Counter(step.Group, step.Watch).Count(ctx) }); why != nil {
		return last, why
	}
	switch {
	case ctx.Err() != nil:
		return last, context.Cause(ctx)
	case err != nil:
		return last, nil //nolint:nilerr // not known, which is what last says
	}
	return c, r.count(ctx, step.Group, c, drain.Forecast{})
}

// unread says which machine's count is not known; empty where all are that take players.
func (r *runner) unread(step plans.Step, c drain.Reading) string {
	var why []string
	if c.Known() && !c.Full { // it is, in part, of what was known before
		why = append(why, "not every machine was counted in full")
	}
	for _, h := range step.Hosts {
		if !slices.ContainsFunc(step.Watch, func(p plans.Ports) bool { return p.Host == h }) {
			continue
		}
		if reason, ok := c.Unread[h]; ok {
			why = append(why, r.s.Plan.Name(h)+": "+reason)
		} else if _, ok := c.ByHost[h]; !ok {
			why = append(why, r.s.Plan.Name(h)+": not counted")
		}
	}
	return strings.Join(why, "; ")
}

// await is one wait of drain, during which each count is recorded, requests are heard, and the load balancer is looked at.
func (r *runner) await(ctx context.Context, step plans.Step, p drain.Policy) (drain.Outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.Clock = r.t.Clock
	counting := attentive{r: r, step: step, of: r.t.Sessions.Counter(step.Group, step.Watch), stop: cancel}
	out, err := drain.Wait(ctx, counting, p, func(c drain.Reading, f drain.Forecast) {
		err := r.count(ctx, step.Group, c, f)
		if err == nil {
			err = r.asked(ctx, false)
		}
		if err == nil {
			err = r.watch(ctx, step)
		}
		if err == nil && r.hurt == 0 { // while it is hurt, what is well must go on being opened
			err = r.ajar
		}
		if err != nil {
			cancel(err)
		}
	})
	if cause := context.Cause(ctx); cause != nil {
		return out, cause
	}
	return out, err
}

// attentive is a counter during whose counts, which may take long, requests are heard and the group that serves is watched.
type attentive struct {
	r    *runner
	step plans.Step
	of   drain.Counter
	stop context.CancelCauseFunc // ends the wait that it counts for
}

// Count counts.
func (a attentive) Count(ctx context.Context) (drain.Reading, error) {
	var got drain.Reading
	var err error
	if why := a.r.during(ctx, a.step, func(ctx context.Context) { got, err = a.of.Count(ctx) }); why != nil {
		a.stop(why)
	}
	return got, err
}

// count records one count of a group's sessions.
func (r *runner) count(ctx context.Context, group string, c drain.Reading, f drain.Forecast) error {
	return r.event(ctx, plans.Event{What: plans.Counted, Group: group, Sessions: told(c, f)})
}

// told puts a count into the journal's words.
func told(c drain.Reading, f drain.Forecast) *plans.Sessions {
	n := &plans.Sessions{Total: c.Total, ByHost: c.ByHost, Unread: c.Unread}
	if f.Sure {
		in := plans.Seconds(f.Empty.Round(time.Second))
		n.Empty = &in
	}
	return n
}
