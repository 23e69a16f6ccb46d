package steps

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
)

// Run carries out what is left of the plan in s and gives the state reached. It returns nil when the run is done, and else
// one of ErrAborted, ErrPaused, ErrInterrupted, ErrJournal, a *RefusedError or a *HeldError. Start and resume are the same call.
func Run(ctx context.Context, s plans.State, j Journal, t Tools) (plans.State, error) {
	if t.LookEach == 0 {
		t.LookEach = 4 * time.Second // and a second for the look itself: an alarm comes within five
	}
	if t.Leave == 0 {
		t.Leave = 5 * time.Second
	}
	if t.Clock == nil {
		t.Clock = drain.Wall{}
	}
	r := &runner{s: s, j: j, t: t, left: map[string]string{}, mute: map[string]int{}}
	return r.finish(ctx, r.run(ctx))
}

// runner is one call of Run. Only the calling goroutine touches it.
type runner struct {
	s plans.State
	j Journal
	t Tools
	// anew is set during a step that is begun again by a person's word, after it was left on purpose.
	anew bool
	// doubted is when a request may have been sent last whose outcome nobody knows, by this process's clock; zero: none was.
	doubted time.Time
	left    map[string]string // backends that the way back leaves closed, and why
	moved   []string          // those that had another address when they were looked at last, sorted
	mute    map[string]int    // host → how often in a row it did not answer before a backend of it was to be opened
	basis   time.Time         // when the first of the looks began that the next act rests on
	looked  time.Time         // when the last reading of the load balancer began
	ajar    error             // the group of a restart was seen to take new connections, and has not been proven closed since
	told    time.Time         // when the last event was recorded
	taken   time.Time         // when this process took the run up
	again   time.Time         // when the group that serves is looked at next
	hurt    int               // how often in a row it was seen hurt
	back    bool              // the way back is being decided on: nobody can ask for more
}

// stop is a reason to leave the loop that is no failure.
type stop struct {
	what plans.Request // pause or abort
	note string
}

func (s *stop) Error() string { return string(s.what) + ": " + s.note }

// run does step after step until none is left or one cannot go on.
func (r *runner) run(ctx context.Context) error {
	stopped := r.s.Phase == plans.PhasePaused || r.s.Phase == plans.PhaseHeld
	if err := r.record(ctx, plans.Event{What: plans.Resumed, Step: -1, By: r.t.By, PID: r.t.PID, Floor: r.t.Floor}); err != nil {
		return err
	}
	r.taken = r.t.Clock.Now()
	if gone, _ := r.s.Last.Since(r.s.Doubt); !r.s.Doubt.At.IsZero() {
		r.doubted = r.t.Clock.Now().Add(-gone)
	}
	for {
		step, ok := r.s.Current()
		if n := len(r.s.Plan.Steps); !ok && n > 0 && (r.looked.IsZero() || r.old(r.looked)) {
			// The process died between its last step and the end. What is claimed then rests on a look: the step is reached once more.
			last := r.s.Plan.Steps[n-1]
			if err := r.record(ctx, plans.Event{What: plans.Began, Step: n - 1, Group: last.Group}); err != nil {
				return err
			}
			continue
		}
		if !ok {
			return nil
		}
		if err := r.asked(ctx, true); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// A step that was under way when its process died goes on where it was; one that was left on purpose begins anew.
		r.anew = stopped && r.s.Progress[r.s.Step].Status != plans.Pending
		if p := r.s.Progress[r.s.Step]; p.Status != plans.UnderWay || stopped {
			if err := r.event(ctx, plans.Event{What: plans.Began}); err != nil {
				return err
			}
		}
		stopped = false
		if err := r.do(ctx, step); err != nil {
			return fmt.Errorf("%s %s: %w", step.Kind, step.Group, err)
		}
	}
}

func (r *runner) do(ctx context.Context, step plans.Step) error {
	switch step.Kind {
	case plans.Shift:
		return r.shift(ctx, step)
	case plans.Drain:
		return r.drain(ctx, step)
	case plans.Deploy:
		return r.deploy(ctx, step)
	case plans.Restart:
		return r.restart(ctx, step)
	case plans.Check:
		return r.check(ctx, step)
	}
	return fmt.Errorf("nobody knows how to %q", step.Kind)
}

