package journal

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Follow yields the events of a run whose Seq is above after, first those that are there and then each as it is appended, until ctx
// ends or the consumer stops. It needs no lock and looks five times a second. An error, which comes with a zero event, is the last
// thing it yields: as from [Read].
func Follow(ctx context.Context, dir, id string, after int64) iter.Seq2[plans.Event, error] {
	return follow(ctx, dir, id, after, 200*time.Millisecond)
}

func follow(ctx context.Context, dir, id string, after int64, every time.Duration) iter.Seq2[plans.Event, error] {
	return func(yield func(plans.Event, error) bool) {
		f, c, err := look(dir, id)
		if err != nil {
			yield(plans.Event{}, err)
			return
		}
		defer f.Close()
		for {
			info, err := f.Stat()
			if err == nil && info.Size() < c.off {
				err = fmt.Errorf("journal %s: it became shorter while it was read; read it again", c.path)
			}
			more := ctx.Err() == nil
			if err == nil && more && info.Size() > c.off {
				// What comes after the last newline is read again next time, since the writer may take it back.
				_, err = c.read(f, func(e plans.Event) bool {
					more = ctx.Err() == nil && (e.Seq <= after || yield(e, nil))
					return more
				})
			}
			if err != nil && more {
				yield(plans.Event{}, err)
			}
			if err != nil || !more || !pause(ctx, every) {
				return
			}
		}
	}
}

// pause waits and says whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
