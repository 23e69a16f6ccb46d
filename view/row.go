package view

import (
	"slices"

	"github.com/seed59ee9cdc/rollout/plans"
)

// glyph gives the sign of a step's state. It never stands without the step's word.
func glyph(st plans.Status) string {
	switch st {
	case plans.StepDone:
		return "✔"
	case plans.UnderWay:
		return "◌"
	case plans.StepFailed:
		return "✖"
	case plans.StepSkipped:
		return "–"
	}
	return "·"
}

// stepsRow draws every step of the run with its glyph, the plans before a retreat first. The group is named at the step under way and
// wherever it changes.
func stepsRow(pg *page, s plans.State) {
	for _, c := range s.Earlier {
		pg.items(" ", steps(c.Plan, abandoned(c.Progress), -1), "  ")
	}
	lead := " "
	if s.Plan.Purpose == plans.Leaving {
		lead = " back: "
	}
	pg.items(lead, steps(s.Plan, s.Progress, s.Step), "  ")
}

// abandoned gives the progress of a plan that a retreat came before: a step that was under way then will not be ended.
func abandoned(ps []plans.Progress) []plans.Progress {
	ps = slices.Clone(ps)
	for i := range ps {
		if ps[i].Status == plans.UnderWay {
			ps[i].Status = plans.StepSkipped
		}
	}
	return ps
}

func steps(p plans.Plan, ps []plans.Progress, now int) []string {
	var items []string
	group := ""
	for i, st := range p.Steps {
		status := plans.Pending
		if i < len(ps) {
			status = ps[i].Status
		}
		it := glyph(status) + " " + string(st.Kind)
		if st.Kind != plans.Shift && (i == now || st.Group != group) {
			it += " " + st.Group
			group = st.Group
		}
		items = append(items, it)
	}
	return items
}

// at names the step under way or next: step 2 of 11, drain group2. It is empty where none is left.
func at(s plans.State) string {
	st, ok := s.Current()
	if !ok {
		return ""
	}
	return English.numbered(s, st)
}
