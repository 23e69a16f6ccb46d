package view

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// StatusDoc is where a run is, for programs. Times are RFC 3339 in UTC, durations are seconds, and machines go by their names.
type StatusDoc struct {
	Schema     string      `json:"schema"` // StatusSchema
	Run        string      `json:"run"`
	Service    string      `json:"service"`
	Balancer   string      `json:"balancer"`
	Phase      plans.Phase `json:"phase"` // interrupted, where the process that ran it is gone; none, where there is no run yet
	Step       *NowDoc     `json:"step"`  // under way or next; null where none is left
	Steps      []StepDoc   `json:"steps"` // of the plan under way: after a failure that may be the retreat
	WaitingFor string      `json:"waiting_for"`
	Deadline   *time.Time  `json:"deadline"` // of what is waited for; null where it has none
	ETAS       *float64    `json:"eta_s"`    // an estimate; null where there is none
	IfFails    string      `json:"if_fails"` // what would follow if the step under way failed now
	Traffic    string      `json:"traffic"`  // which group takes new connections, in a sentence
	Groups     []GroupDoc  `json:"groups"`   // in the order of their names
	Backends   []BackDoc   `json:"backends"`
	Sessions   TallyDoc    `json:"sessions"`
	Releases   ReleasesDoc `json:"releases"`
	Error      string      `json:"error"`
	Alarm      string      `json:"alarm"` // why the group that serves is not whole while the other is out; empty where it is
	Safe       *bool       `json:"safe"`  // a group is proven to take new connections; null while nobody has tried to prove it
	Alive      bool        `json:"alive"` // the process that carries it out lives
	Holder     string      `json:"holder"`
	Next       []string    `json:"next"` // commands that make sense now that it has stopped
	Started    *time.Time  `json:"started"`
	Updated    *time.Time  `json:"updated"` // of the newest event
}

// NowDoc names the step under way or next.
type NowDoc struct {
	Index int        `json:"index"` // from 0, into steps
	Kind  plans.Kind `json:"kind"`
	Group string     `json:"group"`
}

// GroupDoc is one group.
type GroupDoc struct {
	Name     string       `json:"name"`
	TakesNew bool         `json:"takes_new"` // at least one of its backends is on, as last read
	Release  string       `json:"release"`
	Proven   bool         `json:"proven"` // no restart of it is begun and not yet checked
	Backends CountsDoc    `json:"backends"`
	Sessions *SessionsDoc `json:"sessions"` // null where they were never counted
	Machines []MachineDoc `json:"machines"`
	// Processes are those of the service when they were last called; absent where it does not know its processes by name.
	Processes *RollDoc `json:"processes,omitempty"`
}

// RollDoc is every process of a group at one moment.
type RollDoc struct {
	Found []ProcessDoc `json:"found"`
	At    time.Time    `json:"at"`
}

// ProcessDoc is one process.
type ProcessDoc struct {
	ID       string  `json:"id"`
	Machine  string  `json:"machine"`
	PID      int     `json:"pid"`
	UptimeS  float64 `json:"uptime_s"`
	MemoryMB float64 `json:"memory_mb"` // resident; 0 where its master did not tell
	Listed   bool    `json:"listed"`    // its master knows it
}

// CountsDoc counts a group's backends.
type CountsDoc struct {
	On     int `json:"on"`
	Wanted int `json:"wanted"` // to be on now
	Total  int `json:"total"`
	Sick   int `json:"sick"` // of those on, not healthy by the load balancer
}

// SessionsDoc is the last count of a group's sessions.
type SessionsDoc struct {
	Total     int               `json:"total"` // without the machines in Unread: then it is a lower bound
	ByMachine map[string]int    `json:"by_machine"`
	Unread    map[string]string `json:"unread"` // machine → why its count is not known
	EmptyS    *float64          `json:"empty_s,omitempty"`
	RateS     float64           `json:"rate_s"` // sessions a second by which it has changed of late; below 0 they become fewer
	At        time.Time         `json:"at"`
}

// MachineDoc is one machine.
type MachineDoc struct {
	Name     string `json:"name"`
	Host     string `json:"host"`
	Sessions *int   `json:"sessions"` // null where not known
	Starts   int    `json:"starts"`   // how often the run has sent it the command that starts it, or its whole group
}

// BackDoc is one backend.
type BackDoc struct {
	ID      string `json:"id"`
	Addr    string `json:"addr"`
	Machine string `json:"machine"`
	Group   string `json:"group"`
	Before  int    `json:"before"` // weight as found; 0 is off
	Wanted  int    `json:"wanted"`
	Actual  *int   `json:"actual"`  // as last read; null where it was not
	Healthy *bool  `json:"healthy"` // as last read; null where it was not
}

// NoStatus gives the document of a service that has had no run yet.
func NoStatus(service string) StatusDoc {
	return StatusDoc{Schema: StatusSchema, Service: service, Phase: none, Steps: []StepDoc{}, Groups: []GroupDoc{}, Backends: []BackDoc{}, Next: []string{}}
}

