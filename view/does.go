package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// does says what step i will do.
func does(p plans.Plan, i int, o PlanOptions) string {
	st := p.Steps[i]
	switch st.Kind {
	case plans.Shift:
		return shiftPlan(p, i)
	case plans.Drain:
		s := st.Group
		if c, ok := o.Sessions[st.Group]; ok {
			s += ", " + perGroup(c)
		}
		s += ", " + until(st)
		if g, ok := lasted(p, o.Past)(i); ok {
			s += "; last run took " + span(took(g))
		}
		return s
	case plans.Deploy:
		return st.Group + ": " + command(st, plans.DoDeploy)
	case plans.Restart:
		return restarts(p, st)
	case plans.Check:
		return checks(st)
	}
	return st.Group
}

func perGroup(c plans.Sessions) string {
	if c.Known() {
		return plural(c.Total, "session")
	}
	return "at least " + plural(c.Total, "session")
}

// until says when a drain ends.
func until(st plans.Step) string {
	n := 0
	if st.Drain != nil {
		n = st.Drain.Until
	}
	if _, ends := bound(st); !ends {
		return fmt.Sprintf("until %d, however long", n)
	}
	return fmt.Sprintf("until %d or %s", n, span(st.Within.Duration()))
}

// command gives the line of an act, with as many words as a reader needs: of a script that begins with a comment, that comment.
func command(st plans.Step, do plans.Act) string {
	for _, c := range st.Run {
		if c.Do == do {
			if said, script := strings.CutPrefix(c.Line, "# "); script {
				first, _, _ := strings.Cut(said, "\n")
				return cut(strings.TrimSpace(oneLine(first)), 100)
			}
			return cut(strings.Join(strings.Fields(oneLine(c.Line)), " "), 100)
		}
	}
	return "nothing to run"
}

// restarts says what starts a group: one machine for all, or each itself.
func restarts(p plans.Plan, st plans.Step) string {
	var from []string
	for _, c := range st.Run {
		if c.Do == plans.DoStart && !slices.Contains(from, p.Name(c.Host)) {
			from = append(from, p.Name(c.Host))
		}
	}
	if len(from) == 1 && len(st.Hosts) > 1 {
		return fmt.Sprintf("%s from %s (%s)", st.Group, from[0], command(st, plans.DoStart))
	}
	return fmt.Sprintf("%s, %s (%s)", st.Group, plural(len(from), "machine"), command(st, plans.DoStart))
}

// checks says what must be true of a group before it is believed.
func checks(st plans.Step) string {
	ports := 0
	for _, p := range st.Probe {
		ports += len(p.Ports)
	}
	var parts []string
	if n := len(st.Want); n > 0 {
		parts = append(parts, "exactly "+plural(n, "process")+", each of them new")
	}
	if ports > 0 {
		parts = append(parts, plural(ports, "port")+" to answer")
	}
	if st.Gates != nil {
		parts = append(parts, fmt.Sprintf("every gate to name %s", plural(len(st.Gates.To), "connector")))
	}
	acts := map[plans.Act]bool{}
	for _, c := range st.Run {
		acts[c.Do] = true
	}
	if acts[plans.DoStatus] && len(st.Want) == 0 {
		parts = append(parts, "it reports that it runs")
	}
	if acts[plans.DoHealth] {
		parts = append(parts, command(st, plans.DoHealth))
	}
	return st.Group + ": " + strings.Join(append(parts, "stable "+span(st.Stable.Duration())), ", ")
}
