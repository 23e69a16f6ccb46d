package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Phase is how far a Once has come on its machine.
type Phase string

// The phases. A command that is Absent has not begun, and unless a request is
// still on its way it never will by itself.
const (
	Absent   Phase = "absent"
	Going    Phase = "going"
	Finished Phase = "finished"
	Lost     Phase = "lost" // it began, and its outcome will never be known
)

// OnceState is what a machine knows of a Once.
type OnceState struct {
	Phase Phase
	// Code is the exit code, -1 unless Finished.
	Code int
	// TimedOut means that it was ended on the machine after Within, Left that
	// processes of its group survived that.
	TimedOut, Left bool
	// Why is for Lost "rebooted", when the machine was, or "died", when what
	// watched over the command was killed, and the command is no more either.
	Why string
	// Output is the end of what it has printed: the last 4 KiB of stderr, of
	// stdout if that is empty. Text of the machine, with its control characters.
	Output string
	// Took is how long it ran, when Finished.
	Took time.Duration
}

// State looks what has become of o on host, and changes nothing there, nor does
// it compare tokens or lines. Only ID and Space of o matter. The errors are
// those of Once that stand for a look, and never ones of the command.
func (p *Pool) State(ctx context.Context, host string, o Once) (OnceState, error) {
	a, err := p.look(ctx, host, onceLook, "state of "+o.ID, o)
	if err != nil {
		return OnceState{}, err
	}
	return a.state(), nil
}

// Seen tells the highest token that host has begun a command of space for, 0
// where it has begun none. It changes nothing there. The errors are as State's.
func (p *Pool) Seen(ctx context.Context, host, space string) (int64, error) {
	a, err := p.look(ctx, host, onceSeen, "highest token of "+space, Once{ID: "any", Space: space})
	return a.seen, err
}

// look asks host as, which begins nothing there. what it asks for is for an
// error.
func (p *Pool) look(ctx context.Context, host, as, what string, o Once) (onceAnswer, error) {
	o.Command = Command{}
	q := &question{pool: p, host: host, once: o, as: as, fresh: func() time.Duration { return -1 }}
	if _, err := o.script(as, host, p.grace, -1); err != nil {
		return onceAnswer{}, err
	}
	for try := 1; ; try++ {
		a, err := q.ask(ctx)
		if errors.Is(err, errDropped) && try < 3 {
			continue // to look again is harmless
		}
		if err == nil {
			err = o.refusal(host, a)
		}
		if err == nil && a.word != string(Absent) && (a.word == "seen") != (as == onceSeen) {
			err = &AnswerError{Host: host, Said: a.word}
		}
		if errors.Is(err, errDropped) || err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			err = fmt.Errorf("%s: %s: %w", host, what, err)
		}
		if err != nil {
			return onceAnswer{}, err
		}
		return a, nil
	}
}

func (a onceAnswer) state() OnceState {
	s := OnceState{Phase: Phase(a.word), Code: -1, Output: a.tail()}
	switch a.word {
	case "rebooted", "died":
		s.Phase, s.Why = Lost, a.word
	case "finished":
		s.Code, s.TimedOut, s.Left, s.Took = a.code, a.timedOut, a.left, a.took
	}
	return s
}

// tail is what an ExitError carries of the output.
func (a onceAnswer) tail() string {
	last := func(o onceOutput) string {
		e := excerpt{head: o.head, tail: o.tail, size: o.total}
		return e.last(tailSize)
	}
	if tail := last(a.err); lastLine(tail) != "" {
		return tail
	}
	return last(a.out)
}

// result is what Once returns for the answer a, which is none of the refusals.
func (o Once) result(host string, a onceAnswer) (Result, error) {
	r := Result{Stdout: a.out.String(), Stderr: a.err.String(), Code: -1, Took: a.took}
	if o.Output != nil {
		if _, r.OutputErr = io.WriteString(o.Output, r.Stdout); r.OutputErr == nil {
			_, r.OutputErr = io.WriteString(o.Output, r.Stderr)
		}
	}
	switch {
	case a.word == "rebooted" || a.word == "died":
		return r, &LostOnMachineError{host, o.Line, a.word}
	case a.word != "finished":
		// It was followed to its end: there is no such answer.
		return r, &AnswerError{Host: host, Said: a.word}
	case a.timedOut:
		return r, &TimeoutError{Host: host, During: Running, Line: o.Line, After: or(o.Within, a.took), Left: a.left}
	}
	if r.Code = a.code; a.code != 0 {
		return r, &ExitError{host, o.Line, a.code, "", a.tail()}
	}
	return r, nil
}
