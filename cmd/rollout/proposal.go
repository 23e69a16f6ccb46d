package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// place puts what was read on the masters to the groups: in the order they were named, or where the inventory has the master.
func (d *discovery) place(found [2]discovered) error {
	at := [2]int{0, 1}
	for i, f := range found {
		if d.inventory == nil {
			break
		}
		at[i] = slices.IndexFunc(d.groups[:], func(g discovered) bool {
			return slices.ContainsFunc(g.machines, func(m config.Machine) bool {
				return slices.Contains([]string{f.master, f.cluster.Master.Host}, m.Host) || m.Name != "" && m.Name == f.master
			})
		})
		if at[i] < 0 {
			return usagef("%s: its master %s is no machine of %s or %s in %s", f.from, f.master, d.groups[0].name, d.groups[1].name, d.o.inventory)
		}
	}
	if at[0] == at[1] {
		return usagef("the masters %s and %s are both machines of %s in %s", found[0].master, found[1].master, d.groups[at[0]].name, d.o.inventory)
	}
	for i, f := range found {
		g := &d.groups[at[i]]
		g.master, g.cluster, g.from = f.master, f.cluster, f.from
		d.fill(g)
	}
	return nil
}

// fill makes the machines of a group those of servers.json. One that ssh reaches by another host keeps that of servers.json as its address.
func (d *discovery) fill(g *discovered) {
	known := g.machines
	g.machines = nil
	for _, h := range g.cluster.Hosts() {
		master := h == g.cluster.Master.Host
		i := slices.IndexFunc(known, func(m config.Machine) bool {
			return m.Host == h || m.Name == h || master && (m.Name == g.master || m.Host == g.master)
		})
		m := config.Machine{Host: h}
		switch {
		case i >= 0:
			m = known[i]
			known = slices.Delete(slices.Clone(known), i, i+1)
		case d.inventory != nil:
			d.warn("%s: servers.json starts processes on %s, which is no machine of %s: it is listed as it stands", g.name, h, d.o.inventory)
		case master:
			m.Host = g.master
		}
		if m.Host != h {
			m.Address, d.listing = h, true
		}
		if master {
			g.master = m.Host
			if m.Name != "" {
				g.master = m.Name
			}
		}
		g.machines = append(g.machines, m)
	}
	for _, m := range known {
		d.warn("%s: servers.json starts no process on %s: it is left out", g.name, m.Host)
	}
}

// clientPorts are the ports of one machine that players connect to.
func (d *discovery) clientPorts(g discovered, i int) []int {
	return g.cluster.Group(g.name, d.o.sessions).Machines[i].Ports
}

// gates are the ports of one machine that stand behind the load balancer: those that hold no sessions or, in a group without any of these,
// all that players connect to.
func (d *discovery) gates(g discovered, i int) []int {
	if !slices.ContainsFunc(g.cluster.Servers, func(s pomelo.Server) bool { return s.Frontend && !slices.Contains(d.o.sessions, s.Type) }) {
		return d.clientPorts(g, i)
	}
	m := g.cluster.Group(g.name, d.o.sessions).Machines[i]
	return slices.DeleteFunc(m.Ports, func(p int) bool { return slices.Contains(m.Sessions, p) })
}

// address is what the load balancer knows a machine by.
func address(m config.Machine) string {
	if m.Address != "" {
		return m.Address
	}
	return m.Host
}

// balancer reads the load balancer and compares it with the machines.
func (d *discovery) balancer(ctx context.Context, f finder) error {
	if d.o.offline {
		d.behind = "the load balancer was not asked"
		return nil
	}
	r, err := f.backends(ctx)
	if err != nil {
		return refusedError{fmt.Errorf("balancer: %w", err)}
	}
	d.addresses(r)
	wanted, machines := map[string]bool{}, map[string]bool{}
	for _, g := range d.groups {
		for i, m := range g.machines {
			machines[address(m)] = true
			if d.o.unit != "" {
				continue
			}
			for _, p := range d.gates(g, i) {
				wanted[net.JoinHostPort(address(m), strconv.Itoa(p))] = true
			}
		}
	}
	ours := map[string]bool{}
	for _, b := range r.Backends {
		if wanted[addr(b)] || d.o.unit != "" && machines[b.Host] {
			ours[b.Listener] = true
		}
	}
	if len(ours) == 0 {
		return refusedf("%s has no backend at any of the machines: is --ulb-id right? It has %s", r.ID, plural(int64(len(r.Backends)), "backend"))
	}
	d.listeners(r, ours, machines)
	d.differences(r, ours, machines, wanted)
	return nil
}

