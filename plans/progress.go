package plans

import (
	"fmt"
	"maps"
	"slices"
)

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
	Known bool    `json:"known"` // its outcome was recorded
	Code  int     `json:"code"`
	Error string  `json:"error,omitempty"`
	ID    string  `json:"id,omitempty"`    // of this attempt, on its machine
	After Seconds `json:"after,omitempty"` // how old the run was when it was about to be sent, by State.Age
	Over  bool    `json:"over,omitempty"`  // its machine has said that it began and will never tell how it ended
	// Absent says that it surely has not begun, and will not unless it is sent again.
	Absent bool `json:"absent,omitempty"`
	// Before says that an earlier attempt is known to have begun.
	Before bool `json:"before,omitempty"`
}

// Open says whether the command may have begun, may still begin, and nobody has told how it ended.
func (a Attempt) Open() bool { return a.ID != "" && !a.Known && !a.Over && !a.Absent }

// Acted says whether the command may have begun, in this attempt or an earlier one.
func (a Attempt) Acted() bool { return a.Before || a.ID != "" && !a.Absent }

// How a command has ended, by Event.EndedBy, that has no exit code. Either has an Error too: a build that does not know the word takes its outcome
// for unknown.
const (
	Lost   = "lost"   // its machine has forgotten how: it was restarted, or the command was killed
	Absent = "absent" // it has not begun, and will not unless it is sent again
)

// OK says whether the command is known to have ended with exit code 0.
func (a Attempt) OK() bool { return a.Known && a.Code == 0 && a.Error == "" }

// Progress is how far one step is.
type Progress struct {
	Status  Status             `json:"status"`
	Began   Stamp              `json:"began,omitzero"`
	Ended   Stamp              `json:"ended,omitzero"`
	EndedBy string             `json:"ended_by,omitempty"`
	First   *int               `json:"first,omitempty"`  // drain: sessions when it began
	Left    int                `json:"left,omitempty"`   // drain: sessions left when it ended
	Curve   []Point            `json:"curve,omitempty"`  // drain: its counts, those of long ago thinned out
	Cut     int                `json:"cut,omitempty"`    // restart: sessions open when it began
	Cuts    map[string]int     `json:"cuts,omitempty"`   // the same by host
	Opened  bool               `json:"opened,omitempty"` // its group, which must be closed, was seen to take new connections, and has not been given its time since
	Error   string             `json:"error,omitempty"`
	Acts    map[string]Attempt `json:"acts,omitempty"` // by Key
}

// Acted says whether a command of the step may have begun.
func (p Progress) Acted() bool {
	for _, a := range p.Acts {
		if a.Acted() {
			return true
		}
	}
	return false
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

func (s State) counted(e Event) State {
	if e.Sessions == nil {
		return s
	}
	c := Count{Sessions: *e.Sessions, At: e.Stamp}
	c.Rate = rated(s.Sessions[e.Group], c)
	s.Sessions = with(s.Sessions, e.Group, c)
	return s.progressed(e.Step, func(p *Progress) {
		if s.Plan.Steps[e.Step].Group != e.Group || !e.Sessions.Known() {
			return
		}
		if s.Plan.Steps[e.Step].Kind == Drain {
			if p.First == nil {
				n := e.Sessions.Total
				p.First = &n
			}
			p.Curve = lengthened(p.Curve, Point{At: aged(p.Began, e.Stamp), Left: e.Sessions.Total})
		}
		p.Left = e.Sessions.Total
		if e.Cut != nil {
			p.Cuts = p.cutting(s.Plan.Steps[e.Step], e.Sessions.ByHost)
			p.Cut = total(p.Cuts)
			p.Opened = false // they have been given their time
		}
	})
}

// Cutting gives the sessions that a step will have cut in all if it goes on while so many are open on each host: those, and the ones it has cut already.
func (p Progress) Cutting(step Step, byHost map[string]int) int {
	return total(p.cutting(step, byHost))
}

// cutting gives the same by host. Counting a host again before its stop was sent replaces the number; after it, they are others. Where its start
// is known to have succeeded, nothing is cut any more.
func (p Progress) cutting(step Step, byHost map[string]int) map[string]int {
	cuts := maps.Clone(p.Cuts)
	if cuts == nil {
		cuts = map[string]int{}
	}
	for h, n := range byHost {
		switch {
		case len(step.Want) == 0 && p.Acts[Key(h, DoStart)].OK():
		case p.Acts[Key(step.By(DoStop, h), DoStop)].Acted():
			cuts[h] += n
		default:
			cuts[h] = n
		}
	}
	return cuts
}

// total adds up sessions by host.
func total(byHost map[string]int) int {
	sum := 0
	for _, n := range byHost {
		sum += n
	}
	return sum
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
	s = s.progressed(e.Step, func(p *Progress) {
		p.Acts = maps.Clone(p.Acts)
		if p.Acts == nil {
			p.Acts = map[string]Attempt{}
		}
		if e.What == Running {
			id, before := fmt.Sprintf("%s-%d", s.Plan.ID, e.Seq), p.Acts[c.Key()]
			earlier := before.Before || before.Known || before.Over
			if before.Open() || before.Absent { // should it begin all the same, the machine shall take this for the same
				id = before.ID
			}
			p.Acts[c.Key()] = Attempt{After: s.Age, ID: id, Before: earlier}
			if c.Do == DoStop { // what was started before is gone
				delete(p.Acts, Key(c.Host, DoStart))
			}
			return
		}
		a := p.Acts[c.Key()]
		a.Known, a.Code, a.Error, a.Over, a.Absent = e.Error == "", e.Code, e.Error, e.EndedBy == Lost, e.EndedBy == Absent
		p.Acts[c.Key()] = a
	})
	if e.EndedBy == Absent {
		s = s.unbegun(e.Step)
	}
	return s
}

// unbegun takes back that a group is half-way through its restart, where no command of that has begun, and none may begin any more: its old processes run,
// and nobody has been cut.
func (s State) unbegun(step int) State {
	if step < 0 || step >= len(s.Progress) || s.Plan.Steps[step].Kind != Restart || s.Progress[step].Acted() {
		return s
	}
	if g := s.Plan.Steps[step].Group; !slices.Contains(s.Plan.Dirty, g) {
		s.Dirty = with(s.Dirty, g, false)
	}
	return s.progressed(step, func(p *Progress) { p.Cut, p.Cuts = 0, nil })
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
