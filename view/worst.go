package view

import (
	"fmt"

	"github.com/seed59ee9cdc/rollout/plans"
)

// worst says what happens to sessions and traffic if the drains do not reach zero and if the first group fails.
func worst(p plans.Plan) string {
	var d *plans.Draining
	var within plans.Seconds
	drains := 0
	for _, st := range p.Steps {
		if st.Kind == plans.Drain && st.Drain != nil {
			d, within = st.Drain, st.Within
			drains++
		}
	}
	if d == nil {
		return "it stops half-way, and a person decides; a group that takes new connections goes on taking them"
	}
	fails := fmt.Sprintf("if %s fails, traffic stays on %s (on_failure: hold)", p.First, p.Other(p.First))
	if p.OnFail == "rollback" {
		fails = fmt.Sprintf("if %s fails before a command has run on it, every backend is put back; after that traffic stays on %s (on_failure: rollback)",
			p.First, p.Other(p.First))
	}
	return atDeadline(*d, span(within.Duration()), drains) + "; " + fails
}

// atDeadline says what a drain does with those it did not outwait.
func atDeadline(d plans.Draining, within string, drains int) string {
	over := fmt.Sprintf("the sessions still open after %s", within)
	switch d.OnDeadline {
	case plans.Wait:
		return "a drain waits as long as sessions last, and nobody is cut"
	case plans.Pause:
		return fmt.Sprintf("with sessions still open after %s it pauses, and nobody is cut", within)
	case plans.Abort:
		return fmt.Sprintf("with sessions still open after %s every backend is put back, and nobody is cut", within)
	}
	switch {
	case d.CutBudget == nil && drains == 2:
		return over + " are cut, twice"
	case d.CutBudget == nil:
		return over + " are cut"
	case *d.CutBudget == 0:
		return fmt.Sprintf("with a session still open after %s it pauses, and nobody is cut (cut_budget: 0)", within)
	}
	return fmt.Sprintf("%s are cut while they are no more than %s a group; with more it pauses (cut_budget: %d)",
		over, number(*d.CutBudget), *d.CutBudget)
}

// capacity says whether the group that is left alone holds everybody; empty where that is not asked or not known.
func capacity(p plans.Plan, o PlanOptions) string {
	if o.PerMachine <= 0 || len(o.Sessions) == 0 {
		return ""
	}
	total, sure := 0, true
	for _, g := range []string{p.First, p.Second} {
		c, ok := o.Sessions[g]
		total += c.Total
		sure = sure && ok && c.Known()
	}
	machines := min(len(p.Hosts(p.First)), len(p.Hosts(p.Second)))
	room := machines * o.PerMachine
	word := "capacity ok"
	switch {
	case total > room:
		word = "CAPACITY SHORT"
	case !sure:
		word = "capacity not known: not every machine was read"
	}
	about := plural(total, "session")
	if !sure {
		about = "at least " + about
	}
	return fmt.Sprintf("while one group is out: %s on %s of %s (%s)", about, plural(machines, "machine"), number(room), word)
}
