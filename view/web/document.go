package web

import (
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// frame is one message of a stream.
type frame struct {
	Plan  *planDoc  `json:"plan,omitempty"` // in the first message, and again when another plan has taken its place
	State *stateDoc `json:"state,omitempty"`
	Lines []lineDoc `json:"lines,omitempty"`
}

// planDoc is what does not change while a plan is carried out.
type planDoc struct {
	Run      string           `json:"run"`
	Service  string           `json:"service"`
	Releases view.ReleasesDoc `json:"releases"`
	By       string           `json:"by"`
	Control  bool             `json:"control"` // the dashboard may ask the run to pause or abort
	Steps    []planStep       `json:"steps"`   // of every plan of the run, in order
	Groups   []planGroup      `json:"groups"`
}

type planStep struct {
	Kind    plans.Kind    `json:"kind"`
	Group   string        `json:"group"`
	Purpose plans.Purpose `json:"purpose"`
	WithinS float64       `json:"within_s"`
	Last    [][2]float64  `json:"last,omitempty"` // drain: the curve of the last run that ended well
}

type planGroup struct {
	Name     string        `json:"name"`
	Machines []planMachine `json:"machines"`
}

type planMachine struct {
	Name     string   `json:"name"`
	Host     string   `json:"host"`
	Backends []string `json:"backends"`          // addresses, in the order of machineDoc.Backends
	Ports    string   `json:"ports,omitempty"`   // on which sessions are counted
	Process  int      `json:"process,omitempty"` // processes it must run; 0: they are not known by name
}

// stateDoc is a state drawn small: a run of 300 machines is sent several times a second.
type stateDoc struct {
	Now      time.Time           `json:"now"`
	Phase    plans.Phase         `json:"phase"`
	Safe     *bool               `json:"safe"`
	Alive    bool                `json:"alive"`
	Step     int                 `json:"step"` // into Plan.Steps
	Steps    []stepDoc           `json:"steps"`
	ETAS     *float64            `json:"eta_s"`
	Deadline *time.Time          `json:"deadline"`
	Cut      int                 `json:"cut"`
	Moved    int                 `json:"moved"`
	Holder   string              `json:"holder,omitempty"`
	Started  *time.Time          `json:"started"`
	Updated  *time.Time          `json:"updated"`
	Words    map[string]wordsDoc `json:"words"` // by language: en, zh
	Groups   []groupDoc          `json:"groups"`
}

type stepDoc struct {
	Status plans.Status `json:"status"`
	Began  *time.Time   `json:"began,omitempty"`
	Ended  *time.Time   `json:"ended,omitempty"` // or was left; absent only while it is under way
	First  *int         `json:"first,omitempty"`
	Left   *int         `json:"left,omitempty"`
	Cut    *int         `json:"cut,omitempty"`
	Error  string       `json:"error,omitempty"`
	Curve  [][2]float64 `json:"curve,omitempty"` // seconds since the drain began, sessions left
}

type groupDoc struct {
	Release  string         `json:"release"`
	TakesNew bool           `json:"takes_new"`
	Proven   bool           `json:"proven"`
	Backends view.CountsDoc `json:"backends"`
	Sessions *countDoc      `json:"sessions"`
	Machines []machineDoc   `json:"machines"` // in the order of the plan's
}

type countDoc struct {
	Total  int       `json:"total"`
	Unread int       `json:"unread,omitempty"` // machines whose count is not known: the total is a lower bound
	RateS  float64   `json:"rate_s"`
	EmptyS *float64  `json:"empty_s,omitempty"`
	At     time.Time `json:"at"`
}

type machineDoc struct {
	Sessions *int   `json:"s,omitempty"` // absent where it is not known
	Backends string `json:"b"`           // a letter each: 1 on, x on and not healthy, 0 off, ? not known
	Process  int    `json:"p,omitempty"` // processes found there last
	Why      string `json:"w,omitempty"` // its sessions are not known
}

// lineDoc is one line of the list of events, in each language.
type lineDoc struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
	En  string    `json:"en"`
	Zh  string    `json:"zh"`
}

