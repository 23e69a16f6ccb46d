package pomelo

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
)

// Isolated says whether two groups keep to themselves, so that one can be
// stopped while the other serves: no host in both, and no gate that sends a
// player into the other group. Sessions are the server types that hold the
// players; if the groups have not equally many of these, the error holds a
// Warning, since userId modulo their number is then another in each group.
func Isolated(a, b Cluster, sessions []string) error {
	var all []error
	add := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	inA, inB := a.Hosts(), b.Hosts()
	for _, h := range inA {
		if slices.Contains(inB, h) {
			add("%s is in both groups, that of master %s and that of master %s", h, a.label(), b.label())
		}
	}
	all = append(all, a.strays(b)...)
	all = append(all, b.strays(a)...)
	told := map[string]Server{}
	for _, s := range a.Servers {
		if s.told() != "" {
			told[s.told()] = s
		}
	}
	said := map[place]bool{} // once for the clones of an entry
	for _, s := range b.Servers {
		if other, ok := told[s.told()]; ok && !said[s.at] {
			said[s.at] = true
			add("players are told %s for %s of %s and for %s of %s", s.told(), other.label(), a.label(), s.label(), b.label())
		}
	}
	if n, m := len(a.Sessions(sessions)), len(b.Sessions(sessions)); n != m {
		all = append(all, &Warning{fmt.Errorf("%s has %d session servers and %s has %d: players are spread by the number, and the smaller group must carry everyone",
			a.label(), n, b.label(), m)})
	}
	return errors.Join(all...)
}

// strays are the entries by which a gate of c sends players to a machine of
// the other group.
func (c Cluster) strays(other Cluster) []error {
	var all []error
	hosts := other.Hosts()
	own := c.Hosts() // a machine in both groups is told already
	hosts = slices.DeleteFunc(hosts, func(h string) bool { return slices.Contains(own, h) })
	seen := map[place]bool{}
	for _, s := range c.Servers {
		if s.Frontend && slices.Contains(hosts, s.ClientHost) && !seen[s.place("clientHost")] {
			seen[s.place("clientHost")] = true
			all = append(all, &Fault{File: s.File, Line: s.place("clientHost").line, Column: s.place("clientHost").column, Field: "clientHost",
				Err: fmt.Errorf("%s of %s sends players to %s, a machine of the other group", s.label(), c.label(), s.ClientHost)})
		}
	}
	return all
}

// label is the master's host, which tells groups apart.
func (c Cluster) label() string {
	if c.Master.Host == "" {
		return "(none)"
	}
	return c.Master.Host
}

// told is the address a gate gives for a server; "" is none.
func (s Server) told() string {
	if !s.Frontend || s.ClientHost == "" || !listens(s.ClientPort) {
		return ""
	}
	return net.JoinHostPort(s.ClientHost, strconv.Itoa(s.ClientPort))
}
