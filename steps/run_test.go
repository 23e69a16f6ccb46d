package steps_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

func TestAWholeUpdateCutsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		s, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if err != nil {
			t.Fatalf("Run: %v", err)
		}
		w.whole(t, true)
		if s.Phase != plans.PhaseDone || s.Cut() != 0 || s.Moved() < 160 || s.Moved() > 200 {
			t.Errorf("got %s, %d cut, %d moved, want done, 0, and nearly all of 200", s.Phase, s.Cut(), s.Moved())
		}
	})
}

func TestAFailedRunHoldsWithTheReason(t *testing.T) {
	for _, tc := range []struct {
		name    string
		plant   func(*world)
		options func(*plans.Options)
		want    string
		safe    bool
		starts  int
	}{
		{"a start that fails", func(w *world) { w.exit["start 10.9.0.5"] = 1 }, nil, "restart group2: start on game-5: exit 1: EADDRINUSE 6203", true, 2},
		{"an old process that stays", func(w *world) { w.noStop["10.9.0.6"] = true }, nil, "game-6 port 6150 still answers: the old process is there", true, 0},
		{"a count that cannot be read", func(w *world) { w.unread["10.9.0.4"] = true }, nil, "the sessions left are not known: game-4: ssh: connection lost", true, 0},
		{"writes that do nothing", func(w *world) { w.answer = func(string, int) (plans.Outcome, bool) { return plans.Accepted, false } }, nil, "3 backends do not read back as written", true, 0},
		{"a health line that never succeeds", func(w *world) { w.exit["health 10.9.0.5"] = 7 }, func(o *plans.Options) { o.Health = "smoke" }, "check group2: health on game-5: exit 7", true, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				if tc.options != nil {
					w = newWorld(tc.options)
				}
				tc.plant(w)
				b := begin(w)
				s, err := steps.Run(t.Context(), b.state(), b, w.tools())
				var held *steps.HeldError
				if !errors.As(err, &held) {
					t.Fatalf("got %v, want it held", err)
				}
				w.whole(t, false)
				if !strings.Contains(err.Error(), tc.want) || held.Safe != tc.safe || s.Phase != plans.PhaseHeld {
					t.Errorf("got %q safe %v phase %s, want %q safe %v held", err, held.Safe, s.Phase, tc.want, tc.safe)
				}
				n := 0
				for _, k := range w.starts {
					n += k
				}
				if n != tc.starts {
					t.Errorf("%d starts, want %d", n, tc.starts)
				}
			})
		})
	}
}

// TestARefusedAbortKeepsWhatHeldTheRun: the process that stays is still what a person must end, whoever has asked for what since.
func TestARefusedAbortKeepsWhatHeldTheRun(t *testing.T) {
	const why = "restart group2: stop: game-6 port 6150 still answers: the old process is there"
	const asked = "abort (asked by wang@ops): group2 was restarted and is not proven well, so it stays closed"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.noStop["10.9.0.6"] = true
		b := begin(w)
		first, _ := steps.Run(t.Context(), b.state(), b, w.tools())
		if !strings.HasPrefix(first.Error, why) {
			t.Fatalf("held for %q, want %q", first.Error, why)
		}
		for i := range 2 { // a second one does not grow it
			b.ask = plans.AskAbort
			s, err := steps.Run(t.Context(), b.state(), b, w.tools())
			if want := first.Error + "; " + asked; !errors.Is(err, steps.ErrStays) || s.Phase != plans.PhaseHeld || s.Error != want {
				t.Errorf("abort %d: got %s, %q, want it held for %q", i+1, s.Phase, s.Error, want)
			}
		}
	})
}

func TestAHeldRunFinishesOnResumeOnceTheFaultIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exit["start 10.9.0.5"] = 1
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil {
			t.Fatal("the run did not fail")
		}
		delete(w.exit, "start 10.9.0.5")
		s, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if err != nil {
			t.Fatalf("resume: %v", err)
		}
		w.whole(t, true)
		if s.Cut() != 0 {
			t.Errorf("%d cut, want 0", s.Cut())
		}
	})
}

