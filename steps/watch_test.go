package steps_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// hurtAt is between two looks, so that no look sees half of it.
const hurtAt = 40*time.Second + 300*time.Millisecond

// hurting runs a rollout in which something happens to the world a while after it began, in the first drain.
func hurting(t *testing.T, change func(*world), options ...func(*plans.Options)) (*world, *book, plans.State, error) {
	t.Helper()
	w := newWorld(options...)
	b := begin(w)
	time.AfterFunc(hurtAt, func() { w.mu.Lock(); defer w.mu.Unlock(); change(w) })
	s, err := steps.Run(t.Context(), b.state(), b, w.tools())
	return w, b, s, err
}

// TestAServingGroupThatIsHurtOpensTheOtherAgain: the alarm comes within one poll, the opening within ten seconds.
func TestAServingGroupThatIsHurtOpensTheOtherAgain(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*world)
		want   string
		left   map[string]int // weights that are not as found in the end
	}{
		{"a machine of it dies", func(w *world) { w.up["10.9.0.2"] = false }, "backend b2 (10.9.0.2:6150) is reported unhealthy", nil},
		{"somebody switches a backend of it off", func(w *world) { w.weights["b1"] = 0 }, "backend b1 (10.9.0.1:6150) is off", map[string]int{"b1": 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				w, b, s, err := hurting(t, tc.change)
				if !errors.Is(err, steps.ErrAborted) || s.Phase != plans.PhaseAborted {
					t.Fatalf("got %v, phase %s, want it put back", err, s.Phase)
				}
				if len(w.stops) > 0 {
					t.Errorf("%d machines were stopped, want none", len(w.stops))
				}
				want := w.plan.Weights()
				maps.Copy(want, tc.left)
				if !maps.Equal(w.weights, want) {
					t.Errorf("got %v, want %v", w.weights, want)
				}
				alarm, opening := -time.Second, -time.Second
				for _, e := range b.es {
					switch {
					case e.What == plans.Alarmed && alarm < 0:
						alarm = e.At.Sub(began) - hurtAt
						if !strings.Contains(e.Error, tc.want) {
							t.Errorf("got the alarm %q, want %q", e.Error, tc.want)
						}
					case e.What == plans.Writing && e.Weights["b4"] == 4:
						opening = e.At.Sub(began) - hurtAt
					}
				}
				if alarm < 0 || alarm > 5*time.Second || opening < 0 || opening > 10*time.Second {
					t.Errorf("the alarm came after %s and the opening began after %s, want at most 5 s and 10 s", alarm, opening)
				}
			})
		})
	}
}

// While a group is out, the other may have to be made whole again before the run goes on: a hand had closed a backend of it. What is hurt of it meanwhile opens
// the one that is out, as at any other time.
func TestAServingGroupThatIsHurtWhileItIsMadeWholeOpensTheOtherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Deploy = "deploy" })
		w.exit["deploy 10.9.0.4"] = 1
		b := begin(w)
		var held *steps.HeldError
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); !errors.As(err, &held) {
			t.Fatalf("got %v, want it held in the deploy", err)
		}
		delete(w.exit, "deploy 10.9.0.4")
		w.weights["b1"] = 0
		if _, err := b.Append(t.Context(), plans.Event{What: plans.Overruled, Step: -1, Weights: map[string]int{"b1": 0}, By: "liu@ops"}); err != nil {
			t.Fatal(err)
		}
		w.deaf["10.9.0.2"] = true // so that group1 is not whole for a while
		began := time.Now()
		time.AfterFunc(20*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); w.sick["b3"] = true })
		s, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if !errors.Is(err, steps.ErrAborted) || s.Phase != plans.PhaseAborted {
			t.Fatalf("got %v, phase %s, want it put back", err, s.Phase)
		}
		for _, e := range b.es {
			if e.What == plans.Writing && e.Weights["b4"] == 4 && e.At.Sub(began) > 30*time.Second {
				t.Errorf("the opening began after %s, want at most 30 s", e.At.Sub(began))
			}
		}
	})
}

