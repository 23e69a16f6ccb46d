package plans

import (
	"maps"
	"slices"
)

// Retreat makes the plan that puts back what the run has changed: one shift, to the weights as they were found. It is false while a
// group is restarted and not yet proven well: such a group must stay closed, the other one has been serving all along, and
// there is nothing to put back.
func Retreat(s State) (Plan, bool) {
	p := s.Plan
	if s.Dirty[p.First] || s.Dirty[p.Second] {
		return Plan{}, false
	}
	var last Step // the shift that the way back takes its deadlines from
	for _, st := range p.Steps {
		if st.Kind == Shift {
			last = st
		}
	}
	p.Purpose = Leaving
	p.Steps = []Step{{Kind: Shift, Group: last.Group, Hosts: last.Hosts, Weights: p.Weights(), Within: last.Within, Stable: last.Stable}}
	return p, p.Check() == nil
}

// Before gives what a new run must take as found where an earlier one was left part-way: the backends that still have a value that
// run wrote count as they were before it; every other one as it is now. now is the present reading.
func Before(s State, now map[string]Backend) map[string]Backend {
	found := maps.Clone(now)
	for id, b := range now {
		old, known := s.Plan.Before[id]
		if known && old.Addr == b.Addr && slices.Contains(s.Wrote[id], b.Weight) {
			b.Weight = old.Weight
			found[id] = b
		}
	}
	return found
}
