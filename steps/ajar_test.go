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

// flicker is a world in which one reading of a restart's gate shows a backend of the group that is out open, and the next one, which is older than it, all of
// them closed. In the first, one of the group that serves is sick, so that the gate waits.
type flicker struct {
	*world
	b     *book
	looks int
}

func (f *flicker) Look(ctx context.Context) (steps.Look, error) {
	l, err := f.world.Look(ctx)
	if st, ok := f.b.state().Current(); ok && st.Kind == plans.Restart && st.Group == "group2" {
		if f.looks++; f.looks == 2 {
			l.Weights["b5"], l.Sick = 5, []string{"b1"}
		}
	}
	return l, err
}

func TestAGroupThatWasSeenOpenIsNotStoppedOnAnOlderReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flicker{world: newWorld()}
		f.b = begin(f.world)
		tools := f.tools()
		tools.Traffic = f
		_, err := steps.Run(t.Context(), f.b.state(), f.b, tools)
		var held *steps.HeldError
		if !errors.As(err, &held) || !strings.Contains(err.Error(), "game-5 was seen to take new connections: backend b5 (10.9.0.5:6150) has weight 5") {
			t.Errorf("got %v, want it held and the backend named", err)
		}
		if len(f.stops) != 0 {
			t.Errorf("stopped %v: want nothing touched", f.stops)
		}
		// A person's word makes sure of it once more.
		if _, err := steps.Run(t.Context(), f.b.state(), f.b, tools); err != nil {
			t.Fatalf("resume: %v", err)
		}
		f.whole(t, true)
	})
}

func TestAGroupThatWasSeenOpenMustStayClosedForAWhileForTheNextProcessToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flicker{world: newWorld()}
		f.b = begin(f.world)
		tools := f.tools()
		tools.Traffic = f
		_, _ = steps.Run(t.Context(), f.b.state(), f.b, tools)
		shown := slices.IndexFunc(f.b.es, func(e plans.Event) bool {
			st := f.b.state().Plan.Steps
			return e.What == plans.Looked && e.Weights["b5"] == 5 && e.Step > 0 && st[e.Step].Kind == plans.Restart
		})
		if shown < 0 {
			t.Fatal("it was never seen open")
		}
		f.b.es = f.b.es[:shown+1] // the process was killed after the older reading
		older := f.b.es[shown]
		older.Weights = maps.Clone(older.Weights)
		older.Weights["b5"], older.Sick = 0, nil
		if _, err := f.b.Append(t.Context(), older); err != nil {
			t.Fatal(err)
		}
		began, n := time.Now(), len(f.b.es)
		if _, err := steps.Run(t.Context(), f.b.state(), f.b, tools); err != nil {
			t.Fatal(err)
		}
		stop := slices.IndexFunc(f.b.es[n:], func(e plans.Event) bool { return e.What == plans.Running })
		if d := f.b.es[n+stop].At.Sub(began); d < 5*time.Second {
			t.Errorf("it was stopped after %s, want the 5s in which a change reaches every server", d)
		}
		f.whole(t, true)
	})
}

func TestAProcessThatWasProvenNewStaysNewWhateverTheClocksSay(t *testing.T) {
	for _, tc := range []struct {
		name  string
		moved int // how far from those that were seen the pids are
		want  string
	}{
		{"the very same", 0, ""},
		{"others", 1000, "it is an old process"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHerd()
				tools := h.tools()
				tools.Roll = rollFunc(func(ctx context.Context, group string, master bool) ([]plans.Found, error) {
					found, err := h.Call(ctx, group, master)
					for i := range found {
						if group == "group2" && h.starts["10.9.0.1"] > 0 { // the time since cannot be proven any more
							found[i].Age += plans.Seconds(time.Hour)
							found[i].PID += tc.moved
						}
					}
					return found, err
				})
				b := begin(h.world)
				_, err := steps.Run(t.Context(), b.state(), b, tools)
				if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
					t.Errorf("got %v, want %q", err, tc.want)
				}
			})
		})
	}
}
