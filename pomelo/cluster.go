package pomelo

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/seed59ee9cdc/rollout/groups"
)

// Cluster is the configuration of one group: its master and every process the
// master starts.
type Cluster struct {
	// Env is the environment it was read for.
	Env string
	// Servers are in the order of servers.json, expanded. The master is none.
	Servers []Server
	// Master starts them and is asked about them.
	Master Master
	// Admins may log in at the master.
	Admins []Admin
	// Tokens are what processes show the master to be let in, by server type;
	// nil where there is no adminServer.json, and any process may register.
	Tokens map[string]Secret
}

// Read reads servers.json, master.json, adminUser.json and adminServer.json
// from an application's directory (game-server: the one with config/ in it) as
// Pomelo would for env; "" is Development. The error joins every Fault. The
// Cluster is returned beside it and is what Pomelo would run with; after
// ErrThrows it is the part that could be read. Check finds more.
func Read(files fs.FS, env string) (Cluster, error) {
	if env == "" {
		env = Development
	}
	c := Cluster{Env: env}
	var all faults
	if src, err := find(files, "master.json", env, true); err != nil {
		all.all = append(all.all, throwsIfMissing(err))
	} else {
		c.Master = readMaster(src, &all)
	}
	if src, err := find(files, "servers.json", env, true); err != nil {
		all.all = append(all.all, err)
	} else {
		c.Servers = expand(src, &all)
	}
	c.readAdmins(files, &all)
	c.checkServers(&all)
	c.checkClashes(&all)
	return c, all.join()
}

// throwsIfMissing is for master.json, which Pomelo cannot do without; it can
// without servers.json, and then starts nothing.
func throwsIfMissing(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &Fault{File: "config/master.json", Err: fmt.Errorf("%w: %w", ErrThrows, errors.Unwrap(err))}
}

// Machine is the host of the machine that a server's host means: the master
// starts what is on these names by itself, beside it.
func (c Cluster) Machine(host string) string {
	switch host {
	case "127.0.0.1", "localhost", "0.0.0.0":
		if c.Master.Host != "" {
			return c.Master.Host
		}
	}
	return host
}

// Hosts are the machines of the group in the order of the file, and last the
// master's where it runs nothing else. A local name stands for the master's.
func (c Cluster) Hosts() []string {
	var hosts []string
	for _, s := range c.Servers {
		if h := c.Machine(s.Host); h != "" && !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	if h := c.Master.Host; h != "" && !slices.Contains(hosts, h) {
		hosts = append(hosts, h)
	}
	return hosts
}

// Sessions are the servers of the types that hold players.
func (c Cluster) Sessions(types []string) []Server {
	var some []Server
	for _, s := range c.Servers {
		if slices.Contains(types, s.Type) {
			some = append(some, s)
		}
	}
	return some
}

// Group is the cluster as machines to roll out to, each named by its host.
// Ports are what players connect to there, gates included; Sessions are those
// of the given server types, the ones a drain waits for. Ports that cannot be
// read are left out.
func (c Cluster) Group(name string, sessions []string) groups.Group {
	g := groups.Group{Name: name, Master: c.Master.Host}
	for _, host := range c.Hosts() {
		m := groups.Machine{Name: host, Host: host}
		for _, s := range c.Servers {
			if c.Machine(s.Host) != host || !s.Frontend || !listens(s.ClientPort) {
				continue
			}
			m.Ports = append(m.Ports, s.ClientPort)
			if slices.Contains(sessions, s.Type) {
				m.Sessions = append(m.Sessions, s.ClientPort)
			}
		}
		g.Machines = append(g.Machines, m)
	}
	return g
}

// listens says whether a process can listen on a port.
func listens(port int) bool { return port >= 1 && port <= 65535 }
