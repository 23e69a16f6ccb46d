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

// shrunk is a load balancer that some backends are gone from, or that has given some another address.
type shrunk struct {
	*world
	gone  map[string]bool
	moved map[string]string
}

func (s *shrunk) Look(ctx context.Context) (steps.Look, error) {
	l, err := s.world.Look(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.gone {
		delete(l.Weights, id)
		delete(l.Addrs, id)
	}
	maps.Copy(l.Addrs, s.moved)
	return l, err
}

func (s *shrunk) Write(ctx context.Context, weights map[string]int) []plans.Answer {
	s.mu.Lock()
	for id := range weights {
		if s.gone[id] || s.moved[id] != "" {
			s.violate("%s is written to, and it is not ours any more", id)
		}
	}
	s.mu.Unlock()
	return s.world.Write(ctx, weights)
}

// heldWithGroup2Closed gives a world and the journal of a run that is held in its first deploy.
func heldWithGroup2Closed(t *testing.T) (*shrunk, *book, steps.Tools) {
	t.Helper()
	w := newWorld(func(o *plans.Options) { o.Deploy = "deploy" })
	w.exit["deploy 10.9.0.4"] = 1
	b := begin(w)
	s := &shrunk{world: w, gone: map[string]bool{}}
	tools := w.tools()
	tools.Traffic = s
	if _, err := steps.Run(t.Context(), b.state(), b, tools); err == nil || !w.off("group2") {
		t.Fatalf("got %v, weights %v: want it held with group2 closed", err, w.weights)
	}
	return s, b, tools
}

// aborts asks for an abort and carries it out.
func aborts(t *testing.T, b *book, tools steps.Tools) (plans.State, error) {
	t.Helper()
	if _, err := b.Append(t.Context(), plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: "wang@ops"}); err != nil {
		t.Fatal(err)
	}
	return steps.Run(t.Context(), b.state(), b, tools)
}

// TestAWayBackThatSeesNoBackendIsHeld: rollout.yaml names other VServers now, and what the run had closed is closed still.
func TestAWayBackThatSeesNoBackendIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, tools := heldWithGroup2Closed(t)
		for id := range s.plan.Before {
			s.gone[id] = true
		}
		st, err := aborts(t, b, tools)
		var held *steps.HeldError
		if !errors.As(err, &held) || st.Phase != plans.PhaseHeld || !strings.Contains(err.Error(), "the load balancer has none of the 6 backends") {
			t.Fatalf("got %v, %s, want it held with the reason", err, st.Phase)
		}
		clear(s.gone)
		if _, err := aborts(t, b, tools); !errors.Is(err, steps.ErrAborted) || !maps.Equal(s.weights, s.plan.Weights()) {
			t.Errorf("the right ones again: got %v, weights %v, want it aborted and %v", err, s.weights, s.plan.Weights())
		}
	})
}

func TestAWayBackNamesWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, tools := heldWithGroup2Closed(t)
		s.gone["b5"], s.gone["b6"] = true, true
		st, err := aborts(t, b, tools)
		const want = "every backend this run had changed is as it was found, but for 2 gone from the load balancer: b5 (10.9.0.5:6150), b6 (10.9.0.6:6150)"
		if !errors.Is(err, steps.ErrAborted) || st.Note != want || s.weights["b4"] != 4 {
			t.Errorf("got %v, b4 with %d, %q, want it aborted, 4 and %q", err, s.weights["b4"], st.Note, want)
		}
		s.whole(t, false)
	})
}

// TestAWayBackLeavesWhatHasAnotherAddress: to open it would send players to a machine that nobody has looked at, and to be held for it would leave the
// others closed.
func TestAWayBackLeavesWhatHasAnotherAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, tools := heldWithGroup2Closed(t)
		s.moved = map[string]string{"b5": "10.9.0.99:6150"}
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err == nil || !strings.Contains(err.Error(), "backend b5 was 10.9.0.5:6150 when the plan was made and is now 10.9.0.99:6150") {
			t.Fatalf("resume: got %v, want it held, with both addresses", err)
		}
		st, err := aborts(t, b, tools)
		const want = "every backend this run had changed is as it was found, but for 1 with another address now: b5 (10.9.0.5:6150)"
		if !errors.Is(err, steps.ErrAborted) || st.Note != want {
			t.Errorf("got %v, %q, want it aborted, and %q", err, st.Note, want)
		}
		if s.weights["b4"] != 4 || s.weights["b5"] != 0 || s.weights["b6"] != 6 {
			t.Errorf("got weights %v, want b4 and b6 as found, and b5 left at 0", s.weights)
		}
		s.whole(t, false)
	})
}

func TestAWayBackPutsBackWhatHasItsAddressAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, tools := heldWithGroup2Closed(t)
		s.moved = map[string]string{"b5": "10.9.0.99:6150"}
		time.AfterFunc(3*time.Second, func() { // the others are open by then, and have to stay so for five
			s.mu.Lock()
			defer s.mu.Unlock()
			s.moved = nil
		})
		st, err := aborts(t, b, tools)
		if !errors.Is(err, steps.ErrAborted) || st.Note != "every backend is as it was found" || !maps.Equal(s.weights, s.plan.Weights()) {
			t.Errorf("got %v, %q, weights %v, want it aborted, and %v", err, st.Note, s.weights, s.plan.Weights())
		}
	})
}
