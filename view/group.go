package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// shown is how many machines of a group a status draws; of more, those that need a look come first and the rest is summed up.
const shown = 24

// group draws one group: what it is about, its backends, its sessions.
func group(pg *page, s plans.State, d side, now time.Time) {
	pg.items(" ", title(s, d), "  ")
	pg.text("   backends  ", backends(d))
	if d.counted {
		counts(pg, s, d, now)
	}
	if r, ok := s.Rolls[d.name]; ok {
		pg.text("   processes ", English.rolled(r.Found)+", called "+age(r.At.At, now))
	}
}

// title names a group, what it runs and what it is doing, as far as that is known.
func title(s plans.State, d side) []string {
	return slices.DeleteFunc([]string{d.name, d.runs(English), English.role(s, d)}, func(x string) bool { return x == "" })
}

// backends says how many backends of a group are on and are to be on.
func backends(d side) string {
	b := fmt.Sprintf("%d on of %d", d.on, d.total)
	if d.sick > 0 { // before what may be cut off
		b += fmt.Sprintf(", %d not healthy", d.sick)
	}
	b += fmt.Sprintf(", want %d", d.wanted)
	if !d.read {
		b += ", as found"
	}
	return b
}

// Role says what a group is doing; empty where the plan has no such group.
func (l Lang) Role(s plans.State, group string) string {
	for _, d := range sidesOf(s) {
		if d.name == group {
			return l.role(s, d)
		}
	}
	return ""
}

func (l Lang) role(s plans.State, d side) string {
	var parts []string
	other := 0
	for _, o := range sidesOf(s) {
		if o.name != d.name {
			other = o.on
		}
	}
	switch {
	case d.on == 0:
		parts = append(parts, l.Say("takes no new connections", "不接新连接"))
	case d.on < d.found:
		parts = append(parts, l.Say("takes new connections in part", "只接部分新连接"))
	case s.Phase == plans.PhaseHeld && !s.Safe:
		parts = append(parts, l.Say("is on, and not proven to serve", "已开启，但未证实能服务"))
	case other == 0:
		parts = append(parts, l.Say("TAKES ALL NEW CONNECTIONS", "接全部新连接"))
	default:
		parts = append(parts, l.Say("takes new connections", "接新连接"))
	}
	if st, ok := s.Current(); ok && st.Group == d.name && s.Phase == plans.PhaseRunning && s.Progress[s.Step].Status == plans.UnderWay {
		switch st.Kind {
		case plans.Drain:
			parts = append(parts, l.Say("DRAINING", "正在排空"))
		case plans.Deploy:
			parts = append(parts, l.Say("being deployed", "正在部署"))
		case plans.Restart:
			parts = append(parts, l.Say("RESTARTING", "正在重启"))
		case plans.Check:
			parts = append(parts, l.Say("being checked", "正在检查"))
		}
	}
	return l.clauses(parts)
}

// counts draws a group's sessions: how many, how far its drain is, and each machine.
func counts(pg *page, s plans.State, d side, now time.Time) {
	pg.text("   sessions  ", sessionsOf(s, d, now))
	if p, draining := drainOf(s, d.name); draining {
		pg.items("   drain     ", progress(s, d, p, now), "  ")
	}
	machines(pg, d)
	names, why := unread(s.Plan, d.count.Sessions)
	for _, n := range names {
		pg.text("   unread    ", n+": "+why[n]+"; unknown is not zero")
	}
}

// sessionsOf says how many sessions a group has, of how many when its drain began, and how old that knowledge is.
func sessionsOf(s plans.State, d side, now time.Time) string {
	total := number(d.count.Total)
	if !d.count.Known() {
		total = "at least " + total
	}
	if p, draining := drainOf(s, d.name); draining && p.First != nil {
		total += " of " + number(*p.First)
	}
	return total + ", read " + age(d.count.At.At, now)
}

// drainOf gives the progress of the drain of a group, if one is under way.
func drainOf(s plans.State, group string) (plans.Progress, bool) {
	st, ok := s.Current()
	if !ok || st.Kind != plans.Drain || st.Group != group || s.Phase != plans.PhaseRunning || s.Progress[s.Step].Status != plans.UnderWay {
		return plans.Progress{}, false
	}
	return s.Progress[s.Step], true
}

// progress says how much of a drain is done, when it will be, and when it must be.
func progress(s plans.State, d side, p plans.Progress, now time.Time) []string {
	st, _ := s.Current()
	var items []string
	if p.First != nil && *p.First > 0 && d.count.Known() {
		gone := max(0, *p.First-d.count.Total) * 100 / *p.First
		full := gone * 20 / 100
		items = append(items, strings.Repeat("█", full)+strings.Repeat("░", 20-full)+fmt.Sprintf(" %d%% gone", gone))
	}
	if e := d.count.Empty; e != nil && d.count.Total > 0 {
		in := max(0, e.Duration()-now.Sub(d.count.At.At))
		empty := "empty in ~" + about(in)
		if t := deadline(s, st); !t.IsZero() && now.Add(in).After(t) {
			empty += ", after the deadline"
		}
		items = append(items, empty)
	}
	return append(items, English.beforeDeadline(s, st, now)+then(st))
}

// then says what a drain's deadline brings.
func then(st plans.Step) string {
	if st.Drain == nil || st.Drain.OnDeadline == plans.Wait || st.Within <= 0 {
		return ""
	}
	switch {
	case st.Drain.OnDeadline == plans.Cut && st.Drain.CutBudget != nil:
		return fmt.Sprintf(" (then cut, up to %d)", *st.Drain.CutBudget)
	default:
		return fmt.Sprintf(" (then %s)", st.Drain.OnDeadline)
	}
}

// machines draws each machine with its count, in columns.
func machines(pg *page, d side) {
	ms := slices.Clone(d.machines)
	rank := func(m plans.Machine) int { // those that need a look first
		if _, bad := d.count.Unread[m.Host]; bad {
			return -1 << 60
		}
		return -d.count.ByHost[m.Host]
	}
	rest := 0
	if len(ms) > shown {
		slices.SortStableFunc(ms, func(a, b plans.Machine) int { return cmp.Compare(rank(a), rank(b)) })
		for _, m := range ms[shown:] {
			rest += d.count.ByHost[m.Host]
		}
		ms = ms[:shown]
	}
	wide, widest := 0, 0
	values := make([]string, len(ms))
	for i, m := range ms {
		values[i] = number(d.count.ByHost[m.Host])
		switch _, bad := d.count.Unread[m.Host]; {
		case bad:
			values[i] = "unread"
		default:
			if _, known := d.count.ByHost[m.Host]; !known {
				values[i] = "–"
			}
		}
		wide, widest = max(wide, columns(oneLine(m.Name))), max(widest, columns(values[i]))
	}
	cells := make([]string, len(ms))
	for i, m := range ms {
		cells[i] = pad(oneLine(m.Name), wide) + " " + padLeft(values[i], widest)
	}
	if n := len(d.machines) - len(ms); n > 0 {
		cells = append(cells, fmt.Sprintf("and %d more with %s", n, number(rest)))
	}
	pg.items("   machines  ", cells, "   ")
}