// A machine that does not say what has become of its deploy is asked again and again: the other group may be hurt meanwhile.
func TestAServingGroupThatIsHurtWhileAMachineIsAskedOpensTheOtherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Deploy = "deploy" })
		b := begin(w)
		_, _ = steps.Run(t.Context(), b.state(), &mortal{b, func(e plans.Event) bool { return e.What == plans.Ran && e.Command.Do == plans.DoDeploy }}, w.tools())
		b.dead = false
		w.deaf["10.9.0.4"], w.sick["b3"] = true, true
		s, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if !errors.Is(err, steps.ErrAborted) || s.Phase != plans.PhaseAborted {
			t.Fatalf("got %v, phase %s, want it put back", err, s.Phase)
		}
	})
}

// mortal is the journal of a process that dies before it has written an event.
type mortal struct {
	*book
	at func(plans.Event) bool
}

func (m *mortal) Append(ctx context.Context, e plans.Event) (plans.Event, error) {
	m.dead = m.dead || m.at(e)
	return m.book.Append(ctx, e)
}

func TestAServingGroupThatFlapsOnceStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, s, err := hurting(t, func(w *world) {
			w.sick["b2"] = true
			time.AfterFunc(time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.sick, "b2") })
		})
		if err != nil || s.Alarm != "" {
			t.Fatalf("got %v, alarm %q, want it done", err, s.Alarm)
		}
		w.whole(t, true)
	})
}

func TestAMachineIsOpenedAheadOfScheduleWhereTheServingGroupIsHurt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Health = "smoke" })
		w.exit["health 10.9.0.5"] = 7 // until long after the other two are well
		b := begin(w)
		time.AfterFunc(90*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); w.sick["b1"] = true }) // in the check of group2
		time.AfterFunc(150*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.exit, "health 10.9.0.5") })
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		var held *steps.HeldError
		if !errors.As(err, &held) || !held.Safe || !strings.Contains(err.Error(), "group1 is not closed: it is hurt, backend b1 (10.9.0.1:6150) is reported unhealthy") {
			t.Fatalf("got %v, want it held safe before group1 is closed", err)
		}
		early := map[string]bool{}
		for _, e := range b.es {
			if e.What == plans.Writing && e.Step == 3 {
				for id := range e.Weights {
					early[id] = true
				}
			}
		}
		if !early["b4"] || !early["b6"] {
			t.Errorf("opened in the check: %v, want b4 and b6", early)
		}
		if w.stops["10.9.0.1"]+w.stops["10.9.0.2"] > 0 || w.weights["b5"] != 5 {
			t.Errorf("group1 was stopped, or b5 has weight %d: want neither, and 5", w.weights["b5"])
		}
	})
}

func TestAGroupThatCannotCarryEveryoneIsNotLeftAlone(t *testing.T) {
	strict := func(o *plans.Options) { o.Room, o.Strict = 70, true } // 3 machines of 70 carry 210; there are 200
	t.Run("before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(strict)
			w.sessions["group1"] = 150
			b := begin(w)
			_, err := steps.Run(t.Context(), b.state(), b, w.tools())
			var refused *steps.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), "capacity: group1 would have to carry 250 sessions, and its 3 machines of 70 carry 210") {
				t.Fatalf("got %v, want it refused", err)
			}
		})
	})
	t.Run("while it drains", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, _, _, err := hurting(t, func(w *world) { w.sessions["group1"] = 400 }, strict)
			if !errors.Is(err, steps.ErrAborted) || !maps.Equal(w.weights, w.plan.Weights()) || len(w.stops) > 0 {
				t.Fatalf("got %v, weights %v, want everything put back", err, w.weights)
			}
		})
	})
	t.Run("only said", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, _, _, err := hurting(t, func(w *world) { w.sessions["group1"] = 400 }, func(o *plans.Options) { o.Room = 70 })
			if err != nil {
				t.Fatalf("got %v, want it done", err)
			}
			w.whole(t, true)
		})
	})
}