// addresses finds machines that the load balancer knows by another address: the one that gates tell players.
func (d *discovery) addresses(r ulb.Reading) {
	has := map[string]bool{}
	for _, b := range r.Backends {
		has[b.Host] = true
	}
	for i := range d.groups {
		g := &d.groups[i]
		if d.o.unit != "" {
			continue
		}
		hosts := g.cluster.Hosts()
		for j := range g.machines {
			m := &g.machines[j]
			if has[address(*m)] {
				continue
			}
			for _, s := range g.cluster.Servers {
				if g.cluster.Machine(s.Host) != hosts[j] || !has[s.ClientHost] {
					continue
				}
				if m.Address != "" {
					d.warn("%s: %s knows %s as %s, and servers.json as %s: only one of them can be its address in rollout.yaml", g.name, r.ID, m.Host, s.ClientHost, m.Address)
				} else {
					m.Address, d.listing = s.ClientHost, true
				}
				break
			}
		}
	}
}

// listeners says which VServers are ours, and names them where the default would take others too.
func (d *discovery) listeners(r ulb.Reading, ours, machines map[string]bool) {
	var names []string
	others := false
	for _, l := range r.Listeners {
		if ours[l.ID] {
			names = append(names, l.ID)
			continue
		}
		var ports config.Ports
		for _, b := range r.Backends {
			if b.Listener == l.ID && machines[b.Host] {
				ports = append(ports, b.Port)
			}
		}
		if len(ports) > 0 {
			others = true
			d.warn("%s of %s leads to the machines too, but to no gate (port %s): its traffic is not shifted", l.ID, r.ID, sorted(ports))
		}
	}
	if len(names) > 1 || others {
		d.vservers = names
	}
	n, at := 0, map[string]bool{}
	for _, b := range r.Backends {
		if ours[b.Listener] {
			n++
			at[b.Host] = true
			d.ports = append(d.ports, b.Port)
		}
	}
	d.ports = sorted(d.ports)
	d.behind = fmt.Sprintf("%s %s on %s, of %s", plural(int64(n), "backend"), d.ports, plural(int64(len(at)), "machine"), strings.Join(names, ", "))
}

// differences tells of each gate that is no backend, and of each backend that is no gate.
func (d *discovery) differences(r ulb.Reading, ours, machines, wanted map[string]bool) {
	backends, strange := map[string]bool{}, map[string]config.Ports{}
	var order []string
	for _, b := range r.Backends {
		backends[addr(b)] = backends[addr(b)] || ours[b.Listener]
		if ours[b.Listener] && (!machines[b.Host] || d.o.unit == "" && !wanted[addr(b)]) {
			if strange[b.Host] == nil {
				order = append(order, b.Host)
			}
			strange[b.Host] = append(strange[b.Host], b.Port)
		}
	}
	for _, g := range d.groups {
		for i, m := range g.machines {
			if d.o.unit != "" {
				if !slices.ContainsFunc(r.Backends, func(b ulb.Backend) bool { return ours[b.Listener] && b.Host == address(m) }) {
					d.warn("%s: %s is no backend of %s", g.name, address(m), r.ID)
				}
				continue
			}
			var missing config.Ports
			for _, p := range d.gates(g, i) {
				if !backends[net.JoinHostPort(address(m), strconv.Itoa(p))] {
					missing = append(missing, p)
				}
			}
			if len(missing) > 0 {
				d.warn("%s: the gates %s of %s are no backends of %s", g.name, sorted(missing), address(m), r.ID)
			}
		}
	}
	for _, h := range order {
		if machines[h] {
			d.warn("%s sends players to %s of %s, which is no gate", r.ID, sorted(strange[h]), h)
		} else {
			d.warn("%s sends players to %s of %s, which is no machine of either group", r.ID, sorted(strange[h]), h)
		}
	}
}

