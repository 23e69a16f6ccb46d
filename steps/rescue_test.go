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

// hanging is a world in which one command on one host hangs for as long as it may.
type hanging struct {
	*world
	host string
	do   plans.Act
}

func (h hanging) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Do != h.do || c.Host != h.host {
		return h.world.Run(ctx, c, within)
	}
	select {
	case <-ctx.Done():
		return steps.Result{}, context.Cause(ctx)
	case <-time.After(within):
		return steps.Result{}, errors.New("timed out")
	}
}

// wrote gives when each backend was about to be opened by a step.
func wrote(es []plans.Event, step int) map[string]time.Time {
	at := map[string]time.Time{}
	for _, e := range es {
		for id, w := range e.Weights {
			if e.What == plans.Writing && e.Step == step && w > 0 {
				at[id] = e.At
			}
		}
	}
	return at
}

// TestMachinesThatAreWellAreOpenedWhereTheServingGroupIsHurtWhateverIsWaitedFor: a start or a health line of another machine that hangs keeps none of them
// closed, and the end of the run tells that they take players.
func TestMachinesThatAreWellAreOpenedWhereTheServingGroupIsHurtWhateverIsWaitedFor(t *testing.T) {
	for do, step := range map[plans.Act]int{plans.DoStart: 2, plans.DoHealth: 3} {
		t.Run(string(do), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(func(o *plans.Options) { o.Health = "smoke" })
				b := begin(w)
				tools := w.tools()
				tools.Shell = hanging{w, "10.9.0.5", do}
				hurt := time.Now().Add(80 * time.Second) // it hangs since the 66th
				time.AfterFunc(time.Until(hurt), func() { w.mu.Lock(); defer w.mu.Unlock(); w.sick["b1"] = true })
				_, err := steps.Run(t.Context(), b.state(), b, tools)
				var held *steps.HeldError
				if !errors.As(err, &held) || held.Safe || !strings.Contains(err.Error(), "timed out") {
					t.Fatalf("got %v, want it held, and not safe", err)
				}
				at := wrote(b.es, step)
				for _, id := range []string{"b4", "b6"} {
					if at[id].IsZero() || at[id].Sub(hurt) > 20*time.Second {
						t.Errorf("%s was opened %s after group1 was hurt, want within 20s", id, at[id].Sub(hurt))
					}
				}
				if w.weights["b5"] != 0 {
					t.Error("the machine that hangs was opened")
				}
				if note := b.es[len(b.es)-1].Note; !strings.Contains(note, "machines of group2, which is not proven well, take new connections, too") {
					t.Errorf("got the note %q", note)
				}
			})
		})
	}
}

func TestMachinesOfAHerdAreOpenedWhereTheServingGroupIsHurtWhileOneProcessIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHerd()
		b := begin(h.world)
		tools := h.tools()
		tools.Roll = rollFunc(func(ctx context.Context, group string, master bool) ([]plans.Found, error) {
			found, err := h.Call(ctx, group, master)
			if group != "group2" || h.starts["10.9.0.4"] == 0 {
				return found, err
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			h.sick["b1"] = true
			var some []plans.Found
			for _, f := range found {
				if f.ID != "gate-2" { // which never comes
					some = append(some, f)
				}
			}
			return some, err
		})
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err == nil {
			t.Fatal("a group that is not complete was taken for one that is")
		}
		if at := wrote(b.es, 2); at["b4"].IsZero() || at["b5"].IsZero() || !at["b6"].IsZero() {
			t.Errorf("opened in the restart: %v, want b4 and b5, and not the machine of gate-2", at)
		}
	})
}

// A process that runs and is unknown to its master is ended and begun anew, unless its machine was opened meanwhile.
func TestNoProcessIsEndedOnAMachineThatWasOpenedAheadOfSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHerd()
		h.hung["connector-2"] = 9 // it never registers
		b := begin(h.world)
		tools := h.tools()
		tools.Roll = rollFunc(func(ctx context.Context, group string, master bool) ([]plans.Found, error) {
			h.mu.Lock()
			h.sick["b1"] = h.starts["10.9.0.4"] > 0
			h.mu.Unlock()
			return h.Call(ctx, group, master)
		})
		_, _ = steps.Run(t.Context(), b.state(), b, tools)
		if at := wrote(b.es, 2); len(at) != 3 {
			t.Fatalf("opened in the restart: %v, want all three machines", at)
		}
		if h.reaps > 3 || h.mends > 0 {
			t.Errorf("%d reaps and %d mends, want those after the stop alone: the machine of the process takes players", h.reaps, h.mends)
		}
	})
}

// TestAServingGroupThatFlapsInACheckOpensNothing: what was not proven well is opened only where that is needed.
func TestAServingGroupThatFlapsInACheckOpensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.CheckStable, o.CheckWithin = time.Minute, 3*time.Minute })
		b := begin(w)
		time.AfterFunc(85*time.Second+300*time.Millisecond, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.sick["b1"] = true
			time.AfterFunc(4500*time.Millisecond, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.sick, "b1") })
		})
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatal(err)
		}
		if at := wrote(b.es, 3); len(at) > 0 {
			t.Errorf("opened in the check: %v", at)
		}
	})
}

