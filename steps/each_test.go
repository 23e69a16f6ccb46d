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

// buggy is a world in which one stop panics at once, and the others take their time.
type buggy struct{ *world }

func (b buggy) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.Do == plans.DoStop && c.Host == "10.9.0.4" {
		panic("index out of range")
	}
	if c.Do == plans.DoStop {
		time.Sleep(3 * time.Second)
	}
	return b.world.Run(ctx, c, within)
}

// TestACommandThatPanicsDoesSoWhereItIsWaitedFor, once the others have ended and that is recorded: whoever carries the run out can tell it.
func TestACommandThatPanicsDoesSoWhereItIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		tools := w.tools()
		tools.Shell = buggy{w}
		var told *steps.Crash
		func() {
			defer func() { told, _ = recover().(*steps.Crash) }()
			_, err := steps.Run(t.Context(), b.state(), b, tools)
			t.Errorf("Run returned %v, want it to panic", err)
		}()
		if told == nil || told.Error() != "index out of range" || !strings.Contains(string(told.Stack), "buggy.Run") {
			t.Fatalf("got %v, want the panic with its place", told)
		}
		known := 0
		for _, a := range b.state().Progress[2].Acts {
			if a.OK() {
				known++
			}
		}
		if known != 2 || len(w.stops) != 2 {
			t.Errorf("%d stops are known to have ended well, and %d were made, want two", known, len(w.stops))
		}
		tools.Shell = w
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err != nil && !errors.Is(err, steps.ErrAborted) {
			t.Errorf("resume: %v", err)
		}
		w.whole(t, true)
	})
}
