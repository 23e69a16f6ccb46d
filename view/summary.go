package view

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Summary draws the end of a run for the person on duty, 80 columns wide: what happened and why, where traffic is, the state of
// what does not take any, and the commands that go on from here, with flags. It repeats the error, so whoever prints it need not.
func Summary(w io.Writer, s plans.State, flags string) error {
	pg := newPage(usual)
	pg.sides(English.outcome(s), "run "+s.Plan.ID)
	pg.line("")
	if s.Phase == plans.PhaseDone {
		reached(pg, s)
	} else {
		stepsRow(pg, s)
	}
	pg.line("")
	if why := cause(s); why != "" {
		pg.labelled("Why", why)
	}
	pg.labelled("Traffic", capital(Traffic(s))+". "+capital(English.cuts(s))+".")
	for _, d := range sidesOf(s) {
		if line, worth := condition(s, d); worth {
			pg.labelled(d.name, line)
		}
	}
	pg.labelled("Sessions", tally(s))
	pg.labelled("Took", span(s.Last.At.Sub(s.Began.At)))
	advise(pg, pad("  Next", labelled), Next(s), flags)
	return pg.print(w)
}

// tally says what became of sessions, and how many a drain that was stopped part-way had left.
func tally(s plans.State) string {
	t := fmt.Sprintf("%s ended by themselves, %s cut", number(s.Moved()), number(s.Cut()))
	if st, ok := s.Current(); ok && st.Kind == plans.Drain && s.Progress[s.Step].First != nil {
		p := s.Progress[s.Step]
		t += fmt.Sprintf(", %s of %s left on %s", number(p.Left), number(*p.First), st.Group)
	}
	return t
}

// advise draws the commands worth typing, with lead before the first. A command that leaves no room for what it does has lines to itself: it must be
// whole to be typed.
func advise(pg *page, lead string, as []Advice, flags string) {
	wide := len("rollout rollback")
	for _, a := range as {
		wide = max(wide, columns(oneLine(a.With(flags))))
	}
	for _, a := range as {
		if columns(lead)+wide+2+least > pg.width {
			for _, l := range typed(lead, oneLine(a.With(flags)), pg.width) {
				pg.line("%s", l)
			}
			pg.text(blank(columns(lead)+2), a.Why)
		} else {
			pg.text(lead+pad(oneLine(a.With(flags)), wide+2), a.Why)
		}
		lead = blank(columns(lead))
	}
}

