package steps_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// TestAStepOfARampRaisesNothing: a request of the process before, a 0, takes effect while the ramp is at half.
func TestAStepOfARampRaisesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Ramp = []int{50} })
		b := begin(w)
		for _, e := range []plans.Event{
			{What: plans.Resumed, Step: -1}, {What: plans.Began}, {What: plans.Writing, Weights: map[string]int{"b4": 0}},
			{What: plans.Wrote, Answers: []plans.Answer{{Backend: "b4", Outcome: plans.Unknown}}},
		} {
			if _, err := b.Append(context.Background(), e); err != nil {
				t.Fatal(err)
			}
		}
		landed := false
		w.answer = func(id string, _ int) (plans.Outcome, bool) {
			if id == "b4" && !landed {
				landed = true
				w.weights["b4"] = 0
				return plans.Accepted, false
			}
			return plans.Accepted, true
		}
		from := len(b.es)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatal(err)
		}
		w.whole(t, true)
		first := true
		for _, e := range b.es[from:] {
			v, ok := e.Weights["b4"]
			switch {
			case e.What != plans.Writing || !ok:
			case first:
				first = false
			case v > 0 && e.Step == 0:
				t.Errorf("b4 was off, and the ramp wrote %d to it", v)
			}
		}
		if !landed {
			t.Error("nothing landed: the test did not test")
		}
	})
}

// TestAGroupThatThisRunHasClosedIsNotHurt: an alarm of earlier, of the other group, does not keep a resumed run from closing again what was opened by hand.
func TestAGroupThatThisRunHasClosedIsNotHurt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exit["start 10.9.0.5"] = 1
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil {
			t.Fatal("the run did not fail")
		}
		if _, err := b.Append(t.Context(), plans.Event{What: plans.Alarmed, Step: 2, Group: "group1", Error: "backend b1 is off"}); err != nil {
			t.Fatal(err)
		}
		delete(w.exit, "start 10.9.0.5")
		w.up["10.9.0.5"] = true
		w.set("b5", 5)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("resume: %v", err)
		}
		w.whole(t, false)
	})
}
