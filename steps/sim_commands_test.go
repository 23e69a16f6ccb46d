package steps_test

import (
	"fmt"
	"slices"

	"github.com/seed59ee9cdc/rollout/plans"
)

// command judges a command that is about to be sent.
func (j *judge) command(s *sim, c plans.Command) {
	st := s.book.state
	m, ok := s.at[c.Host]
	if !ok {
		s.violate("I8: a command for %s, which is no machine of the plan", c.Host)
		return
	}
	if st.Step >= len(st.Progress) || st.Progress[st.Step].Acts[c.Key()].ID != c.ID || j.broke && !j.batch {
		s.violate("I4: %s on %s was not recorded", c.Do, m.name)
	}
	j.batch = true // those that were recorded together are sent at once, only not here
	if life, ok := j.tokens[c.Token]; ok && life != s.life {
		s.violate("I5: %s on %s has the token of an earlier process", c.Do, m.name)
	}
	j.tokens[c.Token] = s.life
	if _, ok := j.issued[c.ID]; !ok {
		j.issued[c.ID] = s.now
	}
	key := fmt.Sprint(len(st.Earlier), st.Step, c.Host, c.Key())
	if !slices.Contains(j.commands[key], attempt{c.ID, c.Token}) {
		j.commands[key] = append(j.commands[key], attempt{c.ID, c.Token})
	}
	if c.Do != plans.DoStop || j.judged {
		return
	}
	if _, begun := m.jobs[c.ID]; begun {
		return // only its end is waited for
	}
	j.judged = true
	act := "stop on " + m.name
	j.gate(s, 1-m.group, act)
	j.closed(s, m.group, act)
}

// closed demands that a group was seen closed for as long as a change takes to reach the workers, before it is stopped.
func (j *judge) closed(s *sim, group int, act string) {
	for _, id := range s.ids {
		b := s.back[id]
		if b.m.group != group {
			continue
		}
		if j.seen != nil && j.seen.look.Weights[id] != 0 {
			s.violate("I2: %s, and %s was seen with %d", act, id, j.seen.look.Weights[id])
		}
		if since, ok := j.shut[id]; !ok || s.now-since < staleness+lag {
			s.violate("I2: %s, and %s was not seen off for %s", act, id, staleness+lag)
		}
		if at, ok := j.wrote[id]; ok && s.now-at < staleness+lag {
			s.violate("I2: %s, %s after %s was written", act, s.now-at, id)
		}
		if len(b.flight) > 0 {
			s.violate("I2: %s, and a request to %s is still under way", act, id)
		}
	}
	if at := j.doubt[group]; at > 0 && s.now-at < lateness {
		s.violate("I2: %s, %s after a request that was not answered", act, s.now-at)
	}
}

// began judges a command that begins on its machine.
func (j *judge) began(s *sim, m *machine, c plans.Command) {
	for key, all := range j.commands {
		if !slices.Contains(all, attempt{c.ID, c.Token}) {
			continue
		}
		for _, a := range all {
			other, ok := m.jobs[a.id]
			switch {
			case a.id == c.ID:
			case ok && other.state == "going" && !other.late:
				s.violate("I5: %s begins while an earlier attempt runs", key)
			case !ok && a.token >= c.Token:
				s.violate("I5: %s begins anew, and an earlier attempt may begin still", key)
			}
		}
	}
	if c.Do == plans.DoDeploy {
		return
	}
	if c.Do == plans.DoStop && m.done != "" && m.done == j.current[m.host] && m.doneAt < j.issued[c.ID] && m.serves() && (!s.herd || s.complete(m.group)) {
		s.violate("I5: %s is restarted, and was healthy and done", m.name)
	}
	for _, id := range s.ids { // whoever opens a backend by hand after a start was sent, which is on its way, does it himself
		b := s.back[id]
		if j.renewed[b.m.host] && !slices.Contains(s.hit(m, c), b.m) {
			continue // its own restart is over, and it was opened ahead of schedule, perhaps between two stops that are sent at once, only not here
		}
		if b.m.group == m.group && b.data > 0 && !b.foreign && j.issued[c.ID] >= b.handed {
			s.violate("I2: %s on %s while the workers send players to %s", c.Do, m.name, id)
		}
	}
	if c.Do == plans.DoStop {
		delete(j.current, m.host)
	}
	j.acted[m.group] = s.now
	for _, x := range s.unit(m) {
		j.renewed[x.host] = j.renewed[x.host] && c.Do != plans.DoStop
		j.touched[x.host] = s.now
		if c.Do == plans.DoStop || c.Do == plans.DoStart {
			j.out[x.host] = true
		}
	}
}

// hit gives the machines that a command on m is about.
func (s *sim) hit(m *machine, c plans.Command) []*machine {
	for _, w := range s.wants(m.group) {
		if c.For == w.ID {
			return []*machine{s.at[w.Host]}
		}
	}
	return s.unit(m)
}

// complete says whether exactly the wanted processes of a group run.
func (s *sim) complete(group int) bool {
	for _, w := range s.wants(group) {
		x, n := s.at[w.Host], 0
		for _, p := range x.procs {
			if p.id == w.ID {
				n++
				if !p.listed {
					return false
				}
			}
		}
		if n != 1 || !x.serves() {
			return false
		}
	}
	return true
}

// cut judges sessions that end with what held them.
func (j *judge) cut(s *sim, m *machine, cut []session, c plans.Command) {
	st, n := s.book.state, 0
	var drain plans.Step
	for _, x := range st.Plan.Steps {
		if x.Kind == plans.Drain && s.groupIndex(x.Group) == m.group {
			drain = x
		}
	}
	for _, x := range cut {
		if x.came <= j.counts[m.host] {
			j.cuts++
		}
		switch {
		case x.odd:
			continue
		case x.came > j.counts[m.host]:
			s.violate("I6: %s on %s cuts a session that came after they were counted", c.Do, m.name)
		case drain.Drain == nil || drain.Drain.OnDeadline != plans.Cut:
			s.violate("I6: %s on %s cuts a session, and the plan does not say cut", c.Do, m.name)
		case s.now-j.open[m.group] < drain.Within.Duration():
			s.violate("I2: %s on %s cuts a session %s after the group was closed, which had %s", c.Do, m.name, s.now-j.open[m.group], drain.Within)
		}
		n++
	}
	key := fmt.Sprint(len(st.Earlier), st.Step)
	j.stepCuts[key] += n
	if drain.Drain != nil && drain.Drain.CutBudget != nil && j.stepCuts[key] > *drain.Drain.CutBudget {
		s.violate("I6: %d sessions of a step are cut, and the budget is %d", j.stepCuts[key], *drain.Drain.CutBudget)
	}
}