// TestAKilledRunFinishesFromEveryEvent kills the run at every event it writes, once before and once after it is on disk, and resumes.
func TestAKilledRunFinishesFromEveryEvent(t *testing.T) {
	for n, kept := 2, false; ; kept = !kept {
		ended := false
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			b := begin(w)
			b.die, b.kept = n, kept
			_, err := steps.Run(t.Context(), b.state(), b, w.tools())
			if err == nil {
				ended = true
				return
			}
			if !errors.Is(err, steps.ErrJournal) {
				t.Fatalf("killed at event %d: got %v", n, err)
			}
			b.die, b.dead = 0, false
			if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
				t.Fatalf("killed at event %d (kept %v): resume: %v", n, kept, err)
			}
			w.whole(t, true)
		})
		if ended {
			if n < 40 {
				t.Errorf("only %d events, want more than 40", n)
			}
			return
		}
		if kept {
			n++
		}
	}
}

// TestAnAbortLeavesAGroupServingFromEveryEvent asks for an abort at every event.
func TestAnAbortLeavesAGroupServingFromEveryEvent(t *testing.T) {
	outcomes := map[string]int{}
	for n := 1; ; n++ {
		ended := false
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			b := begin(w)
			b.ask, b.askAt = plans.AskAbort, n
			s, err := steps.Run(t.Context(), b.state(), b, w.tools())
			w.whole(t, err == nil)
			var held *steps.HeldError
			switch {
			case err == nil:
				ended = true
			case errors.Is(err, steps.ErrAborted):
				outcomes["aborted"]++
				if !maps.Equal(w.weights, w.plan.Weights()) {
					t.Errorf("aborted at event %d: weights %v, want %v", n, w.weights, w.plan.Weights())
				}
			case errors.As(err, &held):
				outcomes["held"]++
				if !held.Safe || !s.Dirty["group1"] && !s.Dirty["group2"] {
					t.Errorf("aborted at event %d: held safe %v, dirty %v: want safe and a dirty group", n, held.Safe, s.Dirty)
				}
			default:
				t.Errorf("aborted at event %d: %v", n, err)
			}
		})
		if ended {
			break
		}
	}
	if outcomes["aborted"] < 20 || outcomes["held"] < 2 {
		t.Errorf("got %v, want both outcomes", outcomes)
	}
}

func TestAPauseStopsAfterTheStepUnderWayAndResumeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		b.ask, b.askAt = plans.AskPause, 12 // in the first drain
		s, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if !errors.Is(err, steps.ErrPaused) || s.Step != 2 || s.Phase != plans.PhasePaused || !s.Safe {
			t.Fatalf("got %v at step %d phase %s safe %v, want paused before step 3", err, s.Step, s.Phase, s.Safe)
		}
		if len(w.stops) != 0 {
			t.Errorf("%d machines stopped, want none", len(w.stops))
		}
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("resume: %v", err)
		}
		w.whole(t, true)
	})
}

func TestTheDeadlinePolicyDecides(t *testing.T) {
	two := 2
	for _, tc := range []struct {
		name   string
		change func(*plans.Options)
		want   error
		cut    int
	}{
		{"cut", func(*plans.Options) {}, nil, 2 * 5},
		{"pause", func(o *plans.Options) { o.Draining.OnDeadline = plans.Pause }, steps.ErrPaused, 0},
		{"abort", func(o *plans.Options) { o.Draining.OnDeadline = plans.Abort }, steps.ErrAborted, 0},
		{"more than the budget", func(o *plans.Options) { o.Draining.CutBudget = &two }, steps.ErrPaused, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(tc.change)
				w.stay = 5
				b := begin(w)
				s, err := steps.Run(t.Context(), b.state(), b, w.tools())
				if !errors.Is(err, tc.want) || s.Cut() != tc.cut {
					t.Errorf("got %v, %d cut, want %v, %d", err, s.Cut(), tc.want, tc.cut)
				}
				w.whole(t, tc.want == nil)
			})
		})
	}
}

