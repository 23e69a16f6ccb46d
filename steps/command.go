package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// ran is one command's end, on its way from the goroutine that waited for it.
type ran struct {
	i   int
	res Result
	err error
}

// command runs commands, all at once, each recorded before it is sent and after it has ended, and gives every failure.
//
// A cancel does not end them: they get the runner's Leave to finish, and are then left running with their outcome unknown, since
// half a stop or half a start is worse than either.
func (r *runner) command(ctx context.Context, cs []plans.Command, within time.Duration) error {
	if len(cs) == 0 {
		return nil
	}
	for i := range cs {
		if err := r.event(ctx, plans.Event{What: plans.Running, Command: &cs[i]}); err != nil {
			return err
		}
	}
	patient, leave := context.WithCancelCause(context.WithoutCancel(ctx))
	defer leave(nil)
	context.AfterFunc(ctx, func() {
		t := time.AfterFunc(r.t.Leave, func() { leave(ErrInterrupted) })
		context.AfterFunc(patient, func() { t.Stop() })
	})
	ends := make(chan ran, len(cs))
	for i, c := range cs {
		go func() {
			res, err := r.t.Shell.Run(patient, c, within)
			ends <- ran{i, res, err}
		}()
	}
	var faults []error
	for range cs {
		e := <-ends
		c := cs[e.i]
		done := plans.Event{What: plans.Ran, Command: &c, Code: e.res.Code, Output: e.res.Output}
		if e.err != nil {
			done.Error = e.err.Error()
		}
		if err := r.event(ctx, done); err != nil {
			faults = append(faults, err)
		}
		if f := r.fault(c, e); f != nil {
			faults = append(faults, f)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(faults...)
}

// fault says how a command failed: nil where it succeeded.
func (r *runner) fault(c plans.Command, e ran) error {
	switch {
	case e.err != nil:
		return fmt.Errorf("%s on %s: %w", c.Do, r.s.Plan.Name(c.Host), e.err)
	case e.res.Code != 0:
		return fmt.Errorf("%s on %s: exit %d%s", c.Do, r.s.Plan.Name(c.Host), e.res.Code, last(e.res.Output))
	}
	return nil
}

// last gives the last line of an output, after a colon.
func last(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if l := strings.TrimSpace(lines[len(lines)-1]); l != "" {
		return ": " + l
	}
	return ""
}
