package plans

import (
	"iter"
	"maps"
	"slices"
)

// Phase says where a run is as a whole.
type Phase string

// The phases of a run.
const (
	PhasePlanned     Phase = "planned"     // nothing has been touched
	PhaseRunning     Phase = "running"     //
	PhasePaused      Phase = "paused"      // stopped because it was asked to
	PhaseHeld        Phase = "held"        // stopped after a failure
	PhaseInterrupted Phase = "interrupted" // stopped by a signal, or its process is gone
	PhaseDone        Phase = "done"
	PhaseAborted     Phase = "aborted"
)

// Over says whether a run in this phase has ended for good: there is nothing to resume.
func (p Phase) Over() bool { return p == PhaseDone || p == PhaseAborted }

// Chapter is a plan that has been left, and how far it came.
type Chapter struct {
	Plan     Plan       `json:"plan"`
	Progress []Progress `json:"progress"`
}

// Count is the last known count of a group's sessions.
type Count struct {
	Sessions
	At   Stamp   `json:"at"`
	Rate float64 `json:"rate,omitempty"` // sessions a second by which it has changed of late; below 0 they become fewer
}

// State is everything known of a run: what every view draws. It is the fold of the run's events.
type State struct {
	Plan     Plan           `json:"plan"`
	Progress []Progress     `json:"progress"`
	Earlier  []Chapter      `json:"earlier,omitempty"` // the plans before a retreat
	Phase    Phase          `json:"phase"`
	Safe     bool           `json:"safe"`              // held: a group is proven to take new connections
	Step     int            `json:"step"`              // the step under way or next; len(Plan.Steps) when none is left
	Weights  map[string]int `json:"weights,omitempty"` // as last read
	Sick     []string       `json:"sick,omitempty"`
	Looked   Stamp          `json:"looked,omitzero"`
	// Wrote holds every value the run has meant to write to a backend, newest last: a weight that is neither one of these nor as
	// found was set by somebody else.
	Wrote    map[string][]int `json:"wrote,omitempty"`
	Unlooked bool             `json:"unlooked,omitempty"` // writes have been sent since the last reading: it may no longer be so
	// Answers counts the requests to change a backend by what became of them.
	Answers map[Outcome]int `json:"answers,omitempty"`
	// Doubt is when a request of unknown outcome may have been sent last; zero where there is none. It may take effect for Plan.Late from then.
	Doubt Stamp `json:"doubt,omitzero"`
	// Intent says that requests were about to be sent and nobody has told what became of them.
	Intent   bool             `json:"intent,omitempty"`
	Token    int64            `json:"token,omitempty"` // of the process that took the run up last
	Alarm    string           `json:"alarm,omitempty"` // why the group that serves is not whole while the other is out
	Hurt     map[string]bool  `json:"hurt,omitempty"`  // groups that an alarm was about, whether or not they are whole again
	Hits     map[string]int   `json:"hits,omitempty"`  // which hosts answered through the load balancer, when it was tried last
	Touched  bool             `json:"touched"`         // a write or a command has been begun, by this run or by one that it took over
	Sessions map[string]Count `json:"sessions,omitempty"`
	Rolls    map[string]Roll  `json:"rolls,omitempty"`   // by group
	Dirty    map[string]bool  `json:"dirty,omitempty"`   // groups whose restart has begun, or may have, and is not yet checked
	Updated  map[string]bool  `json:"updated,omitempty"` // groups restarted and checked
	Asked    Request          `json:"asked,omitempty"`   // not yet carried out
	AskedBy  string           `json:"asked_by,omitempty"`
	Note     string           `json:"note,omitempty"` // what is being waited for
	Why      string           `json:"why,omitempty"`  // for what the way back was taken
	Error    string           `json:"error,omitempty"`
	By       string           `json:"by,omitempty"`
	PID      int              `json:"pid,omitempty"`
	Starts   map[string]int   `json:"starts,omitempty"` // by host: start commands sent
	Age      Seconds          `json:"age,omitempty"`    // of the run at its newest event, by a clock that is not set
	Began    Stamp            `json:"began,omitzero"`   // the first event
	Last     Stamp            `json:"last,omitzero"`    // the newest event
	Taken    Stamp            `json:"taken,omitzero"`   // when the present process took the run up
	Seq      int64            `json:"seq"`
}

// Fold gives the state after the events.
func Fold(events iter.Seq[Event]) State {
	var s State
	for e := range events {
		s = s.Apply(e)
	}
	return s
}

// Cut gives the sessions cut by the run so far.
func (s State) Cut() int {
	n := 0
	for _, p := range s.progress() {
		n += p.Cut
	}
	return n
}

