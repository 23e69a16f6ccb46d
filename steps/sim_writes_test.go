package steps_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/seed59ee9cdc/rollout/plans"
)

// write judges requests that are about to be sent.
func (j *judge) write(s *sim, weights map[string]int) {
	maps.Copy(j.meant, weights)
	last := s.book.es[len(s.book.es)-1]
	if last.What != plans.Writing || !maps.Equal(last.Weights, weights) || j.broke {
		s.violate("I4: %v is written and was not recorded just before", weights)
	}
	st := s.book.state
	if j.seen == nil || s.now-j.seen.began > freshness {
		s.violate("I1b: %v is written, and the last look is too old", weights)
		return
	}
	for _, id := range slices.Sorted(maps.Keys(weights)) {
		b, ok := st.Plan.Before[id]
		if !ok {
			s.violate("I8: %s is written and is none of the plan's", id)
			continue
		}
		if at := j.seen.look.Addrs[id]; at != b.Addr {
			s.violate("I8: %s is written, and was seen at %s", id, at)
		}
		w, now := weights[id], j.seen.look.Weights[id]
		if now != b.Weight && !slices.Contains(st.Wrote[id], now) {
			s.violate("I11: %s was read as %d, which is somebody else's, and is written", id, now)
		}
		g := s.back[id].m.group
		switch {
		case w < now && w < b.Serve():
			j.gate(s, 1-g, fmt.Sprintf("%s is lowered to %d", id, w))
		case w > 0:
			j.well(s, s.back[id].m, id)
		}
	}
}

// well demands that a machine was seen to answer before a backend of it is opened.
func (j *judge) well(s *sim, m *machine, id string) {
	for _, port := range s.ports(m) {
		p := j.probes[spot{m, port}]
		switch {
		case p.life != s.life || !p.open:
			s.violate("I9: %s is opened, and port %d of %s did not answer when it was tried last", id, port, m.name)
		case s.now-p.began > freshness:
			s.violate("I9: %s is opened, and port %d of %s was tried %s ago", id, port, m.name, s.now-p.began)
		case p.began < j.touched[m.host]:
			s.violate("I9: %s is opened, and port %d of %s has not been tried since the restart", id, port, m.name)
		}
	}
}

func (s *sim) ports(m *machine) []int {
	for _, st := range s.plan.Steps {
		for _, p := range st.Probe {
			if p.Host == m.host {
				return p.Ports
			}
		}
	}
	return nil
}

// gate demands that an act that takes capacity away rests on a look at the other group in full service.
func (j *judge) gate(s *sim, other int, act string) {
	st := s.book.state
	if a := s.book.asked; a > 0 && st.Plan.Purpose != plans.Leaving && (s.book.taken || s.now-a > freshness) {
		s.violate("L4: %s, %s after an abort was asked for (taken %v)", act, s.now-a, s.book.taken)
	}
	if j.broke {
		s.violate("I4: %s although nothing can be recorded", act)
	}
	switch {
	case j.seen == nil:
		s.violate("I1b: %s without a look", act)
		return
	case s.now-j.seen.began > freshness:
		s.violate("I1b: %s by a look %s old", act, s.now-j.seen.began)
	case j.seen.began < j.acted[other]:
		s.violate("I1b: %s by a look from before the last act on the other group", act)
	}
	drifted := plans.Drifted(st, j.seen.look.Weights)
	for _, id := range s.ids {
		b := st.Plan.Before[id]
		if s.back[id].m.group != other || b.Serve() == 0 || st.Plan.Purpose == plans.Leaving && slices.Contains(drifted, id) {
			continue
		}
		if w := j.seen.look.Weights[id]; w != b.Serve() {
			s.violate("I1b: %s, and %s of the other group was seen with %d", act, id, w)
		}
		if slices.Contains(j.seen.look.Sick, id) {
			s.violate("I1b: %s, and %s of the other group was seen sick", act, id)
		}
	}
	for _, m := range s.hosts {
		if m.group != other {
			continue
		}
		for _, port := range s.ports(m) {
			p := j.probes[spot{m, port}]
			if p.life != s.life || !p.open || s.now-p.began > freshness {
				s.violate("I1b: %s, and port %d of %s of the other group was not seen to answer (%s ago)", act, port, m.name, s.now-p.began)
			}
		}
	}
}
