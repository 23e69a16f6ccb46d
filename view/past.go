package view

import (
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// alikeStep names a step in two runs of which one need not have all that the other has: the second drain of group1, say.
type alikeStep struct {
	kind  plans.Kind
	group string
	nth   int
}

// lasted gives the progress that the like of each step of p had in an earlier run, and false where that did not get so far.
func lasted(p plans.Plan, past plans.State) func(i int) (plans.Progress, bool) {
	known := map[alikeStep]plans.Progress{}
	for i, name := range namesOf(past.Plan) {
		if past.Progress[i].Status == plans.StepDone {
			known[name] = past.Progress[i]
		}
	}
	names := namesOf(p)
	return func(i int) (plans.Progress, bool) {
		g, ok := known[names[i]]
		return g, ok
	}
}

func namesOf(p plans.Plan) []alikeStep {
	names, seen := make([]alikeStep, len(p.Steps)), map[alikeStep]int{}
	for i, st := range p.Steps {
		n := alikeStep{kind: st.Kind, group: st.Group}
		seen[n]++
		names[i] = alikeStep{st.Kind, st.Group, seen[n]}
	}
	return names
}

// Lasted gives how long the like of each step of p took in an earlier run; 0 where that is not known.
func Lasted(p plans.Plan, past plans.State) []time.Duration {
	of, ds := lasted(p, past), make([]time.Duration, len(p.Steps))
	for i := range ds {
		if g, ok := of(i); ok {
			ds[i] = took(g)
		}
	}
	return ds
}

// past gives the documents of p's steps with the curves of an earlier run.
func past(p plans.Plan, docs []StepDoc, of plans.State) []StepDoc {
	before := lasted(p, of)
	for i := range docs {
		if g, ok := before(i); ok {
			docs[i].LastCurve = curveDoc(g.Curve)
		}
	}
	return docs
}