// Moved gives the sessions that ended by themselves in the run's drains so far: there when the drain began and gone at its last count. One that was
// paused or given up has let as many go as one that ended.
func (s State) Moved() int {
	n := 0
	for _, p := range s.progress() {
		if p.First != nil {
			n += max(0, *p.First-p.Left)
		}
	}
	return n
}

// Chapters gives every plan of the run and how far it came, in order: that under way is the last.
func (s State) Chapters() []Chapter {
	return append(slices.Clone(s.Earlier), Chapter{Plan: s.Plan, Progress: s.Progress})
}

// progress gives the progress of every step of every plan of the run.
func (s State) progress() []Progress {
	var all []Progress
	for _, c := range s.Chapters() {
		all = append(all, c.Progress...)
	}
	return all
}

// Current gives the step under way or next, and false where none is left.
func (s State) Current() (Step, bool) {
	if s.Step < 0 || s.Step >= len(s.Plan.Steps) {
		return Step{}, false
	}
	return s.Plan.Steps[s.Step], true
}

// Apply gives the state after e. It does not change s.
func (s State) Apply(e Event) State {
	if s.Seq == 0 {
		s.Began = e.Stamp
	}
	s.Age += aged(s.Last, e.Stamp)
	s.Seq, s.Last = e.Seq, e.Stamp
	switch e.What {
	case Planned:
		s = s.planned(e)
	case Resumed:
		s = s.resumed(e)
	case Looked:
		s.Weights, s.Sick, s.Looked, s.Unlooked = e.Weights, e.Sick, e.Stamp, false
		s = s.opened(e)
	case Writing:
		s = s.writing(e)
	case Counted:
		s = s.counted(e)
	case Called:
		s.Rolls = with(s.Rolls, e.Group, Roll{Found: e.Found, At: e.Stamp})
	case Running, Ran:
		s = s.commanded(e)
	case Noted:
		s.Note = e.Note
	case Wrote:
		s = s.wrote(e)
	case Alarmed:
		if s.Alarm = e.Error; e.Error != "" {
			s.Hurt = with(s.Hurt, e.Group, true)
		}
	case Tried:
		s.Hits = e.Hits
	case Adopted, Overruled:
		s = s.ruled(e)
	case Asked:
		s = s.asked(e)
	case Began, Ended, Failed:
		s = s.stepped(e)
	case Paused, Held, Interrupted, Done, Aborted:
		s = s.stopped(e)
	}
	return s
}

// aged gives how much later one event is than the one before: what is proven, else what the wall says and, after a start of this computer, not less than
// the time since. A clock that is set counts between two events only, and never backwards.
func aged(before, now Stamp) Seconds {
	if before.At.IsZero() {
		return 0
	}
	if d, proven := now.Since(before); proven {
		return Seconds(d)
	}
	d := max(0, Seconds(now.At.Sub(before.At)))
	if now.Boot != before.Boot {
		d = max(d, now.Up)
	}
	return d
}

// opened takes in that the group of a step that must be closed takes new connections: whoever comes then was not there when it was drained.
func (s State) opened(e Event) State {
	return s.progressed(e.Step, func(p *Progress) {
		switch s.Plan.Steps[e.Step].Kind {
		case Drain, Deploy, Restart:
			p.Opened = p.Opened || s.open(e.Step, e.Weights)
		}
	})
}

// open says whether a backend of a step's group takes new connections by these weights.
func (s State) open(step int, weights map[string]int) bool {
	for id, b := range s.Plan.Before {
		if b.Group == s.Plan.Steps[step].Group && weights[id] > 0 {
			return true
		}
	}
	return false
}

func (s State) planned(e Event) State {
	if e.Plan == nil {
		return s
	}
	if len(s.Plan.Steps) > 0 {
		left := slices.Clone(s.Progress)
		for i := range left {
			if left[i].Status == Pending {
				left[i].Status = StepSkipped
			}
		}
		s.Earlier = append(slices.Clone(s.Earlier), Chapter{Plan: s.Plan, Progress: left})
	}
	if s.Phase == "" {
		s.Phase = PhasePlanned
	}
	s.Plan, s.Step, s.Asked, s.AskedBy, s.Note = *e.Plan, 0, "", "", ""
	if e.Plan.Purpose == Leaving {
		s.Why = e.Note
	}
	if e.Plan.Doubt && s.Doubt.At.IsZero() {
		s.Doubt = e.Stamp
	}
	// What a run takes over was touched by the one before: it may not end, or be left, as if there were nothing to put back.
	s.Touched = s.Touched || len(e.Plan.Taken)+len(e.Plan.Dirty) > 0 || e.Plan.Doubt
	for id, w := range e.Plan.Taken {
		s.Wrote = with(s.Wrote, id, append(slices.Clone(s.Wrote[id]), w))
	}
	for _, g := range e.Plan.Dirty {
		s.Dirty = with(s.Dirty, g, true)
	}
	s.Progress = make([]Progress, len(e.Plan.Steps))
	for i := range s.Progress {
		s.Progress[i].Status = Pending
	}
	return s
}

