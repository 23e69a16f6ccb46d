package steps

import (
	"context"
	"fmt"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// check waits until every port of the group answers and every status and health line succeeds, and goes on doing so for the step's
// Stable. It changes nothing.
func (r *runner) check(ctx context.Context, step plans.Step) error {
	ctx, cancel := context.WithTimeoutCause(ctx, step.Within.Duration(), fmt.Errorf("waited %s", step.Within))
	defer cancel()
	var well time.Time // since when; zero: not now
	for {
		if err := r.asked(ctx, false); err != nil {
			return err
		}
		why := r.ill(ctx, step)
		switch {
		case why != "":
			well = time.Time{}
			if err := r.note(ctx, "waiting for %s: %s", step.Group, why); err != nil {
				return err
			}
		case well.IsZero():
			well = time.Now()
			if err := r.note(ctx, "%s answers; it must go on for %s", step.Group, step.Stable); err != nil {
				return err
			}
		}
		if !well.IsZero() && time.Since(well) >= step.Stable.Duration() {
			return r.event(ctx, plans.Event{What: plans.Ended})
		}
		if err := sleep(ctx, r.beat()); err != nil {
			if why != "" {
				return fmt.Errorf("%s: %w", why, err)
			}
			return fmt.Errorf("it did not stay well for %s: %w", step.Stable, err)
		}
	}
}

// ill says what is wrong with the group; empty where nothing is.
func (r *runner) ill(ctx context.Context, step plans.Step) string {
	if why := r.unanswered(ctx, step.Probe); why != "" {
		return why
	}
	found := make([]string, len(step.Run))
	each(len(step.Run), func(i int) {
		c := step.Run[i]
		res, err := r.t.Shell.Run(ctx, c, step.Within.Duration())
		if f := r.fault(c, ran{res: res, err: err}); f != nil {
			found[i] = f.Error()
		}
	})
	for _, f := range found {
		if f != "" {
			return f
		}
	}
	return ""
}
