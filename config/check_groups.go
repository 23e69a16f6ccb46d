package config

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/seed59ee9cdc/rollout/groups"
)

// checkGroups wants two groups, or a list and a way to split it, and puts what
// groups finds wrong with them at its place in the file.
func (d *decoder) checkGroups(c Config) {
	if c.Pomelo == nil && d.given("pomelo") {
		c.Pomelo = &Pomelo{} // it is there, though nothing in it could be read
	}
	switch {
	case d.given("groups") && (d.given("machines") || d.given("split")):
		for _, k := range []string{"machines", "split"} {
			if d.given(k) {
				d.faultKey(k, "cannot stand beside groups", "keep groups, or machines with split")
			}
		}
	case d.given("groups"):
		d.checkListed(c)
	case d.given("machines") && !d.given("split"):
		d.faultKey("machines", "needs split", "e.g. split: {by: order}")
	case d.given("split") && !d.given("machines"):
		d.faultKey("split", "needs machines", "")
	case d.given("split"):
		d.checkSplit(c)
	default:
		d.faultKey("", "needs groups, or machines with split", "")
	}
}

// checkListed looks at groups: as written.
func (d *decoder) checkListed(c Config) {
	if d.faulty("groups") && len(c.Groups) == 0 {
		return
	}
	if len(c.Groups) != 2 {
		d.faultKey("groups", fmt.Sprintf("needs exactly two groups, has %d", len(c.Groups)), "")
	}
	var all []groups.Machine
	var where []string
	for g, group := range c.Groups {
		at := "groups[" + strconv.Itoa(g) + "]"
		if c.Pomelo != nil && !d.given(at+".master") {
			d.faultKey(at+".master", "is required with pomelo", "")
		}
		all = append(all, c.machines(group.Machines)...)
		for m := range group.Machines {
			where = append(where, at+".machines["+strconv.Itoa(m)+"]")
		}
	}
	if len(c.Groups) != 2 {
		d.fleetFaults(groups.CheckMachines(all), func(f *groups.Fault) string { return where[f.Machine] })
		return
	}
	f, err := c.Fleet()
	if errors.Is(err, ErrNeedsMasters) {
		d.unlisted(c)
		return
	}
	d.fleetFaults(f.Check(c.Uneven), func(fault *groups.Fault) string {
		switch {
		case fault.Group < 0:
			return "groups"
		case fault.Machine < 0:
			return "groups[" + strconv.Itoa(fault.Group) + "]"
		case fault.Group == 0:
			return where[fault.Machine]
		}
		return where[len(f.First.Machines)+fault.Machine]
	})
}

// unlisted compares what little is known of groups whose machines are read
// from their masters.
func (d *decoder) unlisted(c Config) {
	a, b := c.Groups[0], c.Groups[1]
	if a.Name == b.Name && a.Name != "" {
		d.faultValue("groups[1].name", "both groups are called "+a.Name, "")
	}
	if a.Master == b.Master && a.Master != "" {
		d.faultValue("groups[1].master", "both groups have the master "+a.Master, "")
	}
}

// checkSplit looks at machines: and at the groups they come to.
func (d *decoder) checkSplit(c Config) {
	if c.Pomelo != nil {
		d.faultKey("split", "is not for pomelo, where each group has its master", "write groups")
		return
	}
	if c.Split == nil || d.faulty("split") || d.faulty("machines") && len(c.Machines) == 0 {
		return
	}
	pool := c.Pool()
	in := func(i int) string { return "machines[" + strconv.Itoa(i) + "]" }
	d.fleetFaults(groups.CheckMachines(pool), func(f *groups.Fault) string { return in(f.Machine) })
	if c.Split.Names[0] == c.Split.Names[1] {
		d.faultKey("split.names", "both groups are called "+c.Split.Names[0], "")
	}
	if len(pool) < 2 {
		d.faultKey("machines", "needs at least two machines", "")
		return
	}
	if c.Split.By == groups.ByZone {
		for i, m := range pool {
			if m.Zone == "" {
				d.faultKey(in(i)+".zone", "is required with split by zone", "")
			}
		}
	}
}

// fleetFaults records what groups found, at the key it is about. Session ports
// are left to checkPorts.
func (d *decoder) fleetFaults(err error, where func(*groups.Fault) string) {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return // nil: both checks of groups join what they find
	}
	for _, e := range joined.Unwrap() {
		var f *groups.Fault
		if !errors.As(e, &f) || errors.Is(e, groups.ErrNoSessionPorts) {
			continue
		}
		at := where(f)
		if d.follows(f, at) {
			continue
		}
		if f.Group < 0 && f.Machine < 0 {
			d.faultKey(at, e.Error(), "")
			continue
		}
		if exact := under(at, f.What); f.What != "" && d.given(exact) {
			at = exact
		}
		d.faultValue(at, e.Error(), "")
	}
}

// follows says whether a fault of the fleet only follows from one that is
// recorded: a machine whose host could not be read has no host.
func (d *decoder) follows(f *groups.Fault, at string) bool {
	switch {
	case f.What == "":
		return false
	case f.Machine >= 0:
		return d.faulty(at)
	case f.What == "master":
		return d.faulty(at+".master") || d.faulty(at+".machines")
	}
	return d.faulty(at + "." + f.What)
}
