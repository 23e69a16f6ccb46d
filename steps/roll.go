package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// How long processes that are missing are waited for before they are begun one by one, and how often each is.
const (
	patience = 10 * time.Second
	mendings = 2
)

// incomplete gives every host of a group that one machine starts, unless a start was sent and exactly the wanted processes run: such a group
// is restarted as a whole or not at all.
func (r *runner) incomplete(ctx context.Context, step plans.Step) ([]string, error) {
	begun := false
	for _, c := range of(step, plans.DoStart, step.Hosts) {
		_, begun = r.s.Progress[r.s.Step].Acts[c.Key()]
	}
	if !begun {
		return step.Hosts, nil
	}
	started := r.did(step.By(plans.DoStart, step.Hosts[0]), plans.DoStart).OK()
	for began := r.t.Clock.Now(); ; {
		odd, err := r.amiss(ctx, step)
		switch {
		case err != nil:
			return nil, err
		case odd == "":
			return nil, r.note(ctx, "found running: the start before had taken effect")
		case started && !r.anew: // it may be coming up still
			return nil, r.note(ctx, "the start before is not complete yet: %s", odd)
		case !started || r.since(began) >= patience:
			return step.Hosts, r.note(ctx, "the start before is not complete (%s): stopping and starting %s again", odd, step.Group)
		}
		// It may have ended a moment ago, while nobody listened, also where a person has said to go on.
		if err := r.note(ctx, "the start before is not complete yet: %s", odd); err != nil {
			return nil, err
		}
		if err := r.pass(ctx, step, time.Second); err != nil {
			return nil, err
		}
	}
}

// amiss says how the processes of a group differ from what is wanted, its master's word included; empty where they do not. A call may fail for a moment. A
// master that does not answer, more than once and while every machine does, is no reason to leave its group as it is; a machine that cannot be asked is one,
// and the error is for that.
func (r *runner) amiss(ctx context.Context, step plans.Step) (string, error) {
	for try, mute := 1, 0; ; try++ {
		found, err := r.found(ctx, step, true)
		if err == nil || errors.Is(err, ErrNobody) {
			return reason(plans.Odd(step.Want, found, r.former, r.s.Plan.Name), err), nil
		}
		_, silent := r.found(ctx, step, false)
		mute++
		if silent != nil {
			mute = 0
		}
		switch {
		case errors.Is(silent, ErrNobody):
			return silent.Error(), nil
		case try > asks && silent != nil:
			return "", fmt.Errorf("nobody knows whether the start before had taken effect: %w", silent)
		case try > asks && mute > 1:
			return err.Error(), nil
		}
		if err := r.pass(ctx, step, time.Duration(min(try, asks))*time.Second); err != nil {
			return "", err
		}
	}
}

// reap ends by pid what a stop has left. A machine on which that is not proven holds the run: a process that lives through a restart comes
// back into its group with the old code.
func (r *runner) reap(ctx context.Context, step plans.Step, hosts []string) error {
	return r.command(ctx, step, of(step, plans.DoReap, hosts), 2*step.Kill.Duration()+10*time.Second, nil)
}

// called records the processes of the groups that a step wants some of, now that they are as they should be.
func (r *runner) called(ctx context.Context, step plans.Step, found []plans.Found) error {
	for _, g := range r.herds(step) {
		hosts := r.s.Plan.Hosts(g)
		of := slices.DeleteFunc(slices.Clone(found), func(f plans.Found) bool { return !slices.Contains(hosts, f.Host) })
		if err := r.event(ctx, plans.Event{What: plans.Called, Group: g, Found: of}); err != nil {
			return err
		}
	}
	return nil
}

// herds gives the groups that a step wants processes of.
func (r *runner) herds(step plans.Step) []string {
	var gs []string
	for _, g := range []string{r.s.Plan.First, r.s.Plan.Second} {
		if slices.ContainsFunc(step.Want, func(p plans.Process) bool { return slices.Contains(r.s.Plan.Hosts(g), p.Host) }) {
			gs = append(gs, g)
		}
	}
	return gs
}

// odd calls the roll of the step's groups and says how it differs from what is wanted; empty where it does not.
func (r *runner) odd(ctx context.Context, step plans.Step, master bool) ([]plans.Found, string) {
	found, err := r.found(ctx, step, master)
	if err != nil {
		return nil, err.Error()
	}
	return found, reason(plans.Odd(step.Want, found, r.former, r.s.Plan.Name), nil)
}

