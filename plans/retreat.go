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
	p.Purpose, p.Taken, p.Dirty = Leaving, nil, nil
	p.Steps = []Step{{Kind: Shift, Group: last.Group, Hosts: last.Hosts, Weights: p.Weights(), Within: last.Within, Stable: last.Stable}}
	return p, p.Check() == nil
}

// TakeOver gives what a plan must take as found, as left by the run before, and as not proven well, where it begins at the place another run
// was left part-way. left is that run's state, and now the present reading. A
// backend that still has a value which that run wrote counts as found as that run had found it, so that it is put back in the end; every
// other one is as it is now.
func TakeOver(left State, now map[string]Backend) (before map[string]Backend, taken map[string]int, dirty []string) {
	before, taken = maps.Clone(now), map[string]int{}
	for id, b := range now {
		old, known := left.Plan.Before[id]
		if known && old.Addr == b.Addr {
			b.Standby = old.Standby
			before[id] = b
		}
		if known && old.Addr == b.Addr && old.Weight != b.Weight && slices.Contains(left.Wrote[id], b.Weight) {
			taken[id] = b.Weight
			b.Weight = old.Weight
			before[id] = b
		}
	}
	for _, g := range []string{left.Plan.First, left.Plan.Second} {
		if left.Dirty[g] {
			dirty = append(dirty, g)
		}
	}
	return before, taken, dirty
}