// finish records how the loop ended and, where that is wanted, carries out the way back.
func (r *runner) finish(ctx context.Context, err error) (plans.State, error) {
	var s *stop
	switch {
	case errors.Is(err, ErrJournal):
		// Nothing more may be done. A journal may keep room for this one event: whoever comes next would read why.
		_, _ = r.hold(ctx, err)
		return r.s, err
	case err == nil && r.s.Plan.Purpose == plans.Leaving:
		return r.end(ctx, plans.Event{What: plans.Aborted, Note: r.restored()}, ErrAborted)
	case err == nil:
		return r.end(ctx, plans.Event{What: plans.Done}, nil)
	case errors.As(err, &s) && s.what == plans.AskPause:
		return r.end(ctx, plans.Event{What: plans.Paused, Note: s.note, Safe: r.proven(ctx) != ""}, fmt.Errorf("%w: %s", ErrPaused, s.note))
	case errors.As(err, &s):
		return r.retreat(ctx, s.note)
	case ctx.Err() != nil && !r.s.Touched:
		return r.end(ctx, plans.Event{What: plans.Aborted, Note: "a signal came before anything was touched"}, ErrInterrupted)
	case ctx.Err() != nil:
		return r.end(ctx, plans.Event{What: plans.Interrupted, Note: "a signal ended the process that ran it"}, ErrInterrupted)
	}
	return r.failed(ctx, err)
}

// failed records a failure and follows the plan's policy: hold, or put back what can be put back.
func (r *runner) failed(ctx context.Context, cause error) (plans.State, error) {
	if err := r.event(ctx, plans.Event{What: plans.Failed, Error: cause.Error()}); err != nil {
		return r.s, err
	}
	if !r.s.Touched {
		return r.end(ctx, plans.Event{What: plans.Aborted, Note: "nothing had been touched", Error: cause.Error()}, &RefusedError{Err: cause})
	}
	if step, ok := r.s.Current(); ok && r.s.Alarm != "" && step.Kind != plans.Shift { // nobody watches a run that is held: what can be opened is opened now
		var s *stop
		switch err := r.pass(ctx, step, sightings*time.Second); {
		case errors.Is(err, ErrJournal):
			return r.s, err
		case errors.As(err, &s):
			return r.retreat(ctx, s.note)
		}
	}
	return r.hold(ctx, cause)
}

// retreat records the plan that puts back what the run changed and carries it out by the same loop.
func (r *runner) retreat(ctx context.Context, why string) (plans.State, error) {
	unknown := r.unbegun(ctx)
	p, ok := plans.Retreat(r.s)
	switch {
	case errors.Is(unknown, ErrJournal):
		return r.finish(ctx, unknown)
	case !ok && unknown != nil:
		return r.hold(ctx, r.still(fmt.Errorf("abort (%s): whether the restart of %s has begun is not known (%w), so %w", why, r.dirty(), unknown, ErrStays)))
	case !ok:
		return r.hold(ctx, r.still(fmt.Errorf("abort (%s): %s was restarted and is not proven well, so %w", why, r.dirty(), ErrStays)))
	}
	if err := r.record(ctx, plans.Event{What: plans.Planned, Step: -1, Plan: &p, Note: why}); err != nil {
		return r.s, err
	}
	// The way back is not cut short by the first Ctrl-C: it has deadlines of its own.
	back := context.WithoutCancel(ctx)
	return r.finish(back, r.run(back))
}

// still puts what had held the run before an abort that was refused: whoever mends it needs that, and not only who has asked.
func (r *runner) still(refused error) error {
	if _, ok := r.s.Current(); ok && r.s.Progress[r.s.Step].Status == plans.StepFailed {
		return fmt.Errorf("%s; %w", r.s.Progress[r.s.Step].Error, refused)
	}
	return refused
}

