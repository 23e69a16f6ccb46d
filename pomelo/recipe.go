package pomelo

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

//go:embed reap.sh
var reapScript string

//go:embed pomelo.sh
var pomeloScript string

// The environment variables that a stop takes the login at the master from.
// They are given when it is run, so that no plan, line or process list has them;
// unset they are Pomelo's own default, admin and admin.
const (
	EnvUser     = "POMELO_ADMIN_USER"
	EnvPassword = "POMELO_ADMIN_PASSWORD" //nolint:gosec // the name of the variable, not what it holds
)

// defaultGrace is KillAfter where none is set. Stopping 49 processes has taken
// 8 seconds on a busy machine.
const defaultGrace = 30 * time.Second

// Recipe restarts a group whose master starts and stops all its processes. No
// exit code of pomelo is believed by it: what counts is which processes are
// found on the machines afterwards.
type Recipe struct {
	// Dir is the application's directory, the one with app.js, absolute and the
	// same on all machines. It may lead through a link: /srv/game/current/game-server.
	Dir string
	// Root is the directory of releases/ and current in Capistrano's layout; ""
	// is none. Processes of every release in it are the application's.
	Root string
	// Env is Pomelo's environment; "" is Development.
	Env string
	// Clusters are the groups' configurations, by group name.
	Clusters map[string]Cluster
	// KillAfter is how long `pomelo stop` may take, and then how long a process
	// has between SIGTERM and SIGKILL, in whole seconds; 0 is 30 s. A reap takes
	// up to 10 s more.
	KillAfter time.Duration
}

// Restart gives the commands of a group. On the master's machine: stop, start,
// and mend, which starts the one process that plans.EnvProcess names. On every
// machine, the master's first: status, and reap, which ends what is left, or
// only the process that plans.EnvProcess names, for one that hangs. A group
// without a Cluster has none, which a plan does not pass with.
//
// Stop and start exit 127 where there is no pomelo or no node, and 0 otherwise.
// Status prints what ParseProcesses reads.
func (r Recipe) Restart(g groups.Group) []plans.Command {
	c, ok := r.Clusters[g.Name]
	if !ok {
		return nil
	}
	master := r.master(g, c)
	hosts := append([]string{master}, slices.DeleteFunc(g.Hosts(), func(h string) bool { return h == master })...)
	w := r.where(c)
	cs := []plans.Command{{Host: master, Do: plans.DoStop, Dir: r.Dir, Line: r.stop(c)}}
	for _, h := range hosts {
		cs = append(cs, plans.Command{Host: h, Do: plans.DoReap, Line: w.reap(r.grace())})
	}
	cs = append(cs, plans.Command{Host: master, Do: plans.DoStart, Dir: r.Dir, Line: r.start()})
	cs = append(cs, plans.Command{Host: master, Do: plans.DoMend, Dir: r.Dir, Line: r.mend()})
	for _, h := range hosts {
		cs = append(cs, plans.Command{Host: h, Do: plans.DoStatus, Line: w.table()})
	}
	return cs
}

// Processes gives what a started group consists of: the master, and then all
// that it starts. Host is the ssh host of the machine in g, or what the
// configuration says where g has no such machine.
func (r Recipe) Processes(g groups.Group) []plans.Process {
	c, ok := r.Clusters[g.Name]
	if !ok {
		return nil
	}
	all := []plans.Process{{ID: c.Master.ID, Type: MasterType, Host: r.master(g, c), Port: c.Master.port()}}
	for _, s := range c.Servers {
		host := all[0].Host
		if h := c.Machine(s.Host); h != c.Master.Host {
			host = hostOf(g, h)
		}
		all = append(all, plans.Process{ID: s.ID, Type: s.Type, Host: host})
	}
	return all
}

// master is the ssh host of the group's master.
func (r Recipe) master(g groups.Group, c Cluster) string {
	for _, m := range g.Machines {
		if g.Master != "" && (m.Name == g.Master || m.Host == g.Master) {
			return m.Host
		}
	}
	return hostOf(g, c.Master.Host)
}

// hostOf is the ssh host of the machine that the configuration calls host.
func hostOf(g groups.Group, host string) string {
	for _, of := range []func(groups.Machine) string{
		func(m groups.Machine) string { return m.Host },
		func(m groups.Machine) string { return m.Address },
		func(m groups.Machine) string { return m.Bind },
		func(m groups.Machine) string { return m.Name },
	} {
		for _, m := range g.Machines {
			if strings.EqualFold(of(m), host) {
				return m.Host
			}
		}
	}
	return host
}

func (r Recipe) grace() time.Duration {
	if r.KillAfter > 0 {
		return r.KillAfter
	}
	return defaultGrace
}

func (r Recipe) env() string {
	if r.Env == "" {
		return Development
	}
	return r.Env
}

func (r Recipe) where(c Cluster) where {
	return where{dir: r.Dir, root: r.Root, master: c.Master.ID}
}

// reap is the line that ends the application's processes on a machine, or only
// the one that plans.EnvProcess names. It prints whom it ended and exits 0 once
// nothing is left.
func (w where) reap(grace time.Duration) string {
	return "# ends by pid what is left of the Pomelo application on this machine\n" +
		w.settings("${"+plans.EnvProcess+"-}", grace) + squeeze(processesScript+reapScript)
}

// List is `pomelo list` on the master's machine, for a master that does not
// speak the admin protocol of Pomelo 2.2; its login comes as that of a stop.
// ParseList reads what it prints.
func (r Recipe) List(master plans.Process) plans.Command {
	return plans.Command{Host: master.Host, Do: plans.DoStatus, Dir: r.Dir, Line: fmt.Sprintf("# pomelo list, of the master on port %d\n", master.Port) +
		fmt.Sprintf("port=%d\nwithin=%d\n", master.Port, r.grace().Milliseconds()) + squeeze(pomeloScript) + "list\n"}
}

// stop is `pomelo stop`, run in Dir on the master's machine.
func (r Recipe) stop(c Cluster) string {
	port := c.Master.port()
	return fmt.Sprintf("# pomelo stop, through the master on port %d\n", port) +
		fmt.Sprintf("port=%d\nwithin=%d\n", port, r.grace().Milliseconds()) + squeeze(pomeloScript) + "stop\n"
}

// start is `pomelo start -D`, run in Dir on the master's machine.
func (r Recipe) start() string {
	return fmt.Sprintf("# pomelo start --env=%s -D\n", r.env()) + fmt.Sprintf("env=%s\nid=\n", quote(r.env())) + squeeze(pomeloScript) + "start\n"
}

// mend is the start of the one process that plans.EnvProcess names, which must
// be there: without it a second set of all would be started.
func (r Recipe) mend() string {
	return "# pomelo start of one process\n" + fmt.Sprintf("env=%s\nid=${%s:?}\n", quote(r.env()), plans.EnvProcess) + squeeze(pomeloScript) + "start\n"
}
