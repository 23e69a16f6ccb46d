package steps_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// unsent is a world in which no stop reaches its machine.
type unsent struct{ *world }

func (u unsent) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Do != plans.DoStop {
		return u.world.Run(ctx, c, within)
	}
	time.Sleep(5 * time.Second)
	return steps.Result{}, fmt.Errorf("%w: ssh: connect to %s: no route to host", steps.ErrUnsent, c.Host)
}

// abort asks a run that was left to put everything back.
func abort(t *testing.T, b *book, tools steps.Tools) (plans.State, error) {
	t.Helper()
	b.dead = false
	if _, err := b.Append(t.Context(), plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: "wang@ops"}); err != nil {
		t.Fatal(err)
	}
	return steps.Run(t.Context(), b.state(), b, tools)
}

// restored demands that a run was aborted, with nothing stopped, nobody cut and every weight as it was found.
func restored(t *testing.T, w *world, s plans.State, err error) {
	t.Helper()
	if !errors.Is(err, steps.ErrAborted) || len(w.stops) > 0 || !maps.Equal(w.weights, w.plan.Weights()) || s.Cut() != 0 {
		t.Errorf("got %v, stops %v, weights %v, %d cut: want it aborted, no stop, weights as they were found, nobody cut", err, w.stops, w.weights, s.Cut())
	}
	w.whole(t, false)
}

// dying gives a run whose process has died when the stop of game-5 was recorded, before any was sent.
func dying(t *testing.T) (*world, *book) {
	t.Helper()
	w := newWorld()
	w.stay = 6 // who is left at the deadline, and counted before the stop
	b := begin(w)
	_, err := steps.Run(t.Context(), b.state(), &mortal{b, func(e plans.Event) bool {
		return e.What == plans.Running && e.Command.Do == plans.DoStop && e.Command.Host == "10.9.0.5"
	}}, w.tools())
	if !errors.Is(err, steps.ErrJournal) || !b.state().Dirty["group2"] {
		t.Fatalf("got %v, dirty %v, want it killed with a stop recorded", err, b.state().Dirty)
	}
	return w, b
}

func TestAnAbortPutsEverythingBackWhereNoStopWasSent(t *testing.T) {
	for name, leave := range map[string]func(*testing.T) (*world, *book){
		"the process died before": dying,
		"no machine could be reached": func(t *testing.T) (*world, *book) {
			t.Helper()
			w := newWorld()
			b := begin(w)
			tools := w.tools()
			tools.Shell = unsent{w}
			if s, err := steps.Run(t.Context(), b.state(), b, tools); err == nil || !strings.Contains(err.Error(), "no route to host") || s.Dirty["group2"] {
				t.Fatalf("got %v, dirty %v, want it held with its group as it was", err, s.Dirty)
			}
			return w, b
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b := leave(t)
				s, err := abort(t, b, w.tools())
				restored(t, w, s, err)
			})
		})
	}
}

// TestAnAbortIsRefusedWhileNobodyKnowsWhetherAStopWasSent: what is not known is no proof that the old processes run.
func TestAnAbortIsRefusedWhileNobodyKnowsWhetherAStopWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := dying(t)
		w.deaf["10.9.0.4"] = true
		s, err := abort(t, b, w.tools())
		if !errors.Is(err, steps.ErrStays) || !strings.Contains(err.Error(), "stop on game-4: nobody knows whether it began") || !s.Dirty["group2"] || !s.Safe {
			t.Errorf("got %v, dirty %v, safe %v: want it held, safe, with what is not known named", err, s.Dirty, s.Safe)
		}
		delete(w.deaf, "10.9.0.4")
		s, err = abort(t, b, w.tools())
		restored(t, w, s, err)
	})
}

// tardy is a world in which a stop of the process before begins only some time after the next process has taken the run up.
type tardy struct {
	*world
	at time.Time
}

func (l tardy) Ask(ctx context.Context, c plans.Command) (steps.Begun, error) {
	if c.Host == "10.9.0.4" && c.Do == plans.DoStop && time.Now().After(l.at) {
		if _, err := l.Run(ctx, c, time.Minute); err != nil {
			return "", err
		}
	}
	return l.world.Ask(ctx, c)
}

func TestAnAbortWaitsForAStopThatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := dying(t)
		tools := w.tools()
		tools.Shell = tardy{w, time.Now().Add(10 * time.Second)}
		s, err := abort(t, b, tools)
		if !errors.Is(err, steps.ErrStays) || w.stops["10.9.0.4"] != 1 || !w.off("group2") || !s.Dirty["group2"] {
			t.Errorf("got %v, stops %v, weights %v: want it held with group2 closed", err, w.stops, w.weights)
		}
		w.whole(t, false)
	})
}

func TestAGroupWhoseRestartNeverBeganIsOpenedWhereTheOtherIsHurt(t *testing.T) {
	hurt := func(w *world) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sick["b1"] = true
	}
	t.Run("when the run is taken up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, b := dying(t)
			b.dead = false
			hurt(w)
			s, err := steps.Run(t.Context(), b.state(), b, w.tools())
			restored(t, w, s, err)
		})
	})
	t.Run("while its machines are tried", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			b := begin(w)
			tools := w.tools()
			tools.Shell = ailing{unsent{w}, func() { hurt(w) }}
			s, err := steps.Run(t.Context(), b.state(), b, tools)
			restored(t, w, s, err)
		})
	})
}

// ailing is a world in which something happens when a stop is sent.
type ailing struct {
	unsent
	then func()
}

func (h ailing) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Do == plans.DoStop {
		h.then()
	}
	return h.unsent.Run(ctx, c, within)
}
