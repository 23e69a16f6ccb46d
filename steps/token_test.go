package steps_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// fencing is a world whose machines have begun commands for a token, and begin none for one that is not higher.
type fencing struct {
	*world
	seen  int64
	begun int
}

func (f *fencing) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	if c.ID != "" {
		if c.Token <= f.seen {
			return steps.Result{}, errors.New("refused: somebody newer has taken over")
		}
		f.begun++
	}
	return f.world.Run(ctx, c, within)
}

// TestACommandHasAHigherTokenThanAnyThatAMachineHasSeen: the clock was an hour ahead during the run before, and while this one was held another came between.
func TestACommandHasAHigherTokenThanAnyThatAMachineHasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exit["start 10.9.0.5"] = 1
		b := begin(w)
		f := &fencing{world: w, seen: time.Now().Add(time.Hour).UnixMilli()}
		tools := w.tools()
		tools.Shell, tools.Alone, tools.Floor = f, true, f.seen
		var held *steps.HeldError
		if _, err := steps.Run(t.Context(), b.state(), b, tools); !errors.As(err, &held) || f.begun == 0 || w.starts["10.9.0.4"] != 1 {
			t.Fatalf("got %v, %d commands, starts %v, want it held at the start that fails", err, f.begun, w.starts)
		}
		delete(w.exit, "start 10.9.0.5")
		f.seen += 1000
		tools.Floor = f.seen
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err != nil {
			t.Errorf("resume: %v", err)
		}
		w.whole(t, true)
	})
}
