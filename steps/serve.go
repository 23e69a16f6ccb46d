package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// both is what proven says where both groups serve.
const both = "both groups"

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

// gate waits until a group is in full service, every backend on and healthy and every port of its machines answering, and gives the reading that
// says so, which is the last thing it does: what rests on it comes at once.
func (r *runner) gate(ctx context.Context, group string) (Look, error) {
	for {
		r.basis = r.t.Clock.Now()
		mute := r.silent(ctx, group)
		l, err := r.look(ctx)
		if err != nil {
			return l, err
		}
		why := cmp.Or(r.lacking(l, group), mute)
		if why == "" && !r.stale() {
			return l, nil
		}
		harm := r.harm(l, group)
		if harm == "" && mute != "" { // it may only be that nobody could ask
			harm = r.closed(ctx, group)
		}
		if err := r.hurts(ctx, l, group, harm); err != nil {
			return l, err
		}
		if why == "" {
			why = "it was looked at too long ago"
		}
		if err := r.note(ctx, "waiting for %s: %s", group, why); err != nil {
			return l, err
		}
		if err := r.asked(ctx, false); err != nil {
			return l, err
		}
		if err := r.sleep(ctx, r.beat()); err != nil {
			return l, fmt.Errorf("%s is not in full service: %s: %w", group, why, err)
		}
	}
}

// taking names the first backend of some hosts that takes new connections by these weights; nil where none does. what says it for a person.
func (r *runner) taking(weights map[string]int, hosts []string, what string) error {
	for _, id := range slices.Sorted(maps.Keys(r.s.Plan.Before)) {
		b := r.s.Plan.Before[id]
		if slices.Contains(hosts, b.Host) && weights[id] != 0 {
			return fmt.Errorf("%s %s: backend %s (%s) has weight %d", r.s.Plan.Name(b.Host), what, id, b.Addr, weights[id])
		}
	}
	return nil
}

// shut demands that the step's group is closed. Where a person has said to go on, and the load balancer is not as the shift before the step had left
// it, that is reached again: somebody had opened the group while the run was held, or a value that is not ours is to be overwritten.
func (r *runner) shut(ctx context.Context, step plans.Step) error {
	// Read closed now, and open some time before: the one may be older than the other. It must stay so for a while.
	known, doubtful := r.s.Weights, r.taking(r.s.Weights, step.Hosts, "") != nil
	at := r.s.Step
	for ; at >= 0 && r.s.Plan.Steps[at].Kind != plans.Shift; at-- {
		doubtful = doubtful || r.s.Progress[at].Opened
	}
	l, err := r.look(ctx)
	if err != nil {
		return err
	}
	open := r.taking(l.Weights, step.Hosts, "still takes new connections")
	if at < 0 || !r.anew && (open != nil || !doubtful) {
		return open
	}
	before := r.s.Plan.Steps[at]
	want := maps.Clone(before.Weights)
	maps.DeleteFunc(want, func(id string, w int) bool { // what is on of the group that serves does no harm, and is not closed now
		return !slices.Contains(step.Hosts, r.s.Plan.Before[id].Host) && l.Weights[id] > 0 && w == 0
	})
	before.Weights = want
	left := missing(l.Weights, want)
	if len(left) == 0 { // what was otherwise when it was last seen must stay so for a while
		left = missing(known, want)
	}
	why := fmt.Sprintf("%d backends are not as the shift had left them", len(left))
	switch {
	case len(left) == 0 && !doubtful:
		return open
	case len(left) == 0:
		why = step.Group + " was seen to take new connections"
	}
	if err := r.note(ctx, "shifting again: %s", why); err != nil {
		return err
	}
	ctx, cancel := r.t.Clock.Within(ctx, before.Within.Duration(), fmt.Errorf("not reached within %s", before.Within))
	defer cancel()
	before.Ramp = nil // its machines may be down: each player who is sent there is one too many
	return r.reach(ctx, before)
}

// proven names the group that is proven to take new connections now: both, one, or none (empty). It tries for a while only.
func (r *runner) proven(ctx context.Context) string {
	ctx, cancel := r.t.Clock.Within(context.WithoutCancel(ctx), 15*time.Second, errors.New("waited 15s"))
	defer cancel()
	for try := 1; ; try++ {
		l, err := r.t.Traffic.Look(ctx)
		if err == nil {
			_ = r.saw(ctx, l) // so that the end of the story tells it; where it cannot be recorded, the end will say so
			if group := r.serving(ctx, l); group != "" || try >= sightings {
				return group
			}
		}
		if errors.Is(err, ErrDenied) || r.sleep(ctx, time.Second) != nil {
			return ""
		}
	}
}

// serving names the group that takes new connections by a reading, and of which no port is known to be closed.
func (r *runner) serving(ctx context.Context, l Look) string {
	var ok []string
	for _, g := range []string{r.s.Plan.First, r.s.Plan.Second} {
		if !r.s.Dirty[g] && r.takes(l, g) && r.closed(ctx, g) == "" {
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
