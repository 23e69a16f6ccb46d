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

// Status says where one step is.
type Status string

// The states of a step.
const (
	Pending     Status = "pending"
	UnderWay    Status = "running"
	StepDone    Status = "done"
	StepFailed  Status = "failed"
	StepSkipped Status = "skipped" // a retreat came first
)

// Attempt is what is known of a command on one host.
type Attempt struct {
	Sent  Stamp  `json:"sent,omitzero"` // when it was about to be sent
	Known bool   `json:"known"`         // its outcome was recorded
	Code  int    `json:"code"`
	Error string `json:"error,omitempty"`
}

// OK says whether the command is known to have ended with exit code 0.
func (a Attempt) OK() bool { return a.Known && a.Code == 0 && a.Error == "" }

// Progress is how far one step is.
type Progress struct {
	Status  Status             `json:"status"`
	Began   Stamp              `json:"began,omitzero"`
	Ended   Stamp              `json:"ended,omitzero"`
	EndedBy string             `json:"ended_by,omitempty"`
	First   *int               `json:"first,omitempty"` // drain: sessions when it began
	Left    int                `json:"left,omitempty"`  // drain: sessions left when it ended
	Cut     int                `json:"cut,omitempty"`   // restart: sessions open when it began
	Cuts    map[string]int     `json:"cuts,omitempty"`  // the same by host
	Error   string             `json:"error,omitempty"`
	Acts    map[string]Attempt `json:"acts,omitempty"` // by Key
}

// Key names a command within a step: one act on one host.
func Key(host string, do Act) string { return string(do) + " " + host }

// Key names the command within its step: one act on one host, or of one process of it.
func (c Command) Key() string {
	if c.For != "" {
		return Key(c.Host, c.Do) + " " + c.For
	}
	return Key(c.Host, c.Do)
}

// Chapter is a plan that has been left, and how far it came.
type Chapter struct {
	Plan     Plan       `json:"plan"`
	Progress []Progress `json:"progress"`
}

// Count is the last known count of a group's sessions.
type Count struct {
	Sessions
	At Stamp `json:"at"`
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
	Touched  bool             `json:"touched"`            // a write or a command has been begun
	Sessions map[string]Count `json:"sessions,omitempty"`
	Rolls    map[string]Roll  `json:"rolls,omitempty"`   // by group
	Dirty    map[string]bool  `json:"dirty,omitempty"`   // groups with a restart begun and not yet checked
	Updated  map[string]bool  `json:"updated,omitempty"` // groups restarted and checked
	Asked    Request          `json:"asked,omitempty"`   // not yet carried out
	AskedBy  string           `json:"asked_by,omitempty"`
	Note     string           `json:"note,omitempty"` // what is being waited for
	Error    string           `json:"error,omitempty"`
	By       string           `json:"by,omitempty"`
	PID      int              `json:"pid,omitempty"`
	Starts   map[string]int   `json:"starts,omitempty"` // by host: start commands sent
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

// Moved gives the sessions that ended by themselves in the run's drains: there when the drain began and not cut.
func (s State) Moved() int {
	n := 0
	for _, p := range s.progress() {
		if p.First != nil && p.Status == StepDone {
			n += max(0, *p.First-p.Left)
		}
	}
	return n
}

// progress gives the progress of every step of every plan of the run.
func (s State) progress() []Progress {
	var all []Progress
	for _, c := range s.Earlier {
		all = append(all, c.Progress...)
	}
	return append(all, s.Progress...)
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
	s.Seq, s.Last = e.Seq, e.Stamp
	switch e.What {
	case Planned:
		s = s.planned(e)
	case Resumed:
		s.Phase, s.By, s.PID, s.Error, s.Taken = PhaseRunning, e.By, e.PID, "", e.Stamp
	case Looked:
		s.Weights, s.Sick, s.Looked, s.Unlooked = e.Weights, e.Sick, e.Stamp, false
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
	case Asked:
		s.Asked, s.AskedBy = e.Request, e.By
	case Began, Ended, Failed:
		s = s.stepped(e)
	case Paused, Held, Interrupted, Done, Aborted:
		s = s.stopped(e)
	}
	return s
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
	s.Touched, s.Unlooked = true, true
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

func (s State) counted(e Event) State {
	if e.Sessions == nil {
		return s
	}
	s.Sessions = with(s.Sessions, e.Group, Count{Sessions: *e.Sessions, At: e.Stamp})
	return s.progressed(e.Step, func(p *Progress) {
		if s.Plan.Steps[e.Step].Group != e.Group || !e.Sessions.Known() {
			return
		}
		if p.First == nil && s.Plan.Steps[e.Step].Kind == Drain {
			n := e.Sessions.Total
			p.First = &n
		}
		p.Left = e.Sessions.Total
		if e.Cut != nil {
			p.cut(s.Plan.Steps[e.Step], e.Sessions.ByHost)
		}
	})
}

// cut takes in the sessions that a restart is about to cut on each host. Counting a host again before its stop was sent replaces the number;
// after it, they are others. Where its start is known to have succeeded, nothing is cut any more.
func (p *Progress) cut(step Step, byHost map[string]int) {
	cuts := maps.Clone(p.Cuts)
	if cuts == nil {
		cuts = map[string]int{}
	}
	p.Cut = 0
	for h, n := range byHost {
		_, stopped := p.Acts[Key(step.By(DoStop, h), DoStop)]
		switch {
		case len(step.Want) == 0 && p.Acts[Key(h, DoStart)].OK():
		case stopped:
			cuts[h] += n
		default:
			cuts[h] = n
		}
	}
	for _, n := range cuts {
		p.Cut += n
	}
	p.Cuts = cuts
}

func (s State) commanded(e Event) State {
	if e.Command == nil {
		return s
	}
	s.Touched = true
	c := *e.Command
	if e.What == Running && c.Do == DoStart {
		s.Starts = with(s.Starts, c.Host, s.Starts[c.Host]+1)
	}
	if e.What == Running && (c.Do == DoStop || c.Do == DoReap || c.Do == DoStart) {
		s.Dirty = with(s.Dirty, e.Group, true)
	}
	return s.progressed(e.Step, func(p *Progress) {
		p.Acts = maps.Clone(p.Acts)
		if p.Acts == nil {
			p.Acts = map[string]Attempt{}
		}
		if e.What == Running {
			p.Acts[c.Key()] = Attempt{Sent: e.Stamp}
			if c.Do == DoStop { // what was started before is gone
				delete(p.Acts, Key(c.Host, DoStart))
			}
			return
		}
		p.Acts[c.Key()] = Attempt{Sent: p.Acts[c.Key()].Sent, Known: e.Error == "", Code: e.Code, Error: e.Error}
	})
}

func (s State) stepped(e Event) State {
	switch e.What {
	case Began:
		s.Step, s.Note, s.Error = e.Step, e.Note, ""
		return s.progressed(e.Step, func(p *Progress) {
			p.Status, p.Error, p.Began, p.Ended = UnderWay, "", e.Stamp, Stamp{}
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

// progressed gives s with the progress of step i changed; s itself where there is no such step.
func (s State) progressed(i int, change func(*Progress)) State {
	if i < 0 || i >= len(s.Progress) {
		return s
	}
	s.Progress = slices.Clone(s.Progress)
	change(&s.Progress[i])
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