// restored says what the way back has reached.
func (r *runner) restored() string {
	gone := r.vanished(r.s.Weights)
	found := func(id string) bool { return r.s.Weights[id] == r.s.Plan.Before[id].Weight }
	moved := slices.DeleteFunc(slices.Clone(r.moved), found)
	maps.DeleteFunc(r.left, func(id string, _ string) bool { // a request that came late may have opened one all the same
		return found(id) || slices.Contains(gone, id) || slices.Contains(moved, id)
	})
	drifted := slices.DeleteFunc(plans.Drifted(r.s, r.s.Weights), func(id string) bool { return slices.Contains(moved, id) })
	changed := len(drifted) - len(gone)
	what := "every backend is as it was found"
	if len(r.left)+len(gone)+len(moved)+changed > 0 {
		what = "every backend this run had changed is as it was found"
	}
	var but []string
	if len(gone) > 0 {
		but = append(but, fmt.Sprintf("%d gone from the load balancer: %s", len(gone), r.listed(gone)))
	}
	if len(moved) > 0 {
		but = append(but, fmt.Sprintf("%d with another address now: %s", len(moved), r.listed(moved)))
	}
	if left := slices.Sorted(maps.Keys(r.left)); len(left) > 0 {
		but = append(but, fmt.Sprintf("%d left closed: %s, since %s", len(left), r.listed(left[:1]), r.left[left[0]]))
	}
	if len(but) > 0 {
		what += ", but for " + strings.Join(but, ", and ")
	}
	if changed > 0 {
		what += fmt.Sprintf("; %d changed by somebody else are left as they are", changed)
	}
	return what
}

// listed names backends with their addresses, or the first of many.
func (r *runner) listed(ids []string) string {
	var all []string
	for _, id := range ids[:min(len(ids), 3)] {
		all = append(all, fmt.Sprintf("%s (%s)", id, r.s.Plan.Before[id].Addr))
	}
	if more := len(ids) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("and %d others", more))
	}
	return strings.Join(all, ", ")
}

// dirty names the group that is restarted and not yet proven well; empty where there is none.
func (r *runner) dirty() string {
	for _, g := range []string{r.s.Plan.First, r.s.Plan.Second} {
		if r.s.Dirty[g] {
			return g
		}
	}
	return ""
}

// hold stops part-way and says whether a group is proven to serve.
func (r *runner) hold(ctx context.Context, cause error) (plans.State, error) {
	e := plans.Event{What: plans.Held, Error: cause.Error(), Note: "no group is proven to take new connections"}
	if group := r.proven(ctx); group != "" {
		e.Safe, e.Note = true, "all new connections go to "+group+", which is healthy"
		if group == both {
			e.Note = "both groups take new connections and are healthy"
		}
	}
	if g := r.dirty(); g != "" && r.taking(r.s.Weights, r.s.Plan.Hosts(g), "") != nil {
		e.Note += fmt.Sprintf("; machines of %s, which is not proven well, take new connections, too", g)
	}
	return r.end(ctx, e, &HeldError{Safe: e.Safe, Err: cause})
}

// end records the last event of this call and gives err, or what kept it from being recorded.
func (r *runner) end(ctx context.Context, e plans.Event, err error) (plans.State, error) {
	e.Step = -1
	if failed := r.record(ctx, e); failed != nil {
		return r.s, errors.Join(failed, err)
	}
	return r.s, err
}

// event records an event of the step under way.
func (r *runner) event(ctx context.Context, e plans.Event) error {
	e.Step = r.s.Step
	if e.Group == "" {
		if step, ok := r.s.Current(); ok {
			e.Group = step.Group
		}
	}
	return r.record(ctx, e)
}

// record appends an event and folds it. It is not cancelled, so that Ctrl-C cannot leave a half-told story.
func (r *runner) record(ctx context.Context, e plans.Event) error {
	e.Version = plans.Version
	done, err := r.j.Append(context.WithoutCancel(ctx), e)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	r.told = r.t.Clock.Now()
	doubt := r.s.Doubt
	if r.s = r.s.Apply(done); r.s.Doubt != doubt {
		r.doubted = r.told
	}
	return nil
}

// note records a sentence once: again only when it has changed.
func (r *runner) note(ctx context.Context, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if text == r.s.Note {
		return nil
	}
	return r.event(ctx, plans.Event{What: plans.Noted, Note: text})
}

// asked takes up what another terminal has asked for. An abort counts at once, a pause only between two steps and before an act that takes
// capacity away.
func (r *runner) asked(ctx context.Context, between bool) error {
	es, err := r.j.Requests(context.WithoutCancel(ctx))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrJournal, err)
	}
	for _, e := range es {
		r.s = r.s.Apply(e)
	}
	switch {
	case r.s.Plan.Purpose == plans.Leaving, r.back:
		return nil
	case r.s.Asked == plans.AskAbort:
		return &stop{plans.AskAbort, "asked by " + r.s.AskedBy}
	case r.s.Asked == plans.AskPause && between:
		return &stop{plans.AskPause, "asked by " + r.s.AskedBy}
	}
	return nil
}
