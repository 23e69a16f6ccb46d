package steps

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// How often a write that was accepted may have no effect before the shift gives up, and how old a look may be for a request to rest on it.
const (
	quiet = 3
	fresh = 15 * time.Second
)

// write sends what differs and looks, until every backend reads back as wanted. Only what is read is believed: a request that was
// refused, or whose outcome is not known, is repeated only after a look has shown that it is still wanted. before gives the look that each request
// rests on, and what may be written by it, and sets r.basis: nothing lies between the two but the record of the intent.
func (r *runner) write(ctx context.Context, step plans.Step, before func(context.Context) (Look, map[string]int, error)) error {
	ignored := 0
	for try := 0; ; try++ {
		l, want, err := before(ctx)
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
		if r.stale() { // the load balancer could not be read for a while, and what was seen before that says nothing any more
			if err := r.sleep(ctx, r.beat()); err != nil {
				return err
			}
			continue
		}
		answers, err := r.send(ctx, left)
		if err != nil {
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
		if err := r.sleep(ctx, min(time.Duration(try)*200*time.Millisecond, 2*time.Second)); err != nil {
			return fmt.Errorf("%w: %w", r.ignored(missing(l.Weights, want), l.Weights), err)
		}
	}
}

// send records an intent, sends it, and records what became of it. Where this process was stopped in between, as by a laptop that was closed, so that
// the look is old by any clock, nothing is sent.
func (r *runner) send(ctx context.Context, left map[string]int) ([]plans.Answer, error) {
	if err := r.event(ctx, plans.Event{What: plans.Writing, Weights: left}); err != nil {
		return nil, err
	}
	var answers []plans.Answer
	if r.stale() {
		for _, id := range slices.Sorted(maps.Keys(left)) {
			answers = append(answers, plans.Answer{Backend: id, Outcome: plans.Refused, Again: true, Error: "not sent: the look before it has become too old"})
		}
	} else {
		answers = r.t.Traffic.Write(ctx, left)
	}
	return answers, r.event(ctx, plans.Event{What: plans.Wrote, Answers: answers})
}

// stale says whether what the next act rests on was seen too long ago.
func (r *runner) stale() bool { return r.old(r.basis) }

// old says whether a moment is too long ago for a claim or an act to rest on what was seen then. The clock that only goes forward stands still while a
// laptop is closed, and the one on the wall may be set: where the two disagree, neither is believed.
func (r *runner) old(seen time.Time) bool {
	now := r.t.Clock.Now()
	gone, wall := now.Sub(seen), now.Round(0).Sub(seen.Round(0))
	return gone > fresh || wall > fresh || gone-wall > fresh
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
	until := r.t.Clock.Now().Add(2 * step.Stable.Duration())
	for {
		l, err := r.look(ctx)
		if err != nil {
			return false, err
		}
		if len(missing(l.Weights, hope)) == 0 {
			return true, nil
		}
		if err := r.watch(ctx, step); err != nil {
			return false, err
		}
		if r.t.Clock.Now().After(until) {
			return false, nil
		}
		if err := r.sleep(ctx, r.beat()); err != nil {
			return false, err
		}
	}
}

// settle waits until everything has read back as wanted without interruption for the step's Stable: a change reaches the workers of the
// load balancer one after another, and one matching answer proves little. Where a request was not answered, it also waits until that one can no
// longer take effect. It is false where something does not stay as written, or more is to be written.
func (r *runner) settle(ctx context.Context, step plans.Step) (bool, error) {
	var since time.Time // when the first look began of those that have shown it, without one between that did not; zero: the last did not
	until := r.t.Clock.Now().Add(2 * step.Stable.Duration())
	for {
		l, err := r.look(ctx)
		if err != nil {
			return false, err
		}
		left := missing(l.Weights, step.Weights)
		if since.IsZero() {
			since = r.looked
		}
		late := r.late()
		switch {
		case len(left) > 0 && r.t.Clock.Now().After(until):
			return false, r.note(ctx, "writing again: %v", r.ignored(left, l.Weights))
		case len(left) > 0:
			since = time.Time{}
		case r.regained(l, step):
			return false, nil
		case r.since(since) >= step.Stable.Duration() && late <= 0:
			why := r.unwell(ctx, l, step)
			if why == "" {
				return true, nil
			}
			if err := r.note(ctx, "waiting: %s", why); err != nil {
				return false, err
			}
		case late > 0:
			if err := r.note(ctx, "a request was not answered and may take effect until %s", r.t.Clock.Now().Add(late).UTC().Format(time.TimeOnly)+"Z"); err != nil {
				return false, err
			}
		}
		if err := r.asked(ctx, false); err != nil {
			return false, err
		}
		if err := r.watch(ctx, step); err != nil {
			return false, err
		}
		if len(missing(r.s.Weights, step.Weights)) > 0 { // the watch has looked, too, and it counts
			since = time.Time{}
		}
		if err := r.sleep(ctx, r.beat()); err != nil {
			return false, err
		}
	}
}

// unwell says, before a run may be called done, what of all that is to serve is not healthy or does not answer: a machine may have failed long after its
// own check. Empty where all is well, and in every shift but the last.
func (r *runner) unwell(ctx context.Context, l Look, step plans.Step) string {
	if r.s.Step < len(r.s.Plan.Steps)-1 || r.s.Plan.Purpose == plans.Leaving {
		return ""
	}
	for _, id := range slices.Sorted(maps.Keys(step.Weights)) {
		if step.Weights[id] > 0 && slices.Contains(l.Sick, id) {
			return fmt.Sprintf("backend %s (%s) is reported unhealthy", id, r.s.Plan.Before[id].Addr)
		}
	}
	for _, g := range r.groups(step.Weights) {
		if why := r.silent(ctx, g); why != "" && r.kept(step, g) {
			return why
		}
	}
	return ""
}

// kept says whether a shift leaves a group on.
func (r *runner) kept(step plans.Step, group string) bool {
	for id, w := range step.Weights {
		if w > 0 && r.s.Plan.Before[id].Group == group {
			return true
		}
	}
	return false
}

// late gives how long a request that was not answered may still take effect; not more than 0 where none can.
func (r *runner) late() time.Duration {
	if r.doubted.IsZero() {
		return 0
	}
	return r.s.Plan.Late.Duration() - r.since(r.doubted)
}
