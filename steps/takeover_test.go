package steps_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// takesOver is a world in which a run before was left with group2 closed and restarted in part, and the plan of one that takes it over.
func takesOver(t *testing.T) *world {
	t.Helper()
	w := newWorld()
	w.plan.Taken, w.plan.Dirty = map[string]int{"b4": 0, "b5": 0, "b6": 0}, []string{"group2"}
	for id := range w.plan.Taken {
		w.set(id, 0)
	}
	w.stay = 5
	if err := w.plan.Check(); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestATakeOverThatEndsBeforeItsFirstActIsNotOver: its first shift has nothing to write, so that minutes go by before it does anything, and what it has
// taken over is its to put back from the beginning.
func TestATakeOverThatEndsBeforeItsFirstActIsNotOver(t *testing.T) {
	for _, tc := range []struct {
		name  string
		end   func(w *world, b *book, cancel func())
		phase plans.Phase
		safe  bool
		err   func(error) bool
	}{
		{"a signal in its drain", func(_ *world, _ *book, cancel func()) { time.AfterFunc(40*time.Second, cancel) }, plans.PhaseInterrupted, false,
			func(err error) bool { return errors.Is(err, steps.ErrInterrupted) }},
		{"a signal before its first step", func(_ *world, _ *book, cancel func()) { cancel() }, plans.PhaseInterrupted, false,
			func(err error) bool { return errors.Is(err, steps.ErrInterrupted) }},
		{"a failure in its drain", func(w *world, _ *book, _ func()) { w.unread["10.9.0.4"] = true }, plans.PhaseHeld, true,
			func(err error) bool { var held *steps.HeldError; return errors.As(err, &held) && held.Safe }},
		{"killed before its first step", func(_ *world, b *book, _ func()) { b.die = 2 }, plans.PhasePlanned, false,
			func(err error) bool { return errors.Is(err, steps.ErrJournal) }},
		{"killed in its drain", func(_ *world, b *book, _ func()) { b.die = 9 }, plans.PhaseRunning, false,
			func(err error) bool { return errors.Is(err, steps.ErrJournal) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := takesOver(t)
				b := begin(w)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tc.end(w, b, cancel)
				_, err := steps.Run(ctx, b.state(), b, w.tools())
				s := b.state() // what whoever comes next reads
				if !tc.err(err) || s.Phase != tc.phase || s.Safe != tc.safe || !s.Touched || !s.Dirty["group2"] {
					t.Errorf("got %v, %s, safe %v, touched %v, dirty %v, want %s, safe %v, and group2 touched and not proven well", err, s.Phase, s.Safe, s.Touched, s.Dirty, tc.phase, tc.safe)
				}
				for _, e := range b.es {
					if e.What == plans.Writing || e.What == plans.Running {
						t.Fatalf("it has done something: %+v", e)
					}
				}
				b.die, b.dead = 0, false
				clear(w.unread)
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil || !maps.Equal(w.weights, w.plan.Weights()) {
					t.Errorf("resume: %v, weights %v, want %v", err, w.weights, w.plan.Weights())
				}
			})
		})
	}
}
