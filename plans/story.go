package plans

import (
	"fmt"
	"iter"
	"slices"
)

// Story is a run told from its beginning: its state, and what a state does not keep since nothing is decided by it any more.
type Story struct {
	State   State
	Turns   []Turn     // what somebody asked for and what went otherwise than planned, in order
	Efforts [][]Effort // what each step of each plan of the run took, in the order in which the plans were made
}

// Turn is an event that the plan did not foresee.
type Turn struct {
	Event Event
	After State
	Drift []string // looked: a sentence for each backend that somebody else has been found to have changed
}

// Effort is what one step took.
type Effort struct {
	Begun    int     // how often it was begun
	Requests Tries   // each changes one backend
	Commands Tries   // each on one machine
	Faults   []Fault // of commands, also where a later try succeeded
}

// Tries counts the requests or the commands of a step.
type Tries struct {
	Sent    int `json:"sent"`    // intents: where the process died just then, it may not have been sent
	Refused int `json:"refused"` // of those sent; of a command: it ended with another exit code than 0
	Unknown int `json:"unknown"` // of those sent, whose outcome is not known
	Again   int `json:"again"`   // of those sent, which the step had sent before
}

// Plus gives the sum of two.
func (t Tries) Plus(u Tries) Tries {
	return Tries{t.Sent + u.Sent, t.Refused + u.Refused, t.Unknown + u.Unknown, t.Again + u.Again}
}

// Fault is a command that failed, or of which nobody knows how it ended.
type Fault struct {
	Command Command
	Code    int
	Error   string // its outcome is not known; empty: it ended with Code
	Output  string
}

// Tell gives the story of a run's events.
func Tell(events iter.Seq[Event]) Story {
	t := teller{sent: map[string]bool{}}
	for e := range events {
		t.take(e)
	}
	return t.Story
}

// teller is a story on its way.
type teller struct {
	Story
	sent  map[string]bool // what steps have sent
	drift []string        // at the last look
}

func (t *teller) take(e Event) {
	before := t.State
	t.State = before.Apply(e)
	if e.What == Planned && e.Plan != nil {
		if len(before.Plan.Steps) == 0 { // as in the state, a plan without a step is none
			t.Efforts = nil
		}
		t.Efforts = append(t.Efforts, make([]Effort, len(e.Plan.Steps)))
	}
	if n := len(t.Efforts); n > 0 && e.Step >= 0 && e.Step < len(t.Efforts[n-1]) {
		t.effort(&t.Efforts[n-1][e.Step], e)
	}
	turn := Turn{Event: e, After: t.State}
	switch {
	case e.What == Looked:
		now := Drift(t.State, e.Weights)
		turn.Drift = slices.DeleteFunc(slices.Clone(now), func(d string) bool { return slices.Contains(t.drift, d) })
		if t.drift = now; len(turn.Drift) == 0 {
			return
		}
	case !turned(before, e):
		return
	}
	t.Turns = append(t.Turns, turn)
}

// turned says whether an event is a turn of the run, given the state before it.
func turned(before State, e Event) bool {
	switch e.What {
	case Asked, Adopted, Overruled, Alarmed, Failed, Paused, Held, Interrupted, Aborted:
		return true
	case Planned:
		return before.Seq > 0
	case Resumed: // not the first process, nor the same one on its way back
		return before.PID != 0 && (before.Phase != PhaseRunning || before.PID != e.PID || before.By != e.By)
	case Ran:
		return e.Code != 0 || e.Error != ""
	}
	return false
}

// effort takes an event into what its step took.
func (t *teller) effort(f *Effort, e Event) {
	switch e.What {
	case Began:
		f.Begun++
	case Writing:
		for id, w := range e.Weights {
			f.Requests.Sent++
			f.Requests.Again += t.again(e.Step, fmt.Sprintf("%s=%d", id, w))
		}
	case Wrote:
		for _, a := range e.Answers {
			switch a.Outcome {
			case Refused:
				f.Requests.Refused++
			case Unknown:
				f.Requests.Unknown++
			case Accepted:
			}
		}
	case Running:
		if e.Command != nil {
			f.Commands.Sent++
			f.Commands.Again += t.again(e.Step, e.Command.Key())
		}
	case Ran:
		if e.Command == nil || e.Code == 0 && e.Error == "" {
			return
		}
		switch {
		case e.EndedBy == Absent:
		case e.Error != "":
			f.Commands.Unknown++
		default:
			f.Commands.Refused++
		}
		f.Faults = append(f.Faults, Fault{*e.Command, e.Code, e.Error, e.Output})
	}
}

// again gives 1 where the step of the plan under way has sent that before.
func (t *teller) again(step int, what string) int {
	key := fmt.Sprintf("%d %d %s", len(t.Efforts), step, what)
	if t.sent[key] {
		return 1
	}
	t.sent[key] = true
	return 0
}
