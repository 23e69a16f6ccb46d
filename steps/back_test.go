package steps_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// leaving says whether a run is on its way back.
func (b *book) leaving() bool { return b.state().Plan.Purpose == plans.Leaving }

// shy is a world in which one machine is silent once on the way back.
type shy struct {
	*world
	b    *book
	once bool
}

func (s *shy) Probe(ctx context.Context, p plans.Ports, port int) (bool, error) {
	if p.Host == "10.9.0.5" && !s.once && s.b.leaving() {
		s.once = true
		return false, errors.New("ssh: connection lost")
	}
	return s.world.Probe(ctx, p, port)
}

func TestAMachineThatIsSilentOnceIsOpenedByTheWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		b.ask, b.askAt = plans.AskAbort, 20
		tools := w.tools()
		tools.Prober = &shy{world: w, b: b}
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		if !errors.Is(err, steps.ErrAborted) || w.weights["b5"] != 5 {
			t.Errorf("got %v and b5 with %d, want it aborted and 5", err, w.weights["b5"])
		}
	})
}

func TestWhatSomebodyChangesWhileTheWayBackWritesIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := begin(w)
		b.ask, b.askAt = plans.AskAbort, 20
		once := false
		w.answer = func(id string, _ int) (plans.Outcome, bool) {
			if !b.leaving() || id != "b5" || once {
				return plans.Accepted, true
			}
			once = true // the request is refused, and a hand comes before the next one
			w.weights["b5"] = 77
			return plans.Refused, false
		}
		_, err := steps.Run(t.Context(), b.state(), b, w.tools())
		if !errors.Is(err, steps.ErrAborted) || !once || w.weights["b5"] != 77 {
			t.Errorf("got %v and b5 with %d, want it aborted and 77", err, w.weights["b5"])
		}
	})
}
