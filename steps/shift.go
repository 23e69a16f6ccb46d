package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// shift brings every backend to the step's weight. It raises before it lowers: it opens what must open, reads that back, waits until the
// load balancer reports it healthy, and only then closes. Doing it twice is harmless, since it writes absolute values and
// only where a look shows another.
func (r *runner) shift(ctx context.Context, step plans.Step) error {
	ctx, cancel := r.t.Clock.Within(ctx, step.Within.Duration(), fmt.Errorf("not reached within %s", step.Within))
	defer cancel()
	for {
		if err := r.reach(ctx, step); err != nil {
			return err
		}
		if err := r.try(ctx, step); err != nil {
			return err
		}
		if !r.old(r.looked) { // to try may take long, and what is claimed next rests on a look
			break
		}
	}
	return r.event(ctx, plans.Event{What: plans.Ended})
}

// reach raises and lowers until everything reads as wanted and stays so. It begins again where a reading was too old to be true, or
// where somebody has taken back what this run had written.
func (r *runner) reach(ctx context.Context, step plans.Step) error {
	all := step.Weights
	for {
		l, err := r.look(ctx)
		if err != nil {
			return err
		}
		step.Weights = r.ours(l, all)
		up, down := r.differing(l.Weights, step.Weights)
		if len(up) == 0 {
			up = r.raised(step, down)
		}
		if err := r.raise(ctx, step, up); err != nil {
			return err
		}
		if err := r.lower(ctx, step, down); err != nil {
			return err
		}
		step.Weights = r.ours(l, all) // less what is left closed
		if stays, err := r.settle(ctx, step); stays || err != nil {
			return err
		}
	}
}

// raised gives the backends that this run has opened in the group that stays, where another is about to be closed: whoever opened them may have died
// before it had seen that they stay open.
func (r *runner) raised(step plans.Step, down map[string]int) map[string]int {
	up := map[string]int{}
	for _, g := range r.groups(down) {
		for id, w := range step.Weights {
			if r.s.Plan.Before[id].Group != g && w > 0 && len(r.s.Wrote[id]) > 0 {
				up[id] = w
			}
		}
	}
	return up
}

// differing gives the weights to be raised and those to be lowered. To bring a backend back to its whole weight from a higher one, which somebody
// has given it, takes no capacity away that was found.
func (r *runner) differing(now, want map[string]int) (up, down map[string]int) {
	up, down = map[string]int{}, map[string]int{}
	for id, w := range want {
		switch {
		case now[id] == w:
		case now[id] < w, now[id] > w && w > 0 && w >= r.s.Plan.Before[id].Serve():
			up[id] = w
		default:
			down[id] = w
		}
	}
	return up, down
}

// raise opens backends, after their ports have been seen to answer, and waits until their groups are in full service, without interruption
// for the step's Stable: what the load balancer says of health is old, and is about a time when nothing came through them.
func (r *runner) raise(ctx context.Context, step plans.Step, up map[string]int) error {
	if len(up) == 0 {
		return nil
	}
	var well time.Time // since when; zero: not now
	for {
		if err := r.write(ctx, step, func(ctx context.Context) (Look, map[string]int, error) {
			r.basis = r.t.Clock.Now()
			now, err := r.fit(ctx, up)
			if err != nil {
				return Look{}, nil, err
			}
			l, err := r.look(ctx)
			return l, r.ours(l, now), err
		}); err != nil {
			return err
		}
		l, err := r.look(ctx)
		if err != nil {
			return err
		}
		why := r.unfit(ctx, l, up)
		switch more := missing(l.Weights, r.ours(l, up)); {
		case len(more) > 0:
			well = time.Time{}
		case why != "":
			well = time.Time{}
			if err := r.note(ctx, "waiting: %s", why); err != nil {
				return err
			}
		case well.IsZero():
			well = r.t.Clock.Now()
		case r.since(well) >= step.Stable.Duration():
			return nil
		}
		if err := r.asked(ctx, false); err != nil {
			return err
		}
		if r.out(l, step.Group) && !slices.Contains(r.groups(up), step.Group) { // what is opened is not what is out
			if err := r.watch(ctx, step); err != nil {
				return err
			}
		}
		if err := r.sleep(ctx, r.beat()); err != nil && why != "" {
			return fmt.Errorf("%s: %w", why, err)
		} else if err != nil {
			return err
		}
	}
}

