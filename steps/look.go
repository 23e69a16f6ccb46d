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

// both is what proven says where both groups serve.
const both = "both groups"

// look reads the load balancer, trying until it answers or ctx ends, records what it saw where that is new, and refuses to go on
// where the plan no longer fits: a backend is gone, has another address, or has a weight that neither was found nor set by this run.
func (r *runner) look(ctx context.Context) (Look, error) {
	for {
		l, err := r.t.Traffic.Look(ctx)
		switch {
		case err == nil:
			return l, r.seen(ctx, l)
		case ctx.Err() != nil:
			return l, context.Cause(ctx)
		case errors.Is(err, ErrDenied):
			return l, err
		}
		if err := r.note(ctx, "the load balancer cannot be read: %v; trying again", err); err != nil {
			return l, err
		}
		if err := sleep(ctx, time.Second); err != nil {
			return l, err
		}
	}
}

// saw records a reading where it tells something new.
func (r *runner) saw(ctx context.Context, l Look) error {
	sick := slices.Sorted(slices.Values(l.Sick))
	if !r.s.Unlooked && maps.Equal(l.Weights, r.s.Weights) && slices.Equal(sick, r.s.Sick) {
		return nil
	}
	return r.event(ctx, plans.Event{What: plans.Looked, Weights: l.Weights, Sick: sick})
}

// seen records a reading and compares it with the plan.
func (r *runner) seen(ctx context.Context, l Look) error {
	if err := r.saw(ctx, l); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(r.s.Plan.Before)) {
		if a, ok := l.Addrs[id]; ok && a != r.s.Plan.Before[id].Addr {
			return fmt.Errorf("backend %s was %s when the plan was made and is now %s", id, r.s.Plan.Before[id].Addr, a)
		}
	}
	ds := plans.Drift(r.s, l.Weights)
	switch {
	case len(ds) == 0:
		return nil
	case r.s.Plan.Purpose == plans.Leaving: // the way back leaves what is not ours as it is
		return r.note(ctx, "left as it is: %s", strings.Join(ds, "; "))
	}
	return &DriftError{Changes: ds}
}

// foreign says whether a backend has a value that is not ours to change: on the way back such a one is left as it is.
func (r *runner) foreign(l Look, id string) bool {
	return r.s.Plan.Purpose == plans.Leaving && slices.Contains(plans.Drifted(r.s, l.Weights), id)
}

// ours gives the part of want that this run may write.
func (r *runner) ours(l Look, want map[string]int) map[string]int {
	mine := map[string]int{}
	for id, w := range want {
		if !r.foreign(l, id) {
			mine[id] = w
		}
	}
	return mine
}

// DriftError says that somebody else changed the load balancer during the run.
type DriftError struct {
	Changes []string // a sentence each
}

// Error names the changes, or the first of many.
func (e *DriftError) Error() string {
	few := e.Changes
	if len(few) > 3 {
		few = append(slices.Clone(few[:2]), fmt.Sprintf("and %d others", len(e.Changes)-2))
	}
	return "somebody else changed the load balancer: " + strings.Join(few, "; ")
}

// lacking says why a group is not in full service by a reading; empty where it is: every backend that serves has its weight and
// is healthy, and there is one.
func (r *runner) lacking(l Look, group string) string {
	on := 0
	for _, id := range slices.Sorted(maps.Keys(r.s.Plan.Before)) {
		b := r.s.Plan.Before[id]
		if b.Group != group || b.Serve() == 0 || r.foreign(l, id) {
			continue
		}
		on++
		switch {
		case l.Weights[id] == 0:
			return fmt.Sprintf("backend %s (%s) is off", id, b.Addr)
		case l.Weights[id] != b.Serve():
			return fmt.Sprintf("backend %s (%s) has weight %d of %d", id, b.Addr, l.Weights[id], b.Serve())
		case slices.Contains(l.Sick, id):
			return fmt.Sprintf("backend %s (%s) is reported unhealthy", id, b.Addr)
		}
	}
	if on == 0 {
		return "it has no backend that is on"
	}
	return ""
}

// serves waits until group is in full service: every backend on and healthy, every port of its machines answering.
func (r *runner) serves(ctx context.Context, group string) error {
	for {
		l, err := r.look(ctx)
		if err != nil {
			return err
		}
		why := r.lacking(l, group)
		if why == "" {
			if why = r.silent(ctx, group); why == "" {
				return nil
			}
		}
		if err := r.note(ctx, "waiting for %s: %s", group, why); err != nil {
			return err
		}
		if err := sleep(ctx, r.beat()); err != nil {
			return fmt.Errorf("%s is not in full service: %s: %w", group, why, err)
		}
	}
}

// closed demands that no backend of the step's group takes new connections, by a reading made now.
func (r *runner) closed(ctx context.Context, step plans.Step) error {
	l, err := r.look(ctx)
	if err != nil {
		return err
	}
	return r.taking(l, step, "still takes new connections")
}

// taking names the first backend of the step's group that takes new connections by a reading; nil where none does. what says it for a person.
func (r *runner) taking(l Look, step plans.Step, what string) error {
	for _, id := range slices.Sorted(maps.Keys(r.s.Plan.Before)) {
		b := r.s.Plan.Before[id]
		if slices.Contains(step.Hosts, b.Host) && l.Weights[id] != 0 {
			return fmt.Errorf("%s %s: backend %s (%s) has weight %d", r.s.Plan.Name(b.Host), what, id, b.Addr, l.Weights[id])
		}
	}
	return nil
}

// shut demands that the step's group is closed. Where it is not, and a person has said to go on, the shift before the step is reached again:
// somebody had opened the group while the run was held.
func (r *runner) shut(ctx context.Context, step plans.Step) error {
	err := r.closed(ctx, step)
	if err == nil || !r.anew {
		return err
	}
	for i := r.s.Step - 1; i >= 0; i-- {
		if before := r.s.Plan.Steps[i]; before.Kind == plans.Shift {
			if err := r.note(ctx, "closing again: %v", err); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeoutCause(ctx, before.Within.Duration(), fmt.Errorf("not reached within %s", before.Within))
			defer cancel()
			return r.reach(ctx, before)
		}
	}
	return err
}

// proven names the group that is proven to take new connections now: both, one, or none (empty). It tries for a while only.
func (r *runner) proven(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	for {
		l, err := r.t.Traffic.Look(ctx)
		if err == nil {
			_ = r.saw(ctx, l) // so that the end of the story tells it; where it cannot be recorded, the end will say so
			return r.serving(l)
		}
		if errors.Is(err, ErrDenied) || sleep(ctx, time.Second) != nil {
			return ""
		}
	}
}

func (r *runner) serving(l Look) string {
	var ok []string
	for _, g := range []string{r.s.Plan.First, r.s.Plan.Second} {
		if !r.s.Dirty[g] && r.takes(l, g) {
			ok = append(ok, g)
		}
	}
	switch len(ok) {
	case 0:
		return ""
	case 1:
		return ok[0]
	}
	return both
}

// takes says whether every backend of a group that was found on takes new connections now, with whatever weight, and is healthy.
func (r *runner) takes(l Look, group string) bool {
	on := 0
	for id, b := range r.s.Plan.Before {
		if b.Group != group || b.Serve() == 0 {
			continue
		}
		if l.Weights[id] == 0 || slices.Contains(l.Sick, id) {
			return false
		}
		on++
	}
	return on > 0
}

// beat gives the pause between two looks while something is waited for.
func (r *runner) beat() time.Duration {
	step, _ := r.s.Current()
	return min(max(step.Stable.Duration()/5, 200*time.Millisecond), time.Second)
}
