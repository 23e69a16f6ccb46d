package steps_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// These are the places at which a run looks once more before it acts, one test each: what is written here is true only at that moment.

func TestAWriteThatIsRefusedForGoodEndsTheShift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		tools := w.tools()
		tools.Traffic = refusing{w}
		b := begin(w)
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		if err == nil || !strings.Contains(err.Error(), "the write was refused: no permission") {
			t.Fatalf("got %v, want the refusal told", err)
		}
		n := 0
		for _, e := range b.es {
			if e.What == plans.Writing {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d writes were begun, want one", n)
		}
	})
}

// refusing refuses every write for good.
type refusing struct{ *world }

func (r refusing) Write(_ context.Context, weights map[string]int) []plans.Answer {
	var as []plans.Answer
	for id := range weights {
		as = append(as, plans.Answer{Backend: id, Outcome: plans.Refused, Error: "no permission"})
	}
	return as
}

func TestAGroupHalfRestartedIsNoProofOfSafety(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exit["start 10.9.0.5"] = 1
		w.lookErr = func() error { // once the start has failed, somebody opens the group, and the other one falls ill
			if w.starts["10.9.0.4"] > 0 {
				for id, be := range w.plan.Before {
					if be.Group == "group2" {
						w.weights[id] = be.Weight
					}
				}
				w.up["10.9.0.5"] = true
				w.sick["b1"] = true
			}
			return nil
		}
		b := begin(w)
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		var held *steps.HeldError
		if !errors.As(err, &held) || held.Safe {
			t.Errorf("got %v, want it held and not called safe", err)
		}
	})
}

func TestADrainEndsWhenItsGroupIsOpenedAsItWasFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		time.AfterFunc(30*time.Second, func() { // the value is one the run knows: no drift
			w.mu.Lock()
			defer w.mu.Unlock()
			w.set("b5", 5)
		})
		began := time.Now()
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if err == nil || !strings.Contains(err.Error(), "game-5 takes new connections again") || time.Since(began) > time.Minute {
			t.Errorf("got %v after %s, want it noticed within seconds", err, time.Since(began))
		}
		if len(w.stops) != 0 {
			t.Errorf("%d machines were stopped", len(w.stops))
		}
	})
}

func TestAGroupThatIsOpenedWhileItIsCountedIsNotStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		tools := w.tools()
		tools.Sessions = opening{w, b}
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		if err == nil || !strings.Contains(err.Error(), "game-5 still takes new connections") {
			t.Errorf("got %v, want the restart refused", err)
		}
		if len(w.stops) != 0 {
			t.Errorf("%d machines were stopped", len(w.stops))
		}
	})
}

// opening opens a backend at the moment the sessions of its group are counted for a restart.
type opening struct {
	w *world
	b *book
}

func (o opening) Counter(group string, watch []plans.Ports) drain.Counter {
	return counterFunc(func(ctx context.Context) (drain.Reading, error) {
		r, err := o.w.Counter(group, watch).Count(ctx)
		if st, ok := o.b.state().Current(); ok && st.Kind == plans.Restart {
			o.w.mu.Lock()
			defer o.w.mu.Unlock()
			o.w.weights["b5"] = 5
		}
		return r, err
	})
}

type counterFunc func(context.Context) (drain.Reading, error)

func (f counterFunc) Count(ctx context.Context) (drain.Reading, error) { return f(ctx) }

func TestAnOldProcessInThePlaceOfANewOneIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHerd()
		tools := h.tools()
		tools.Roll = rollFunc(func(ctx context.Context, group string, master bool) ([]plans.Found, error) {
			found, err := h.Call(ctx, group, master)
			for i := range found {
				if found[i].ID == "gate-1" && group == "group2" && h.starts["10.9.0.4"] > 0 {
					found[i].Age = plans.Seconds(time.Hour)
				}
			}
			return found, err
		})
		b := begin(h.world)
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		if err == nil || !strings.Contains(err.Error(), "gate-1 on game-5") || !strings.Contains(err.Error(), "it is an old process") {
			t.Errorf("got %v, want the old process named", err)
		}
	})
}

// whole runs a herd's whole update and gives the number of the first event of a kind.
func whole(t *testing.T, is func(plans.Event, plans.Plan) bool) (n int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHerd()
		b := begin(h.world)
		if _, err := steps.Run(t.Context(), b.state(), b, h.tools()); err != nil {
			t.Fatal(err)
		}
		n = 1 + slices.IndexFunc(b.es, func(e plans.Event) bool { return is(e, h.plan) })
	})
	return n
}

func TestAGroupThatHasComeUpIsNotStartedTwice(t *testing.T) {
	end := whole(t, func(e plans.Event, p plans.Plan) bool {
		return e.What == plans.Ended && p.Steps[e.Step].Kind == plans.Restart
	})
	synctest.Test(t, func(t *testing.T) {
		h := newHerd()
		b := begin(h.world)
		b.die = end // all is up, and nobody has written so
		_, _ = steps.Run(t.Context(), b.state(), b, h.tools())
		b.die, b.dead = 0, false
		if _, err := steps.Run(t.Context(), b.state(), b, h.tools()); err != nil {
			t.Fatal(err)
		}
		h.complete(t)
		if h.starts["10.9.0.4"] != 1 || h.stops["10.9.0.4"] != 1 {
			t.Errorf("group2 was stopped %d times and started %d times, want once each", h.stops["10.9.0.4"], h.starts["10.9.0.4"])
		}
	})
}

// A start may have ended just before a person says to go on, and what it starts comes up a moment later.
func TestAGroupThatIsComingUpIsNotStartedTwiceByAPersonsWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b, tools := broken(t)
		coming := map[string][]proc{}
		for _, host := range h.plan.Hosts("group2") {
			coming[host], h.procs[host] = h.procs[host], nil
		}
		time.AfterFunc(3*time.Second, func() { h.mu.Lock(); defer h.mu.Unlock(); maps.Copy(h.procs, coming) })
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err != nil {
			t.Fatal(err)
		}
		h.complete(t)
		if h.starts["10.9.0.4"] != 1 || h.stops["10.9.0.4"] != 1 {
			t.Errorf("group2 was stopped %d times and started %d times, want once each", h.stops["10.9.0.4"], h.starts["10.9.0.4"])
		}
	})
}

func TestAGroupThatIsLeftAsItIsMustAnswerBeforeTheOtherIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Kept = []string{"group1"} })
		w.deaf["10.9.0.3"] = true
		b := begin(w)
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if err == nil || !strings.Contains(err.Error(), "game-3 port 6150 is not known to answer") {
			t.Errorf("got %v, want the silent machine named", err)
		}
		if len(w.stops) != 0 || w.off("group2") {
			t.Error("group2 was closed")
		}
	})
}