// typed puts a command into lines of at most n columns, with lead before the first, as a shell takes them: what is copied is the command. A word that is
// wider than a line, such as a path, goes on at the edge of the next.
func typed(lead, command string, n int) []string {
	room := max(n-columns(lead)-2, least/2)
	var lines []string
	if slices.ContainsFunc(strings.Fields(command), func(w string) bool { return columns(w) > room }) {
		for rest := lead + command; rest != ""; {
			head, after := split(rest, n)
			if after != "" {
				head, after = split(rest, n-1)
				head += `\`
			}
			lines, rest = append(lines, head), after
		}
		return lines
	}
	ls := wrap(command, room)
	for i, l := range ls {
		if i < len(ls)-1 {
			l += ` \`
		}
		lines = append(lines, lead+l)
		lead = blank(columns(lead))
	}
	return lines
}

// outcome says in one line how the run stands.
func (l Lang) outcome(s plans.State) string {
	what := s.Plan.Service
	if r := releases(s.Plan.Was, s.Plan.Release, " → "); r != "" {
		what += " " + strings.TrimSpace(r)
	}
	here := what
	if st, ok := s.Current(); ok {
		here = l.Say("%s at %s", "%s，在%s", what, l.numbered(s, st))
	}
	switch s.Phase {
	case plans.PhaseDone:
		return l.Say("Done: %s", "完成：%s", what)
	case plans.PhaseAborted:
		if !s.Touched {
			return l.Say("Not begun: %s; nothing was touched", "未开始：%s；没有改动任何东西", what)
		}
		if s.Note != "" {
			return l.Say("Aborted: %s; %s", "已中止：%s；%s", what, l.Said(s.Note))
		}
		return l.Say("Aborted: %s; every backend is as it was found", "已中止：%s；所有后端恢复原状", what)
	case plans.PhaseHeld:
		if !s.Safe {
			return l.Say("Held, NOT PROVEN SAFE: %s", "暂停并保持，未证实安全：%s", here)
		}
		return l.Say("Held, safe: %s", "暂停并保持，安全：%s", here)
	case plans.PhasePaused:
		return l.Say("Paused: %s", "已暂停：%s", here)
	case plans.PhaseInterrupted:
		return l.Say("Interrupted: %s", "已中断：%s", here)
	case plans.PhasePlanned, plans.PhaseRunning:
	}
	return l.Say("Stopped: %s", "已停止：%s", here)
}

// cause says why the run stands where it stands: its failure, what kept an earlier plan from its end, or who asked.
func cause(s plans.State) string {
	if s.Phase == plans.PhaseDone {
		return ""
	}
	if e := fault(s); e != "" {
		return e
	}
	if s.Phase == plans.PhaseAborted {
		return s.Why
	}
	if s.Phase == plans.PhasePaused || s.Phase == plans.PhaseInterrupted {
		return s.Note
	}
	return ""
}

// fault gives the error the run ended with, or that of the step that brought about its retreat.
func fault(s plans.State) string {
	if s.Error != "" || s.Phase == plans.PhaseDone {
		return s.Error
	}
	for i := len(s.Earlier) - 1; i >= 0; i-- {
		for _, p := range s.Earlier[i].Progress {
			if p.Status == plans.StepFailed {
				return p.Error
			}
		}
	}
	return ""
}

// condition says how a group is, and whether that is not in the sentence about traffic already.
func condition(s plans.State, d side) (string, bool) {
	takes := "takes no new connections"
	switch {
	case d.on > 0 && d.on >= d.found:
		takes = "takes new connections"
	case d.on > 0:
		takes = "takes new connections in part"
	}
	parts := []string{takes, d.backends(English)}
	if r := d.runs(English); r != "" {
		parts = append([]string{r}, parts...)
	}
	if n := d.sessions(English); n != "" && !s.Phase.Over() { // the last count is of a drain, and old by now
		parts = append(parts, n)
	}
	return strings.Join(parts, ", "), d.on < d.found || d.on == 0 || s.Phase.Over()
}

// reached draws every step with what it reached and how long it took.
func reached(pg *page, s plans.State) {
	for i, st := range s.Plan.Steps {
		p := s.Progress[i]
		row(pg, strconv.Itoa(i+1), string(st.Kind), glyph(p.Status)+" "+English.result(s, i), span(took(p)))
	}
}

// result says what step i reached.
func (l Lang) result(s plans.State, i int) string {
	st, p := s.Plan.Steps[i], s.Progress[i]
	switch {
	case st.Kind == plans.Shift:
		return l.shiftDone(s.Plan, i)
	case st.Kind == plans.Drain && p.First != nil:
		by := l.Say("all ended", "全部结束")
		if p.EndedBy == "deadline" {
			by = l.Say("%s left at the deadline", "到截止时还剩 %s 条", number(p.Left))
		} else if p.Left > 0 {
			by = l.Say("%s left", "还剩 %s 条", number(p.Left))
		}
		return l.clauses([]string{st.Group, l.plural(*p.First, "session"), by})
	case st.Kind == plans.Restart:
		return l.clauses([]string{st.Group, l.plural(len(st.Hosts), "machine"), l.Say("%s cut", "掐断 %s 条", number(p.Cut))})
	}
	return l.clauses([]string{st.Group, l.plural(len(st.Hosts), "machine")})
}
