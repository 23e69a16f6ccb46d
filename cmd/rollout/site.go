package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/ulb"
	"github.com/seed59ee9cdc/rollout/view"
)

// site is a configured service and the hands to work on it. Nothing of it is opened before it is used.
type site struct {
	env *env
	cfg config.Config
	dir string // its state directory
	log *slog.Logger
}

// site reads the configuration.
func (e *env) site() (*site, error) { return e.load(config.Load) }

// bystander reads the same for a command that begins nothing and tells nobody: it does not need the secrets of who is told.
func (e *env) bystander() (*site, error) { return e.load(config.LoadUntold) }

func (e *env) load(load func(string, func(string) (string, bool)) (config.Config, error)) (*site, error) {
	cfg, err := load(e.flags.config, e.lookup)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("%w; name another with --config, or see it all first with `rollout sandbox`", err)
	}
	var faults *config.Faults
	if err != nil && !errors.As(err, &faults) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	state := e.flags.stateDir
	if state == "" {
		state = cfg.Local(cfg.State.Dir)
	}
	dir, err := journal.Dir(state, cfg.Service, e.lookup)
	if err != nil {
		return nil, err
	}
	level := slog.LevelWarn
	if e.flags.verbose {
		level = slog.LevelDebug
	}
	s := &site{env: e, cfg: cfg, dir: dir, log: slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: level}))}
	if e.ci != nil {
		e.ci.site = s
	}
	return s, nil
}

// unbuilt refuses what rollout.yaml asks for and this version does not do: to leave it out silently would be worse.
func (s *site) unbuilt() error {
	var all []error
	for what, is := range map[string]bool{
		"drain.count: Pomelo's own counts do not tell when a group is empty; use sockets":               s.cfg.Drain.Count == config.CountPomelo,
		"state.backend: only local is kept yet":                                                         s.cfg.State.Backend != "" && s.cfg.State.Backend != "local",
		"hooks: they are not run yet; run them around `rollout start`":                                  s.cfg.Hooks != config.Hooks{},
		"on_failure: rollback: there is no deploy: that could bring the earlier release back; use hold": s.cfg.OnFailure == config.Rollback && s.cfg.Deploy == nil,
	} {
		if is {
			all = append(all, errors.New(what))
		}
	}
	slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if len(all) > 0 {
		return usageError{errors.Join(all...)}
	}
	return nil
}

// balancer gives the client of the load balancer's API.
func (s *site) balancer() (*ulb.Balancer, ulb.Settings, error) {
	f := s.env.flags
	set, err := ulb.Load(ulb.Sources{
		Flags: ulb.Values{Profile: f.profile, Region: f.region, ProjectID: f.projectID, BaseURL: f.baseURL},
		File:  ulb.Values{Profile: s.cfg.UCloud.Profile, Region: s.cfg.UCloud.Region, ProjectID: s.cfg.UCloud.ProjectID, BaseURL: s.cfg.UCloud.BaseURL},
		Env:   s.ucloudEnv(),
	})
	var denied *ulb.AuthError
	if err != nil && !errors.As(err, &denied) {
		err = usageError{err}
	}
	if err != nil {
		return nil, set, err
	}
	b, err := ulb.New(ulb.Config{ID: s.cfg.ULB.ID, VServers: s.cfg.ULB.VServers, Settings: set, Batch: s.cfg.ULB.Batch, UserAgent: "rollout/" + version}, s.log)
	if err != nil {
		err = usageError{err}
	}
	return b, set, err
}

// ucloudEnv gives the environment that the account is read from. Where rollout.yaml names a credential file of its own, that file alone
// counts: a pretend world must never see real keys, nor the other way round.
func (s *site) ucloudEnv() func(string) (string, bool) {
	if s.cfg.UCloud.Credentials == "" {
		return s.env.lookup
	}
	own := map[string]string{"UCLOUD_SHARED_CREDENTIAL_FILE": s.cfg.Local(s.cfg.UCloud.Credentials), "HOME": filepath.Dir(s.cfg.Local(s.cfg.UCloud.Credentials))}
	return func(name string) (string, bool) {
		v, ok := own[name]
		return v, ok
	}
}

// pool gives the ssh connections, none of them open yet.
func (s *site) pool(ms []groups.Machine) (*remote.Pool, error) {
	hosts := map[string]remote.Host{}
	for _, m := range ms {
		hosts[m.Host] = remote.Host{User: m.User, Port: m.Port}
	}
	agent, _ := s.env.lookup("SSH_AUTH_SOCK")
	home, _ := s.env.lookup("HOME")
	var keys []string
	for _, k := range s.cfg.SSH.Keys {
		keys = append(keys, s.cfg.Local(k))
	}
	known := s.cfg.Local(s.cfg.SSH.KnownHosts)
	if s.cfg.SSH.KnownHosts == "~/.ssh/known_hosts" {
		known = "" // the default lets ssh_config name another file
	}
	return remote.New(remote.Config{
		User: s.cfg.SSH.User, Port: s.cfg.SSH.Port, Keys: keys, Proxy: strings.Join(s.cfg.SSH.Proxy, ","), KnownHosts: known,
		Home: home, Agent: agent, Timeout: s.cfg.SSH.Timeout, Hosts: hosts, Passphrase: s.env.passphrase(),
	}, s.log)
}