func TestAServingGroupThatIsHurtBetweenTwoStepsOfARampOpensTheOtherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Ramp, o.Settle, o.Shift = []int{50}, time.Minute, 20*time.Minute })
		b := begin(w)
		hurt := time.Now().Add(5300 * time.Millisecond)
		time.AfterFunc(time.Until(hurt), func() { w.mu.Lock(); defer w.mu.Unlock(); w.sick["b1"] = true })
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); !errors.Is(err, steps.ErrAborted) {
			t.Fatalf("got %v, want it put back", err)
		}
		if at := wrote(b.es, 0)["b4"]; at.Sub(hurt) > 10*time.Second {
			t.Errorf("the opening began after %s, want at most 10 s", at.Sub(hurt))
		}
	})
}

func TestAnAbortIsHeardWhileALineTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Deploy, o.DeployWithin = "deploy", 10*time.Minute })
		b := begin(w)
		tools := w.tools()
		tools.Shell = hanging{w, "10.9.0.5", plans.DoDeploy}
		asked := time.Now().Add(100 * time.Second)
		if _, err := steps.Run(t.Context(), b.state(), &timely{book: b, asks: []ask{{asked, plans.AskAbort}}}, tools); !errors.Is(err, steps.ErrAborted) {
			t.Fatalf("got %v, want it put back", err)
		}
		if at := wrote(b.es, 0)["b4"]; at.Sub(asked) > 10*time.Second {
			t.Errorf("the opening began %s after the abort, want at most 10 s", at.Sub(asked))
		}
		if !maps.Equal(w.weights, w.plan.Weights()) {
			t.Errorf("got %v, want %v", w.weights, w.plan.Weights())
		}
	})
}

// muted is a world in which a port that the load balancer does not see stops answering.
type muted struct {
	*world
	from time.Time
}

func (m muted) Probe(ctx context.Context, p plans.Ports, port int) (bool, error) {
	if p.Host == "10.9.0.2" && port == 6200 && !time.Now().Before(m.from) {
		return false, nil
	}
	return m.world.Probe(ctx, p, port)
}

// TestAPortThatTheBalancerDoesNotSeeIsLookedAtByTheGateOfAStop: it stops answering when the drain has ended.
func TestAPortThatTheBalancerDoesNotSeeIsLookedAtByTheGateOfAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.stay = 5
		b := begin(w)
		tools := w.tools()
		tools.Prober = muted{w, time.Now().Add(3*time.Minute + 5*time.Second)} // the drain's deadline, and what the shift takes
		s, err := steps.Run(t.Context(), b.state(), b, tools)
		if !errors.Is(err, steps.ErrAborted) || s.Phase != plans.PhaseAborted || len(w.stops) > 0 {
			t.Fatalf("got %v, phase %s, %d stops, want it put back before any", err, s.Phase, len(w.stops))
		}
	})
}

// A run that is held says that a group serves only where its ports answer, too.
func TestAGroupOfWhichAPortIsClosedIsNotSaidToServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exit["start 10.9.0.5"] = 1
		b := begin(w)
		tools := w.tools()
		tools.Shell = hanging{w, "10.9.0.6", plans.DoStart} // so that the port falls silent between the last gate and the end
		tools.Prober = muted{w, time.Now().Add(70 * time.Second)}
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		var held *steps.HeldError
		if !errors.As(err, &held) || held.Safe {
			t.Fatalf("got %v, want it held, and not safe", err)
		}
	})
}

// dark is a world of which two machines do not answer at all: to try one of their ports takes ten seconds.
type dark struct {
	*world
	from time.Time
}

func (d dark) Probe(ctx context.Context, p plans.Ports, port int) (bool, error) {
	if time.Now().Before(d.from) || p.Host != "10.9.0.4" && p.Host != "10.9.0.5" {
		return d.world.Probe(ctx, p, port)
	}
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case <-time.After(10 * time.Second):
		return false, errors.New("timed out")
	}
}

func TestMachinesThatAreDarkKeepNoOtherClosedOnTheWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		tools := w.tools()
		tools.Prober = dark{w, time.Now().Add(30 * time.Second)}
		asked := time.Now().Add(40 * time.Second)
		if _, err := steps.Run(t.Context(), b.state(), &timely{book: b, asks: []ask{{asked, plans.AskAbort}}}, tools); !errors.Is(err, steps.ErrAborted) {
			t.Fatalf("got %v, want it put back", err)
		}
		if at := wrote(b.es, 0)["b6"]; at.Before(asked) || at.Sub(asked) > 15*time.Second {
			t.Errorf("b6 was opened %s after the abort, want at most 15 s", at.Sub(asked))
		}
	})
}
