package view

import (
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// ReportSchema names the format of ReportDoc.
const ReportSchema = "rollout.report/v1"

// ReportOptions are what a report needs beside the events of its run. Its zero is usable.
type ReportOptions struct {
	Alive  bool        // the process that carries the run out lives
	Past   plans.State // the last run before it that ended well; its zero: there is none
	Lang   Lang        // of its sentences; its zero is English
	Damage string      // why the journal cannot be read any further; empty: the events are all there are
}

// ReportDoc is one run from its beginning to its end, or as far as it has come. Every form of a report is drawn from it. Times are RFC 3339 in UTC,
// durations are seconds, and machines go by their names.
type ReportDoc struct {
	Schema    string          `json:"schema"` // ReportSchema
	Run       string          `json:"run"`
	Service   string          `json:"service"`
	Balancer  string          `json:"balancer"`
	Phase     plans.Phase     `json:"phase"`   // interrupted, where the process that ran it is gone
	Outcome   string          `json:"outcome"` // how it ended or stands, in a sentence
	Error     string          `json:"error"`
	Why       string          `json:"why"` // for what it stands where it stands: its error, or who asked
	Damage    string          `json:"damage"`
	By        string          `json:"by"`    // who began it
	Order     []string        `json:"order"` // the group updated first, and the other one
	Releases  ReleasesDoc     `json:"releases"`
	Started   *time.Time      `json:"started"`
	Updated   *time.Time      `json:"updated"`    // of the newest event
	DurationS float64         `json:"duration_s"` // from the run's first event to its newest, whatever lay between
	Safe      *bool           `json:"safe"`       // a group is proven to take new connections; null where that was not tried
	Traffic   string          `json:"traffic"`    // which group takes new connections, in a sentence
	Sessions  TallyDoc        `json:"sessions"`
	Requests  plans.Tries     `json:"requests"` // to the load balancer, each for one backend, of all steps
	Commands  plans.Tries     `json:"commands"` // on machines, of all steps
	Plans     []ReportPlanDoc `json:"plans"`    // the update; after it the way back, where there was one
	Groups    []GroupDoc      `json:"groups"`   // as they were at the newest event, in the order of their names
	Turns     []TurnDoc       `json:"turns"`    // what somebody asked for and what went otherwise than planned, in order
	Next      []string        `json:"next"`     // commands that make sense now that it has stopped
	Past      string          `json:"past"`     // the run that last_curve is of; empty: there is none
	Log       []string        `json:"log"`      // a line for each event worth one

	lang Lang // of its sentences
}

// ReportPlanDoc is one plan of a run and how far it came.
type ReportPlanDoc struct {
	Purpose plans.Purpose   `json:"purpose"`
	Steps   []ReportStepDoc `json:"steps"`
}

// ReportStepDoc is one step and what it took.
type ReportStepDoc struct {
	StepDoc
	WithinS  float64     `json:"within_s"` // its deadline; 0: it has none
	Reached  string      `json:"reached"`  // what it has reached, in a few words; empty where it has not ended well
	Begun    int         `json:"begun"`    // how often
	Requests plans.Tries `json:"requests"`
	Commands plans.Tries `json:"commands"`
	Faults   []FaultDoc  `json:"faults"` // of commands, also where a later try succeeded
}

// FaultDoc is a command that failed, or of which nobody knows how it ended.
type FaultDoc struct {
	Machine string    `json:"machine"`
	Act     plans.Act `json:"act"`
	Exit    *int      `json:"exit"` // null where its outcome is not known
	Error   string    `json:"error"`
	Output  string    `json:"output"` // the end of what it printed
}

// TurnDoc is something that the plan did not foresee.
type TurnDoc struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // asked, adopted, overruled, alarm, drift, resumed, retreat, command, failed, paused, held, interrupted or aborted
	Step string    `json:"step"` // the one under way: 2 drain group2; empty where none was
	Text string    `json:"text"`
}

