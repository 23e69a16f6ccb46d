package plans_test

import (
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// begun is a run whose first shift is under way.
func begun() *story {
	p, st := build(func(o *plans.Options) { o.Late = 30 * time.Second }), &story{}
	st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p}, plans.Event{What: plans.Resumed, Step: -1}, plans.Event{What: plans.Began, Step: 0})
	return st
}

func TestADoubtOutlivesItsStepItsPlanAndItsProcess(t *testing.T) {
	st := begun()
	st.tell(plans.Event{What: plans.Writing, Weights: map[string]int{"backend-4-6150": 0}})
	if !st.s.Doubt.At.IsZero() {
		t.Error("there is a doubt before anything was sent")
	}
	st.tell(plans.Event{What: plans.Wrote, Answers: []plans.Answer{{Backend: "backend-4-6150", Outcome: plans.Unknown}}})
	at := st.now
	back, ok := plans.Retreat(st.s)
	if !ok {
		t.Fatal("there is no way back")
	}
	st.tell(plans.Event{What: plans.Ended, Step: 0}, plans.Event{What: plans.Planned, Step: -1, Plan: &back}, plans.Event{What: plans.Resumed, Step: -1})
	if !st.s.Doubt.At.Equal(at) {
		t.Errorf("got a doubt of %s, want of %s", st.s.Doubt.At, at)
	}
}

func TestWhatWasAboutToBeSentIsADoubtForTheNextProcess(t *testing.T) {
	st := begun()
	st.tell(plans.Event{What: plans.Writing, Weights: map[string]int{"backend-4-6150": 0}}, plans.Event{What: plans.Resumed, Step: -1})
	if !st.s.Doubt.At.Equal(st.now) {
		t.Errorf("got a doubt of %s, want of now, %s", st.s.Doubt.At, st.now)
	}
}

func TestEachProcessHasAHigherToken(t *testing.T) {
	st := begun()
	before := st.s.Token
	st.now = st.now.Add(-time.Hour) // the clock was set
	st.tell(plans.Event{What: plans.Resumed, Step: -1})
	if st.s.Token <= before {
		t.Errorf("got the token %d after %d", st.s.Token, before)
	}
}

func TestAPauseIsTakenBackAndAnAbortIsNot(t *testing.T) {
	st := begun()
	st.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskPause}, plans.Event{What: plans.Asked, Step: -1, Request: plans.AskResume})
	if st.s.Asked != "" {
		t.Errorf("asked to %q after a resume, want nothing", st.s.Asked)
	}
	st.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort})
	for _, r := range []plans.Request{plans.AskResume, plans.AskPause} {
		if st.tell(plans.Event{What: plans.Asked, Step: -1, Request: r}); st.s.Asked != plans.AskAbort {
			t.Errorf("asked to %q after an abort and a %s, want the abort", st.s.Asked, r)
		}
	}
}

func TestWhatAPersonRulesIsNoDriftAnyMore(t *testing.T) {
	now := begun().s.Plan.Weights()
	now["backend-1-6150"], now["backend-4-6150"] = 77, 77
	st := begun()
	if got := plans.Drifted(st.s, now); len(got) != 2 {
		t.Fatalf("got %v, want two that are foreign", got)
	}
	st.tell(plans.Event{What: plans.Adopted, Step: -1, Weights: map[string]int{"backend-1-6150": 77}},
		plans.Event{What: plans.Overruled, Step: -1, Weights: map[string]int{"backend-4-6150": 77}})
	if got := plans.Drifted(st.s, now); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
	if got := st.s.Plan.Before["backend-1-6150"].Weight; got != 77 {
		t.Errorf("what is adopted was found with %d, want 77", got)
	}
	if got := st.s.Plan.Before["backend-4-6150"].Weight; got != 1 {
		t.Errorf("what is overruled was found with %d, want 1", got)
	}
	for i, s := range st.s.Plan.Steps {
		if w := s.Weights["backend-1-6150"]; s.Kind == plans.Shift && w != 77 && w != 0 {
			t.Errorf("step %d would set %d, want 77 or 0", i, w)
		}
	}
}

func TestAnAttemptKeepsItsIDUntilItIsKnownToBeOver(t *testing.T) {
	st := begun()
	st.tell(plans.Event{What: plans.Ended, Step: 0}, plans.Event{What: plans.Began, Step: 3})
	stop := st.s.Plan.Steps[3].Run[0]
	id := func() string { return st.s.Progress[3].Acts[stop.Key()].ID }
	run := func() string { st.tell(plans.Event{What: plans.Running, Step: 3, Command: &stop}); return id() }
	first := run()
	if again := run(); again != first {
		t.Errorf("got the id %s for what may begin still, want %s", again, first)
	}
	st.tell(plans.Event{What: plans.Ran, Step: 3, Command: &stop, Error: "connection lost"})
	if again := run(); again != first {
		t.Errorf("got the id %s for what nobody knows the end of, want %s", again, first)
	}
	st.tell(plans.Event{What: plans.Ran, Step: 3, Command: &stop, Error: "lost", EndedBy: plans.Lost})
	second := run()
	if second == first {
		t.Error("an attempt after one that was lost has the id of that one")
	}
	st.tell(plans.Event{What: plans.Ran, Step: 3, Command: &stop})
	if run() == second {
		t.Error("an attempt after one that ended has the id of that one")
	}
}
