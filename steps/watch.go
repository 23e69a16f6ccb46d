package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
)

// sightings is how often in a row, a second apart, the group that serves must be seen hurt before the other one is opened again: health flaps.
const sightings = 3

// errQuick is why a look is broken off that nothing waits for.
var errQuick = errors.New("it took too long")

// watch looks once in a while, during all of a step that has its group out, at the group that serves. What cannot be read is not known, and
// harms nobody: a step that takes capacity away looks for itself.
func (r *runner) watch(ctx context.Context, step plans.Step) error {
	if r.t.Clock.Now().Before(r.again) || r.s.Plan.Purpose == plans.Leaving || r.back {
		return nil
	}
	r.again = r.t.Clock.Now().Add(r.t.LookEach)
	quick, cancel := r.t.Clock.Within(ctx, max(r.t.LookEach/2, time.Second), errQuick)
	defer cancel()
	l, err := r.t.Traffic.Look(quick)
	if err != nil {
		return nil //nolint:nilerr // not known, and said by whoever needs it
	}
	if err := r.saw(ctx, l); err != nil {
		return err
	}
	other := r.s.Plan.Other(step.Group)
	why := r.harm(l, other)
	if why == "" {
		why = r.closed(quick, other)
	}
	switch err := r.hurts(ctx, l, other, why); {
	case err != nil:
		return err
	case r.hurt >= sightings:
		return r.rescue(ctx, step)
	case r.hurt > 0: // whose doing it is can wait until it is known whether it lasts
		return nil
	}
	if err := r.seen(ctx, l); err != nil || step.Kind != plans.Drain {
		return err
	}
	if err := r.taking(l.Weights, step.Hosts, "takes new connections again"); err != nil {
		return err
	}
	if err := r.sessions(quick, other); err != nil {
		return err
	}
	if why := r.crowded(other, step.Group); why != "" && r.s.Plan.Strict {
		return &stop{plans.AskAbort, why}
	} else if why != "" {
		return r.note(ctx, "%s", why)
	}
	return nil
}

// harm says which backend of a group, of those that should take new connections, does not; empty where all do.
func (r *runner) harm(l Look, group string) string {
	for _, id := range slices.Sorted(maps.Keys(r.s.Plan.Before)) {
		b := r.s.Plan.Before[id]
		w, there := l.Weights[id]
		switch {
		case b.Group != group || b.Serve() == 0:
		case there && w == 0:
			return fmt.Sprintf("backend %s (%s) is off", id, b.Addr)
		case slices.Contains(l.Sick, id):
			return fmt.Sprintf("backend %s (%s) is reported unhealthy", id, b.Addr)
		}
	}
	return ""
}

// out says whether a group has been closed, wholly or in part, and could be opened: its restart has not begun.
func (r *runner) out(l Look, group string) bool {
	if r.s.Dirty[group] || r.s.Plan.Purpose == plans.Leaving {
		return false
	}
	for id, b := range r.s.Plan.Before {
		if b.Group == group && l.Weights[id] < b.Weight {
			return true
		}
	}
	return false
}

// hurts raises an alarm where the group that serves is hurt, why, and takes it back where why is empty. Where that has been seen often enough and
// the other group is out and not half-way through a restart, the way back is the answer: what is healthy must take new connections.
func (r *runner) hurts(ctx context.Context, l Look, group, why string) error {
	other := r.s.Plan.Other(group)
	if why == "" || !r.out(l, other) && !r.s.Dirty[other] {
		r.hurt = 0
		if r.s.Alarm == "" || why != "" {
			return nil
		}
		r.again = r.t.Clock.Now().Add(time.Second) // a reading may be older than the one before it
		return r.event(ctx, plans.Event{What: plans.Alarmed, Group: group, Note: group + " is whole again"})
	}
	r.hurt++
	r.again = r.t.Clock.Now().Add(time.Second)
	if r.s.Alarm == "" {
		if err := r.event(ctx, plans.Event{What: plans.Alarmed, Group: group, Error: why}); err != nil {
			return err
		}
	}
	if r.hurt < sightings || !r.out(l, other) {
		return nil
	}
	return &stop{plans.AskAbort, fmt.Sprintf("%s, which serves, is hurt (%s): %s is opened again", group, why, other)}
}

