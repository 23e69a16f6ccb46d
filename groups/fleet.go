package groups

// Group is the machines that are updated together, while the other group
// serves everyone.
type Group struct {
	// Name is unique in the fleet and has the form of a machine's name.
	Name string
	// Master is the Name of the machine that starts the whole group; "" where
	// every machine is started by itself.
	Master string
	// Machines are in the order they were given.
	Machines []Machine
}

// Hosts are the ssh hosts of the group's machines, in their order.
func (g Group) Hosts() []string {
	hosts := make([]string, len(g.Machines))
	for i, m := range g.Machines {
		hosts[i] = m.Host
	}
	return hosts
}

// Fleet is all machines of a service, in two groups. First is updated first.
type Fleet struct {
	First, Second Group
}

// Groups are the two groups, in the order they are updated.
func (f Fleet) Groups() [2]Group {
	return [2]Group{f.First, f.Second}
}

// Machines are those of the first group, then those of the second.
func (f Fleet) Machines() []Machine {
	all := make([]Machine, 0, len(f.First.Machines)+len(f.Second.Machines))
	all = append(all, f.First.Machines...)
	return append(all, f.Second.Machines...)
}
