package drain

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// channel is what a Watch knows of one machine. Its Watch's mu guards all but
// target and script.
type channel struct {
	target Target
	script string // empty: it cannot be watched, why says why

	why   string    // why it cannot be read; empty: it can, or will soon
	count full      // the latest full count
	begun time.Time // when that began, by this process's clock; zero: none yet
}

// follow keeps a stream of counts from c's machine open until ctx ends.
func (w *Watch) follow(ctx context.Context, c *channel) {
	wait := w.options.Backoff
	for {
		opened := time.Now()
		counted, err := w.stream(ctx, c)
		if ctx.Err() != nil {
			w.lose(c, "counting has been ended")
			return
		}
		w.lose(c, err.Error())
		if counted && time.Since(opened) > w.options.Stale {
			wait = w.options.Backoff
		}
		if (Wall{}).Wait(ctx, wait) != nil {
			w.lose(c, "counting has been ended")
			return
		}
		wait = min(2*wait, 30*w.options.Backoff)
	}
}

// lose marks c's machine as unreadable until its next count comes.
func (w *Watch) lose(c *channel, why string) {
	w.set(func() {
		c.why = why
		c.begun = time.Time{}
	})
}

// stream opens the channel once and takes in what it says. It returns why the
// channel ended, and whether it brought a count.
func (w *Watch) stream(ctx context.Context, c *channel) (counted bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	// A channel that says nothing more is cut, and its machine not believed
	// from then on even if the Shell takes its time to return.
	h := hearing{opened: time.Now(), patience: w.options.Stale + w.options.Interval, login: w.options.Login}
	watchdog := time.AfterFunc(h.login, func() {
		cancel(fmt.Errorf("no word of the count in time: %s are given to the login, then %s", h.login, h.patience))
		w.lose(c, context.Cause(ctx).Error())
	})
	defer watchdog.Stop()

	err = w.shell.Stream(ctx, c.target.Host, c.script, func(line string) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		said := h.hear(line)
		if h.fault != nil {
			return h.fault
		}
		if said.what != "" {
			watchdog.Reset(h.patience)
		}
		if said.what == "full" {
			counted = true
			w.set(func() {
				if ctx.Err() == nil {
					c.why, c.count, c.begun = "", said.full, h.here(said.at)
				}
			})
		}
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return counted, context.Cause(ctx)
	case h.fault != nil:
		return counted, h.fault
	case err != nil && h.noise != "":
		return counted, fmt.Errorf("the channel ended: %w; it said %q", err, h.noise)
	case err != nil:
		return counted, fmt.Errorf("the channel ended: %w", err)
	case h.noise != "":
		return counted, fmt.Errorf("the counting script ended; it said %q", h.noise)
	}
	return counted, errors.New("the counting script ended")
}