// StatusOf gives the document of a run at now. Of o it uses everything but the width.
func StatusOf(s plans.State, now time.Time, o StatusOptions) StatusDoc {
	s.Phase = phase(s, o.Alive)
	d := StatusDoc{
		Schema: StatusSchema, Run: s.Plan.ID, Service: s.Plan.Service, Balancer: s.Plan.Balancer, Phase: s.Phase,
		Steps: past(s.Plan, stepDocs(s.Plan, s.Progress), o.Past), Groups: []GroupDoc{}, IfFails: IfFails(s), Traffic: oneLine(Traffic(s)), Backends: backDocs(s),
		Sessions: TallyDoc{Moved: s.Moved(), Cut: s.Cut()}, Releases: ReleasesDoc{From: s.Plan.Was, To: s.Plan.Release},
		Error: Clean(fault(s)), Safe: safe(s), Alive: o.Alive, Holder: o.Holder, Next: []string{},
		Started: moment(s.Began.At), Updated: moment(s.Last.At),
	}
	if !s.Phase.Over() { // nobody looks any more, so that it would stay for ever
		d.Alarm = Clean(s.Alarm)
	}
	if st, ok := s.Current(); ok {
		d.Step = &NowDoc{Index: s.Step, Kind: st.Kind, Group: st.Group}
	}
	if what, until, ok := Doing(s); ok {
		d.WaitingFor, d.Deadline = what, moment(until)
	}
	if left, ok := eta(s, now, Lasted(s.Plan, o.Past)); ok {
		e := seconds(left)
		d.ETAS = &e
	}
	if s.Phase != plans.PhaseRunning {
		d.Next = commands(s)
	}
	for _, g := range sidesOf(s) {
		d.Groups = append(d.Groups, groupDoc(s, g))
	}
	return d
}

// commands gives the commands of Next.
func commands(s plans.State) []string {
	cs := []string{}
	for _, a := range Next(s) {
		cs = append(cs, a.Command)
	}
	return cs
}

// safe gives what the run's end has proven; nil where it has not come or proved nothing.
func safe(s plans.State) *bool {
	switch s.Phase {
	case plans.PhasePaused, plans.PhaseHeld, plans.PhaseDone, plans.PhaseAborted:
		return &s.Safe
	}
	return nil
}

func groupDoc(s plans.State, d side) GroupDoc {
	g := GroupDoc{Name: d.name, TakesNew: d.on > 0, Release: d.release, Proven: d.proven,
		Backends: CountsDoc{On: d.on, Wanted: d.wanted, Total: d.total, Sick: d.sick}, Machines: []MachineDoc{}}
	for _, m := range d.machines {
		doc := MachineDoc{Name: m.Name, Host: m.Host, Starts: s.Starts[m.Host]}
		_, bad := d.count.Unread[m.Host]
		if n, known := d.count.ByHost[m.Host]; known && !bad {
			doc.Sessions = &n
		}
		g.Machines = append(g.Machines, doc)
	}
	if r, ok := s.Rolls[d.name]; ok {
		g.Processes = &RollDoc{Found: ProcessesOf(s.Plan, r.Found), At: r.At.At.UTC()}
	}
	if !d.counted {
		return g
	}
	n := SessionsDoc{Total: d.count.Total, ByMachine: map[string]int{}, RateS: d.count.Rate, At: d.count.At.At.UTC()}
	for h, c := range d.count.ByHost {
		if _, bad := d.count.Unread[h]; !bad {
			n.ByMachine[s.Plan.Name(h)] = c
		}
	}
	_, n.Unread = unread(s.Plan, d.count.Sessions)
	if d.count.Empty != nil {
		e := seconds(d.count.Empty.Duration())
		n.EmptyS = &e
	}
	g.Sessions = &n
	return g
}

// ProcessesOf gives the documents of some processes.
func ProcessesOf(p plans.Plan, found []plans.Found) []ProcessDoc {
	docs := []ProcessDoc{}
	for _, f := range found {
		docs = append(docs, ProcessDoc{ID: f.ID, Machine: p.Name(f.Host), PID: f.PID, UptimeS: seconds(f.Age.Duration()), MemoryMB: f.Memory, Listed: f.Listed})
	}
	return docs
}

func backDocs(s plans.State) []BackDoc {
	want := wanted(s)
	docs := []BackDoc{}
	for _, id := range slices.Sorted(maps.Keys(s.Plan.Before)) {
		b := s.Plan.Before[id]
		d := BackDoc{ID: id, Addr: b.Addr, Machine: s.Plan.Name(b.Host), Group: b.Group, Before: b.Weight, Wanted: want[id]}
		if w, known := s.Weights[id]; known {
			well := !slices.Contains(s.Sick, id)
			d.Actual, d.Healthy = &w, &well
		} else if w, known := actual(s, id); s.Weights == nil && known && w != b.Weight { // as the run before left it
			d.Actual = &w
		}
		docs = append(docs, d)
	}
	slices.SortStableFunc(docs, func(a, b BackDoc) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.ID, b.ID)) })
	return docs
}
