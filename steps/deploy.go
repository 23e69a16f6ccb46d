package steps

import (
	"context"
	"fmt"

	"github.com/seed59ee9cdc/rollout/plans"
)

// deploy runs the deploy line on every machine of the group on which it is not known to have succeeded. A deploy line must be
// harmless when run twice: after a crash nobody may know whether it ran.
func (r *runner) deploy(ctx context.Context, step plans.Step) error {
	if err := r.shut(ctx, step); err != nil {
		return err
	}
	if err := r.recall(ctx, step, step.Within.Duration()); err != nil {
		return err
	}
	var todo []plans.Command
	for _, c := range step.Run {
		if !r.did(c.Host, c.Do).OK() {
			todo = append(todo, c)
		}
	}
	if err := r.command(ctx, step, todo, step.Within.Duration(), nil); err != nil {
		return err
	}
	return r.event(ctx, plans.Event{What: plans.Ended, Note: fmt.Sprintf("%d machines", len(step.Hosts))})
}

// did gives what is known of a command of the step under way.
func (r *runner) did(host string, do plans.Act) plans.Attempt {
	return r.s.Progress[r.s.Step].Acts[plans.Key(host, do)]
}
