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

// ran is one command's end, on its way from the goroutine that waited for it.
type ran struct {
	res Result
	err error
}

// command runs commands, all at once, each recorded before it is sent and after it has ended, and gives every failure. Meanwhile the group
// that serves is watched.
//
// A cancel does not end them: they get the runner's Leave to finish, and are then left running with their outcome unknown, since
// half a stop or half a start is worse than either. Nor does a serving group that is hurt, but for a deploy: the group that it changes has its old
// processes, and must be opened at once. Where they rest on a gate, it is passed again if it was too long ago once they are recorded.
func (r *runner) command(ctx context.Context, step plans.Step, cs []plans.Command, within time.Duration, gate func(context.Context, plans.Step) error) error {
	if len(cs) == 0 {
		return nil
	}
	for i := range cs {
		if err := r.event(ctx, plans.Event{What: plans.Running, Command: &cs[i]}); err != nil {
			return err
		}
		cs[i] = r.named(cs[i])
	}
	for gate != nil && r.stale() {
		if err := gate(ctx, step); err != nil {
			return r.unsent(ctx, cs, err)
		}
	}
	ends := make([]ran, len(cs))
	var faults []error
	seen := r.attend(ctx, step, len(cs), func(ctx context.Context, i int) {
		res, err := r.t.Shell.Run(ctx, cs[i], within)
		ends[i] = ran{res, err}
	}, func(i int) {
		faults = append(faults, r.ended(ctx, cs[i], ends[i]))
	})
	var hurt *stop
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(seen, ErrJournal), errors.As(seen, &hurt):
		return seen
	}
	return errors.Join(append(faults, seen)...)
}

// named gives a command the id of its attempt and the token of this process.
func (r *runner) named(c plans.Command) plans.Command {
	c.ID, c.Token = r.s.Progress[r.s.Step].Acts[c.Key()].ID, r.s.Token
	return c
}

// ended records how a command has ended, and gives its failure.
func (r *runner) ended(ctx context.Context, c plans.Command, e ran) error {
	done := plans.Event{What: plans.Ran, Command: &c, Code: e.res.Code, Output: e.res.Output}
	if e.err != nil {
		done.Error = e.err.Error()
	}
	if errors.Is(e.err, ErrUnsent) {
		done.EndedBy = plans.Absent
	}
	return errors.Join(r.event(ctx, done), r.fault(c, e))
}

// unsent records that commands are not sent after all, and gives why.
func (r *runner) unsent(ctx context.Context, cs []plans.Command, why error) error {
	for _, c := range cs {
		if err := r.absent(ctx, c, "it was not sent: "+why.Error()); err != nil {
			return err
		}
	}
	return why
}

// absent records that a command has not begun.
func (r *runner) absent(ctx context.Context, c plans.Command, why string) error {
	return r.event(ctx, plans.Event{What: plans.Ran, Command: &c, Error: why, EndedBy: plans.Absent})
}

// recall asks the machines what has become of the step's commands whose end nobody has told, since a connection or a process died. One that
// still runs is waited for. What has not begun may be sent again, under the same id.
func (r *runner) recall(ctx context.Context, step plans.Step, within time.Duration) error {
	for _, c := range r.open(step) {
		if err := r.remember(ctx, step, c, within); err != nil {
			return err
		}
	}
	return nil
}

// open gives the step's commands that may have begun and whose end nobody has told.
func (r *runner) open(step plans.Step) []plans.Command {
	acts := r.s.Progress[r.s.Step].Acts
	var open []plans.Command
	for _, c := range step.Run {
		for _, key := range slices.Sorted(maps.Keys(acts)) {
			one, ofOne := strings.CutPrefix(key, c.Key()+" ")
			switch {
			case !acts[key].Open() || c.Send != "":
			case ofOne:
				open = append(open, alone(c, one))
			case key == c.Key():
				open = append(open, c)
			}
		}
	}
	return open
}

// unbegun asks, before a way back is refused for a restart, whether that has begun at all: its commands were meant, and may never have been sent. The error
// says why that is not known.
func (r *runner) unbegun(ctx context.Context) error {
	step, ok := r.s.Current()
	if !ok || step.Kind != plans.Restart || !r.s.Dirty[step.Group] {
		return nil
	}
	for _, a := range r.s.Progress[r.s.Step].Acts {
		if a.Acted() && !a.Open() {
			return nil
		}
	}
	ctx, cancel := r.t.Clock.Within(context.WithoutCancel(ctx), step.Within.Duration(), fmt.Errorf("waited %s", step.Within))
	defer cancel()
	r.back = true // a group that serves and is hurt, or a request, can ask for no more than this way back
	defer func() { r.back = false }()
	for _, c := range r.open(step) {
		if begun, err := r.begun(ctx, step, c); err != nil || begun != Absent {
			return err
		}
	}
	return nil
}

