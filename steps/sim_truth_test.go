package steps_test

import (
	"slices"

	"github.com/seed59ee9cdc/rollout/plans"
)

// event judges what is recorded.
func (j *judge) event(s *sim, e plans.Event) {
	switch e.What {
	case plans.Began:
		s.phase(e.Step)
	case plans.Running:
		j.judged, j.batch = false, false
		if c := e.Command; c.Do == plans.DoStart {
			j.current[c.Host] = s.book.state.Progress[e.Step].Acts[c.Key()].ID
		}
	case plans.Writing:
		for id, w := range e.Weights {
			j.opened = j.opened || w > 0 && s.back[id].control.last().is == 0
		}
	case plans.Planned:
		if e.Plan.Purpose == plans.Leaving {
			j.leaving++
			s.book.asked, s.book.taken = 0, false
		}
		if j.leaving > 1 || j.leaving == 1 && e.Plan.Purpose != plans.Leaving {
			s.violate("L6: another plan after the way back")
		}
	case plans.Held, plans.Paused, plans.Interrupted, plans.Aborted:
		s.book.asked, s.book.taken = 0, false
	case plans.Done:
		j.done(s)
	}
}

// done judges the claim that all is well.
func (j *judge) done(s *sim) {
	st := s.book.state
	if j.seen == nil || s.now-j.seen.began > freshness {
		s.violate("I7: done without a fresh look")
		return
	}
	for g := range 2 {
		if at := j.doubt[g]; at > 0 && s.now-at < lateness {
			s.violate("I7: done %s after a request that was not answered", s.now-at)
		}
	}
	for _, id := range s.ids {
		b := s.back[id]
		if at, ok := j.wrote[id]; ok && j.seen.began-at < staleness {
			s.violate("I7: done by a look %s after %s was written", j.seen.began-at, id)
		}
		if w := j.seen.look.Weights[id]; w != st.Plan.Before[id].Weight {
			s.violate("I7: done, and %s was seen with %d", id, w)
		}
		if b.control.last().is != st.Plan.Before[id].Weight && b.control.last().at < j.seen.began-staleness {
			s.violate("I7: done, and %s has %d", id, b.control.last().is)
		}
		if len(b.flight) > 0 {
			s.violate("I7: done, and a request to %s is under way", id)
		}
	}
	for _, m := range s.hosts {
		if w := m.well.last(); w.is == 0 && s.now-w.at > freshness+staleness && !s.off(m) {
			s.violate("I7: done, and %s has not been well for %s", m.name, s.now-w.at)
		}
		if kept := slices.Contains(s.plan.Kept, s.groupName(m.group)); m.done == "" && m.serves() && !kept && j.touched[m.host] == 0 {
			s.violate("I7: done, and %s was not restarted", m.name)
		}
	}
}

// check judges the world as it is, after everything that happens.
func (s *sim) check() {
	j, st := &s.judge, &s.book.state
	var ours, service, hurt, out [2]bool
	service = [2]bool{true, true}
	for _, id := range s.ids {
		b, g := s.back[id], s.back[id].m.group
		before := st.Plan.Before[id]
		last := b.control.last().is
		if last < before.Weight && !b.foreign {
			ours[g] = true
			out[g] = out[g] || j.meant[id] == 0
		}
		for _, r := range b.flight {
			ours[g] = ours[g] || r.weight < before.Weight
		}
		if last > 0 && !b.foreign || b.data > 0 && !b.foreign {
			j.open[g] = s.now
		}
		if before.Serve() > 0 {
			service[g] = service[g] && b.data == before.Serve() && b.m.serves()
			hurt[g] = hurt[g] || last == 0 && b.foreign || b.m.well.last().is == 0
		}
	}
	for _, m := range s.hosts {
		if j.out[m.host] && m.serves() {
			delete(j.out, m.host)
		}
		ours[m.group] = ours[m.group] || j.out[m.host]
	}
	if ours[0] && ours[1] {
		s.violate("I1: backends or machines of both groups are out by this run's doing")
	}
	if !service[0] && !service[1] && !s.mix.harm {
		s.violate("I1: no group is in full service, and nobody but this run has touched anything")
	}
	s.prompt(hurt, out)
}

// prompt demands that opening begins soon after the group that serves is hurt.
func (s *sim) prompt(hurt, out [2]bool) {
	j, st := &s.judge, &s.book.state
	bad := false
	if s.alive && !s.frozen && st.Phase == plans.PhaseRunning && st.Plan.Purpose == plans.Update {
		for g := range 2 {
			bad = bad || hurt[g] && out[1-g] && !st.Dirty[s.groupName(1-g)]
		}
	}
	switch {
	case !bad:
		j.hurtAt, j.opened, j.seenHurt = 0, false, false
	case j.hurtAt == 0:
		j.hurtAt, j.opened, j.seenHurt = s.now, false, false
	case !j.opened && !j.seenHurt && s.now-max(j.hurtAt+staleness, j.excused) > prompt:
		j.seenHurt = true
		s.violate("L3: the group that serves has been hurt since %.3f, and the other is not being opened", j.hurtAt.Seconds())
	}
}
