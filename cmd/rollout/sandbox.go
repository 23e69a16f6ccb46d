package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/sandbox"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

func newSandboxCommand(e *env) *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "A whole pretend world on loopback: see a rollout without an account or a machine",
		Long: `A whole pretend world on loopback: UCloud's API and a balancer, six machines with ssh and real game processes, and players.

Without a subcommand it is ` + "`sandbox run`" + `: one whole update, in under a minute. ` + "`sandbox serve`" + ` keeps a world up, so that the other commands can be tried
on it.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.pomelo != "" {
				return runSandboxPomelo(cmd.Context(), e, o)
			}
			return runSandbox(cmd.Context(), e, o)
		},
	}
	run := &cobra.Command{
		Use:   "run",
		Short: "Bring a world up, update it while people play, and say who noticed",
		Args:  noArgs,
		RunE:  cmd.RunE,
	}
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Write DIR/rollout.yaml and keep its world up until Ctrl-C",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runSandboxServe(cmd.Context(), e, o) },
	}
	process := &cobra.Command{
		Use:                "process",
		Short:              "One process of the pretend game",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE:               func(cmd *cobra.Command, args []string) error { return hosts.Process(cmd.Context(), args) },
	}
	o.addFlags(cmd.Flags())
	o.addFlags(run.Flags())
	o.addFlags(serve.Flags())
	cmd.AddCommand(run, serve, process)
	return cmd
}

type sandboxOptions struct {
	dir, kind, method, sshd, ref string
	pomelo                       string
	players, machines, ports     int
	game, walk, deadline         time.Duration
	faults                       []string
	real                         bool
}

func (o *sandboxOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.dir, "dir", "", "the world's `DIR` (default: a temporary one)")
	f.IntVar(&o.players, "players", 200, "how many people play")
	f.DurationVar(&o.game, "game", 6*time.Second, "how long a game lasts")
	f.DurationVar(&o.walk, "walk", 0, "how long a player takes from the gate to the connector")
	f.DurationVar(&o.deadline, "deadline", 0, "of a drain (default: three games)")
	f.IntVar(&o.machines, "machines", 3, "machines in each group")
	f.IntVar(&o.ports, "ports", 8, "gates, and connectors, on each machine")
	f.StringVar(&o.kind, "kind", "clb", "the load balancer: clb, alb or nlb")
	f.StringVar(&o.method, "method", "", "how it picks a backend, such as WeightRoundrobin (default Roundrobin)")
	f.StringVar(&o.sshd, "sshd", "", "`PATH` of a real OpenSSH sshd to serve as the machines' ssh (default: one of our own)")
	f.StringVar(&o.pomelo, "pomelo", "", "real Pomelo on machines of real namespaces behind a real HAProxy, as root on Linux; `DIR` is the node_modules with pomelo in it (make pomelo-world)")
	f.Lookup("pomelo").NoOptDefVal = ".pomelo/node_modules"
	f.StringVar(&o.ref, "ref", "v1.1.0", "run: the `RELEASE` to bring; empty leaves the deploy steps out")
	f.Lookup("ref").Annotations = map[string][]string{mayBeEmpty: nil}
	f.StringArrayVar(&o.faults, "fault", nil, "plant a `FAULT`; list shows them all")
	f.BoolVar(&o.real, "documented-times", false, "UCloud's documented times of health checks and lag instead of short ones")
}

func (o *sandboxOptions) check() error {
	for _, f := range o.faults {
		if !slices.ContainsFunc(sandbox.Faults(), func(x sandbox.Fault) bool { return x.Name == f }) {
			return usagef("--fault %s: there is none of that name; --fault list shows them", word(f))
		}
	}
	switch {
	case !slices.Contains([]string{"clb", "alb", "nlb"}, o.kind):
		return usagef("--kind %s: it is clb, alb or nlb", word(o.kind))
	case o.players < 0 || o.machines < 1 || o.ports < 1 || o.ports > 40:
		return usagef("--players, --machines and --ports are 0, 1 and 1 to 40 at least")
	case o.game <= 0 || o.walk < 0 || o.deadline < 0:
		return usagef("--game, --walk and --deadline are durations such as 6s")
	}
	return nil
}

// world starts the world the flags describe.
func (o *sandboxOptions) world(ctx context.Context) (*sandbox.World, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w, err := sandbox.Start(ctx, sandbox.Options{
		Dir: o.dir, Binary: binary, Args: []string{"sandbox", "process"}, Kind: o.kind, Method: o.method, Machines: o.machines, Ports: o.ports,
		Players: o.players, Game: o.game, Walk: o.walk, SSHD: o.sshd, Deadline: o.deadline, Real: o.real, NoDeploy: o.ref == "",
	})
	if err != nil {
		return nil, err
	}
	for _, f := range o.faults {
		if err := w.Break(f); err != nil {
			_ = w.Close()
			return nil, err
		}
	}
	return w, nil
}

// faultsDoc is the menu of faults for programs.
type faultsDoc struct {
	Schema string          `json:"schema"`
	Faults []sandbox.Fault `json:"faults"`
}

// listFaults prints the menu: what goes wrong, and how an update of such a world must end.
func listFaults(e *env) error {
	if !e.text() {
		return e.document(faultsDoc{Schema: "rollout.sandbox.faults/v1", Faults: sandbox.Faults()})
	}
	for _, f := range sandbox.Faults() {
		var codes []string
		for _, c := range f.Exit {
			codes = append(codes, strconv.Itoa(c))
		}
		if _, err := fmt.Fprintf(e.stdout, "%-18s %s\n%-18s   ends with exit %s: %q\n", f.Name, f.Says, "", strings.Join(codes, " or "), f.End); err != nil {
			return err
		}
	}
	return nil
}

// worldDoc is a world that is up, for programs.
type worldDoc struct {
	Schema   string `json:"schema"`
	Config   string `json:"config"`   // its rollout.yaml
	API      string `json:"api"`      // the URL of its UCloud
	Balancer string `json:"balancer"` // host:port that players connect to
	Machines int    `json:"machines"`
	Players  int    `json:"players"`
}

func worldOf(w *sandbox.World, o sandboxOptions) worldDoc {
	return worldDoc{Schema: "rollout.sandbox.world/v1", Config: w.Config, API: w.Cloud.URL(), Balancer: w.Cloud.Front(w.Listener), Machines: len(w.Hosts.Machines), Players: o.players}
}

func runSandboxServe(ctx context.Context, e *env, o sandboxOptions) error {
	if slices.Contains(o.faults, "list") {
		return listFaults(e)
	}
	if err := o.check(); err != nil {
		return err
	}
	if o.pomelo != "" {
		return usagef("sandbox serve: --pomelo is for one run; its machines cannot be reached from outside of it")
	}
	if o.dir == "" {
		return usagef("sandbox serve: --dir says where to write rollout.yaml")
	}
	w, err := o.world(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	if e.text() {
		_, _ = fmt.Fprintf(e.stdout, "%d machines, %d players, UCloud API at %s, balancer at %s\n", len(w.Hosts.Machines), o.players, w.Cloud.URL(), w.Cloud.Front(w.Listener))
		_, _ = fmt.Fprintf(e.stdout, "ready: rollout -c %s check\n", w.Config)
	} else if err := e.document(worldOf(w, o)); err != nil {
		return errors.Join(err, w.Close())
	}
	<-ctx.Done()
	err = w.Close()
	if w.Crowd != nil && e.text() {
		s := w.Crowd.Stats()
		_, _ = fmt.Fprintf(e.stdout, "players: %d games finished, %d sessions cut, %d connects failed%s\n", s.Finished, s.Cut, s.Failed.Total(), incidents(s.Incidents, 5))
	}
	return err
}

// plural gives "1 game" and "2 games".
func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// indent sets each line of a text in.
func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }
