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

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

func TestAHandEditDuringADrainStopsTheRunAndIsNotOverwritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		time.AfterFunc(30*time.Second, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.weights["b1"] = 77
		})
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		var drift *steps.DriftError
		if !errors.As(err, &drift) || !strings.Contains(err.Error(), "b1 (10.9.0.1:6150) was found with weight 1 and now has 77") {
			t.Fatalf("got %v, want the drift of b1", err)
		}
		if w.weights["b1"] != 77 || len(w.stops) != 0 {
			t.Errorf("got weight %d and %d stops, want 77 and none", w.weights["b1"], len(w.stops))
		}

		// The way back restores what the run had changed and leaves what somebody else has.
		b.ask = plans.AskAbort
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); !errors.Is(err, steps.ErrAborted) {
			t.Fatalf("abort: %v", err)
		}
		want := w.plan.Weights()
		want["b1"] = 77
		if !maps.Equal(w.weights, want) {
			t.Errorf("got %v after the abort, want %v", w.weights, want)
		}
	})
}

func TestARampPassesThroughItsPercentsWhileTheOtherGroupServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Ramp = []int{50, 10} })
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		w.whole(t, true)
		var b6 []int // found with weight 6
		for _, e := range b.es {
			if v, ok := e.Weights["b6"]; ok && e.What == plans.Writing {
				b6 = append(b6, v)
			}
		}
		if want := []int{3, 1, 0, 6}; !slices.Equal(b6, want) {
			t.Errorf("b6 was written %v, want %v", b6, want)
		}
	})
}

func TestAGroupThatStandsByServesOnlyWhileTheOtherIsUpdated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for id, b := range w.plan.Before {
			if b.Group == "group2" {
				b.Weight, b.Standby = 0, b.Weight
				w.plan.Before[id], w.weights[id] = b, 0
			}
		}
		for i, st := range w.plan.Steps {
			for id := range st.Weights {
				if b := w.plan.Before[id]; i == 0 || i == len(w.plan.Steps)-1 {
					w.plan.Steps[i].Weights[id] = b.Weight
				}
			}
		}
		w.closed["group2"] = time.Now().Add(-time.Hour)
		if err := w.plan.Check(); err != nil {
			t.Fatal(err)
		}
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		w.whole(t, true)
	})
}

func TestALateSessionIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Deploy, o.DeployWithin = "deploy", time.Minute })
		b := begin(w)
		late := func() { // a player who was on the way comes in while the new code is brought, and plays for a minute
			w.mu.Lock()
			defer w.mu.Unlock()
			w.stay = 1
			time.AfterFunc(time.Minute, func() { w.mu.Lock(); defer w.mu.Unlock(); w.stay = 0 })
		}
		shell := deploying{w, late}
		tools := w.tools()
		tools.Shell = &shell
		s, err := steps.Run(t.Context(), b.state(), b, tools)
		if err != nil {
			t.Fatal(err)
		}
		w.whole(t, true)
		if s.Cut() != 0 {
			t.Errorf("%d cut, want 0", s.Cut())
		}
	})
}

// deploying is a world in which something happens at each deploy.
type deploying struct {
	*world
	then func()
}

func (d *deploying) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Do == plans.DoDeploy {
		d.then()
	}
	return d.world.Run(ctx, c, within)
}

func TestNoMachineIsRestartedWhereTheWorldChangedAfterTheDrain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*world)
		want   string
	}{
		{"a backend of the group was opened again", func(w *world) { w.weights["b4"] = 4 }, "game-4 still takes new connections: backend b4 (10.9.0.4:6150) has weight 4"},
		{"a machine of the other group fell silent", func(w *world) { w.deaf["10.9.0.3"] = true }, "game-3 port 6150 is not known to answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(func(o *plans.Options) { o.Deploy, o.DeployWithin = "deploy", time.Minute })
				b := begin(w)
				tools := w.tools()
				tools.Shell = &deploying{w, func() { w.mu.Lock(); defer w.mu.Unlock(); tc.change(w) }}
				_, err := steps.Run(t.Context(), b.state(), b, tools)
				var held *steps.HeldError
				if !errors.As(err, &held) || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("got %v, want it held: %s", err, tc.want)
				}
				if len(w.stops)+len(w.starts) > 0 {
					t.Errorf("stopped %v, started %v: want nothing touched", w.stops, w.starts)
				}
			})
		})
	}
}

func TestResumeClosesAgainWhatSomebodyOpenedWhileTheRunWasHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exit["start 10.9.0.5"] = 1
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil {
			t.Fatal("the run did not fail")
		}
		delete(w.exit, "start 10.9.0.5")
		w.up["10.9.0.5"] = true // by hand, and so is this:
		w.set("b5", 5)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("resume: %v", err)
		}
		w.whole(t, false)
		if !maps.Equal(w.weights, w.plan.Weights()) {
			t.Errorf("got %v, want %v", w.weights, w.plan.Weights())
		}
	})
}

func TestABackendSwitchedOffWhileItsGroupOpensIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		once := true
		w.answer = func(id string, weight int) (plans.Outcome, bool) {
			if id == "b4" && weight > 0 && once {
				once = false
				w.sick["b5"] = true // so that the opening takes its time
				time.AfterFunc(5*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); w.weights["b4"] = 0 })
				time.AfterFunc(10*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.sick, "b5") })
			}
			return plans.Accepted, true
		}
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		if once {
			t.Error("nothing was switched off: the test did not test")
		}
		w.whole(t, true)
	})
}

func TestAGroupIsClosedOnlyOnceTheOtherHasBeenHealthyForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		var well time.Time // since when group2, opened again, has been reported healthy
		opened := false
		w.answer = func(id string, weight int) (plans.Outcome, bool) {
			switch {
			case id == "b4" && weight > 0 && !opened: // its health is told wrongly at first
				opened = true
				time.AfterFunc(2*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); w.sick["b4"] = true })
				time.AfterFunc(9*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.sick, "b4"); well = time.Now() })
			case id == "b1" && weight == 0 && (well.IsZero() || time.Since(well) < 5*time.Second):
				w.violate("group1 closed %s after group2 was well", time.Since(well))
			}
			return plans.Accepted, true
		}
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		w.whole(t, true)
	})
}

func TestAJournalThatCannotBeWrittenStopsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		b.die = 9
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if !errors.Is(err, steps.ErrJournal) || !errors.Is(err, errDead) {
			t.Errorf("got %v, want the journal's error", err)
		}
		if len(w.stops) > 0 {
			t.Errorf("stopped %v after the journal had failed", w.stops)
		}
	})
}

func TestAServiceThatTellsItsOwnCountMayBeSilentOnceItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exit["start 10.9.0.5"] = 1
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil {
			t.Fatal("the run did not fail")
		}
		delete(w.exit, "start 10.9.0.5")
		w.unread["10.9.0.5"] = true // stopped: nobody is there to ask
		w.mu.Lock()
		time.AfterFunc(30*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.unread, "10.9.0.5") })
		w.mu.Unlock()
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("resume: %v", err)
		}
		w.whole(t, true)
	})
}
