package plans_test

import (
	"slices"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

func TestAStoryCountsWhatWasTriedAgain(t *testing.T) {
	p := build(noDeploy)
	st := &story{}
	st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p}, plans.Event{What: plans.Resumed, Step: -1, By: "liu@ops", PID: 7}, plans.Event{What: plans.Began, Step: 0})
	both := map[string]int{"backend-4-6150": 0, "backend-4-6151": 0}
	st.tell(plans.Event{What: plans.Writing, Step: 0, Weights: both})
	st.tell(plans.Event{What: plans.Wrote, Step: 0, Answers: []plans.Answer{{Backend: "backend-4-6150", Outcome: plans.Unknown}, {Backend: "backend-4-6151", Outcome: plans.Refused, Again: true}}})
	st.tell(plans.Event{What: plans.Writing, Step: 0, Weights: map[string]int{"backend-4-6151": 0}})
	st.tell(plans.Event{What: plans.Wrote, Step: 0, Answers: []plans.Answer{{Backend: "backend-4-6151", Outcome: plans.Accepted}}})
	st.tell(plans.Event{What: plans.Writing, Step: 0, Weights: map[string]int{"backend-5-6150": 0, "backend-4-6150": 1}}) // another value is another request
	start := p.Steps[2].Run[0]
	st.tell(plans.Event{What: plans.Began, Step: 2})
	st.tell(plans.Event{What: plans.Running, Step: 2, Command: &start}, plans.Event{What: plans.Ran, Step: 2, Command: &start, Code: 1, Output: "port 6203 is taken"})
	st.tell(plans.Event{What: plans.Running, Step: 2, Command: &start}, plans.Event{What: plans.Ran, Step: 2, Command: &start, Error: "the connection was lost"})
	st.tell(plans.Event{What: plans.Began, Step: 2}, plans.Event{What: plans.Running, Step: 2, Command: &start}, plans.Event{What: plans.Ran, Step: 2, Command: &start})

	got := plans.Tell(slices.Values(st.es))
	if want := (plans.Tries{Sent: 5, Refused: 1, Unknown: 1, Again: 1}); got.Efforts[0][0].Requests != want {
		t.Errorf("requests: got %+v, want %+v", got.Efforts[0][0].Requests, want)
	}
	restart := got.Efforts[0][2]
	if want := (plans.Tries{Sent: 3, Refused: 1, Unknown: 1, Again: 2}); restart.Commands != want || restart.Begun != 2 {
		t.Errorf("commands: got %+v begun %d times, want %+v begun twice", restart.Commands, restart.Begun, want)
	}
	if len(restart.Faults) != 2 || restart.Faults[0].Output != "port 6203 is taken" || restart.Faults[1].Error != "the connection was lost" {
		t.Errorf("faults: got %+v", restart.Faults)
	}
	if plain := plans.Fold(slices.Values(st.es)); got.State.Seq != plain.Seq || got.State.Step != plain.Step {
		t.Errorf("the state of the story is at event %d, step %d, the fold at %d, %d", got.State.Seq, got.State.Step, plain.Seq, plain.Step)
	}
}

func TestAStoryTellsEachTurnOnce(t *testing.T) {
	p := build(noDeploy)
	st := &story{}
	now := p.Weights()
	st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p}, plans.Event{What: plans.Resumed, Step: -1, By: "liu@ops", PID: 7}, plans.Event{What: plans.Began, Step: 0})
	st.tell(plans.Event{What: plans.Looked, Step: 0, Weights: now})
	foreign := map[string]int{}
	for id := range now {
		foreign[id] = now[id]
	}
	foreign["backend-1-6150"] = 77
	st.tell(plans.Event{What: plans.Looked, Step: 0, Weights: foreign}, plans.Event{What: plans.Looked, Step: 0, Weights: foreign})
	st.tell(plans.Event{What: plans.Failed, Step: 0, Error: "drift"}, plans.Event{What: plans.Held, Step: 0, Safe: true})
	st.tell(plans.Event{What: plans.Resumed, Step: -1, By: "wang@desk", PID: 9})
	st.tell(plans.Event{What: plans.Adopted, Step: -1, Weights: map[string]int{"backend-1-6150": 77}, By: "wang@desk"})
	st.tell(plans.Event{What: plans.Looked, Step: 0, Weights: foreign})
	st.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: "wang@desk"})
	back := p
	back.Purpose = plans.Leaving
	st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &back, Note: "asked by wang@desk"}, plans.Event{What: plans.Resumed, Step: -1, By: "wang@desk", PID: 9})
	st.tell(plans.Event{What: plans.Aborted, Step: -1})

	var got []plans.What
	for _, turn := range plans.Tell(slices.Values(st.es)).Turns {
		got = append(got, turn.Event.What)
		if turn.Event.What == plans.Looked && len(turn.Drift) != 1 {
			t.Errorf("drift: got %q, want one sentence", turn.Drift)
		}
	}
	want := []plans.What{plans.Looked, plans.Failed, plans.Held, plans.Resumed, plans.Adopted, plans.Asked, plans.Planned, plans.Aborted}
	if !slices.Equal(got, want) {
		t.Errorf("turns: got %q, want %q", got, want)
	}
}
