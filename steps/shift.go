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
	ctx, cancel := context.WithTimeoutCause(ctx, step.Within.Duration(), fmt.Errorf("not reached within %s", step.Within))
	defer cancel()
	if err := r.reach(ctx, step); err != nil {
		return err
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
		up, down := differing(l.Weights, step.Weights)
		if err := r.raise(ctx, step, up); err != nil {
			return err
		}
		if err := r.lower(ctx, step, down); err != nil {
			return err
		}
		if stays, err := r.settle(ctx, step); stays || err != nil {
			return err
		}
	}
}

// differing gives the weights to be raised and those to be lowered.
func differing(now, want map[string]int) (up, down map[string]int) {
	up, down = map[string]int{}, map[string]int{}
	for id, w := range want {
		switch {
		case now[id] < w:
			up[id] = w
		case now[id] > w:
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
	for _, g := range r.groups(up) {
		if why := r.silent(ctx, g); why != "" {
			return fmt.Errorf("%s is not opened: %s", g, why)
		}
	}
	var well time.Time // since when; zero: not now
	for {
		if err := r.write(ctx, step, up); err != nil {
			return err
		}
		l, err := r.look(ctx)
		if err != nil {
			return err
		}
		if more, _ := differing(l.Weights, step.Weights); len(more) > 0 {
			up, well = more, time.Time{}
			continue
		}
		why := ""
		for _, g := range r.groups(up) {
			if w := r.lacking(l, g); w != "" {
				why = w
			} else if w := r.silent(ctx, g); w != "" {
				why = w
			}
		}
		switch {
		case why != "":
			well = time.Time{}
			if err := r.note(ctx, "waiting: %s", why); err != nil {
				return err
			}
		case well.IsZero():
			well = time.Now()
		case time.Since(well) >= step.Stable.Duration():
			return nil
		}
		if err := sleep(ctx, r.beat()); err != nil && why != "" {
			return fmt.Errorf("%s: %w", why, err)
		} else if err != nil {
			return err
		}
	}
}

// lower closes backends, by the step's ramp, while the group that stays is seen in full service.
func (r *runner) lower(ctx context.Context, step plans.Step, down map[string]int) error {
	if len(down) == 0 {
		return nil
	}
	for _, percent := range step.Ramp {
		part := map[string]int{}
		for id := range down {
			if full := r.s.Plan.Before[id].Serve(); full*percent/100 < full {
				w := max(1, full*percent/100)
				part[id] = w
			}
		}
		if err := r.shrink(ctx, step, part); err != nil {
			return err
		}
		if err := sleep(ctx, step.Stable.Duration()); err != nil {
			return err
		}
	}
	return r.shrink(ctx, step, down)
}

// shrink takes capacity away: the gate before it is a fresh look at every group that stays.
func (r *runner) shrink(ctx context.Context, step plans.Step, down map[string]int) error {
	closing := r.groups(down)
	for _, g := range []string{r.s.Plan.First, r.s.Plan.Second} {
		if slices.Contains(closing, g) {
			continue
		}
		if err := r.serves(ctx, g); err != nil {
			return fmt.Errorf("%s is not closed: %w", closing[0], err)
		}
	}
	if len(closing) > 1 {
		return errors.New("both groups would be closed")
	}
	if err := r.asked(ctx, false); err != nil {
		return err
	}
	return r.write(ctx, step, down)
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

// quiet is how often a write that was accepted may have no effect before the shift gives up.
const quiet = 3

// write sends what differs and looks, until every backend reads back as wanted. Only what is read is believed: a request that was
// refused, or whose outcome is not known, is repeated only after a look has shown that it is still wanted.
func (r *runner) write(ctx context.Context, step plans.Step, want map[string]int) error {
	ignored := 0
	for try := 0; ; try++ {
		l, err := r.look(ctx)
		if err != nil {
			return err
		}
		left := missing(l.Weights, want)
		if len(left) == 0 {
			return nil
		}
		if ignored >= quiet {
			return r.ignored(left, l.Weights)
		}
		if err := r.event(ctx, plans.Event{What: plans.Writing, Weights: left}); err != nil {
			return err
		}
		answers := r.t.Traffic.Write(ctx, left)
		if err := r.event(ctx, plans.Event{What: plans.Wrote, Answers: answers}); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := final(answers); err != nil {
			return err
		}
		back, err := r.readBack(ctx, step, want, answers)
		if err != nil {
			return err
		}
		if !back && allAccepted(answers) {
			ignored++
		}
		if err := sleep(ctx, min(time.Duration(try)*200*time.Millisecond, 2*time.Second)); err != nil {
			return fmt.Errorf("%w: %w", r.ignored(missing(l.Weights, want), l.Weights), err)
		}
	}
}

// missing gives the part of want that is not as read.
func missing(now, want map[string]int) map[string]int {
	left := map[string]int{}
	for id, w := range want {
		if got, ok := now[id]; !ok || got != w {
			left[id] = w
		}
	}
	return left
}

// ignored says that accepted writes have had no effect, naming one backend.
func (r *runner) ignored(left, now map[string]int) error {
	id := slices.Min(slices.Collect(maps.Keys(left)))
	return fmt.Errorf("%d backends do not read back as written: %s (%s) should have weight %d and has %d",
		len(left), id, r.s.Plan.Before[id].Addr, left[id], now[id])
}

// final gives the error of a write that was refused for good.
func final(answers []plans.Answer) error {
	for _, a := range answers {
		if a.Outcome == plans.Refused && !a.Again {
			return fmt.Errorf("backend %s: the write was refused: %s", a.Backend, a.Error)
		}
	}
	return nil
}

func allAccepted(answers []plans.Answer) bool {
	return !slices.ContainsFunc(answers, func(a plans.Answer) bool { return a.Outcome != plans.Accepted })
}

// readBack looks until everything that was accepted reads as wanted, for twice the time a value must stay: answers may be that old. What
// was refused is not waited for, and what is not known may take as long.
func (r *runner) readBack(ctx context.Context, step plans.Step, want map[string]int, answers []plans.Answer) (bool, error) {
	hope := map[string]int{}
	for _, a := range answers {
		if a.Outcome != plans.Refused {
			hope[a.Backend] = want[a.Backend]
		}
	}
	until := time.Now().Add(2 * step.Stable.Duration())
	for {
		l, err := r.look(ctx)
		if err != nil {
			return false, err
		}
		if len(missing(l.Weights, hope)) == 0 {
			return true, nil
		}
		if time.Now().After(until) {
			return false, nil
		}
		if err := sleep(ctx, r.beat()); err != nil {
			return false, err
		}
	}
}

// settle waits until everything has read back as wanted without interruption for the step's Stable: a change reaches the workers of the
// load balancer one after another, and one matching answer proves little. It is false where something does not stay as written.
func (r *runner) settle(ctx context.Context, step plans.Step) (bool, error) {
	since, until := time.Now(), time.Now().Add(2*step.Stable.Duration())
	for {
		l, err := r.look(ctx)
		if err != nil {
			return false, err
		}
		left := missing(l.Weights, step.Weights)
		switch {
		case len(left) > 0 && time.Now().After(until):
			return false, r.note(ctx, "writing again: %v", r.ignored(left, l.Weights))
		case len(left) > 0:
			since = time.Now()
		case time.Since(since) >= step.Stable.Duration():
			return true, nil
		}
		if err := sleep(ctx, r.beat()); err != nil {
			return false, err
		}
	}
}
