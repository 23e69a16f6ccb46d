package drain

import (
	"context"
	"time"
)

// Clock is the time a drain lives by. A simulation brings its own, so that the code it tries is the code that is shipped.
type Clock interface {
	// Now gives the present time.
	Now() time.Time
	// Wait returns nil when d has passed, and the cause of ctx when that ends before.
	Wait(ctx context.Context, d time.Duration) error
	// Within gives a context that ends with cause when d has passed.
	Within(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc)
}

// Wall is the clock of this machine.
type Wall struct{}

// Now gives the present time with its monotonic part.
func (Wall) Now() time.Time { return time.Now() }

// Wait waits on a timer.
func (Wall) Wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Within gives a context with a deadline.
func (Wall) Within(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, cause)
}
