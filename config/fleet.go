package config

import (
	"errors"
	"fmt"

	"github.com/seed59ee9cdc/rollout/groups"
)

// Group is the machines that are updated together.
type Group struct {
	// The name of the group.
	Name string `yaml:"name" jsonschema:"required" is:"id"`
	// The machine that starts the group, by name or host; only for recipes
	// that have one.
	Master string `yaml:"master" is:"host"`
	// Its machines; with pomelo by default those of the master's servers.json.
	Machines []Machine `yaml:"machines"`
}

// Machine is one computer that runs the service. A lone text is its host.
type Machine struct {
	// Its name in all output; by default its host.
	Name string `yaml:"name" is:"id"`
	// Where ssh finds it.
	Host string `yaml:"host" jsonschema:"required" is:"host" bare:"true"`
	// The availability zone it stands in.
	Zone string `yaml:"zone" is:"id"`
	// What the load balancer knows it by; by default its host.
	Address string `yaml:"address" is:"host"`
	// What players are told it by, the clientHost of its Pomelo processes; by
	// default its host.
	Public string `yaml:"public" is:"host"`
	// The local address its services are bound to; by default any.
	Bind string `yaml:"bind" is:"ip"`
	// Who logs in, where it is not ssh.user.
	User string `yaml:"user" is:"user"`
	// The port of sshd, where it is not ssh.port.
	Port int `yaml:"port" jsonschema:"minimum=1,maximum=65535"`
}

// Split is how one list of machines becomes two groups.
type Split struct {
	// By order: first and second half. By zone: whole zones if that comes out
	// even, else an equal share of each. By ulb: those that take no new
	// connections now are the first group.
	By groups.Rule `yaml:"by" jsonschema:"required,enum=order,enum=zone,enum=ulb" bare:"true"`
	// The names of the two groups; the first is updated first.
	Names [2]string `yaml:"names" jsonschema:"default=group1,default=group2" is:"id"`
}

// ErrNeedsBalancer says that the groups follow from what the load balancer
// does now: ask it, and give Pool to groups.Split.
var ErrNeedsBalancer = errors.New("split by ulb: the groups are read from the load balancer")

// ErrNeedsMasters says that the machines are listed only in servers.json on
// the two masters: read them there, and fill them into the fleet.
var ErrNeedsMasters = errors.New("groups without machines: they are read from servers.json on the masters")

// Fleet makes the two groups. Each machine gets its ports from health.ports
// and its session ports from drain.ports; with pomelo both may be empty, since
// servers.json knows them. With ErrNeedsMasters the fleet has names and masters
// but no machines; with ErrNeedsBalancer it is empty.
func (c Config) Fleet() (groups.Fleet, error) {
	if c.Split != nil {
		if c.Split.By == groups.ByULB {
			return groups.Fleet{}, ErrNeedsBalancer
		}
		return groups.Split(c.Pool(), c.Split.By, c.Split.Names, nil)
	}
	if len(c.Groups) != 2 {
		return groups.Fleet{}, fmt.Errorf("a fleet needs exactly two groups, not %d", len(c.Groups))
	}
	f := groups.Fleet{First: c.group(c.Groups[0]), Second: c.group(c.Groups[1])}
	if c.fromMasters() {
		return f, ErrNeedsMasters
	}
	return f, nil
}

// Pool is every machine under machines:, which is not split yet.
func (c Config) Pool() []groups.Machine {
	return c.machines(c.Machines)
}

// fromMasters says whether no group names its machines, which only the masters
// of a Pomelo service can then tell.
func (c Config) fromMasters() bool {
	for _, g := range c.Groups {
		if len(g.Machines) > 0 {
			return false
		}
	}
	return c.Pomelo != nil
}

func (c Config) group(g Group) groups.Group {
	out := groups.Group{Name: g.Name, Master: g.Master, Machines: c.machines(g.Machines)}
	for _, m := range out.Machines {
		if m.Name == g.Master {
			return out
		}
	}
	for _, m := range out.Machines {
		if m.Host == g.Master {
			out.Master = m.Name
			break
		}
	}
	return out
}

func (c Config) machines(ms []Machine) []groups.Machine {
	var out []groups.Machine
	for _, m := range ms {
		name, address := m.Name, m.Address
		if name == "" {
			name = m.Host
		}
		if address == "" {
			address = m.Host
		}
		out = append(out, groups.Machine{
			Name: name, Host: m.Host, Address: address, Zone: m.Zone, Bind: m.Bind,
			Ports: c.Health.Ports.clone(), Sessions: c.Drain.Ports.clone(),
			User: m.User, Port: m.Port,
		})
	}
	return out
}
