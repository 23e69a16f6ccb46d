package pomelo

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrNoProcess means that an entry of servers.json is none that Pomelo could start.
var ErrNoProcess = errors.New("yields no process")

// checkServers finds what is wrong with each process by itself.
func (c Cluster) checkServers(all *faults) {
	for _, s := range c.Servers {
		add := func(field, format string, args ...any) {
			all.add(s.File, s.place(field), field, s.label()+format, args...)
		}
		if at, given := s.places["clusterCount"]; given && s.Fields["id"] == nil && !truthy(s.Fields["clusterCount"]) {
			all.add(s.File, at, "clusterCount", "%v %w: pomelo takes the entry for a single server, and that has no id", s.Fields["clusterCount"], ErrNoProcess)
			continue
		}
		for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
			if s.Fields[k] == nil {
				add(k, ": null becomes the word null on its command line")
			}
		}
		switch s.ID {
		case "":
			add("id", " has none")
		case c.Master.ID:
			add("id", " is the master's too")
		}
		if v, ok := s.Fields["host"]; !ok {
			add("host", " has none")
		} else if s.Host == "" {
			word, _ := text(v)
			add("host", ": %q is no host; ++ counts in every field", word)
		}
		checkPort(s, "port", !s.Frontend, add)
		checkPort(s, "clientPort", s.Frontend, add)
	}
}

// checkPort wants a port that can be listened on, and one at all if needed. A
// gate may do without a port for calls: Pomelo's own examples do.
func checkPort(s Server, field string, needed bool, add func(field, format string, args ...any)) {
	v, ok := s.Fields[field]
	if !ok {
		if needed {
			add(field, " has none")
		}
		return
	}
	if _, err := port(v); err != nil {
		add(field, ": %w", err)
	}
}

// checkClashes finds two that would listen on one port of one machine.
func (c Cluster) checkClashes(all *faults) {
	type socket struct {
		host string
		port int
	}
	taken := map[socket]string{}
	if listens(c.Master.Port) {
		taken[socket{c.Master.Host, c.Master.Port}] = "the master"
	}
	listen := func(s Server, field string, port int) {
		at := socket{c.Machine(s.Host), port}
		if !listens(port) || s.Host == "" {
			return
		}
		who := fmt.Sprintf("%s of %s", field, s.label())
		if other, ok := taken[at]; ok {
			all.add(s.File, s.place(field), field, "%s has %d on %s already, wanted by %s", other, port, at.host, s.label())
			return
		}
		taken[at] = who
	}
	for _, s := range c.Servers {
		listen(s, "port", s.Port)
		if s.Frontend {
			listen(s, "clientPort", s.ClientPort)
		}
	}
}

// Check finds what makes a readable cluster unfit for a rollout that drains the
// given server types: those that hold the players. Outside says which host is
// behind an address that players know it by; nil where they are told the hosts
// themselves. The error joins Faults; Read has found the others.
func (c Cluster) Check(sessions []string, outside map[string]string) error {
	var all faults
	for _, name := range sessions {
		if len(c.Sessions([]string{name})) == 0 {
			all.add("config/servers.json", place{}, name, "no process of the type that holds the players")
		}
	}
	hosts := c.Hosts()
	for _, s := range c.Servers {
		add := func(field, format string, args ...any) {
			all.add(s.File, s.place(field), field, s.label()+format, args...)
		}
		session := slices.Contains(sessions, s.Type)
		if session && !s.Frontend {
			add("frontend", " is to hold players but is no frontend: its clientPort is never opened")
		}
		if _, ok := s.Fields["port"]; session && !ok {
			add("port", " has none: no other process can reach its players")
		}
		if _, ok := s.Fields["clientHost"]; !ok {
			if session {
				add("clientHost", " has none: a gate has nothing to tell a player")
			}
			continue
		}
		behind, ok := outside[s.ClientHost]
		if !ok {
			behind = s.ClientHost
		}
		switch behind = c.Machine(behind); {
		case !slices.Contains(hosts, behind):
			add("clientHost", ": %q is no machine of the group", s.ClientHost)
		case behind != c.Machine(s.Host):
			add("clientHost", ": %q is another machine, it runs on %s", s.ClientHost, s.Host)
		}
	}
	return all.join()
}