// found calls the roll of every group the step wants processes of.
func (r *runner) found(ctx context.Context, step plans.Step, master bool) ([]plans.Found, error) {
	var all []plans.Found
	for _, g := range r.herds(step) {
		found, err := r.t.Roll.Call(ctx, g, master)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// former says whether a process is known to be from before the restart of its group. One that the group's check has found in its place since is not,
// whatever the clocks say later. Any other is where it is older than the time since the group's stop was sent, with a margin for clocks that were set
// meanwhile: what was there before is older by a whole drain.
func (r *runner) former(f plans.Found) bool {
	old := false
	for i, st := range r.s.Plan.Steps {
		switch p := r.s.Progress[i]; {
		case !slices.Contains(st.Hosts, f.Host):
		case st.Kind == plans.Restart:
			stop, sent := p.Acts[plans.Key(st.By(plans.DoStop, f.Host), plans.DoStop)]
			old = sent && f.Age > r.s.Age-stop.After+plans.Seconds(r.since(r.told)+5*time.Second)
		case st.Kind == plans.Check && p.Status == plans.StepDone && r.s.Rolls[st.Group].Has(f):
			return false
		}
	}
	return old
}

// muster waits until exactly the wanted processes run and are known to their master. Those that do not come are begun one by one. The master is
// asked only once all processes are there, or some stay away: a master that is asked too early has been seen to end.
func (r *runner) muster(ctx context.Context, step plans.Step) error {
	ctx, cancel := r.t.Clock.Within(ctx, step.Within.Duration(), fmt.Errorf("waited %s", step.Within))
	defer cancel()
	if err := r.listening(ctx, step); err != nil {
		return err
	}
	best, since, tried := len(step.Want)+1, r.t.Clock.Now(), map[string]int{}
	said := "no process was seen yet"
	for {
		late := r.since(since) >= patience
		found, err := r.found(ctx, step, late)
		if err == nil && !late && len(plans.Missing(step.Want, found)) == 0 {
			found, err = r.found(ctx, step, true)
		}
		odd := plans.Odd(step.Want, found, r.former, r.s.Plan.Name)
		if err == nil && len(odd) == 0 {
			return nil
		}
		missing := plans.Missing(step.Want, found)
		switch {
		case err != nil && ctx.Err() == nil && errors.Is(err, ErrNobody) && late:
			return fmt.Errorf("start: %w", err)
		case err != nil:
		case len(missing) < best:
			best, since = len(missing), r.t.Clock.Now()
		case late:
			if err := r.mend(ctx, step, found, tried); err != nil {
				return err
			}
			since = r.t.Clock.Now()
		}
		if ctx.Err() == nil { // what a call says that was broken off at the deadline explains nothing
			said = fmt.Sprintf("%d of %d processes; %s", len(step.Want)-len(missing), len(step.Want), reason(odd, err))
		}
		if err := r.note(ctx, "starting %s: %s", step.Group, said); err != nil {
			return err
		}
		if err := r.pass(ctx, step, time.Second); err != nil {
			return fmt.Errorf("start: %s: %w", said, err)
		}
	}
}

// listening waits until every port of the group answers, for a third of the time that a start has: a start keeps every core of its machines busy,
// and to try a port costs them next to nothing, where to look through their processes would slow it down.
func (r *runner) listening(ctx context.Context, step plans.Step) error {
	looked := r.t.Clock.Now()
	for end := looked.Add(step.Within.Duration() / 3); r.t.Clock.Now().Before(end); {
		why := r.unanswered(ctx, step.Probe)
		if why == "" {
			return nil
		}
		if r.since(looked) >= patience {
			looked = r.t.Clock.Now()
			if _, err := r.found(ctx, step, false); errors.Is(err, ErrNobody) {
				return fmt.Errorf("start: %w", err)
			}
		}
		if err := r.note(ctx, "starting %s: %s", step.Group, why); err != nil {
			return err
		}
		if err := r.pass(ctx, step, time.Second); err != nil {
			return fmt.Errorf("start: %s: %w", why, err)
		}
	}
	return nil
}

// ErrNobody is wrapped by a roll in which no process of a group runs at all.
var ErrNobody = errors.New("no process came up")

// mend begins, one by one, the processes that are missing. One that runs and is unknown to its master, or runs twice, is ended by pid first.
func (r *runner) mend(ctx context.Context, step plans.Step, found []plans.Found, tried map[string]int) error {
	for _, w := range step.Want {
		of := slices.DeleteFunc(slices.Clone(found), func(f plans.Found) bool { return f.ID != w.ID || f.Host != w.Host })
		switch {
		case w.Port != 0: // the master itself: only a whole start begins it
			continue
		case tried[w.ID] >= mendings:
			continue
		case r.taking(r.s.Weights, []string{w.Host}, "") != nil: // its machine was opened ahead of schedule, and has players
			continue
		case len(of) == 1 && (of[0].Listed || of[0].Age < step.Within/3): // a busy machine takes long until a process has come up
			continue
		}
		var ends, begins []plans.Command
		for _, c := range step.Run {
			switch {
			case c.Do == plans.DoReap && c.Host == w.Host && len(of) > 0:
				ends = append(ends, alone(c, w.ID))
			case c.Do == plans.DoMend:
				begins = append(begins, alone(c, w.ID))
			}
		}
		tried[w.ID]++
		if err := r.command(ctx, step, ends, 2*step.Kill.Duration()+10*time.Second, nil); err != nil {
			return err
		}
		if err := r.command(ctx, step, begins, step.Within.Duration(), nil); err != nil {
			return err
		}
	}
	return nil
}

// alone makes a command be about one process.
func alone(c plans.Command, id string) plans.Command {
	c.For, c.Env = id, maps.Clone(c.Env)
	if c.Env == nil {
		c.Env = map[string]string{}
	}
	c.Env[plans.EnvProcess] = id
	return c
}

// reason gives the first few of what is odd, or the error that kept it from being known.
func reason(odd []string, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case len(odd) > 3:
		return fmt.Sprintf("%s and %d more", strings.Join(odd[:2], ", "), len(odd)-2)
	}
	return strings.Join(odd, ", ")
}