// ReportOf gives the document of a run whose events these are.
func ReportOf(events []plans.Event, o ReportOptions) ReportDoc {
	l := o.Lang
	story := plans.Tell(slices.Values(events))
	s := story.State
	s.Phase = phase(s, o.Alive)
	d := ReportDoc{
		Schema: ReportSchema, Run: s.Plan.ID, Service: s.Plan.Service, Balancer: s.Plan.Balancer, Phase: s.Phase, Outcome: oneLine(l.standing(s)),
		Error: Clean(fault(s)), Why: Clean(cause(s)), Damage: Clean(o.Damage), By: s.Plan.By, Order: []string{s.Plan.First, s.Plan.Second},
		Releases: ReleasesDoc{From: s.Plan.Was, To: s.Plan.Release}, Started: moment(s.Began.At), Updated: moment(s.Last.At),
		DurationS: seconds(s.Last.At.Sub(s.Began.At)), Safe: safe(s), Traffic: oneLine(l.Traffic(s)), Sessions: TallyDoc{Moved: s.Moved(), Cut: s.Cut()},
		Plans: []ReportPlanDoc{}, Groups: []GroupDoc{}, Turns: []TurnDoc{}, Next: []string{}, Past: o.Past.Plan.ID, Log: l.log(events), lang: l,
	}
	switch {
	case o.Damage != "": // whatever goes on from the journal refuses it
		d.Next = []string{"rollout status --from-cloud"}
	case s.Phase != plans.PhaseRunning:
		d.Next = commands(s)
	}
	cs := chapters(s)
	for i, efforts := range story.Efforts {
		d.Plans = append(d.Plans, l.reportPlan(cs[i], efforts, o.Past))
		for _, f := range efforts {
			d.Requests, d.Commands = d.Requests.Plus(f.Requests), d.Commands.Plus(f.Commands)
		}
	}
	for _, g := range sidesOf(s) {
		d.Groups = append(d.Groups, groupDoc(s, g))
	}
	for _, t := range story.Turns {
		d.Turns = append(d.Turns, l.turnDoc(t))
	}
	return d
}

// standing says in one line how the run ended, or where it is.
func (l Lang) standing(s plans.State) string {
	if s.Phase != plans.PhaseRunning && s.Phase != plans.PhasePlanned {
		return l.outcome(s)
	}
	what := strings.TrimSpace(s.Plan.Service + " " + releases(s.Plan.Was, s.Plan.Release, " → "))
	if st, ok := s.Current(); ok {
		what = l.Say("%s at %s", "%s，在%s", what, l.numbered(s, st))
	}
	return l.Say("%s, so far: %s", "%s，到目前：%s", capital(l.Phase(s.Phase)), what)
}

// chapters gives every plan of the run with its progress, the newest last. A step that was under way when its plan was left has been skipped.
func chapters(s plans.State) []plans.Chapter {
	cs := s.Chapters()
	for i := range s.Earlier {
		cs[i].Progress = abandoned(cs[i].Progress)
	}
	return cs
}

func (l Lang) reportPlan(c plans.Chapter, efforts []plans.Effort, last plans.State) ReportPlanDoc {
	d := ReportPlanDoc{Purpose: c.Plan.Purpose, Steps: []ReportStepDoc{}}
	for i, st := range past(c.Plan, stepDocs(c.Plan, c.Progress), last) {
		f := efforts[i]
		step := ReportStepDoc{StepDoc: st, WithinS: seconds(allowed(c.Plan.Steps[i])), Begun: f.Begun, Requests: f.Requests, Commands: f.Commands, Faults: []FaultDoc{}}
		if st.Status == plans.StepDone {
			step.Reached = oneLine(l.result(plans.State{Plan: c.Plan, Progress: c.Progress}, i))
		}
		for _, x := range f.Faults {
			fd := FaultDoc{Machine: c.Plan.Name(x.Command.Host), Act: x.Command.Do, Error: Clean(x.Error), Output: Clean(x.Output)}
			if x.Error == "" {
				fd.Exit = &x.Code
			}
			step.Faults = append(step.Faults, fd)
		}
		d.Steps = append(d.Steps, step)
	}
	return d
}

// log gives the lines of some events.
func (l Lang) log(events []plans.Event) []string {
	lines, all := Lines{Lang: l}, []string{}
	var s plans.State
	for _, e := range events {
		s = s.Apply(e)
		if line, ok := lines.Next(s, e); ok {
			all = append(all, line)
		}
	}
	return all
}
