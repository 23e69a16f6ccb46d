package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// counted says how far a drain is: at its first count, then when 15 s have gone by, a tenth of the sessions has ended, or a
// machine can no longer be read or can be again.
func (l *Lines) counted(s plans.State, e plans.Event, st plans.Step) string {
	if e.Sessions == nil || e.Group != st.Group {
		return ""
	}
	if e.Cut != nil {
		if *e.Cut == 0 {
			return ""
		}
		return fmt.Sprintf("%s %s cut by the restart", st.Group, sessions(*e.Cut))
	}
	c := *e.Sessions
	missing := notRead(s.Plan, c)
	first := l.drained.IsZero()
	if first {
		l.first = c.Total
		if p := s.Progress[e.Step]; p.First != nil {
			l.first = *p.First
		}
	}
	ago := e.At.Sub(l.drained)
	much := c.Known() && 10*abs(l.left-c.Total) >= max(l.first, 1)
	if !first && ago < drainEach && !much && (missing == l.missing || ago < drainSoon) {
		return ""
	}
	l.drained, l.left, l.missing = e.At, c.Total, missing
	if first {
		return fmt.Sprintf("%s %s%s%s", st.Group, sessions(c.Total), missing, deadlineAt(s, st))
	}
	return fmt.Sprintf("%s %d%s%s", st.Group, c.Total, fallen(l.first, c), missing) + ahead(s, e, st, c)
}

func abs(n int) int { return max(n, -n) }

// fallen says how much of the first count has gone.
func fallen(first int, c plans.Sessions) string {
	if first <= 0 || !c.Known() || c.Total == first {
		return ""
	}
	return fmt.Sprintf(" (%+d%%)", (c.Total-first)*100/first)
}

// notRead names the machines whose count is not known, and why: their sessions are not in the total.
func notRead(p plans.Plan, c plans.Sessions) string {
	names, why := unread(p, c)
	var parts []string
	for _, n := range names {
		parts = append(parts, n+" unread ("+why[n]+")")
	}
	if len(parts) == 0 {
		return ""
	}
	return " and " + strings.Join(parts, ", ")
}

func deadlineAt(s plans.State, st plans.Step) string {
	if t := deadline(s, st); !t.IsZero() {
		return ", deadline " + clock(t)
	}
	return ", no deadline"
}

// ahead says what is expected of a drain: its forecast, and its deadline.
func ahead(s plans.State, e plans.Event, st plans.Step, c plans.Sessions) string {
	var parts []string
	if c.Empty != nil && c.Total > 0 {
		parts = append(parts, "empty in ~"+about(c.Empty.Duration()))
	}
	parts = append(parts, beforeDeadline(s, st, e.At))
	lead := ", "
	if c.Known() && len(parts) > 1 {
		lead = " "
	}
	return lead + strings.Join(parts, ", ")
}

// beforeDeadline says how far the deadline is, or that it is over and the drain goes on waiting.
func beforeDeadline(s plans.State, st plans.Step, now time.Time) string {
	t := deadline(s, st)
	switch {
	case t.IsZero():
		return "no deadline"
	case now.After(t):
		return "deadline was " + span(now.Sub(t).Round(time.Second)) + " ago"
	}
	return "deadline in " + span(t.Sub(now).Round(time.Second))
}
