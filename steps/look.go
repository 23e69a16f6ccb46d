package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// look reads the load balancer, trying until it answers or ctx ends, records what it saw where that is new, and refuses to go on
// where the plan no longer fits: a backend is gone, has another address, or has a weight that neither was found nor set by this run. The way back leaves such a one as it is.
func (r *runner) look(ctx context.Context) (Look, error) {
	for {
		began := r.t.Clock.Now()
		l, err := r.t.Traffic.Look(ctx)
		switch {
		case err == nil:
			r.looked = began
			return l, r.seen(ctx, l)
		case ctx.Err() != nil:
			return l, context.Cause(ctx)
		case errors.Is(err, ErrDenied):
			return l, err
		}
		if err := r.note(ctx, "the load balancer cannot be read: %v; trying again", err); err != nil {
			return l, err
		}
		if err := r.sleep(ctx, time.Second); err != nil {
			return l, err
		}
	}
}

// saw records a reading where it tells something new. That the group of a restart takes new connections is kept: the next reading may be older than this one.
func (r *runner) saw(ctx context.Context, l Look) error {
	if step, _ := r.s.Current(); step.Kind == plans.Restart {
		r.ajar = cmp.Or(r.taking(l.Weights, step.Hosts, "was seen to take new connections"), r.ajar)
	} else { // a restart that is over
		r.ajar = nil
	}
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
	ds := plans.Drift(r.s, l.Weights)
	r.moved = nil
	for _, id := range slices.Sorted(maps.Keys(r.s.Plan.Before)) {
		if !r.another(l, id) {
			continue
		}
		err := fmt.Errorf("backend %s was %s when the plan was made and is now %s", id, r.s.Plan.Before[id].Addr, l.Addrs[id])
		if r.s.Plan.Purpose != plans.Leaving {
			return err
		}
		r.moved, ds = append(r.moved, id), append(ds, err.Error())
	}
	switch {
	case len(ds) == 0:
		return nil
	case r.s.Plan.Purpose == plans.Leaving && len(r.vanished(l.Weights)) == len(r.s.Plan.Before): // what was closed stays closed where nobody looks
		return fmt.Errorf("the load balancer has none of the %d backends that this run found: set ulb.id and ulb.vservers to what they were", len(r.s.Plan.Before))
	case r.s.Plan.Purpose == plans.Leaving: // the way back leaves what is not ours as it is
		return r.note(ctx, "left as it is: %s", strings.Join(ds, "; "))
	}
	return &DriftError{Changes: ds}
}

// vanished gives the backends of the plan, sorted, that a reading lacks.
func (r *runner) vanished(weights map[string]int) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(r.s.Plan.Before)) {
		if _, ok := weights[id]; !ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// another says whether a backend has another address than the plan knows: it is not the one that was found.
func (r *runner) another(l Look, id string) bool {
	a, ok := l.Addrs[id]
	return ok && a != r.s.Plan.Before[id].Addr
}

// foreign says whether a backend, or its value, is not ours to change: on the way back such a one is left as it is.
func (r *runner) foreign(l Look, id string) bool {
	return r.s.Plan.Purpose == plans.Leaving && (r.another(l, id) || slices.Contains(plans.Drifted(r.s, l.Weights), id))
}

// ours gives the part of want that this run may write.
func (r *runner) ours(l Look, want map[string]int) map[string]int {
	mine := map[string]int{}
	for id, w := range want {
		if _, left := r.left[id]; !left && !r.foreign(l, id) {
			mine[id] = w
		}
	}
	return mine
}

// regained says whether a backend that the way back had left as it was, since it was not ours, is ours again: then it is put back, too.
func (r *runner) regained(l Look, step plans.Step) bool {
	if r.s.Plan.Purpose != plans.Leaving {
		return false
	}
	all, _ := r.s.Current()
	for id := range r.ours(l, all.Weights) {
		if _, written := step.Weights[id]; !written {
			return true
		}
	}
	return false
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