func sorted(p config.Ports) config.Ports {
	return slices.Compact(slices.Sorted(slices.Values(p)))
}

// proposal is what rollout.yaml is to say.
func (d *discovery) proposal() config.Proposal {
	f, o := d.env.flags, d.o
	p := config.Proposal{
		Service: o.service, ULB: o.ulbID, VServers: d.vservers, Behind: d.behind, SSH: d.ssh, Release: o.release,
		UCloud: config.UCloud{Profile: f.profile, Region: f.region, ProjectID: f.projectID, BaseURL: f.baseURL},
	}
	for i, g := range d.groups {
		p.Groups[i].Name, p.Groups[i].Master = g.name, g.master
		if d.listing {
			p.Groups[i].Machines = g.machines
		}
		p.Groups[i].Found = []string{d.found(g)}
		for j := range g.machines {
			if o.unit == "" {
				p.Sessions = append(p.Sessions, d.clientPorts(g, j)...)
			}
		}
	}
	if o.unit != "" {
		p.Systemd = &config.Systemd{Unit: o.unit, Sudo: o.sudo}
		p.Sessions, p.Answering = d.ports, d.ports
		return p
	}
	p.Sessions = sorted(p.Sessions)
	p.Quiet = 10 * time.Second
	p.Pomelo = &config.Pomelo{Dir: o.dir, Env: o.env, Sessions: o.sessions, Admin: config.Admin{User: d.admin()}}
	if o.gate != "" {
		p.Pomelo.Gate = &config.Gate{Route: o.gate, Field: "uid"}
	}
	return p
}

// admin is the account that may stop both groups.
func (d *discovery) admin() string {
	var both []string
	for _, a := range d.groups[0].cluster.Admins {
		if a.Level == 1 && a.User != "" && slices.ContainsFunc(d.groups[1].cluster.Admins, func(b pomelo.Admin) bool { return b.Level == 1 && b.User == a.User }) {
			both = append(both, a.User)
		}
	}
	if len(both) == 0 || slices.Contains(both, "admin") {
		return "admin"
	}
	return both[0]
}

// found says what is known of a group, and from where.
func (d *discovery) found(g discovered) string {
	if d.o.unit != "" {
		return fmt.Sprintf("%s, from %s", plural(int64(len(g.machines)), "machine"), d.o.inventory)
	}
	var types, parts []string
	count, ports := map[string]int{}, map[string]config.Ports{}
	for _, s := range g.cluster.Servers {
		if !s.Frontend {
			continue
		}
		if count[s.Type] == 0 {
			types = append(types, s.Type)
		}
		count[s.Type]++
		ports[s.Type] = append(ports[s.Type], s.ClientPort)
	}
	for _, t := range types {
		parts = append(parts, fmt.Sprintf("%s %s", plural(int64(count[t]), t), sorted(ports[t])))
	}
	from := g.from
	if len(d.o.servers) == 0 {
		from = "servers.json on " + from
	}
	return fmt.Sprintf("%s on %s, from %s", strings.Join(parts, " and "), plural(int64(len(g.machines)), "machine"), from)
}

// serviceOf makes a name for a service of where it lives or what starts it; "" is none.
func serviceOf(dir, unit string) string {
	if unit != "" {
		name, _, _ := strings.Cut(strings.TrimSuffix(unit, ".service"), "@")
		return valid(name)
	}
	parts := strings.FieldsFunc(dir, func(r rune) bool { return r == '/' })
	for _, p := range slices.Backward(parts) {
		if !slices.Contains([]string{"game-server", "current", "server", "app", "src"}, p) {
			return valid(p)
		}
	}
	return ""
}

// valid is a name that a service may have, or "".
func valid(name string) string {
	if !groups.ValidName(name) {
		return ""
	}
	return name
}
