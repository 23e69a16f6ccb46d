package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// finder is how init looks at the world.
type finder struct {
	// files gives the application's directory on a machine, with what Pomelo reads below config/.
	files func(ctx context.Context, host, dir, env string) (fs.FS, error)
	// backends reads the load balancer.
	backends func(ctx context.Context) (ulb.Reading, error)
	// close ends what was opened.
	close func()
}

// finder looks over ssh and at UCloud. Nothing is opened before it is used.
func (e *env) finder(cfg config.Config) (finder, error) {
	level := slog.LevelWarn
	if e.flags.verbose {
		level = slog.LevelDebug
	}
	s := &site{env: e, cfg: cfg, log: slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: level}))}
	var ms []groups.Machine
	for _, m := range cfg.Machines {
		ms = append(ms, groups.Machine{Host: m.Host, User: m.User, Port: m.Port})
	}
	pool, err := s.pool(ms)
	if err != nil {
		return finder{}, err
	}
	return finder{
		files: func(ctx context.Context, host, dir, env string) (fs.FS, error) {
			return s.files(ctx, pool, host, dir, env)
		},
		backends: func(ctx context.Context) (ulb.Reading, error) {
			b, _, err := s.balancer()
			if err != nil {
				return ulb.Reading{}, err
			}
			return b.Read(ctx)
		},
		close: func() { _ = pool.Close() },
	}, nil
}

// discovery is all that was found out about a service.
type discovery struct {
	env       *env
	o         initOptions
	inventory []config.InventoryGroup // nil without one
	groups    [2]discovered
	listing   bool // whether rollout.yaml must list the machines, of both groups
	ssh       config.SSH
	vservers  []string     // of the balancer, where they are to be named
	behind    string       // what was found there
	ports     config.Ports // of the backends that are ours
	warnings  []string
}

// discovered is what was found out about one group.
type discovered struct {
	name, master string           // master as ssh reaches it
	machines     []config.Machine // of the inventory, then those of servers.json with what the inventory says of them
	keys         []string
	cluster      pomelo.Cluster
	from         string // where servers.json was read
}

func (d *discovery) warn(format string, args ...any) {
	d.warnings = append(d.warnings, fmt.Sprintf(format, args...))
}

// list reads the inventory, if there is one.
func (d *discovery) list() error {
	d.groups[0].name, d.groups[1].name = "group1", "group2"
	d.listing = d.o.listMachines || d.o.inventory != ""
	if d.o.inventory == "" {
		return nil
	}
	f, err := os.Open(d.o.inventory)
	if err != nil {
		return usageError{fmt.Errorf("--inventory: %w", err)}
	}
	all, err := config.Inventory(f)
	_ = f.Close() // it was only read
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", d.o.inventory, err)}
	}
	d.inventory = all
	chosen := d.o.groups
	if len(chosen) == 0 {
		for _, g := range all {
			if len(g.Machines) > 0 && len(g.Children) == 0 && g.Name != "ungrouped" {
				chosen = append(chosen, g.Name)
			}
		}
	}
	if len(chosen) != 2 {
		return usagef("%s has %d groups of machines (%s): name two with --group", d.o.inventory, len(chosen), strings.Join(chosen, ", "))
	}
	for i, name := range chosen {
		at := slices.IndexFunc(all, func(g config.InventoryGroup) bool { return g.Name == name })
		if at < 0 || len(all[at].Machines) == 0 {
			return usagef("--group %s: %s has no machines of that group", name, d.o.inventory)
		}
		g := all[at]
		d.groups[i].name, d.groups[i].machines, d.groups[i].keys = name, g.Machines, g.Keys
		if len(g.Local) > 0 {
			d.warn("%s: %s left out: ansible_connection is local", name, strings.Join(g.Local, ", "))
		}
	}
	return nil
}

// settings are those of rollout.yaml that are known before anything was looked at.
func (d *discovery) settings() config.Config {
	c := config.Default()
	f := d.env.flags
	c.Path = d.o.out
	c.UCloud.Region, c.UCloud.ProjectID, c.UCloud.BaseURL = f.region, f.projectID, f.baseURL
	if f.profile != "" {
		c.UCloud.Profile = f.profile
	}
	c.ULB.ID = d.o.ulbID
	d.ssh = d.login()
	c.SSH.User, c.SSH.Port, c.SSH.Keys = d.ssh.User, d.ssh.Port, d.ssh.Keys
	if d.ssh.KnownHosts != "" {
		c.SSH.KnownHosts = d.ssh.KnownHosts
	}
	c.Machines = slices.Concat(d.groups[0].machines, d.groups[1].machines)
	return c
}

// login is how the machines are logged in to: as the flags say, else as the inventory does. What all machines share is taken off them.
func (d *discovery) login() config.SSH {
	s := config.SSH{User: d.o.sshUser, Port: d.o.sshPort, KnownHosts: d.env.portable(d.o.knownHosts, d.o.out)}
	keys := d.o.keys
	if len(keys) == 0 {
		keys = slices.Concat(d.groups[0].keys, d.groups[1].keys)
	}
	for _, k := range keys {
		if k = d.env.portable(k, d.o.out); !slices.Contains(s.Keys, k) {
			s.Keys = append(s.Keys, k)
		}
	}
	var users []string
	var ports []int
	for _, g := range d.groups {
		for _, m := range g.machines {
			users, ports = append(users, m.User), append(ports, m.Port)
		}
	}
	sameUser, samePort := len(slices.Compact(slices.Sorted(slices.Values(users)))) == 1, len(slices.Compact(slices.Sorted(slices.Values(ports)))) == 1
	if s.User == "" && sameUser {
		s.User = users[0]
	}
	if s.Port == 0 && samePort {
		s.Port = ports[0]
	}
	for i := range d.groups {
		d.groups[i].machines = slices.Clone(d.groups[i].machines)
		for j := range d.groups[i].machines {
			m := &d.groups[i].machines[j]
			if d.o.sshUser != "" || sameUser {
				m.User = ""
			}
			if d.o.sshPort != 0 || samePort {
				m.Port = 0
			}
		}
	}
	return s
}