// fleet gives the two groups; a split by what is found at the load balancer needs a reading.
func (s *site) fleet(r ulb.Reading) (groups.Fleet, error) {
	f, err := s.cfg.Fleet()
	if errors.Is(err, config.ErrNeedsBalancer) {
		on := map[string]bool{}
		for _, m := range s.cfg.Pool() {
			for _, b := range r.Backends {
				if b.Host == m.Address {
					on[m.Name] = on[m.Name] || b.Weight > 0
				}
			}
		}
		f, err = groups.Split(s.cfg.Pool(), s.cfg.Split.By, s.cfg.Split.Names, on)
	}
	if err != nil {
		return f, usageError{err}
	}
	return f, f.Check(s.cfg.Uneven)
}

// machines gives every machine of the configuration, whichever group it is in.
func (s *site) machines() ([]groups.Machine, error) {
	f, err := s.cfg.Fleet()
	switch {
	case errors.Is(err, config.ErrNeedsBalancer):
		return s.cfg.Pool(), nil
	case errors.Is(err, config.ErrNeedsMasters): // the others are known once these have been read, and have no settings of their own
		return []groups.Machine{{Name: f.First.Master, Host: f.First.Master}, {Name: f.Second.Master, Host: f.Second.Master}}, nil
	}
	return f.Machines(), err
}

// backends puts a reading into the plan's words. The error names every backend without a machine and every machine without a backend.
func backends(r ulb.Reading, f groups.Fleet) (map[string]plans.Backend, error) {
	var addrs []string
	for _, b := range r.Backends {
		addrs = append(addrs, addr(b))
	}
	names, err := f.Match(addrs)
	found, stored, on := map[string]plans.Backend{}, map[string]int{}, map[string]bool{}
	for _, b := range r.Backends {
		for _, g := range f.Groups() {
			for _, m := range g.Machines {
				if m.Name == names[addr(b)] {
					found[b.ID] = plans.Backend{Addr: addr(b), Host: m.Host, Group: g.Name, Weight: b.Weight}
					stored[b.ID], on[g.Name] = b.Stored, on[g.Name] || b.Weight > 0
				}
			}
		}
	}
	for id, b := range found { // a group that is off as a whole stands by: it serves while the other one is updated
		if !on[b.Group] {
			b.Standby = max(1, stored[id])
			found[id] = b
		}
	}
	return found, err
}

// recipe gives the commands that restart a group. known is what the masters of a Pomelo service say.
func (s *site) recipe(known herds) (plans.Recipe, error) {
	switch {
	case s.cfg.Pomelo != nil:
		return s.pomelo(known), nil
	case s.cfg.Command != nil:
		return plans.Lines{Dir: s.cfg.Command.Dir, Stop: s.cfg.Command.Stop, Start: s.cfg.Command.Start, Status: s.cfg.Command.Status}, nil
	case s.cfg.Systemd != nil:
		return plans.Systemd{Unit: s.cfg.Systemd.Unit, Sudo: s.cfg.Systemd.Sudo}, nil
	}
	return nil, usagef("rollout.yaml has no recipe this version knows: pomelo, command or systemd")
}

// pomelo is the recipe of a Pomelo service.
func (s *site) pomelo(known herds) pomelo.Recipe {
	r := pomelo.Recipe{Dir: s.cfg.Pomelo.Dir, Env: s.cfg.Pomelo.Env, Clusters: known, KillAfter: max(s.cfg.Restart.KillAfter, time.Second)}
	if s.cfg.Deploy != nil {
		r.Root = s.cfg.Deploy.Root
	}
	return r
}

// releases reads which release each machine runs, by its host; nil where the configuration does not say how.
func (s *site) releases(ctx context.Context, pool *remote.Pool, hosts []string) (map[string]string, error) {
	if s.cfg.Release == nil {
		return nil, nil
	}
	line, err := s.releaseLine()
	if err != nil {
		return nil, err
	}
	found, errs := make([]string, len(hosts)), make([]error, len(hosts))
	together(len(hosts), func(i int) {
		res, err := pool.Run(ctx, hosts[i], remote.Command{Line: line, Dir: s.workDir(), Within: s.cfg.SSH.Timeout})
		if err != nil {
			errs[i] = fmt.Errorf("release on %w", err)
			return
		}
		found[i] = strings.TrimSpace(view.Clean(res.Stdout))
	})
	all := map[string]string{}
	for i, h := range hosts {
		all[h] = found[i]
	}
	return all, errors.Join(errs...)
}

// releaseLine is the line that prints a machine's release; empty where the configuration does not say how.
func (s *site) releaseLine() (string, error) {
	switch {
	case s.cfg.Release == nil:
		return "", nil
	case s.cfg.Release.File == "":
		return s.cfg.Release.Run, nil
	}
	q, err := remote.Quote(s.cfg.Release.File)
	if err != nil {
		return "", fmt.Errorf("release.file: %w", err)
	}
	return "head -n 1 -- " + q, nil
}

// workDir is where the lines of the recipe run.
func (s *site) workDir() string {
	switch {
	case s.cfg.Command != nil:
		return s.cfg.Command.Dir
	case s.cfg.Pomelo != nil:
		return s.cfg.Pomelo.Dir
	}
	return ""
}
