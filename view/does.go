package view

import (
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// does says what step i will do.
func (l Lang) does(p plans.Plan, i int, o PlanOptions) string {
	st := p.Steps[i]
	switch st.Kind {
	case plans.Shift:
		return l.shiftPlan(p, i)
	case plans.Drain:
		parts := []string{st.Group}
		if c, ok := o.Sessions[st.Group]; ok {
			parts = append(parts, l.total(c))
		}
		s := l.clauses(append(parts, l.until(st)))
		if i < len(o.last) && o.last[i] > 0 {
			s += l.Say("; last run took %s", "；上次用了 %s", l.Span(o.last[i]))
		}
		return s
	case plans.Deploy:
		return l.Say("%s: %s", "%s：%s", st.Group, l.command(st, plans.DoDeploy))
	case plans.Restart:
		return l.restarts(p, st)
	case plans.Check:
		return l.checks(st)
	}
	return st.Group
}

// until says when a drain ends.
func (l Lang) until(st plans.Step) string {
	n := 0
	if st.Drain != nil {
		n = st.Drain.Until
	}
	if _, ends := bound(st); !ends {
		return l.Say("until %d, however long", "直到剩 %d 条，不限时", n)
	}
	return l.Say("until %d or %s", "直到剩 %d 条，最多 %s", n, l.Span(st.Within.Duration()))
}

// command gives the line of an act, with as many words as a reader needs: of a script that begins with a comment, that comment.
func (l Lang) command(st plans.Step, do plans.Act) string {
	for _, c := range st.Run {
		if c.Do == do {
			if said, script := strings.CutPrefix(c.Line, "# "); script {
				first, _, _ := strings.Cut(said, "\n")
				return cut(strings.TrimSpace(oneLine(first)), 100)
			}
			return cut(strings.Join(strings.Fields(oneLine(c.Line)), " "), 100)
		}
	}
	return l.Say("nothing to run", "没有要执行的命令")
}

// restarts says what starts a group: one machine for all, or each itself.
func (l Lang) restarts(p plans.Plan, st plans.Step) string {
	var from []string
	for _, c := range st.Run {
		if c.Do == plans.DoStart && !slices.Contains(from, p.Name(c.Host)) {
			from = append(from, p.Name(c.Host))
		}
	}
	if len(from) == 1 && len(st.Hosts) > 1 {
		return l.Say("%s from %s (%s)", "%s，由 %s 启动（%s）", st.Group, from[0], l.command(st, plans.DoStart))
	}
	return l.Say("%s, %s (%s)", "%s，%s（%s）", st.Group, l.plural(len(from), "machine"), l.command(st, plans.DoStart))
}

// checks says what must be true of a group before it is believed.
func (l Lang) checks(st plans.Step) string {
	ports := 0
	for _, p := range st.Probe {
		ports += len(p.Ports)
	}
	var parts []string
	if n := len(st.Want); n > 0 {
		parts = append(parts, l.Say("exactly %s, each of them new", "正好 %s，且都是新启动的", l.plural(n, "process")))
	}
	if ports > 0 {
		parts = append(parts, l.Say("%s to answer", "%s应答", l.plural(ports, "port")))
	}
	if st.Gates != nil {
		parts = append(parts, l.Say("every gate to name %s", "每个 gate 都指向 %s", l.plural(len(st.Gates.To), "connector")))
	}
	acts := map[plans.Act]bool{}
	for _, c := range st.Run {
		acts[c.Do] = true
	}
	if acts[plans.DoStatus] && len(st.Want) == 0 {
		parts = append(parts, l.Say("it reports that it runs", "它自己报告在运行"))
	}
	if acts[plans.DoHealth] {
		parts = append(parts, l.command(st, plans.DoHealth))
	}
	parts = append(parts, l.Say("stable %s", "稳定 %s", l.Span(st.Stable.Duration())))
	return l.Say("%s: %s", "%s：%s", st.Group, l.clauses(parts))
}
