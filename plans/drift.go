package plans

import (
	"fmt"
	"maps"
	"slices"
)

// Drift says, a sentence each, how the backends read now differ from what the run found and wrote: a value that is neither was
// set by somebody else. weights is the present reading, of the plan's backends and perhaps others.
func Drift(s State, weights map[string]int) []string {
	var ds []string
	for _, id := range slices.Sorted(maps.Keys(s.Plan.Before)) {
		b := s.Plan.Before[id]
		w, ok := weights[id]
		switch {
		case !ok:
			ds = append(ds, fmt.Sprintf("backend %s (%s) is gone from the load balancer", id, b.Addr))
		case w != b.Weight && !slices.Contains(s.Wrote[id], w):
			ds = append(ds, fmt.Sprintf("backend %s (%s) was found with weight %d and now has %d, which this run did not set", id, b.Addr, b.Weight, w))
		}
	}
	return ds
}

// Stale says, a sentence each, what has changed since the plan was made: now is the present reading.
func Stale(p Plan, now map[string]Backend) []string {
	var ds []string
	for _, id := range slices.Sorted(maps.Keys(p.Before)) {
		b := p.Before[id]
		n, ok := now[id]
		switch {
		case !ok:
			ds = append(ds, fmt.Sprintf("backend %s (%s) is gone", id, b.Addr))
		case n.Addr != b.Addr:
			ds = append(ds, fmt.Sprintf("backend %s was %s and is now %s", id, b.Addr, n.Addr))
		case n.Weight != b.Weight:
			ds = append(ds, fmt.Sprintf("backend %s (%s) was %s and is now %s", id, b.Addr, onOff(b.Weight), onOff(n.Weight)))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, ok := p.Before[id]; !ok {
			ds = append(ds, fmt.Sprintf("backend %s (%s) is new", id, now[id].Addr))
		}
	}
	return ds
}

func onOff(w int) string {
	if w == 0 {
		return "off"
	}
	return fmt.Sprintf("on with weight %d", w)
}