// fit gives the backends of up that may be opened now, by a look at their ports: all of them or none. A port may be silent for a moment: only where it has
// been so several times in a row is that believed. The way back is content with those whose machine answers, takes the others out of up, and says which
// are left closed.
func (r *runner) fit(ctx context.Context, up map[string]int) (map[string]int, error) {
	well, leaving, waits := map[string]int{}, r.s.Plan.Purpose == plans.Leaving, false
	for _, g := range r.groups(up) {
		silent, ports := map[string]string{}, r.answers(g)
		whys := make([]string, len(ports))
		r.each(len(ports), func(i int) { whys[i] = r.unanswered(ctx, ports[i:i+1]) }) // at once: a machine that is dark keeps no other waiting
		for i, p := range ports {
			if whys[i] != "" {
				silent[p.Host] = whys[i]
				r.mute[p.Host]++
			} else {
				delete(r.mute, p.Host)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(up)) {
			b := r.s.Plan.Before[id]
			why, ill := silent[b.Host]
			switch {
			case b.Group != g:
			case !ill:
				well[id] = up[id]
			case r.mute[b.Host] < asks:
				waits = true
				if err := r.note(ctx, "waiting: %s", why); err != nil {
					return nil, err
				}
			case !leaving:
				return nil, fmt.Errorf("%s is not opened: %s", g, why)
			default:
				if r.s.Weights[id] != up[id] {
					r.left[id] = why
				}
				delete(up, id)
			}
		}
	}
	if waits && !leaving {
		return nil, nil
	}
	return well, nil
}

// unfit says why a group of which backends have been opened is not in full service yet; empty where it is. On the way back only what has been opened counts.
func (r *runner) unfit(ctx context.Context, l Look, up map[string]int) string {
	if r.s.Plan.Purpose == plans.Leaving {
		for _, id := range slices.Sorted(maps.Keys(up)) {
			if slices.Contains(l.Sick, id) {
				return fmt.Sprintf("backend %s (%s) is reported unhealthy", id, r.s.Plan.Before[id].Addr)
			}
		}
		return ""
	}
	why := ""
	for _, g := range r.groups(up) {
		if w := r.lacking(l, g); w != "" {
			why = w
		} else if w := r.silent(ctx, g); w != "" {
			why = w
		}
	}
	return why
}

// lower closes backends, by the step's ramp, while the group that stays is seen in full service.
func (r *runner) lower(ctx context.Context, step plans.Step, down map[string]int) error {
	if len(down) == 0 {
		return nil
	}
	closing := r.groups(down)
	if len(closing) > 1 {
		return errors.New("both groups would be closed")
	}
	stays := r.s.Plan.Other(closing[0])
	if err := r.bears(ctx, stays, closing[0]); err != nil {
		return err
	}
	for _, percent := range step.Ramp {
		part := map[string]int{}
		for id := range down {
			if full := r.s.Plan.Before[id].Serve(); full*percent/100 < full {
				w := max(1, full*percent/100)
				part[id] = w
			}
		}
		if err := r.shrink(ctx, step, part, stays); err != nil {
			return err
		}
		if err := r.pass(ctx, step, step.Stable.Duration()); err != nil {
			return err
		}
	}
	return r.shrink(ctx, step, down, stays)
}

// bears demands that the group that stays can carry everyone, and that the one that is closed is not the one that was hurt: to restart a group of
// which a machine is missing is no cure.
func (r *runner) bears(ctx context.Context, stays, closing string) error {
	if r.s.Plan.Purpose == plans.Leaving {
		return nil
	}
	if r.s.Alarm != "" && !r.once(closing) {
		l, err := r.look(ctx)
		if err != nil {
			return err
		}
		if why := r.harm(l, closing); why != "" {
			return fmt.Errorf("%s is not closed: it is hurt, %s", closing, why)
		}
	}
	if r.s.Plan.Room == 0 {
		return nil
	}
	for _, g := range []string{stays, closing} {
		if err := r.sessions(ctx, g); err != nil {
			return err
		}
	}
	why := r.crowded(stays, closing)
	if why != "" && r.s.Plan.Strict {
		return errors.New(why)
	} else if why != "" {
		return r.note(ctx, "%s", why)
	}
	return nil
}

// once says whether this run has closed a group before: what is off of it then is no harm.
func (r *runner) once(group string) bool {
	for id, b := range r.s.Plan.Before {
		if b.Group == group && b.Weight > 0 && slices.Contains(r.s.Wrote[id], 0) {
			return true
		}
	}
	return false
}

// shrink takes capacity away. The gate before each request is a fresh look at the group that stays.
func (r *runner) shrink(ctx context.Context, step plans.Step, down map[string]int, stays string) error {
	return r.write(ctx, step, func(ctx context.Context) (Look, map[string]int, error) {
		l, err := r.gate(ctx, stays)
		if err != nil {
			return l, nil, fmt.Errorf("%s is not closed: %w", r.s.Plan.Other(stays), err)
		}
		want := r.ours(l, down)
		maps.DeleteFunc(want, func(id string, w int) bool { return l.Weights[id] < w }) // it is lower already: to raise it is another matter
		return l, want, r.asked(ctx, true)
	})
}

// groups gives the groups the backends belong to, sorted.
func (r *runner) groups(weights map[string]int) []string {
	var gs []string
	for id := range weights {
		if g := r.s.Plan.Before[id].Group; !slices.Contains(gs, g) {
			gs = append(gs, g)
		}
	}
	slices.Sort(gs)
	return gs
}

// try makes connections through the load balancer, as players do: each must be answered by a machine of a group that is open. It is tried until
// the step's deadline, since a connection may fail for many reasons; but a group that is closed and answers has been lied about.
func (r *runner) try(ctx context.Context, step plans.Step) error {
	if step.Try == 0 || r.t.Front == nil {
		return nil
	}
	for {
		hits, err := r.t.Front.Try(ctx, step.Try)
		if err == nil {
			if err := r.event(ctx, plans.Event{What: plans.Tried, Hits: hits}); err != nil {
				return err
			}
			return r.strays(step, hits)
		}
		if err := r.note(ctx, "connections through the load balancer: %v; trying again", err); err != nil {
			return err
		}
		if err := r.asked(ctx, false); err != nil {
			return err
		}
		if err := r.watch(ctx, step); err != nil {
			return err
		}
		if late := r.sleep(ctx, time.Second); late != nil {
			return fmt.Errorf("connections through the load balancer: %w: %w", err, late)
		}
	}
}

// strays says which host has answered although all its backends are off.
func (r *runner) strays(step plans.Step, hits map[string]int) error {
	for _, host := range slices.Sorted(maps.Keys(hits)) {
		on, known := false, false
		for id, w := range step.Weights {
			if r.s.Plan.Before[id].Host == host {
				on, known = on || w > 0, true
			}
		}
		if known && !on && hits[host] > 0 {
			return fmt.Errorf("the load balancer says that %s is off and still sends players there: %d of %d connections", r.s.Plan.Name(host), hits[host], step.Try)
		}
	}
	return nil
}
