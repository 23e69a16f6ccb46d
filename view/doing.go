package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Doing says what the step under way waits for and until when: "143 sessions on game-5 and game-6". until is zero where the wait
// has no end of its own. It is false where nothing is under way: the run has stopped, or is between two steps.
func Doing(s plans.State) (what string, until time.Time, ok bool) {
	st, ok := s.Current()
	if !ok || s.Phase != plans.PhaseRunning || s.Step >= len(s.Progress) || s.Progress[s.Step].Status != plans.UnderWay {
		return "", time.Time{}, false
	}
	switch st.Kind {
	case plans.Shift:
		what = shifting(s, st)
	case plans.Drain:
		what = draining(s, st)
	case plans.Deploy:
		what = commanded(s, st, "the new code on "+st.Group, plans.DoDeploy)
	case plans.Restart:
		what = commanded(s, st, "the restart of "+st.Group, plans.DoStop, plans.DoReap, plans.DoStart, plans.DoMend)
	case plans.Check:
		what = note(s, fmt.Sprintf("the ports of %s to answer, for %s", st.Group, span(st.Stable.Duration())))
	}
	return oneLine(what), deadline(s, st), true
}

// deadline gives when the step under way gives up; zero where it does not.
func deadline(s plans.State, st plans.Step) time.Time {
	if st.Within <= 0 {
		return time.Time{}
	}
	return since(s, st).Add(allowed(st))
}

// since gives when the wait of the step under way began: anew where another process took the run up, except that a drain goes
// on where the same boot of the same machine proves how long it has been.
func since(s plans.State, st plans.Step) time.Time {
	began := s.Progress[s.Step].Began
	if !s.Taken.At.After(began.At) {
		return began.At
	}
	if _, proven := s.Taken.Since(began); proven && st.Kind == plans.Drain {
		return began.At
	}
	return s.Taken.At
}

func shifting(s plans.State, st plans.Step) string {
	var parts []string
	for _, g := range []string{s.Plan.Other(st.Group), st.Group} {
		late, opens, sick := 0, false, 0
		for id, b := range s.Plan.Before {
			if b.Group != g {
				continue
			}
			want := st.Weights[id]
			opens = opens || want > 0
			switch now, known := actual(s, id); {
			case !known || now != want:
				late++
			case want > 0 && slices.Contains(s.Sick, id):
				sick++
			}
		}
		to := "off"
		if opens {
			to = "on"
		}
		if late > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s to read back %s", plural(late, "backend"), g, to))
		}
		if sick > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s to be healthy", plural(sick, "backend"), g))
		}
	}
	if len(parts) > 0 {
		return list(parts)
	}
	return note(s, fmt.Sprintf("the weights to stay as they are for %s", span(st.Stable.Duration())))
}

func draining(s plans.State, st plans.Step) string {
	c, ok := s.Sessions[st.Group]
	if !ok || c.At.At.Before(s.Progress[s.Step].Began.At) {
		return "the first count of the sessions of " + st.Group
	}
	until := 0
	if st.Drain != nil {
		until = st.Drain.Until
	}
	names, _ := unread(s.Plan, c.Sessions)
	switch {
	case len(names) > 0 && c.Total == 0:
		return "the count of " + few(names)
	case len(names) > 0:
		return fmt.Sprintf("%s%s, and the count of %s", plural(c.Total, "session"), where(s.Plan, c.Sessions), few(names))
	case c.Total <= until:
		return fmt.Sprintf("%s to stay so for %s", plural(c.Total, "session"), span(st.Stable.Duration()))
	}
	return plural(c.Total, "session") + where(s.Plan, c.Sessions)
}

// where names the machines that still hold sessions.
func where(p plans.Plan, c plans.Sessions) string {
	var names []string
	for _, m := range p.Machines {
		if c.ByHost[m.Host] > 0 {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " on " + few(names)
}

// commanded says which of the acts are under way, and on which machines; between two commands, what the step is for.
func commanded(s plans.State, st plans.Step, otherwise string, acts ...plans.Act) string {
	var parts []string
	for _, do := range acts {
		var names []string
		for _, h := range st.Hosts {
			if r, begun := s.Progress[s.Step].Acts[plans.Key(h, do)]; begun && !r.Known && r.Error == "" {
				names = append(names, s.Plan.Name(h))
			}
		}
		if len(names) > 0 {
			parts = append(parts, string(do)+" on "+few(names))
		}
	}
	if len(parts) > 0 {
		return list(parts)
	}
	return note(s, otherwise)
}

// note gives what the run itself says it waits for, where it does.
func note(s plans.State, otherwise string) string {
	n := lastLine(s.Note)
	for _, lead := range []string{"waiting for ", "waiting: "} {
		n = strings.TrimPrefix(n, lead)
	}
	if n == "" {
		return otherwise
	}
	return n
}
