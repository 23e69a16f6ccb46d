package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/remote"
)

// quietPomelo is how long no session may have begun, where rollout.yaml does not say: a player may be on the way from a gate to its connector.
const quietPomelo = 10 * time.Second

// herds is what the masters of a Pomelo service say of their groups, by the group's name.
type herds map[string]pomelo.Cluster

// files reads the configuration files of Pomelo on one machine.
func (s *site) files(ctx context.Context, pool *remote.Pool, host, dir, env string) (fs.FS, error) {
	var out bytes.Buffer
	res, err := pool.Run(ctx, host, remote.Command{Line: pomelo.Fetch(dir, env), Output: &only{&out}, Within: s.cfg.SSH.Timeout})
	if err != nil {
		return nil, fmt.Errorf("configuration of Pomelo on %w", err)
	}
	if res.OutputErr != nil {
		return nil, fmt.Errorf("configuration of Pomelo on %s: %w", host, res.OutputErr)
	}
	found, err := pomelo.Files(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("configuration of Pomelo on %s: %w", host, err)
	}
	return found, nil
}

// only keeps what is written to it up to a bound that no configuration reaches.
type only struct{ b *bytes.Buffer }

func (o *only) Write(p []byte) (int, error) {
	if o.b.Len()+len(p) > 16<<20 {
		return 0, errors.New("more than 16 MiB")
	}
	return o.b.Write(p)
}

// masters reads what both masters know of their groups. The error joins what is wrong with each, warnings of pomelo included.
func (s *site) masters(ctx context.Context, pool *remote.Pool, f groups.Fleet) (herds, error) {
	gs, found, errs := f.Groups(), make([]pomelo.Cluster, 2), make([]error, 2)
	together(len(gs), func(i int) {
		host := masterHost(gs[i])
		files, err := s.files(ctx, pool, host, s.cfg.Pomelo.Dir, s.cfg.Pomelo.Env)
		if err != nil {
			errs[i] = err
			return
		}
		found[i], err = pomelo.Read(files, s.cfg.Pomelo.Env)
		errs[i] = of(host, err)
	})
	h := herds{}
	for i, g := range gs {
		if len(found[i].Servers) > 0 {
			h[g.Name] = found[i]
		}
	}
	return h, errors.Join(errs...)
}

// of names the machine in each error that is joined in err.
func of(host string, err error) error {
	joined, several := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !several:
		return fmt.Errorf("%s: %w", host, err)
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, fmt.Errorf("%s: %w", host, e))
	}
	return errors.Join(all...)
}

// masterHost gives the ssh host of a group's master.
func masterHost(g groups.Group) string {
	for _, m := range g.Machines {
		if m.Name == g.Master {
			return m.Host
		}
	}
	return g.Master
}

// remember reads what the masters know when a run is taken up again. A master that cannot be read is said and not fatal.
func (s *site) remember(ctx context.Context, pool *remote.Pool) (herds, error) {
	f, err := s.cfg.Fleet()
	if err != nil && !errors.Is(err, config.ErrNeedsMasters) {
		return nil, err
	}
	return s.masters(ctx, pool, f)
}

