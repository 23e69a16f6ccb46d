package view

import (
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Doing is Lang.Doing in English.
func Doing(s plans.State) (what string, until time.Time, ok bool) { return English.Doing(s) }

// Doing says what the step under way waits for and until when: "143 sessions on game-5 and game-6". until is zero where the wait
// has no end of its own. It is false where nothing is under way: the run has stopped, or is between two steps.
func (l Lang) Doing(s plans.State) (what string, until time.Time, ok bool) {
	st, ok := s.Current()
	if !ok || s.Phase != plans.PhaseRunning || s.Step >= len(s.Progress) || s.Progress[s.Step].Status != plans.UnderWay {
		return "", time.Time{}, false
	}
	switch st.Kind {
	case plans.Shift:
		what = l.shifting(s, st)
	case plans.Drain:
		what = l.draining(s, st)
	case plans.Deploy:
		what = l.commanded(s, st, l.Say("the new code on %s", "%s 的新代码", st.Group), plans.DoDeploy)
	case plans.Restart:
		what = l.commanded(s, st, l.Say("the restart of %s", "%s 的重启", st.Group), plans.DoStop, plans.DoReap, plans.DoStart, plans.DoMend)
	case plans.Check:
		what = l.note(s, l.Say("the ports of %s to answer, for %s", "%s 的端口应答，并持续 %s", st.Group, l.Span(st.Stable.Duration())))
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

func (l Lang) shifting(s plans.State, st plans.Step) string {
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
		to := l.Say("off", "关闭")
		if opens {
			to = l.Say("on", "开启")
		}
		if late > 0 {
			parts = append(parts, l.Say("%s of %s to read back %s", "%[2]s 的 %[1]s读回为%[3]s", l.plural(late, "backend"), g, to))
		}
		if sick > 0 {
			parts = append(parts, l.Say("%s of %s to be healthy", "%[2]s 的 %[1]s变为健康", l.plural(sick, "backend"), g))
		}
	}
	if len(parts) > 0 {
		return l.phrases(parts)
	}
	return l.note(s, l.Say("the weights to stay as they are for %s", "权重保持不变 %s", l.Span(st.Stable.Duration())))
}

func (l Lang) draining(s plans.State, st plans.Step) string {
	c, ok := s.Sessions[st.Group]
	if !ok || c.At.At.Before(s.Progress[s.Step].Began.At) {
		return l.Say("the first count of the sessions of %s", "%s 长连接的第一次计数", st.Group)
	}
	until := 0
	if st.Drain != nil {
		until = st.Drain.Until
	}
	names, _ := unread(s.Plan, c.Sessions)
	switch {
	case len(names) > 0 && c.Total == 0:
		return l.Say("the count of %s", "%s 的计数", l.few(names))
	case len(names) > 0:
		return l.Say("%s, and the count of %s", "%s，以及 %s 的计数", l.where(s.Plan, c.Sessions), l.few(names))
	case c.Total <= until:
		return l.Say("%s to stay so for %s", "%s保持 %s", l.plural(c.Total, "session"), l.Span(st.Stable.Duration()))
	}
	return l.where(s.Plan, c.Sessions)
}

// where says how many sessions are left, and on which machines.
func (l Lang) where(p plans.Plan, c plans.Sessions) string {
	var names []string
	for _, m := range p.Machines {
		if c.ByHost[m.Host] > 0 {
			names = append(names, m.Name)
		}
	}
	n := l.plural(c.Total, "session")
	if len(names) == 0 {
		return l.Said(n)
	}
	return l.Say("%s on %s", "%[2]s 上的 %[1]s", n, l.few(names))
}

// commanded says which of the acts are under way, and on which machines; between two commands, what the step is for.
func (l Lang) commanded(s plans.State, st plans.Step, otherwise string, acts ...plans.Act) string {
	var parts []string
	for _, do := range acts {
		var names []string
		for _, h := range st.Hosts {
			if r, begun := s.Progress[s.Step].Acts[plans.Key(h, do)]; begun && !r.Known && r.Error == "" {
				names = append(names, s.Plan.Name(h))
			}
		}
		if len(names) > 0 {
			parts = append(parts, l.Say("%s on %s", "%[2]s 上的%[1]s", l.act(do), l.few(names)))
		}
	}
	if len(parts) > 0 {
		return l.phrases(parts)
	}
	return l.note(s, otherwise)
}

// note gives what the run itself says it waits for, where it does.
func (l Lang) note(s plans.State, otherwise string) string {
	n := lastLine(s.Note)
	for _, lead := range []string{"waiting for ", "waiting: "} {
		n = strings.TrimPrefix(n, lead)
	}
	if n == "" {
		return otherwise
	}
	return l.Said(n)
}
