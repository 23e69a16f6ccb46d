package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/config"
)

func newInitCommand(e *env) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write rollout.yaml from what the machines and the load balancer know",
		Long: `Write rollout.yaml from what the machines and the load balancer know. Nothing else is changed, and no file is overwritten. What cannot
be found is asked for; where nobody can be asked, the flag to name is told.

    rollout init --master 10.9.0.1 --master 10.9.0.4 --dir /data/game/game-server --ulb-id ulb-xxxxxx
        reads the configuration of Pomelo on both masters over ssh
    rollout init --servers a/servers.json --servers b/servers.json --dir …
        reads it from files here instead, master.json beside each
    rollout init --inventory hosts.ini --group blue --group green …
        takes names, addresses and logins of the machines from Ansible
    rollout init --inventory hosts.ini --unit game.service …
        is for a systemd unit on each machine, without Pomelo

The groups are updated in the order they are named.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), e, o, e.finder) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

type initOptions struct {
	masters, servers, groups, keys, sessions []string
	ulbID, dir, env, unit, service           string
	sshUser, knownHosts                      string
	sshPort                                  int
	inventory, release, gate, out            string
	listMachines, sudo, offline              bool
}

func (o *initOptions) addFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.masters, "master", nil, "the master `HOST` of a Pomelo group; twice, once for each group")
	f.StringArrayVar(&o.servers, "servers", nil, "read this servers.json `FILE` and master.json beside it, not the master; twice")
	f.StringVar(&o.inventory, "inventory", "", "an Ansible inventory `FILE` (INI) that knows the machines")
	f.StringArrayVar(&o.groups, "group", nil, "the `NAME` of a group of the inventory; twice")
	f.StringVar(&o.ulbID, "ulb-id", "", "the load balancer `ID`: ulb-…, alb-… or nlb-…")
	f.StringVar(&o.dir, "dir", "", "the game-server `DIR` on the machines, for Pomelo")
	f.StringVar(&o.env, "env", "production", "the environment `NAME` that Pomelo is started with")
	f.StringArrayVar(&o.sessions, "sessions", nil, "a server `TYPE` that holds sessions (default connector)")
	f.StringVar(&o.gate, "gate-route", "", "the `ROUTE` by which a gate is asked for a connector")
	f.StringVar(&o.unit, "unit", "", "the systemd `UNIT` on the machines, instead of Pomelo")
	f.BoolVar(&o.sudo, "sudo", false, "with --unit: run systemctl through sudo")
	f.StringVar(&o.service, "service", "", "the `NAME` of the service (default from --dir or --unit)")
	f.StringVar(&o.release, "release-file", "", "the `FILE` on the machines whose first line is the release")
	f.StringVar(&o.sshUser, "ssh-user", "", "the `USER` who logs in to the machines")
	f.IntVar(&o.sshPort, "ssh-port", 0, "the `PORT` of sshd on the machines")
	f.StringArrayVar(&o.keys, "key", nil, "a private key `FILE`; may be given several times")
	f.StringVar(&o.knownHosts, "known-hosts", "", "the `FILE` of known hosts")
	f.BoolVar(&o.listMachines, "list-machines", false, "list the machines, where the masters' names alone would do")
	f.BoolVar(&o.offline, "offline", false, "do not ask the load balancer; with --servers nothing at all is asked")
	f.StringVar(&o.out, "out", "", "write this `FILE`; - is standard output (default that of --config: rollout.yaml)")
}

// check refuses flags that do not go together, and a file that is there already: before anything is asked.
func (o *initOptions) check() error {
	for flag, given := range map[string][]string{"master": o.masters, "servers": o.servers, "group": o.groups} {
		if len(given) != 0 && len(given) != 2 {
			return usagef("--%s is given once for each of the two groups, and was given %d times", flag, len(given))
		}
	}
	switch {
	case len(o.groups) > 0 && o.inventory == "":
		return usagef("--group names a group of --inventory, which is missing")
	case o.unit != "" && o.inventory == "":
		return usagef("--unit needs --inventory, which knows the machines")
	case o.unit != "" && (o.dir != "" || len(o.servers)+len(o.masters) > 0):
		return usagef("--unit is for services without Pomelo: it excludes --dir, --master and --servers")
	case o.unit != "" && o.offline:
		return usagef("--unit needs the load balancer, which knows the ports: leave --offline out")
	case o.sudo && o.unit == "":
		return usagef("--sudo is only for --unit")
	case o.sshPort < 0 || o.sshPort > 65535:
		return usagef("--ssh-port %d is no port", o.sshPort)
	}
	if _, err := os.Lstat(o.out); o.out != "-" && !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s is there already, and nothing is overwritten: name another file with --out", o.out)
	}
	return nil
}

// runInit finds out what there is, asks for the rest, and writes it down. connect gives the hands to look with.
func runInit(ctx context.Context, e *env, o initOptions, connect func(config.Config) (finder, error)) error {
	if o.out == "" {
		o.out = e.flags.config
	}
	if err := o.check(); err != nil {
		return err
	}
	d := discovery{env: e, o: o}
	if err := d.list(); err != nil {
		return err
	}
	if err := d.ask(); err != nil {
		return err
	}
	f, err := connect(d.settings())
	if err != nil {
		return usageError{err}
	}
	defer f.close()
	if err := d.masters(ctx, f); err != nil {
		return err
	}
	if err := d.balancer(ctx, f); err != nil {
		return err
	}
	d.fit()
	p := d.proposal()
	data, err := p.YAML()
	if err != nil {
		return err
	}
	if err := e.create(o.out, data); err != nil {
		return err
	}
	return d.tell(p)
}

// ask asks for what nothing told, or names the flags where nobody can be asked.
func (d *discovery) ask() error {
	o := &d.o
	var missing []string
	in := bufio.NewReader(d.env.stdin)
	want := func(to *string, flag, question string) error {
		if *to != "" {
			return nil
		}
		if !d.env.terminal || d.env.flags.noInput {
			missing = append(missing, flag)
			return nil
		}
		_, _ = fmt.Fprintf(d.env.stderr, "%s (%s): ", question, flag)
		answer, err := in.ReadString('\n')
		if *to = strings.TrimSpace(answer); *to == "" {
			return usagef("no answer: name it with %s (%w)", flag, errors.Join(err))
		}
		return nil
	}
	errs := []error{want(&o.ulbID, "--ulb-id", "The load balancer in front of the gates, such as ulb-xxxxxx")}
	if o.unit == "" {
		if len(o.masters)+len(o.servers) == 0 {
			var both [2]string
			for i, which := range []string{"first", "second"} {
				if d.inventory != nil {
					which = d.groups[i].name
				}
				errs = append(errs, want(&both[i], "--master", "The master of the "+which+" group, as ssh reaches it"))
			}
			o.masters = both[:]
		}
		errs = append(errs, want(&o.dir, "--dir", "The game-server directory on the machines"))
	}
	if o.service == "" {
		o.service = serviceOf(o.dir, o.unit)
	}
	if o.dir != "" || o.unit != "" {
		errs = append(errs, want(&o.service, "--service", "The name of the service"))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return usagef("not found, and there is no terminal to ask on: name %s", strings.Join(compact(missing), ", "))
	}
	return nil
}

// compact leaves repeated words out, and says of --master that it is wanted twice.
func compact(flags []string) []string {
	var out []string
	for i, f := range flags {
		if i > 0 && flags[i-1] == f {
			out[len(out)-1] = f + " twice"
			continue
		}
		out = append(out, f)
	}
	return out
}

// create writes a file that is not there yet.
func (e *env) create(path string, data []byte) error {
	if path == "-" {
		_, err := e.stdout.Write(data)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return usageError{fmt.Errorf("--out: %w", err)}
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("--out: %w", err), os.Remove(path)) // half a file would keep the next init from writing
	}
	return nil
}

// initDoc is the result of init for programs.
type initDoc struct {
	Schema   string      `json:"schema"`
	File     string      `json:"file"`
	Service  string      `json:"service"`
	ULB      string      `json:"ulb"`
	VServers []string    `json:"vservers,omitempty"`
	Groups   []initGroup `json:"groups"`
	Warnings []string    `json:"warnings"`
}

type initGroup struct {
	Name   string   `json:"name"`
	Master string   `json:"master,omitempty"`
	Found  []string `json:"found"`
}

// tell says what was found, and what to type next.
func (d *discovery) tell(p config.Proposal) error {
	o, e := d.o, d.env
	doc := initDoc{Schema: "rollout.init/v1", File: o.out, Service: p.Service, ULB: p.ULB, VServers: p.VServers, Warnings: append([]string{}, d.warnings...)}
	for _, g := range p.Groups {
		doc.Groups = append(doc.Groups, initGroup{Name: g.Name, Master: g.Master, Found: g.Found})
	}
	if !e.text() && o.out != "-" {
		return e.document(doc)
	}
	w := e.stdout
	if o.out == "-" {
		w = e.stderr // standard output is the file
	}
	if !e.flags.quiet || o.out != "-" {
		_, _ = fmt.Fprintf(w, "%s behind %s: %s\n", p.Service, p.ULB, p.Behind)
		for _, g := range doc.Groups {
			_, _ = fmt.Fprintf(w, "  %-10s %s\n", g.Name, strings.Join(g.Found, "; "))
		}
		next := "rollout check"
		if o.out != "rollout.yaml" && o.out != "-" {
			next += " --config " + o.out
		}
		_, _ = fmt.Fprintf(w, "updated in this order: %s, %s\nnext: %s\n", p.Groups[0].Name, p.Groups[1].Name, next)
	}
	for _, line := range d.warnings {
		_, _ = fmt.Fprintf(e.stderr, "! %s\n", line)
	}
	return nil
}

// portable gives a path of a flag as rollout.yaml writes it: below the home directory with ~, else from where rollout.yaml will be.
func (e *env) portable(path, out string) string {
	if path == "" || strings.HasPrefix(path, "~") {
		return path
	}
	home, _ := e.lookup("HOME")
	if rel, err := filepath.Rel(home, path); home != "" && filepath.IsAbs(path) && err == nil && filepath.IsLocal(rel) {
		return "~/" + rel
	}
	if filepath.IsAbs(path) || out == "-" || filepath.Dir(out) == "." {
		return path
	}
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
