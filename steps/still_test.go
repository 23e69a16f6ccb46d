package steps_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// stale is a world whose counts are made of what was known before.
type stale struct{ *world }

func (s stale) Counter(group string, watch []plans.Ports) drain.Counter {
	return staleCounter{s.world.Counter(group, watch)}
}

type staleCounter struct{ drain.Counter }

func (c staleCounter) Count(ctx context.Context) (drain.Reading, error) {
	r, err := c.Counter.Count(ctx)
	r.Full = false
	return r, err
}

func TestACountOfWhatWasKnownBeforeIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		tools := w.tools()
		tools.Sessions = stale{w}
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		var held *steps.HeldError
		if !errors.As(err, &held) || !strings.Contains(err.Error(), "not every machine was counted in full") || len(w.stops) > 0 {
			t.Fatalf("got %v and %d stops, want it held and none", err, len(w.stops))
		}
	})
}

// brokenOff counts as real machines are counted: it takes a moment, and a deadline that comes in it leaves what was known before.
type brokenOff struct{ *world }

func (b brokenOff) Counter(group string, watch []plans.Ports) drain.Counter {
	return brokenOffCounter{b.world.Counter(group, watch)}
}

type brokenOffCounter struct{ drain.Counter }

func (c brokenOffCounter) Count(ctx context.Context) (drain.Reading, error) {
	t := time.NewTimer(300 * time.Millisecond)
	defer t.Stop()
	r, err := c.Counter.Count(ctx)
	select {
	case <-t.C:
	case <-ctx.Done():
		r.Full, err = false, ctx.Err()
	}
	return r, err
}

// TestADeadlineThatBreaksACountOffIsAsGoodAsAnother: sessions that are left are cut, or not, by one more count, and not held as unknown.
func TestADeadlineThatBreaksACountOffIsAsGoodAsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.stay = 6
		b := begin(w)
		tools := w.tools()
		tools.Sessions = brokenOff{w}
		s, err := steps.Run(t.Context(), b.state(), b, tools)
		if err != nil {
			t.Fatal(err)
		}
		w.whole(t, true)
		if s.Cut() != 12 {
			t.Errorf("%d cut, want the six of each group", s.Cut())
		}
	})
}

// TestADrainHasItsWholeTimeAfterItsGroupIsClosedAgain: a hand opens a backend in the drain, and the resumed run closes it.
func TestADrainHasItsWholeTimeAfterItsGroupIsClosedAgain(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "half a minute after a resume": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.stay = 5
				b := begin(w)
				time.AfterFunc(40*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); w.set("b4", 4) })
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil {
					t.Fatal("nobody noticed the hand")
				}
				from := len(b.es)
				if late > 0 { // the group that serves is not proven well until then
					w.deaf["10.9.0.1"] = true
					time.AfterFunc(late, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.deaf, "10.9.0.1") })
				}
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
					t.Fatal(err)
				}
				w.whole(t, true)
				var closed time.Time
				for _, e := range b.es[from:] {
					switch {
					case e.What == plans.Writing && e.Weights["b4"] == 0 && closed.IsZero():
						closed = e.At
					case e.What == plans.Running && e.Group == "group2" && !closed.IsZero():
						if got := e.At.Sub(closed); got < 3*time.Minute {
							t.Errorf("stopped %s after it was closed again, want 3m0s at least", got)
						}
						return
					}
				}
				t.Error("nothing was closed or stopped")
			})
		})
	}
}

func TestAnAbortAtTheGateOfAStopIsHeardBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		w.lookErr = func() error {
			if b.es[len(b.es)-1].Cut != nil { // the sessions have been counted, and the gate is being passed
				b.ask = plans.AskAbort
			}
			return nil
		}
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if !errors.Is(err, steps.ErrAborted) || len(w.stops) > 0 {
			t.Errorf("got %v and %d stops, want it aborted and none", err, len(w.stops))
		}
	})
}

// frozen is a journal during whose first record of a stop the process stands still, and the other group loses a backend.
type frozen struct {
	*book
	w    *world
	once bool
}

func (f *frozen) Append(ctx context.Context, e plans.Event) (plans.Event, error) {
	e, err := f.book.Append(ctx, e)
	if e.What == plans.Running && e.Command.Do == plans.DoStop && !f.once {
		f.once = true
		time.Sleep(time.Minute)
		f.w.mu.Lock()
		f.w.sick["b1"] = true
		f.w.mu.Unlock()
	}
	return e, err
}

func TestAProcessThatStoodStillLooksAgainBeforeItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		f := &frozen{book: begin(w), w: w}
		_, err := steps.Run(t.Context(), f.state(), f, w.tools())
		if err == nil || !f.once || len(w.stops) > 0 {
			t.Errorf("got %v and %d stops, want none: group1 was not looked at again", err, len(w.stops))
		}
	})
}