// crowded says that a group would have to carry more sessions, its own and the other's, than it is known to carry, by the last counts; empty where
// it can, or nobody knows.
func (r *runner) crowded(group, other string) string {
	of, with := r.s.Sessions[group], r.s.Sessions[other]
	machines := len(r.s.Plan.Hosts(group))
	room, all := r.s.Plan.Room*machines, of.Total+with.Total
	if room == 0 || !of.Known() || !with.Known() || all <= room {
		return ""
	}
	return fmt.Sprintf("capacity: %s would have to carry %d sessions, and its %d machines of %d carry %d", group, all, machines, r.s.Plan.Room, room)
}

// sessions counts the sessions of a group, as its drain does, and records the number where it is known. The error is the journal's.
func (r *runner) sessions(ctx context.Context, group string) error {
	for _, st := range r.s.Plan.Steps {
		if st.Kind == plans.Drain && st.Group == group {
			if c, err := r.t.Sessions.Counter(group, st.Watch).Count(ctx); err == nil && c.Known() {
				return r.count(ctx, group, c, drain.Forecast{})
			}
		}
	}
	return nil
}

// rescue opens, while the group that serves is hurt, each machine of the step's group that has been restarted and is well by itself, ahead of schedule.
func (r *runner) rescue(ctx context.Context, step plans.Step) error {
	check, hosts := r.restarted(step)
	shut := func(host string) map[string]int {
		want := map[string]int{}
		for id, b := range r.s.Plan.Before {
			if b.Host == host && b.Serve() > 0 && r.s.Weights[id] == 0 {
				want[id] = b.Serve()
			}
		}
		return want
	}
	hosts = slices.DeleteFunc(hosts, func(h string) bool { return len(shut(h)) == 0 })
	well := make([]bool, len(hosts))
	r.each(len(hosts), func(i int) { well[i] = r.well(ctx, check, hosts[i]) })
	defer func(basis time.Time) { r.basis = basis }(r.basis) // what is opened here is not what the step's next act rests on
	for i, host := range hosts {
		if !well[i] {
			continue
		}
		want := shut(host)
		if err := r.note(ctx, "%s is hurt: %s is opened ahead of schedule", r.s.Plan.Other(step.Group), r.s.Plan.Name(host)); err != nil {
			return err
		}
		if err := r.write(ctx, check, func(ctx context.Context) (Look, map[string]int, error) {
			r.basis = r.t.Clock.Now()
			if !r.well(ctx, check, host) {
				return Look{}, nil, nil
			}
			l, err := r.look(ctx)
			return l, want, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// restarted gives the check of a step's group, and its machines whose restart, in the step or before it, is known to have succeeded.
func (r *runner) restarted(step plans.Step) (check plans.Step, hosts []string) {
	if step.Kind != plans.Restart && step.Kind != plans.Check {
		return check, nil
	}
	for _, st := range r.s.Plan.Steps[r.s.Step:] {
		if st.Kind == plans.Check && st.Group == step.Group {
			return st, slices.DeleteFunc(slices.Clone(step.Hosts), func(h string) bool {
				return step.Kind == plans.Restart && !r.did(step.By(plans.DoStart, h), plans.DoStart).OK()
			})
		}
	}
	return check, nil
}

// well says whether one machine of a group is as the group's check wants it. A machine that does not say so soon is not.
func (r *runner) well(ctx context.Context, check plans.Step, host string) bool {
	ctx, cancel := r.t.Clock.Within(ctx, 10*time.Second, errQuick)
	defer cancel()
	want := slices.DeleteFunc(slices.Clone(check.Want), func(p plans.Process) bool { return p.Host != host })
	if len(want) > 0 {
		found, err := r.found(ctx, check, false)
		found = slices.DeleteFunc(found, func(f plans.Found) bool { return f.Host != host })
		if err != nil || len(plans.Odd(want, found, r.former, r.s.Plan.Name)) > 0 {
			return false
		}
	}
	check.Want = nil
	check.Probe = slices.DeleteFunc(slices.Clone(check.Probe), func(p plans.Ports) bool { return p.Host != host })
	check.Run = slices.DeleteFunc(slices.Clone(check.Run), func(c plans.Command) bool { return c.Host != host })
	return r.ill(ctx, check) == ""
}
