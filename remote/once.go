package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Once is a command that begins at most once on its machine, whatever happens
// to connections and to this process.
type Once struct {
	// Command is what begins. Stdin must be nil. Within is enforced on the
	// machine, whether anybody listens or not, and counts from the beginning.
	// Output gets the Result's Stdout and Stderr, at the end.
	Command
	// ID is the attempt: who asks with the same ID, from whatever process,
	// means the same one and gets its result. 1 to 128 of A-Z a-z 0-9 . _ -,
	// not beginning with . or -.
	ID string
	// Token orders those who command: a machine that has seen a higher one
	// begins nothing for a lower one. Not negative.
	Token int64
	// Space is the service whose tokens and ids these are, of the same alphabet
	// as ID.
	Space string
	// Fresh is how long after the call the command may still begin, even when
	// the request is stuck in a connection long given up. 0: as long as the
	// call may go on.
	Fresh time.Duration
}

// oncePause is the first and the longest time between two attempts to ask.
const (
	oncePause    = 50 * time.Millisecond
	oncePauseMax = 2 * time.Second
)

// Once begins o on host unless it has begun there already, waits for its end
// and returns its result, which is the same for everybody who asks. Result.Took
// is counted on the machine, Held is never set.
//
// Through dropped connections it goes on asking, until ctx is over or, when
// Within is set, the command must long have been ended on the machine. Only a
// machine that cannot be reached in the first place is an error at once.
//
// The error is ExitError, TimeoutError, StoppedError when ctx ended while the
// command ran (it is left running), LostError when nobody can say what became
// of it, LostOnMachineError when it began and its outcome will never be known;
// and when this call has begun nothing FencedError, ReusedError, StaleError,
// MissingToolError, UnsafeDirError, or what kept it from being sent (see
// MayHaveRun). AnswerError means that the machine answered nonsense.
func (p *Pool) Once(ctx context.Context, host string, o Once) (Result, error) {
	none := Result{Code: -1}
	if _, err := o.script(onceBegin, host, p.grace, 0); err != nil {
		return none, err
	}
	began := time.Now()
	within := ctx
	if o.Within > 0 {
		var cancel context.CancelFunc
		// After its time the group has the grace; the rest is for reaching the
		// machine once more.
		within, cancel = context.WithTimeout(ctx, o.Within+2*p.grace+2*p.config.Timeout)
		defer cancel()
	}
	q := &question{pool: p, host: host, once: o, as: onceBegin, fresh: func() time.Duration { return o.stale(within, began) }}
	a, err := q.insist(within)
	switch {
	case err == nil:
		return o.result(host, a)
	case !q.sent || q.gone || within.Err() == nil || !errors.Is(err, within.Err()):
		return none, err
	case ctx.Err() == nil:
		return none, &TimeoutError{Host: host, During: Running, Line: o.Line, After: o.Within, Left: true}
	}
	if !q.heard {
		// It was given up before the machine had said a word. One look is worth
		// its while: whether it runs on is what the caller asks next.
		look, stop := context.WithTimeout(context.WithoutCancel(ctx), p.grace+p.linger)
		defer stop()
		st, err := p.State(look, host, o)
		q.heard = err == nil && st.Phase != Absent
	}
	return none, &StoppedError{Host: host, Line: o.Line, Left: true, Begun: q.heard, Cause: context.Cause(ctx)}
}

// stale returns how long from now the command may still begin, negative when
// nothing limits it.
func (o Once) stale(ctx context.Context, began time.Time) time.Duration {
	end, limited := ctx.Deadline()
	if o.Fresh > 0 && (!limited || began.Add(o.Fresh).Before(end)) {
		end, limited = began.Add(o.Fresh), true
	}
	if !limited {
		return -1
	}
	return max(0, time.Until(end))
}

// question is what is asked of the machine until it answers.
type question struct {
	pool  *Pool
	host  string
	once  Once
	as    string
	fresh func() time.Duration

	sent    bool // it may have reached the machine
	dropped bool // of one that was sent no answer came
	heard   bool // the machine has said that the command has begun
	gone    bool // there is no connection now
}

// errDropped means that the answer did not come to its end.
var errDropped = errors.New("connection lost")