func (s State) writing(e Event) State {
	s.Touched, s.Unlooked, s.Intent = true, true, true
	s.Wrote = maps.Clone(s.Wrote)
	if s.Wrote == nil {
		s.Wrote = map[string][]int{}
	}
	for id, w := range e.Weights {
		if !slices.Contains(s.Wrote[id], w) {
			s.Wrote[id] = append(slices.Clone(s.Wrote[id]), w)
		}
	}
	return s
}

// wrote takes in what became of requests. From one whose outcome is not known on, there is a doubt.
func (s State) wrote(e Event) State {
	s.Intent, s.Answers = false, maps.Clone(s.Answers)
	if s.Answers == nil && len(e.Answers) > 0 {
		s.Answers = map[Outcome]int{}
	}
	for _, a := range e.Answers {
		s.Answers[a.Outcome]++
	}
	if slices.ContainsFunc(e.Answers, func(a Answer) bool { return a.Outcome == Unknown }) {
		s.Doubt = e.Stamp
	}
	return s
}

// resumed gives the run to another process. Requests that the one before was about to send may have been sent until just now.
func (s State) resumed(e Event) State {
	s.Phase, s.By, s.PID, s.Error, s.Taken = PhaseRunning, e.By, e.PID, "", e.Stamp
	s.Token = max(s.Token+1, e.Floor+1, e.At.UnixMilli()) // a clock may have been ahead during the run before, and put right since
	if s.Intent {
		s.Doubt, s.Intent = e.Stamp, false
	}
	return s
}

// asked takes a request in. A pause that was asked for is taken back by a resume; an abort is not.
func (s State) asked(e Event) State {
	switch {
	case s.Asked == AskAbort:
	case e.Request == AskResume:
		s.Asked, s.AskedBy = "", ""
	default:
		s.Asked, s.AskedBy = e.Request, e.By
	}
	return s
}

// ruled takes in what a person has said of values that somebody else had set.
func (s State) ruled(e Event) State {
	for id, w := range e.Weights {
		if e.What == Adopted {
			s.Plan = s.Plan.Adopt(id, w)
			continue
		}
		s.Wrote = with(s.Wrote, id, append(slices.Clone(s.Wrote[id]), w))
	}
	return s
}

func (s State) stepped(e Event) State {
	switch e.What {
	case Began:
		s.Step, s.Note, s.Error = e.Step, e.Note, ""
		return s.progressed(e.Step, func(p *Progress) {
			p.Status, p.Error, p.Began, p.Ended, p.Curve = UnderWay, "", e.Stamp, Stamp{}, nil
			p.Opened = p.Opened && (s.Plan.Steps[e.Step].Kind != Drain || s.open(e.Step, s.Weights)) // a drain's time begins anew once it is closed
		})
	case Ended:
		s = s.progressed(e.Step, func(p *Progress) { p.Status, p.Ended, p.EndedBy = StepDone, e.Stamp, e.EndedBy })
		if e.Step >= 0 && e.Step < len(s.Plan.Steps) {
			if st := s.Plan.Steps[e.Step]; st.Kind == Check {
				s.Dirty = with(s.Dirty, st.Group, false)
				s.Updated = with(s.Updated, st.Group, true)
			}
			s.Step, s.Note = e.Step+1, ""
		}
	case Failed:
		s.Error, s.Note = e.Error, ""
		return s.progressed(e.Step, func(p *Progress) { p.Status, p.Ended, p.Error = StepFailed, e.Stamp, e.Error })
	}
	return s
}

func (s State) stopped(e Event) State {
	s.Note = e.Note
	if e.Error != "" {
		s.Error = e.Error
	}
	switch e.What {
	case Paused:
		s.Phase, s.Safe = PhasePaused, e.Safe
	case Held:
		s.Phase, s.Safe = PhaseHeld, e.Safe
	case Interrupted:
		s.Phase = PhaseInterrupted
	case Done:
		s.Phase, s.Safe = PhaseDone, true
	case Aborted:
		s.Phase, s.Safe = PhaseAborted, true
	}
	s.Asked, s.AskedBy = "", ""
	return s
}

// with gives a copy of m in which k is v.
func with[K comparable, V any](m map[K]V, k K, v V) map[K]V {
	c := maps.Clone(m)
	if c == nil {
		c = map[K]V{}
	}
	c[k] = v
	return c
}