// masters reads the configuration of Pomelo of both groups, from their masters or from files here.
func (d *discovery) masters(ctx context.Context, f finder) error {
	if d.o.unit != "" {
		return nil
	}
	var found [2]discovered
	for i := range found {
		g := &found[i]
		var files fs.FS
		if len(d.o.masters) > 0 {
			g.master = d.o.masters[i]
		}
		if len(d.o.servers) > 0 {
			g.from = d.o.servers[i]
			files = beside{os.DirFS(filepath.Dir(g.from)), filepath.Base(g.from)}
		} else {
			g.from = g.master
			var err error
			if files, err = f.files(ctx, d.reach(g.master), d.o.dir, d.o.env); err != nil {
				return unread(err)
			}
		}
		if err := d.read(g, files); err != nil {
			return err
		}
		if g.master == "" {
			g.master = g.cluster.Master.Host
		}
	}
	if err := d.sessions(found[0].cluster, found[1].cluster); err != nil {
		return err
	}
	if err := d.isolated(found[0].cluster, found[1].cluster); err != nil {
		return err
	}
	return d.place(found)
}

// reach is the host by which ssh reaches a machine that the inventory may know by a name.
func (d *discovery) reach(name string) string {
	for _, g := range d.groups {
		for _, m := range g.machines {
			if m.Name == name {
				return m.Host
			}
		}
	}
	return name
}

// unread is a machine that could not be looked at.
func unread(err error) error {
	var unknown *remote.UnknownHostError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w; before there is a rollout.yaml: log in once with ssh, or name another file with --known-hosts", err)
	}
	return refusedError{err}
}

// read takes in what the files of Pomelo say. What Pomelo itself could not start with is refused, the rest is told.
func (d *discovery) read(g *discovered, files fs.FS) error {
	c, err := pomelo.Read(files, d.o.env)
	var hard []error
	for _, e := range apart(err) {
		var fault *pomelo.Fault
		switch {
		case errors.Is(e, pomelo.ErrThrows), errors.Is(e, pomelo.ErrNoProcess):
			hard = append(hard, e)
		case errors.As(e, &fault) && fault.File == "config/adminUser.json" && len(d.o.servers) > 0 && errors.Is(e, fs.ErrNotExist):
			d.warn("%s: no adminUser.json beside it, so nobody is known who may log in at the master", g.from)
		default:
			d.warn("%s: %v", g.from, e)
		}
	}
	if len(hard) == 0 && len(c.Servers) == 0 {
		hard = apart(err)
		if len(hard) == 0 {
			hard = []error{fmt.Errorf("servers.json has no process for the environment %s: name another with --env", d.o.env)}
		}
	}
	if len(hard) > 0 {
		return refusedf("%s: %w", g.from, errors.Join(hard...))
	}
	g.cluster = c
	for _, a := range c.Admins {
		if string(a.Password) == "admin" {
			d.warn("%s: the password of %s on the admin port is still admin", g.from, a.User)
		}
	}
	return nil
}

// apart takes joined errors apart.
func apart(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, apart(e)...)
	}
	return all
}

// beside is a directory with a servers.json, seen as Pomelo's application: what lies beside the file is in config/.
type beside struct {
	dir     fs.FS
	servers string
}

// Open opens a file by the name it has in an application.
func (b beside) Open(name string) (fs.File, error) {
	rest, ok := strings.CutPrefix(name, "config/")
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if rest == "servers.json" {
		rest = b.servers
	}
	return b.dir.Open(rest)
}

// sessions finds the server types that hold sessions, where no flag names them.
func (d *discovery) sessions(cs ...pomelo.Cluster) error {
	if len(d.o.sessions) > 0 {
		return nil
	}
	var types []string
	for _, c := range cs {
		for _, s := range c.Servers {
			if s.Frontend && s.Type != "gate" && !slices.Contains(types, s.Type) {
				types = append(types, s.Type)
			}
		}
	}
	switch {
	case slices.Contains(types, "connector"):
		d.o.sessions = []string{"connector"}
	case len(types) == 1:
		d.o.sessions = types
	default:
		return usagef("which server types hold sessions? servers.json has no connector (players can connect to: %s): name them with --sessions", strings.Join(types, ", "))
	}
	return nil
}

// isolated refuses groups that cannot be stopped one at a time.
func (d *discovery) isolated(a, b pomelo.Cluster) error {
	var hard []error
	for _, e := range apart(pomelo.Isolated(a, b, d.o.sessions)) {
		var w *pomelo.Warning
		if errors.As(e, &w) {
			d.warn("%v", e)
			continue
		}
		hard = append(hard, e)
	}
	if len(hard) > 0 {
		return refusedf("the groups do not keep to themselves: %w", errors.Join(hard...))
	}
	return nil
}

// fit tells what makes the groups unfit for a rollout, now that it is known which machine is behind which address.
func (d *discovery) fit() {
	if d.o.unit != "" {
		return
	}
	for _, g := range d.groups {
		outside, hosts := map[string]string{}, g.cluster.Hosts()
		for i, m := range g.machines {
			outside[address(m)] = hosts[i]
		}
		for _, e := range apart(g.cluster.Check(d.o.sessions, outside)) {
			d.warn("%s: %v", g.name, e)
		}
	}
}
