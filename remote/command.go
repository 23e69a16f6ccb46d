package remote

import (
	"context"
	"errors"
	"io"
	"time"
)

// Command is one command on a machine.
type Command struct {
	// Line is run by sh, in a process group of its own, without a terminal. It
	// is shell: a value in it must have gone through Quote.
	Line string
	// Dir is where it runs. Empty: the user's home.
	Dir string
	// Env is added to the environment. It is not seen in any process list on
	// the way, nor in an error.
	Env map[string]string
	// Stdin is its standard input, empty if nil. A Read that never returns
	// keeps Close waiting.
	Stdin io.Reader
	// Within is how long it may run, from when it was sent. 0: as long as ctx.
	Within time.Duration
	// Output gets all it prints, both streams, as it comes. A Write that does
	// not return holds the command up.
	Output io.Writer
}

// Result is what a command printed and how it ended.
type Result struct {
	// Stdout and Stderr hold the first and last 32 KiB of each, and between
	// them, if there was more, a line that says how much.
	Stdout, Stderr string
	// Code is the exit code, -1 when there was none.
	Code int
	// Took is the time from sending the command until it ended.
	Took time.Duration
	// Held means that a second after the end something the command started
	// still had its output open; what that prints later is not here, and its
	// pipe is broken. A daemon should be given an output of its own.
	Held bool
	// OutputErr is the first error of Command.Output. The command went on.
	OutputErr error
}

// Run runs c on host and waits for its end. The error is ExitError when it
// ended with anything but 0, TimeoutError after Within or the deadline of ctx,
// StoppedError when ctx was cancelled, LostError when the connection was, and
// otherwise what kept it from starting (see MayHaveRun). On timeout and
// cancellation its process group is ended, TERM and two seconds later KILL,
// before Run returns. The Result holds what there is, error or not.
func (p *Pool) Run(ctx context.Context, host string, c Command) (Result, error) {
	script, err := c.script()
	if err != nil {
		return Result{Code: -1}, err
	}
	s, err := p.session(ctx, host, c.Line)
	if err != nil {
		return Result{Code: -1}, err
	}
	defer s.close()
	began := time.Now()
	if c.Within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Within)
		defer cancel()
	}
	k := &capture{output: c.Output}
	ended := s.drain(k.into(&k.stdout), k.into(&k.stderr))
	s.feed(script, c.Stdin, nil)

	var stopped error
	select {
	case <-s.exited:
	case <-ctx.Done():
		stopped = context.Cause(ctx)
		_ = s.ch.Close()
	}
	took := time.Since(began)
	gone := stopped == nil || p.end(ctx, host, s)
	held := !p.await(ctx, ended) && stopped == nil
	k.seal()

	r := Result{Stdout: k.stdout.String(), Stderr: k.stderr.String(), Code: -1, Took: took, Held: held, OutputErr: k.outputErr}
	switch {
	case errors.Is(stopped, context.DeadlineExceeded):
		return r, &TimeoutError{Host: host, During: Running, Line: c.Line, After: min(took, or(c.Within, took)), Left: !gone}
	case stopped != nil:
		return r, &StoppedError{Host: host, Line: c.Line, Left: !gone, Cause: stopped}
	}
	r.Code = s.exit.code
	tail := k.stderr.last(tailSize)
	if lastLine(tail) == "" {
		tail = k.stdout.last(tailSize)
	}
	return r, s.failure(host, c.Line, tail)
}

// tailSize is how much of the output an ExitError carries, in bytes.
const tailSize = 4 << 10

// await reports whether ended is closed within a second, or the end of ctx.
// A daemon may hold the output for ever; without a daemon it ends at once.
func (p *Pool) await(ctx context.Context, ended <-chan struct{}) bool {
	timer := time.NewTimer(p.linger)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	select {
	case <-ended:
		return true
	default:
		return false
	}
}