// planOf draws the plan of s. past is the last run that ended well.
func planOf(s, past plans.State, control bool) *planDoc {
	d := &planDoc{Run: s.Plan.ID, Service: s.Plan.Service, Releases: view.ReleasesDoc{From: s.Plan.Was, To: s.Plan.Release}, By: s.Plan.By, Control: control}
	for _, c := range s.Chapters() {
		for _, st := range c.Plan.Steps {
			d.Steps = append(d.Steps, planStep{Kind: st.Kind, Group: st.Group, Purpose: c.Plan.Purpose, WithinS: st.Within.Duration().Seconds()})
		}
	}
	status := view.StatusOf(s, s.Last.At, view.StatusOptions{Past: past})
	before := len(d.Steps) - len(status.Steps)
	for i, st := range status.Steps {
		d.Steps[before+i].Last = points(st.LastCurve)
	}
	addrs := map[string][]string{}
	for _, b := range status.Backends {
		addrs[b.Machine] = append(addrs[b.Machine], b.Addr)
	}
	for _, g := range status.Groups {
		p := planGroup{Name: g.Name}
		ports, processes := watched(s.Plan, g.Name)
		for _, m := range g.Machines {
			p.Machines = append(p.Machines, planMachine{Name: m.Name, Host: m.Host, Backends: addrs[m.Name], Ports: ranges(ports[m.Host]), Process: processes[m.Host]})
		}
		d.Groups = append(d.Groups, p)
	}
	return d
}

// stateOf draws s. past is as for planOf.
func stateOf(s plans.State, now time.Time, h Holder, past plans.State) *stateDoc {
	o := view.StatusOptions{Alive: h.Held && h.Run == s.Plan.ID, Past: past}
	if h.Held && !o.Alive {
		o.Holder = h.Who
	}
	v := view.StatusOf(s, now, o)
	s.Phase = v.Phase
	d := &stateDoc{Now: now.UTC(), Phase: v.Phase, Safe: v.Safe, Alive: v.Alive, ETAS: v.ETAS, Deadline: v.Deadline, Cut: v.Sessions.Cut, Moved: v.Sessions.Moved,
		Holder: v.Holder, Started: v.Started, Updated: v.Updated, Words: wordsOf(s, v)}
	for _, st := range view.StepsOf(s) {
		d.Steps = append(d.Steps, stepDoc{Status: st.Status, Began: st.Began, Ended: st.Ended, First: st.First, Left: st.Left, Cut: st.Cut, Error: st.Error, Curve: points(st.Curve)})
	}
	d.leave()
	d.Step = len(d.Steps) - len(v.Steps) + max(s.Step, 0)
	backends := map[string][]byte{}
	for _, b := range v.Backends {
		backends[b.Machine] = append(backends[b.Machine], letter(b))
	}
	for _, g := range v.Groups {
		d.Groups = append(d.Groups, groupOf(g, backends))
	}
	return d
}

// leave gives each step that nobody ended, since a retreat came first or the run has stopped, the time at which it was left.
func (d *stateDoc) leave() {
	var next *time.Time
	if d.Phase != plans.PhaseRunning {
		next = d.Updated
	}
	for i := len(d.Steps) - 1; i >= 0; i-- {
		if st := &d.Steps[i]; st.Began != nil {
			if st.Ended == nil {
				st.Ended = next
			}
			next = st.Began
		}
	}
}

func groupOf(g view.GroupDoc, backends map[string][]byte) groupDoc {
	d := groupDoc{Release: g.Release, TakesNew: g.TakesNew, Proven: g.Proven, Backends: g.Backends}
	running := map[string]int{}
	if g.Processes != nil {
		for _, p := range g.Processes.Found {
			running[p.Machine]++
		}
	}
	if c := g.Sessions; c != nil {
		d.Sessions = &countDoc{Total: c.Total, Unread: len(c.Unread), RateS: c.RateS, EmptyS: c.EmptyS, At: c.At}
	}
	for _, m := range g.Machines {
		doc := machineDoc{Sessions: m.Sessions, Backends: string(backends[m.Name]), Process: running[m.Name]}
		if g.Sessions != nil {
			doc.Why = g.Sessions.Unread[m.Name]
		}
		d.Machines = append(d.Machines, doc)
	}
	return d
}

func letter(b view.BackDoc) byte {
	switch {
	case b.Actual == nil && b.Before > 0, b.Actual != nil && *b.Actual > 0 && (b.Healthy == nil || *b.Healthy):
		return '1'
	case b.Actual == nil:
		return '0'
	case *b.Actual > 0:
		return 'x'
	}
	return '0'
}

func points(ps []view.PointDoc) [][2]float64 {
	var all [][2]float64
	for _, p := range ps {
		all = append(all, [2]float64{p.AtS, float64(p.Left)})
	}
	return all
}
