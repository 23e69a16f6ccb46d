package view

import (
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
		return l.Lang.Say("%s %s cut by the restart", "%s 有 %s被重启掐断", st.Group, l.Lang.sessions(*e.Cut))
	}
	c := *e.Sessions
	missing := l.Lang.notRead(s.Plan, c)
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
		return l.Lang.Say("%s %s%s%s", "%s 有 %s%s%s", st.Group, l.Lang.sessions(c.Total), missing, l.Lang.deadlineAt(s, st))
	}
	return l.Lang.Say("%s %d%s%s%s", "%s 剩 %d 条%s%s%s", st.Group, c.Total, l.Lang.fallen(l.first, c), missing, l.Lang.ahead(s, e, st, c))
}

func abs(n int) int { return max(n, -n) }

// fallen says how much of the first count has gone.
func (l Lang) fallen(first int, c plans.Sessions) string {
	if first <= 0 || !c.Known() || c.Total == first {
		return ""
	}
	return l.Say(" (%+d%%)", "（%+d%%）", (c.Total-first)*100/first)
}

// notRead names the machines whose count is not known, and why: their sessions are not in the total.
func (l Lang) notRead(p plans.Plan, c plans.Sessions) string {
	names, why := unread(p, c)
	var parts []string
	for _, n := range names {
		parts = append(parts, l.Say("%s unread (%s)", "%s 未读到（%s）", n, why[n]))
	}
	if len(parts) == 0 {
		return ""
	}
	return l.Say(" and %s", "，另有 %s", l.clauses(parts))
}

func (l Lang) deadlineAt(s plans.State, st plans.Step) string {
	if t := deadline(s, st); !t.IsZero() {
		return l.Say(", deadline %s", "，截止时间 %s", clock(t))
	}
	return l.Say(", no deadline", "，没有截止时间")
}

// ahead says what is expected of a drain: its forecast, and its deadline.
func (l Lang) ahead(s plans.State, e plans.Event, st plans.Step, c plans.Sessions) string {
	var parts []string
	if c.Empty != nil && c.Total > 0 {
		parts = append(parts, l.Say("empty in ~%s", "约 %s后排空", l.about(c.Empty.Duration())))
	}
	parts = append(parts, l.beforeDeadline(s, st, e.At))
	if c.Known() && len(parts) > 1 {
		return l.Say(" %s", "，%s", l.clauses(parts))
	}
	return l.Say(", %s", "，%s", l.clauses(parts))
}

// beforeDeadline says how far the deadline is, or that it is over and the drain goes on waiting.
func (l Lang) beforeDeadline(s plans.State, st plans.Step, now time.Time) string {
	t := deadline(s, st)
	switch {
	case t.IsZero():
		return l.Say("no deadline", "没有截止时间")
	case now.After(t):
		return l.Say("deadline was %s ago", "截止时间已过 %s", l.Span(now.Sub(t).Round(time.Second)))
	}
	return l.Say("deadline in %s", "离截止时间还有 %s", l.Span(t.Sub(now).Round(time.Second)))
}
