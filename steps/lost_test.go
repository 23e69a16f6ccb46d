package steps_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// forgetful is a world in which a machine is started anew in the middle of its first start: that start is gone, and nobody can tell how it ended.
type forgetful struct {
	*world
	host string
	ids  []string // of the starts it was sent
}

func (f *forgetful) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Host != f.host || c.Do != plans.DoStart {
		return f.world.Run(ctx, c, within)
	}
	if f.ids = append(f.ids, c.ID); len(f.ids) == 1 {
		return steps.Result{}, errors.New("connection lost while the command ran")
	}
	return f.world.Run(ctx, c, within)
}

func (f *forgetful) Ask(ctx context.Context, c plans.Command) (steps.Begun, error) {
	if len(f.ids) > 0 && c.ID == f.ids[0] {
		return steps.Lost, nil
	}
	return f.world.Ask(ctx, c)
}

func TestAStartThatItsMachineHasLostIsDoneAgainUnderAnotherID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		f := &forgetful{world: w, host: "10.9.0.5"}
		tools := w.tools()
		tools.Shell = f
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err == nil || !strings.Contains(err.Error(), "start on game-5: connection lost") {
			t.Fatalf("got %v, want it held: the start's end is not known", err)
		}
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err != nil {
			t.Fatalf("resume: %v", err)
		}
		if len(f.ids) != 2 || f.ids[0] == f.ids[1] {
			t.Errorf("game-5 was sent the starts %v, want two of different ids", f.ids)
		}
		if len(w.broken) > 0 || w.starts["10.9.0.5"] != 1 || w.starts["10.9.0.4"] != 1 {
			t.Errorf("broken %v, starts %v: want none, and one each that took effect", w.broken, w.starts)
		}
	})
}

// TestWhoComesWhileAGroupIsOpenByHandIsGivenTheWholeTime: they are none of those who were left at the deadline, and are not cut for them.
func TestWhoComesWhileAGroupIsOpenByHandIsGivenTheWholeTime(t *testing.T) {
	for name, dies := range map[string]bool{"and the run closes it": false, "and a process dies that has closed it": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.stay = 6 // never leave
				b := begin(w)
				j := &timely{book: b, asks: []ask{{time.Now().Add(time.Minute), plans.AskPause}}}
				if _, err := steps.Run(t.Context(), b.state(), j, w.tools()); !errors.Is(err, steps.ErrPaused) {
					t.Fatalf("got %v, want it paused after the drain", err)
				}
				w.stay, w.sessions["group2"] = 0, 5 // the six are gone, and five others come
				for id, weight := range map[string]int{"b4": 4, "b5": 5, "b6": 6} {
					w.set(id, weight)
				}
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err == nil || !strings.Contains(err.Error(), "still takes new connections") {
					t.Fatalf("got %v, want it held: somebody has opened the group", err)
				}
				if dies {
					_, _ = steps.Run(t.Context(), b.state(), &mortal{b, func(e plans.Event) bool { return e.What == plans.Counted }}, w.tools())
					b.dead = false
				}
				if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
					t.Fatalf("resume: %v", err)
				}
				w.whole(t, true) // a stop that cuts somebody before the whole deadline is told there
			})
		})
	}
}

// The same in the middle of a drain: its deadline counts from when the group is closed again, also where another process does the rest.
func TestAGroupThatWasOpenedWhileItWasDrainedIsGivenTheWholeTimeByWhoeverGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b, _, err := hurting(t, func(w *world) { w.weights["b5"] = 77 })
		if err == nil {
			t.Fatal("want it held for the drift")
		}
		w.stay = 6
		w.set("b5", 5)
		w.deaf["10.9.0.1"] = true // so that the group is closed again half a minute later only
		time.AfterFunc(30*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); delete(w.deaf, "10.9.0.1") })
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(34*time.Second, stop) // it is closed by then, and that has not yet stayed so
		if _, err := steps.Run(ctx, b.state(), b, w.tools()); !errors.Is(err, steps.ErrInterrupted) {
			t.Fatalf("got %v, want it interrupted", err)
		}
		closed := time.Now()
		time.Sleep(time.Minute)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatalf("resume: %v", err)
		}
		w.whole(t, true) // a stop that cuts somebody before the whole deadline is told there
		for _, e := range b.es {
			if e.What == plans.Ended && e.Step == 1 && e.At.Sub(closed) < 3*time.Minute-5*time.Second {
				t.Errorf("the drain ended %s after its group was closed again, want its whole 3m", e.At.Sub(closed))
			}
		}
	})
}

// stopCounter is a world that counts the stops it is sent, those of stopped machines too.
type stopCounter struct {
	*world
	sent map[string]int
}

func (s *stopCounter) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Do == plans.DoStop {
		s.mu.Lock()
		s.sent[c.Host]++
		s.mu.Unlock()
	}
	return s.world.Run(ctx, c, within)
}

// TestAStopIsNotSentAgainWhileItsStartMayBeOnItsWay: a process dies when its starts are recorded; they may have been sent, and a stop would end what they bring up.
func TestAStopIsNotSentAgainWhileItsStartMayBeOnItsWay(t *testing.T) {
	starting := 0
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		if _, err := steps.Run(t.Context(), b.state(), b, w.tools()); err != nil {
			t.Fatal(err)
		}
		for i, e := range b.es {
			if starting == 0 && e.What == plans.Running && e.Command.Do == plans.DoStart {
				starting = i + 1
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		b.die, b.kept = starting, true
		s := &stopCounter{world: w, sent: map[string]int{}}
		tools := w.tools()
		tools.Shell = s
		if _, err := steps.Run(t.Context(), b.state(), b, tools); !errors.Is(err, steps.ErrJournal) {
			t.Fatalf("got %v, want it killed", err)
		}
		b.die, b.dead = 0, false
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err != nil {
			t.Fatalf("resume: %v", err)
		}
		w.whole(t, true)
		for host, n := range s.sent {
			if n != 1 {
				t.Errorf("%s was sent %d stops, want one", host, n)
			}
		}
	})
}
