package steps_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// TestAPauseComesBeforeTheNextActThatTakesCapacityAway asks for it at every event of a run: nothing is closed and nothing is stopped after it.
func TestAPauseComesBeforeTheNextActThatTakesCapacityAway(t *testing.T) {
	paused := 0
	for n := 1; ; n++ {
		ended := false
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			b := begin(w)
			b.ask, b.askAt = plans.AskPause, n
			_, err := steps.Run(t.Context(), b.state(), b, w.tools())
			w.whole(t, err == nil)
			switch {
			case err == nil:
				ended = true
				return
			case !errors.Is(err, steps.ErrPaused):
				t.Fatalf("asked at event %d: got %v", n, err)
			}
			paused++
			asked := false
			for i, e := range b.es {
				asked = asked || e.What == plans.Asked
				took := e.What == plans.Running && e.Command.Do == plans.DoStop
				for id, weight := range e.Weights {
					took = took || e.What == plans.Writing && weight < w.plan.Before[id].Weight
				}
				if asked && took {
					t.Errorf("asked at event %d: event %d took capacity away: %+v", n, i+1, e)
				}
			}
			if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
				t.Fatalf("asked at event %d: resume: %v", n, err)
			}
			w.whole(t, true)
		})
		if ended {
			break
		}
	}
	if paused < 20 {
		t.Errorf("paused %d times, want 20 at least", paused)
	}
}

func TestAResumeTakesAPauseBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		j := &timely{book: b, asks: []ask{{time.Now().Add(30 * time.Second), plans.AskPause}, {time.Now().Add(35 * time.Second), plans.AskResume}}}
		if s, err := steps.Run(t.Context(), b.state(), j, w.tools()); err != nil || s.Asked != "" {
			t.Fatalf("got %v, asked %q, want it done", err, s.Asked)
		}
		w.whole(t, true)
	})
}

func TestAValueSetBySomebodyElseIsAdoptedOrOverruled(t *testing.T) {
	for _, tc := range []struct {
		what plans.What
		want int
	}{{plans.Adopted, 77}, {plans.Overruled, 1}} {
		t.Run(string(tc.what), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, b, _, err := hurting(t, func(w *world) { w.weights["b1"] = 77 })
				var drift *steps.DriftError
				if !errors.As(err, &drift) {
					t.Fatalf("got %v, want it held for the drift", err)
				}
				if _, err := b.Append(t.Context(), plans.Event{What: tc.what, Step: -1, Weights: map[string]int{"b1": 77}, By: "liu@ops"}); err != nil {
					t.Fatal(err)
				}
				w.plan = b.state().Plan
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
					t.Fatalf("resume: %v", err)
				}
				w.whole(t, true)
				if w.weights["b1"] != tc.want {
					t.Errorf("b1 has weight %d, want %d", w.weights["b1"], tc.want)
				}
			})
		})
	}
}

// What is overwritten may be a backend of the group that serves, which is to be off: that is done when the other group is back, and holds up nothing.
func TestTheServingGroupLosesNothingWhileTheOtherIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Deploy = "deploy" })
		w.exit["deploy 10.9.0.4"] = 1
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil {
			t.Fatal("want it held in the deploy")
		}
		delete(w.exit, "deploy 10.9.0.4")
		w.weights["b1"] = 30 // somebody had closed it, and it was adopted; then somebody opened it
		for _, e := range []plans.Event{{What: plans.Adopted, Step: -1, Weights: map[string]int{"b1": 0}}, {What: plans.Overruled, Step: -1, Weights: map[string]int{"b1": 30}}} {
			if _, err := b.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		w.plan = b.state().Plan
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatal(err)
		}
		w.whole(t, true)
		writes := func(id string, to int) int {
			return slices.IndexFunc(b.es, func(e plans.Event) bool { w, ok := e.Weights[id]; return e.What == plans.Writing && ok && w == to })
		}
		if opened, closed := writes("b4", 4), writes("b1", 0); opened < 0 || closed < opened {
			t.Errorf("b1 is closed at event %d, and group2 opened at event %d, want that first", closed, opened)
		}
	})
}

// TestTheCutsAreSpreadOverTheMachines: with a spread, one machine after another is restarted, and the first stop and the last are that far apart.
func TestTheCutsAreSpreadOverTheMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Draining.Spread = plans.Seconds(30 * time.Second) })
		w.stay = 6
		b := begin(w)
		s, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if err != nil {
			t.Fatal(err)
		}
		w.whole(t, true)
		var stops []time.Time
		for _, e := range b.es {
			if e.What == plans.Running && e.Command.Do == plans.DoStop && e.Group == "group2" {
				stops = append(stops, e.At)
			}
		}
		if len(stops) != 3 || stops[2].Sub(stops[0]) < 30*time.Second {
			t.Errorf("stops at %v, want three, the last 30 s after the first", stops)
		}
		if s.Cut() == 0 {
			t.Errorf("0 cut, want some: six never leave")
		}
	})
}
