package steps_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// crowd is a world of which, once a machine has been started, the others of its group have these sessions, by host.
type crowd struct {
	*world
	first string
	then  map[string]int
}

func (c crowd) Counter(group string, ports []plans.Ports) drain.Counter {
	return counterFunc(func(ctx context.Context) (drain.Reading, error) {
		r, err := c.world.Counter(group, ports).Count(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if group == c.group(c.first) && c.starts[c.first] > 0 {
			r.Total, r.ByHost = 0, maps.Clone(c.then)
			for _, n := range c.then {
				r.Total += n
			}
		}
		return r, err
	})
}

// TestTheBudgetIsThatOfTheWholeGroup: what was cut on the first machine counts when the others are restarted, in this process or in one after it.
func TestTheBudgetIsThatOfTheWholeGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		six := 6
		w := newWorld(func(o *plans.Options) {
			o.Draining.CutBudget, o.Draining.Spread = &six, plans.Seconds(30*time.Second)
		})
		w.stay = 6
		tools := w.tools()
		c := crowd{w, "10.9.0.4", map[string]int{"10.9.0.4": 0, "10.9.0.5": 3, "10.9.0.6": 3}}
		tools.Sessions = c
		b := begin(w)
		for range 2 {
			s, err := steps.Run(t.Context(), b.state(), b, tools)
			if !errors.Is(err, steps.ErrPaused) || !strings.Contains(s.Note+err.Error(), "6 sessions left on group2 at the deadline, and 2 cut already, more than the cut_budget of 6") {
				t.Fatalf("got %v, %q, want it paused and the sum told", err, s.Note)
			}
			if w.stops["10.9.0.4"] != 1 || w.stops["10.9.0.5"]+w.stops["10.9.0.6"] != 0 {
				t.Fatalf("stopped %v, want game-4 and nothing else", w.stops)
			}
		}
		c.then["10.9.0.5"] = 1 // two of them have gone
		s, err := steps.Run(t.Context(), b.state(), b, tools)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Progress[2].Cut; got != 6 {
			t.Errorf("%d cut in group2, want 6: two, one and three", got)
		}
		w.whole(t, true)
	})
}

// TestFewWhoCountAsNoneAreWithinTheBudget: drain.until lets no more be cut than the budget does.
func TestFewWhoCountAsNoneAreWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two := 2
		w := newWorld(func(o *plans.Options) { o.Draining.CutBudget, o.Draining.Until = &two, 5 })
		w.stay = 4
		b := begin(w)
		if s, err := steps.Run(t.Context(), b.state(), b, w.tools()); !errors.Is(err, steps.ErrPaused) || s.Cut() != 0 {
			t.Errorf("got %v, %d cut, want it paused", err, s.Cut())
		}
	})
}

// TestWhoIsLetInWhileAGroupIsDrainedAgainIsNotWaitedForForEver: half-way through a restart its group is drained again, and the group that serves is hurt, so
// that machines are opened ahead of schedule. The run is held, and says why: at once when the other group is whole again, and at the deadline if it stays hurt.
func TestWhoIsLetInWhileAGroupIsDrainedAgainIsNotWaitedForForEver(t *testing.T) {
	for _, tc := range []struct {
		name       string
		heals      time.Duration // after the second process began
		soon, late time.Duration // when the run is held
	}{
		{"it heals", 2 * time.Minute, 2 * time.Minute, 2*time.Minute + 30*time.Second},
		{"it stays hurt", 24 * time.Hour, 3 * time.Minute, 5 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(func(o *plans.Options) { o.Draining.OnDeadline = plans.Wait })
				w.exit[plans.Key("10.9.0.6", plans.DoStart)] = 1
				b := begin(w)
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil {
					t.Fatal("a start that failed was taken for one that did not")
				}
				delete(w.exit, plans.Key("10.9.0.6", plans.DoStart))
				w.up["10.9.0.6"], w.stay = true, 5 // somebody has started it by hand
				began := time.Now()
				time.AfterFunc(time.Minute, func() { w.fall("b1", true) })
				time.AfterFunc(tc.heals, func() { w.fall("b1", false) })
				ctx, kill := context.WithTimeout(t.Context(), 2*time.Hour)
				defer kill()
				_, err := steps.Run(ctx, b.state(), b, w.tools())
				var held *steps.HeldError
				if !errors.As(err, &held) || !strings.Contains(err.Error(), "was seen to take new connections") {
					t.Fatalf("got %v, want it held and a machine named", err)
				}
				if w.weights["b4"] == 0 || w.weights["b5"] == 0 {
					t.Errorf("weights %v: want game-4 and game-5 open while group1 was hurt", w.weights)
				}
				if d := time.Since(began); d < tc.soon || d > tc.late {
					t.Errorf("held after %s, want %s to %s", d, tc.soon, tc.late)
				}
				w.fall("b1", false)
				w.stay = 0
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
					t.Fatalf("resume: %v", err)
				}
				w.whole(t, false)
			})
		})
	}
}

// sluggish is a world in which the start on one host takes a while.
type sluggish struct {
	*world
	host string
	d    time.Duration
}

func (s sluggish) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Do == plans.DoStart && c.Host == s.host {
		time.Sleep(s.d)
	}
	return s.world.Run(ctx, c, within)
}

// TestWhatWasOpenedAheadOfScheduleIsForgottenOnceItsRestartIsOver: it is no reason to hold the drain of the other group.
func TestWhatWasOpenedAheadOfScheduleIsForgottenOnceItsRestartIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		tools := w.tools()
		tools.Shell = sluggish{w, "10.9.0.6", 70 * time.Second}
		time.AfterFunc(80*time.Second, func() { w.fall("b1", true) }) // it has been starting since the 66th
		time.AfterFunc(100*time.Second, func() { w.fall("b1", false) })
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err != nil {
			t.Fatal(err)
		}
		if at := wrote(b.es, 2); at["b4"].IsZero() {
			t.Error("nothing was opened ahead of schedule: this test shows nothing")
		}
		w.whole(t, true)
	})
}