// remember asks about one command until its end is known, or that it has not begun. While neither is known nothing may be repeated. Meanwhile the group
// that serves is watched.
func (r *runner) remember(ctx context.Context, step plans.Step, c plans.Command, within time.Duration) error {
	named := r.named(c)
	for try := 1; ; try++ {
		begun, err := r.begun(ctx, step, c)
		switch {
		case err != nil || begun == Absent:
			return err
		case begun == Lost:
			return r.event(ctx, plans.Event{What: plans.Ran, Command: &c, Error: "it began, and its machine has lost it", EndedBy: plans.Lost})
		}
		if err := r.note(ctx, "%s on %s had begun: waiting for its end", c.Do, r.s.Plan.Name(c.Host)); err != nil {
			return err
		}
		var res Result
		seen := r.attend(ctx, step, 1, func(ctx context.Context, _ int) { res, err = r.t.Shell.Run(ctx, named, within) }, func(int) {})
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case seen != nil:
			return seen
		}
		if err := r.event(ctx, plans.Event{What: plans.Ran, Command: &c, Code: res.Code, Output: res.Output, Error: text(err)}); err != nil {
			return err
		}
		if err == nil {
			return nil
		}
		if try == asks {
			return fmt.Errorf("%s on %s began, and nobody knows how it ended: %w", c.Do, r.s.Plan.Name(c.Host), err)
		}
		if err := r.pass(ctx, step, time.Duration(try)*time.Second); err != nil {
			return err
		}
	}
}

// begun asks about one command until it is known whether it has begun, and records that it has not.
func (r *runner) begun(ctx context.Context, step plans.Step, c plans.Command) (Begun, error) {
	for {
		begun, err := r.ask(ctx, step, r.named(c))
		var hurt *stop
		switch {
		case errors.As(err, &hurt):
			return begun, err
		case err != nil:
			return begun, fmt.Errorf("%s on %s: nobody knows whether it began: %w", c.Do, r.s.Plan.Name(c.Host), err)
		case begun == Absent && r.since(r.taken) < fresh: // it may be on its way still; after that its machine refuses it
			if err := r.note(ctx, "%s on %s has not begun, and may be on its way still: waiting for that", c.Do, r.s.Plan.Name(c.Host)); err != nil {
				return begun, err
			}
			if err := r.pass(ctx, step, fresh-r.since(r.taken)); err != nil {
				return begun, err
			}
			continue
		case begun == Absent:
			return begun, r.absent(ctx, c, "its machine knows nothing of it")
		}
		return begun, nil
	}
}

// attend is crew that meanwhile watches the group that serves, and gives what was seen. Where that is hurt, or an abort is asked for, and the step is a
// deploy, what is done is broken off.
func (r *runner) attend(ctx context.Context, step plans.Step, n int, do func(ctx context.Context, i int), ended func(i int)) error {
	var seen error
	r.crew(ctx, n, do, ended, func(leave context.CancelCauseFunc) {
		if seen == nil {
			seen = r.watch(ctx, step)
		}
		if seen == nil && step.Kind == plans.Deploy {
			seen = r.asked(ctx, false)
		}
		if seen != nil && step.Kind == plans.Deploy {
			leave(seen)
		}
	})
	return seen
}

// during does something that changes nothing and may take long, such as asking many machines. Meanwhile requests are heard and the group that serves is
// watched; what those two say breaks it off, and is given.
func (r *runner) during(ctx context.Context, step plans.Step, do func(context.Context)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var why error
	r.crew(ctx, 1, func(context.Context, int) { do(ctx) }, func(int) {}, func(context.CancelCauseFunc) {
		if ctx.Err() != nil {
			return
		}
		if why = r.asked(ctx, false); why == nil {
			why = r.watch(ctx, step)
		}
		if why != nil {
			cancel(why)
		}
	})
	return why
}

// pass waits for d, hears requests and watches the group that serves.
func (r *runner) pass(ctx context.Context, step plans.Step, d time.Duration) error {
	for began := r.t.Clock.Now(); r.since(began) < d; {
		if err := r.asked(ctx, false); err != nil {
			return err
		}
		if err := r.watch(ctx, step); err != nil {
			return err
		}
		if err := r.sleep(ctx, min(time.Second, d-r.since(began))); err != nil {
			return err
		}
	}
	return r.watch(ctx, step)
}

// asks is how often a machine is asked about a command before the run is held.
const asks = 5

// ask asks a machine about a command, again where it does not answer.
func (r *runner) ask(ctx context.Context, step plans.Step, c plans.Command) (b Begun, err error) {
	for try := 1; ; try++ {
		if seen := r.attend(ctx, step, 1, func(ctx context.Context, _ int) { b, err = r.t.Shell.Ask(ctx, c) }, func(int) {}); seen != nil {
			return b, seen
		}
		if err == nil || try == asks {
			return b, err
		}
		if err := r.pass(ctx, step, time.Duration(try)*time.Second); err != nil {
			return b, err
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
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
