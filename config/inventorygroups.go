package config

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// wholly looks at the groups together: each must be declared, and none may be
// inside itself.
func (inv *inventory) wholly() {
	for _, g := range inv.order {
		if !g.declared {
			inv.fault(g.line, "[%s:vars] is for a group that is nowhere", g.name)
		}
		for _, c := range g.children {
			if child := inv.groups[c.value]; child == nil || !child.declared {
				inv.fault(c.line, "the group %s of [%s:children] is nowhere", quote(c.value), g.name)
			}
		}
	}
	if len(inv.faults) > 0 {
		return
	}
	parents := map[*section][]*section{}
	for _, g := range inv.order {
		for _, c := range g.children {
			child := inv.groups[c.value]
			if child.name == "all" {
				inv.fault(c.line, "all cannot be inside another group")
			}
			if g.name != "all" {
				parents[child] = append(parents[child], g)
			}
		}
	}
	for _, g := range inv.order {
		if !g.sink(parents, map[*section]bool{}) {
			inv.fault(g.line, "the group %s is inside itself, or in one that is", g.name)
			return
		}
	}
}

// sink finds how far below all a group is; false if it is inside itself, or in
// a group that is.
func (g *section) sink(parents map[*section][]*section, below map[*section]bool) bool {
	if g.depth > 0 {
		return true
	}
	if below[g] {
		return false
	}
	below[g] = true
	defer delete(below, g)
	deepest := 0
	for _, p := range parents[g] {
		if !p.sink(parents, below) {
			return false
		}
		deepest = max(deepest, p.depth)
	}
	g.depth = deepest + 1
	return true
}

// members are the hosts of a group, its own first, then those of its children.
func (inv *inventory) members(g *section) []string {
	var all []string
	seen, visited := map[string]bool{}, map[*section]bool{}
	var walk func(g *section)
	walk = func(g *section) {
		if visited[g] {
			return
		}
		visited[g] = true
		for _, h := range g.hosts {
			if !seen[h] {
				seen[h] = true
				all = append(all, h)
			}
		}
		for _, c := range g.children {
			walk(inv.groups[c.value])
		}
	}
	walk(g)
	return all
}

// result puts the variables of groups and hosts together. The nearer one wins:
// the host's, then the deepest group's, and of two equally deep groups the
// later name's.
func (inv *inventory) result() []InventoryGroup {
	byDepth := slices.Clone(inv.order)
	slices.SortStableFunc(byDepth, func(a, b *section) int { return cmp.Or(a.depth-b.depth, strings.Compare(a.name, b.name)) })
	of := map[string]settings{}
	for h := range inv.hosts {
		of[h] = maps.Clone(inv.groups["all"].vars)
	}
	for _, g := range byDepth {
		if g.name == "all" {
			continue // is there already, under all others
		}
		for _, h := range inv.members(g) {
			maps.Copy(of[h], g.vars)
		}
	}
	machines, keys := map[string]Machine{}, map[string]string{}
	local := map[string]bool{}
	for _, g := range inv.order { // in this order, for the order of the faults
		for _, h := range g.hosts {
			if _, done := machines[h]; done || local[h] {
				continue
			}
			maps.Copy(of[h], inv.hosts[h])
			if local[h] = of[h]["ansible_connection"].value == "local"; !local[h] {
				machines[h], keys[h] = inv.machine(h, g.line, of[h])
			}
		}
	}
	var out []InventoryGroup
	for _, g := range inv.order {
		members := inv.members(g)
		if g.name == "all" || g.name == "ungrouped" && len(members) == 0 {
			continue
		}
		group := InventoryGroup{Name: g.name}
		for _, c := range g.children {
			group.Children = append(group.Children, c.value)
		}
		for _, h := range members {
			if local[h] {
				group.Local = append(group.Local, h)
				continue
			}
			group.Machines = append(group.Machines, machines[h])
			if k := keys[h]; k != "" && !slices.Contains(group.Keys, k) {
				group.Keys = append(group.Keys, k)
			}
		}
		out = append(out, group)
	}
	return out
}

// machine makes a machine of a host and its variables. It gives the key file
// beside it.
func (inv *inventory) machine(name string, line int, of settings) (Machine, string) {
	get := func(ok func(string) bool, say string, keys ...string) string {
		for _, k := range keys {
			v, given := of[k]
			switch {
			case !given || v.value == "":
				continue
			case strings.Contains(v.value, "{{"):
				inv.fault(v.line, "%s of %s is a template, which only Ansible can fill in", k, name)
			case !ok(v.value):
				inv.fault(v.line, "%s of %s: %s is not %s", k, name, quote(v.value), say)
			default:
				return v.value
			}
			return ""
		}
		return ""
	}
	before := len(inv.faults)
	m := Machine{Host: get(isHost, "a host", "ansible_host", "ansible_ssh_host")}
	if m.Host == "" && len(inv.faults) == before {
		m.Host = name
		if !isHost(name) {
			inv.fault(line, "%s of the group that begins here is not a host", quote(name))
		}
	}
	if id := formOf("id"); m.Host != name && id.ok(name) {
		m.Name = name
	}
	m.User = get(formOf("user").ok, "the name of an account", "ansible_user", "ansible_ssh_user")
	m.Port, _ = strconv.Atoi(get(isPort, "a port", "ansible_port", "ansible_ssh_port"))
	key := get(func(string) bool { return true }, "", "ansible_ssh_private_key_file", "ansible_private_key_file")
	return m, key
}