// insist asks until there is an answer, ctx is over, or something stands in the
// way that another attempt would not change.
func (q *question) insist(ctx context.Context) (onceAnswer, error) {
	pause, died := oncePause, 0
	for {
		a, err := q.ask(ctx)
		var broken *AnswerError
		switch {
		case err == nil:
			return q.settled(a)
		case !q.sent || errors.As(err, &broken):
			return a, err
		case !q.gone && ctx.Err() == nil:
			// The connection stands and yet the shell went without a word: it
			// was killed, which will not happen for ever.
			if died++; died > 3 {
				return a, &AnswerError{Host: q.host, Said: "nothing"}
			}
		case errors.Is(err, ErrClosed) || permanent(err):
			return a, q.lost(err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if !q.gone {
				return a, ctx.Err()
			}
			return a, q.lost(err)
		}
		pause = min(2*pause, oncePauseMax)
	}
}

// lost is the error when nobody can say what became of the command.
func (q *question) lost(err error) error {
	if errors.Is(err, errDropped) {
		err = nil
	}
	return &LostError{q.host, q.once.Line, err}
}

// permanent reports whether a login failed for a reason that time does not heal.
func permanent(err error) bool {
	var unknown *UnknownHostError
	var changed *ChangedHostError
	var revoked *RevokedHostError
	var auth *AuthError
	return errors.As(err, &unknown) || errors.As(err, &changed) || errors.As(err, &revoked) || errors.As(err, &auth)
}

// settled returns a unless it refuses what an earlier attempt of the same call
// may yet bring about: that one was sent, and perhaps waits on the machine.
func (q *question) settled(a onceAnswer) (onceAnswer, error) {
	err := q.once.refusal(q.host, a)
	if err == nil {
		return a, nil
	}
	if q.dropped && (a.word == "missing" || a.word == "unsafe" || a.word == "failed") {
		err = q.lost(err)
	}
	return a, err
}

// ask sends the question once, over a session of its own, and waits for the
// answer.
func (q *question) ask(ctx context.Context) (onceAnswer, error) {
	s, err := q.pool.session(ctx, q.host, q.once.Line)
	q.gone = err != nil
	if err != nil {
		return onceAnswer{}, err
	}
	defer s.close()
	script, err := q.once.script(q.as, q.host, q.pool.grace, q.fresh())
	if err != nil {
		return onceAnswer{}, err
	}
	type heard struct {
		a   onceAnswer
		err error
	}
	answer, begun := make(chan heard, 1), make(chan struct{}, 1)
	k, said := &capture{}, make(chan struct{})
	if !q.pool.spawn(func() { _, _ = io.Copy(k.into(&k.stderr), s.stderr); close(said) }) ||
		!q.pool.spawn(func() {
			a, err := parseOnce(s.stdout, func() {
				select {
				case begun <- struct{}{}:
				default:
				}
			})
			answer <- heard{a, err}
		}) {
		return onceAnswer{}, fmt.Errorf("%s: %w", q.host, ErrClosed)
	}
	again := q.sent
	q.sent = true
	if !s.feed(script, nil, nil) {
		q.sent = again
		return onceAnswer{}, fmt.Errorf("%s: %w", q.host, ErrClosed)
	}
	for {
		select {
		case <-begun:
			q.heard = true
		case h := <-answer:
			if h.err == nil {
				return h.a, nil
			}
			return h.a, q.broken(ctx, s, k, said, h.err)
		case <-ctx.Done():
			q.gone = s.conn.lost()
			return onceAnswer{}, ctx.Err()
		}
	}
}

// broken returns the error for an answer that is not whole, errDropped when it
// may be asked for again.
func (q *question) broken(ctx context.Context, s *session, k *capture, ended <-chan struct{}, err error) error {
	nonsense := errors.Is(err, errAnswer)
	if !nonsense {
		select {
		case <-s.exited:
			q.gone = s.interrupted
		case <-ctx.Done():
			q.gone = s.conn.lost()
			return ctx.Err()
		}
	}
	if !nonsense && (s.interrupted || s.exit.code < 0) {
		q.dropped = true
		return errDropped
	}
	q.pool.await(ctx, ended)
	k.seal()
	said := lastLine(k.stderr.last(tailSize))
	if nonsense || said == "" {
		said = err.Error()
	}
	return &AnswerError{Host: q.host, Said: said}
}
