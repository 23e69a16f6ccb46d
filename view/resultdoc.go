package view

import (
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// ResultDoc is how a call of start, resume or abort ended, for programs.
type ResultDoc struct {
	Schema     string      `json:"schema"` // ResultSchema
	Result     string      `json:"result"` // done, held, paused, interrupted, aborted or failed; none, where there was no run to end
	Run        string      `json:"run"`
	Service    string      `json:"service"`
	StepsDone  int         `json:"steps_done"`  // of the update, also where a retreat followed it
	StepsTotal int         `json:"steps_total"` // of the update
	Sessions   TallyDoc    `json:"sessions"`
	Releases   ReleasesDoc `json:"releases"`
	DurationS  float64     `json:"duration_s"` // from the run's first event to its last, whatever lay between
	Steps      []StepDoc   `json:"steps"`      // of every plan of the run, in order
	Error      string      `json:"error"`
	Safe       *bool       `json:"safe"`    // a group is proven to take new connections; null where that was not tried
	Traffic    string      `json:"traffic"` // which group takes new connections, in a sentence
	Next       []string    `json:"next"`    // commands worth typing, the likeliest first
	Started    *time.Time  `json:"started"`
	Ended      *time.Time  `json:"ended"`
}

// NoResult gives the document of a call that found no run of a service to end.
func NoResult(service string) ResultDoc {
	return ResultDoc{Schema: ResultSchema, Result: string(none), Service: service, Steps: []StepDoc{}, Next: []string{}}
}

// ResultOf gives the document of a run whose process has ended. A state that is still running or planned means that the process could
// not go on and could not say so in the journal: its result is failed.
func ResultOf(s plans.State) ResultDoc {
	d := ResultDoc{
		Schema: ResultSchema, Result: "failed", Run: s.Plan.ID, Service: s.Plan.Service,
		Sessions: TallyDoc{Moved: s.Moved(), Cut: s.Cut()}, Releases: ReleasesDoc{From: s.Plan.Was, To: s.Plan.Release},
		DurationS: seconds(s.Last.At.Sub(s.Began.At)), Steps: StepsOf(s), Error: Clean(fault(s)), Safe: safe(s),
		Traffic: oneLine(Traffic(s)), Next: commands(s), Started: moment(s.Began.At), Ended: moment(s.Last.At),
	}
	switch s.Phase {
	case plans.PhaseDone, plans.PhaseHeld, plans.PhasePaused, plans.PhaseInterrupted, plans.PhaseAborted:
		d.Result = string(s.Phase)
	}
	for _, c := range chapters(s) {
		if c.Plan.Purpose != plans.Update {
			continue
		}
		d.StepsDone, d.StepsTotal = 0, len(c.Plan.Steps)
		for _, p := range c.Progress {
			d.StepsDone += one(p.Status == plans.StepDone)
		}
	}
	return d
}

// StepsOf gives the documents of the steps of every plan of a run, in order. The index of each is within its plan.
func StepsOf(s plans.State) []StepDoc {
	docs := []StepDoc{}
	for _, c := range chapters(s) {
		docs = append(docs, stepDocs(c.Plan, c.Progress)...)
	}
	return docs
}
