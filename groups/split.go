package groups

import (
	"errors"
	"fmt"
	"slices"
)

// Rule says how one list of machines becomes two groups.
type Rule string

const (
	// ByOrder makes the first half of the list the first group.
	ByOrder Rule = "order"
	// ByZone keeps zones whole where the groups come out even that way; else
	// each group gets an equal share of every zone.
	ByZone Rule = "zone"
	// ByULB takes what is found at the load balancer: the machines that take
	// no new connections now are updated first.
	ByULB Rule = "ulb"
)

// Split makes the two groups of a fleet from one list, and names them: names[0]
// is updated first. The groups keep the order of the list. With an odd number
// the first group is the smaller one, so that a bad release meets fewer
// machines.
//
// Only ByULB reads on: machine name → takes new connections now. A machine
// missing there is unknown, which is not off, and is an error. Split checks
// only what it needs; Fleet.Check finds the rest.
func Split(ms []Machine, by Rule, names [2]string, on map[string]bool) (Fleet, error) {
	if len(ms) < 2 {
		return Fleet{}, fmt.Errorf("split by %s: %s cannot form two groups", by, count(len(ms)))
	}
	var first []bool
	var err error
	switch by {
	case ByOrder:
		first = byOrder(len(ms))
	case ByZone:
		first, err = byZone(ms)
	case ByULB:
		first, err = byULB(ms, on)
	default:
		err = fmt.Errorf("split by %q: use order, zone or ulb", string(by))
	}
	if err != nil {
		return Fleet{}, err
	}
	f := Fleet{First: Group{Name: names[0]}, Second: Group{Name: names[1]}}
	for i, m := range ms {
		g := &f.Second
		if first[i] {
			g = &f.First
		}
		g.Machines = append(g.Machines, m)
	}
	return f, nil
}

func byOrder(n int) []bool {
	first := make([]bool, n)
	for i := range n / 2 {
		first[i] = true
	}
	return first
}

func byZone(ms []Machine) ([]bool, error) {
	var zones []string // in the order they first come
	members := map[string][]int{}
	var faults []error
	for i, m := range ms {
		if m.Zone == "" {
			faults = append(faults, fmt.Errorf("split by zone: %s has no zone", m.label()))
			continue
		}
		if members[m.Zone] == nil {
			zones = append(zones, m.Zone)
		}
		members[m.Zone] = append(members[m.Zone], i)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	first := make([]bool, len(ms))
	if whole, ok := halve(zones, members, len(ms)); ok {
		for i, m := range ms {
			first[i] = slices.Contains(whole, m.Zone)
		}
		return first, nil
	}
	// Dealt like cards, and on from zone to zone without starting anew, so that
	// neither any zone nor the whole differs by more than one.
	turn := false
	for _, z := range zones {
		for _, i := range members[z] {
			first[i] = turn
			turn = !turn
		}
	}
	return first, nil
}

// halve looks for zones that together hold half of the n machines, rounded
// down. reach[k] is such a set with k machines; the earliest zones win.
func halve(zones []string, members map[string][]int, n int) ([]string, bool) {
	half := n / 2
	reach := make([][]string, half+1)
	reach[0] = []string{}
	for _, z := range zones {
		size := len(members[z])
		for k := half; k >= size; k-- {
			if reach[k] == nil && reach[k-size] != nil {
				reach[k] = append(slices.Clone(reach[k-size]), z)
			}
		}
	}
	return reach[half], reach[half] != nil
}

func byULB(ms []Machine, on map[string]bool) ([]bool, error) {
	first := make([]bool, len(ms))
	var faults []error
	off := 0
	for i, m := range ms {
		takes, known := on[m.Name]
		if !known {
			faults = append(faults, fmt.Errorf("split by ulb: nothing is known of %s at the load balancer", m.label()))
		}
		if known && !takes {
			first[i] = true
			off++
		}
	}
	switch {
	case len(faults) > 0:
		return nil, errors.Join(faults...)
	case off == 0:
		return nil, errors.New("split by ulb: every machine takes new connections now, so none can be the first group")
	case off == len(ms):
		return nil, errors.New("split by ulb: no machine takes new connections now, so none can be the second group")
	}
	return first, nil
}