func TestTheDeadlineCountsFromTheFirstStartOfTheDrain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		reboot bool
		want   time.Duration // from the kill to the restart
	}{
		{"same boot", false, 2 * time.Minute},
		{"another boot", true, 3 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.stay = 5
				b := begin(w)
				ctx, kill := context.WithCancel(t.Context())
				time.AfterFunc(70*time.Second, kill) // the shift takes about ten seconds
				_, err := steps.Run(ctx, b.state(), b, w.tools())
				if !errors.Is(err, steps.ErrInterrupted) {
					t.Fatalf("got %v, want it interrupted", err)
				}
				if tc.reboot {
					for i := range b.es {
						b.es[i].Boot = "before"
					}
				}
				at := time.Now()
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(b.es, func(e plans.Event) bool { return e.What == plans.Running })
				if got := b.es[i].At.Sub(at); got < tc.want-5*time.Second || got > tc.want+15*time.Second {
					t.Errorf("the restart came %s after the resume, want about %s", got, tc.want)
				}
			})
		})
	}
}

func TestFlakyWritesAreRepeatedAfterALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		n := 0
		w.answer = func(string, int) (plans.Outcome, bool) {
			n++
			switch n % 4 {
			case 0:
				return plans.Refused, false
			case 1:
				return plans.Unknown, true
			case 2:
				return plans.Unknown, false
			}
			return plans.Accepted, true
		}
		fails := 0
		w.lookErr = func() error {
			if fails++; fails%3 == 0 {
				return errors.New("502")
			}
			return nil
		}
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("Run: %v", err)
		}
		w.whole(t, true)
		for i, e := range b.es {
			if e.What == plans.Writing && (i+1 == len(b.es) || b.es[i+1].What != plans.Wrote) {
				t.Errorf("event %d: an intent is not followed by its outcome", i+1)
			}
		}
	})
}

func TestAnInterruptLeavesWithinSecondsAndSaysWhetherAnythingWasTouched(t *testing.T) {
	for _, after := range []time.Duration{0, 4 * time.Second, 40 * time.Second, 90 * time.Second, 100 * time.Second} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				b := begin(w)
				ctx, kill := context.WithCancel(t.Context())
				if after == 0 {
					kill()
				}
				time.AfterFunc(after, kill)
				from := time.Now()
				s, err := steps.Run(ctx, b.state(), b, w.tools())
				want := plans.PhaseInterrupted
				if after == 0 {
					want = plans.PhaseAborted
				}
				if !errors.Is(err, steps.ErrInterrupted) || s.Phase != want || s.Touched != (after > 0) {
					t.Errorf("got %v, phase %s, touched %v", err, s.Phase, s.Touched)
				}
				if got := time.Since(from) - after; got > 7*time.Second {
					t.Errorf("it left %s after the signal, want 7s at most", got)
				}
				if s.Phase.Over() {
					return
				}
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
					t.Fatalf("resume: %v", err)
				}
				w.whole(t, true)
			})
		})
	}
}

func TestARunThatCannotBeginTouchesNothing(t *testing.T) {
	for _, tc := range []struct {
		name  string
		plant func(*world)
		want  string
	}{
		{"the other group hurt", func(w *world) { w.sick["b1"] = true }, "group1 is not in full service: backend b1 (10.9.0.1:6150) is reported unhealthy"},
		{"a machine that does not answer", func(w *world) { w.deaf["10.9.0.2"] = true }, "game-2 port 6150 is not known to answer"},
		{"a load balancer that cannot be read", func(w *world) { w.lookErr = func() error { return errors.New("503") } }, "shift group2: not reached within 2m0s"},
		{"credentials refused", func(w *world) { w.lookErr = func() error { return steps.ErrDenied } }, "credentials refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				tc.plant(w)
				b := begin(w)
				s, err := steps.Run(t.Context(), b.state(), b, w.tools())
				var refused *steps.RefusedError
				if !errors.As(err, &refused) || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("got %v, want it refused: %s", err, tc.want)
				}
				if s.Phase != plans.PhaseAborted || s.Touched || !maps.Equal(w.weights, w.plan.Weights()) || len(w.stops) > 0 {
					t.Errorf("phase %s, touched %v, weights %v, stops %v: want aborted and nothing touched", s.Phase, s.Touched, w.weights, w.stops)
				}
			})
		})
	}
}