// fill gives a fleet the machines and ports that the masters know: machines that rollout.yaml lists keep what it says of them.
func (h herds) fill(f groups.Fleet, c config.Config) (groups.Fleet, error) {
	var errs []error
	group := func(g groups.Group) groups.Group {
		cluster, ok := h[g.Name]
		if !ok {
			return g
		}
		if err := headed(g, cluster); err != nil {
			errs = append(errs, err)
		}
		listed := g.Machines
		g.Machines = nil
		for _, m := range cluster.Group(g.Name, c.Pomelo.Sessions).Machines {
			i := slices.IndexFunc(listed, func(l groups.Machine) bool { return l.Host == m.Host || l.Address == m.Host })
			switch {
			case i < 0 && len(listed) > 0:
				errs = append(errs, fmt.Errorf("%s: servers.json starts processes on %s, which rollout.yaml does not list", g.Name, m.Host))
				continue
			case i >= 0:
				l := listed[i]
				m.Name, m.Host, m.Address, m.Zone, m.Bind, m.User, m.Port = l.Name, l.Host, l.Address, l.Zone, l.Bind, l.User, l.Port
				listed = slices.Delete(slices.Clone(listed), i, i+1)
			default:
				m.Address = m.Host
			}
			m.Sessions = slices.Clone(m.Ports) // a player at a gate is about to be one at a connector
			if len(c.Drain.Ports) > 0 {
				m.Sessions = slices.Clone(c.Drain.Ports)
			}
			if len(c.Health.Ports) > 0 {
				m.Ports = slices.Clone(c.Health.Ports)
			}
			m.Inner = !gated(cluster, c.Pomelo.Sessions, m)
			g.Machines = append(g.Machines, m)
		}
		for _, l := range listed {
			errs = append(errs, fmt.Errorf("%s: rollout.yaml lists %s, on which servers.json starts no process", g.Name, l.Name))
		}
		for _, m := range g.Machines {
			if m.Host == g.Master || m.Address == g.Master {
				g.Master = m.Name
			}
		}
		return g
	}
	f.First, f.Second = group(f.First), group(f.Second)
	return f, errors.Join(errs...)
}

// headed says whether master.json names the machine that it was read on as the master.
func headed(g groups.Group, c pomelo.Cluster) error {
	is := c.Master.Host
	if is == "" || is == "127.0.0.1" || is == "localhost" || is == g.Master || is == masterHost(g) {
		return nil
	}
	for _, m := range g.Machines {
		if m.Name == g.Master && m.Address == is {
			return nil
		}
	}
	return fmt.Errorf("%s: its master is %s in rollout.yaml and %s in master.json there", g.Name, g.Master, is)
}

// gated says whether a machine has a gate: a process that players connect to and that holds no sessions.
func gated(c pomelo.Cluster, sessions []string, m groups.Machine) bool {
	return slices.ContainsFunc(c.Servers, func(s pomelo.Server) bool {
		return s.Frontend && !slices.Contains(sessions, s.Type) && on(c, s, m)
	})
}

// on says whether a process is started on a machine.
func on(c pomelo.Cluster, s pomelo.Server, m groups.Machine) bool {
	host := c.Machine(s.Host)
	return host == m.Host || host == m.Address
}

// gates gives the gates of each group, and the connectors they shall name; nil where rollout.yaml does not say how a gate is asked.
func (h herds) gates(f groups.Fleet, c config.Pomelo) map[string]*plans.Gates {
	if c.Gate == nil {
		return nil
	}
	all := map[string]*plans.Gates{}
	for _, g := range f.Groups() {
		cluster := h[g.Name]
		gs := &plans.Gates{Route: c.Gate.Route, Field: c.Gate.Field}
		for _, s := range cluster.Sessions(c.Sessions) {
			gs.To = append(gs.To, net.JoinHostPort(s.ClientHost, strconv.Itoa(s.ClientPort)))
		}
		for _, m := range g.Machines {
			p := plans.Ports{Host: m.Host, Addr: m.Address, Bind: m.Bind}
			for _, s := range cluster.Servers {
				if s.Frontend && !slices.Contains(c.Sessions, s.Type) && on(cluster, s, m) {
					p.Ports = append(p.Ports, s.ClientPort)
				}
			}
			if len(p.Ports) > 0 {
				gs.Ports = append(gs.Ports, p)
			}
		}
		all[g.Name] = gs
	}
	return all
}

// account gives who logs in at a group's master: as rollout.yaml says, with the password that adminUser.json has where it says none.
func (h herds) account(group string, c config.Admin) pomelo.Account {
	a := pomelo.Account{User: c.User, Password: pomelo.Secret(c.Password)}
	if a.Password != "" {
		return a
	}
	for _, known := range h[group].Admins {
		if known.User == a.User {
			a.Password = known.Password
		}
	}
	return a
}
