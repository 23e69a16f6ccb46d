package plans

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Drifted gives the backends, sorted, that are gone or whose value is neither as found nor one the run has written.
func Drifted(s State, weights map[string]int) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.Plan.Before)) {
		w, ok := weights[id]
		if !ok || w != s.Plan.Before[id].Weight && !slices.Contains(s.Wrote[id], w) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Drift says, a sentence each, how the backends read now differ from what the run found and wrote: a value that is neither was
// set by somebody else. weights is the present reading, of the plan's backends and perhaps others.
func Drift(s State, weights map[string]int) []string {
	var ds []string
	for _, id := range Drifted(s, weights) {
		b := s.Plan.Before[id]
		if w, ok := weights[id]; ok {
			ds = append(ds, fmt.Sprintf("backend %s (%s) was found with weight %d and now has %d, which this run did not set", id, b.Addr, b.Weight, w))
		} else {
			ds = append(ds, fmt.Sprintf("backend %s (%s) is gone from the load balancer", id, b.Addr))
		}
	}
	return ds
}

// Adopt gives the plan in which a backend was found with weight w, which somebody else has given it since: its group serves with that.
func (p Plan) Adopt(id string, w int) Plan {
	b, ok := p.Before[id]
	if !ok {
		return p
	}
	serve := b.Serve()
	b.Weight, b.Standby = w, 0
	p.Before = with(p.Before, id, b)
	p.Steps = slices.Clone(p.Steps)
	for i, s := range p.Steps {
		if old, ok := s.Weights[id]; ok && (old != 0 || serve == 0) {
			if serve == 0 && !p.opens(s, b.Group) {
				continue
			}
			p.Steps[i].Weights = with(s.Weights, id, w)
		}
	}
	return p
}

// opens says whether a shift has the backends of a group on.
func (p Plan) opens(s Step, group string) bool {
	for id, w := range s.Weights {
		if w != 0 && p.Before[id].Group == group {
			return true
		}
	}
	return false
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
		case n.Weight != p.was(id):
			ds = append(ds, fmt.Sprintf("backend %s (%s) was %s and is now %s", id, b.Addr, OnOff(p.was(id)), OnOff(n.Weight)))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, ok := p.Before[id]; !ok {
			ds = append(ds, fmt.Sprintf("backend %s (%s) is new", id, now[id].Addr))
		}
	}
	return ds
}

// Outrun says, a sentence each, how what the machines run has changed since the plan was made: ran is what they run now, by host, and nil where nobody knows.
// A plan that says only what all of them ran is compared with that.
func Outrun(p Plan, ran map[string]string) []string {
	if ran == nil {
		return nil
	}
	var each []string
	told, was, is := false, map[string]bool{}, map[string]bool{}
	for _, m := range p.Machines {
		told = told || m.Was != ""
		was[m.Was], is[ran[m.Host]] = true, true
		if now := ran[m.Host]; now != m.Was {
			each = append(each, fmt.Sprintf("%s ran %s and now runs %s", m.Name, release(m.Was), release(now)))
		}
	}
	now := strings.Join(slices.Sorted(maps.Keys(is)), "+")
	switch {
	case !told && p.Was == now || told && len(each) == 0:
		return nil
	case !told || len(was) == 1 && len(is) == 1:
		return []string{fmt.Sprintf("the machines ran %s and now run %s", release(p.Was), release(now))}
	}
	return each
}

// release names what a machine runs, where that is nothing, too.
func release(is string) string {
	if is == "" {
		return "no release"
	}
	return is
}

// was gives a backend's weight at the moment the plan was made.
func (p Plan) was(id string) int {
	if w, ok := p.Taken[id]; ok {
		return w
	}
	return p.Before[id].Weight
}

// OnOff says whether a backend of weight w takes new connections, as a console shows it: off, or on with its weight.
func OnOff(w int) string {
	if w == 0 {
		return "off"
	}
	return fmt.Sprintf("on with weight %d", w)
}
