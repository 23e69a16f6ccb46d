package main

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view/web"
)

func newDashboardCommand(e *env) *cobra.Command {
	var o dashboardOptions
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "The runs in a browser, and their figures for Prometheus",
		Long: `Show the newest run and the past ones in a browser, and their figures for Prometheus at /metrics, until it is interrupted. It reads the
journals only, like ` + "`rollout status`" + `, so that it may come and go while a run goes on. It listens on loopback only; from another machine:

  ssh -L 8742:127.0.0.1:8742 THIS-HOST

The address it prints holds a token that is new at each start. Without --allow-control nothing can be done from the page.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDashboard(cmd.Context(), e, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

type dashboardOptions struct {
	listen  string
	control bool
}

func (o *dashboardOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.listen, "listen", "", "the loopback `ADDR` to listen on (default dashboard.listen, else 127.0.0.1:8742)")
	f.BoolVar(&o.control, "allow-control", false, "let whoever has the token pause and abort the run")
}

func runDashboard(ctx context.Context, e *env, o dashboardOptions) error {
	s, err := e.bystander()
	if err != nil {
		return err
	}
	if o.listen == "" {
		o.listen = s.cfg.Dashboard.Listen
	}
	d, err := web.Listen(ctx, o.listen, s.shown(o.control))
	if err != nil {
		return usageError{err}
	}
	if e.text() {
		_, _ = fmt.Fprintf(e.stdout, "dashboard of %s: %s\n", s.cfg.Service, d.URL())
	} else if err := e.document(dashboardDoc{Schema: "rollout.dashboard/v1", Service: s.cfg.Service, Address: d.URL()}); err != nil {
		return err
	}
	return d.Serve(ctx)
}

// dashboardDoc says where the dashboard is, for programs. It comes before anything is served.
type dashboardDoc struct {
	Schema  string `json:"schema"`
	Service string `json:"service"`
	Address string `json:"address"` // with the token
}

// shown gives what a dashboard of this service needs.
func (s *site) shown(control bool) web.Config {
	c := web.Config{Service: s.cfg.Service, Source: journals{s.dir}, Log: s.log}
	if control {
		c.Ask = func(run string, r plans.Request) error { return journal.Ask(s.dir, run, r, by()+" (dashboard)") }
	}
	return c
}

// present serves a dashboard while this process carries a run out, until the function it gives is called. Nothing that befalls it holds the run up or
// ends it: it is said, and that is all.
func (s *site) present(ctx context.Context, addr string) func() {
	if addr == "" {
		return func() {}
	}
	d, err := web.Listen(ctx, addr, s.shown(false))
	if err != nil {
		s.env.say("rollout: %v; the run goes on without", err)
		return func() {}
	}
	if s.env.ci != nil && s.env.ci.system != "" { // who reads the log of a job is not asked for a token
		s.env.say("dashboard of %s: %s (the log of a job gets no token: `rollout dashboard` on this host prints an address that has one)", s.cfg.Service, d.Address())
	} else {
		s.env.say("dashboard of %s: %s", s.cfg.Service, d.URL())
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // Ctrl-C ends the run, and the page shall tell of that
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				s.log.Warn("dashboard: panic", "err", p, "stack", string(debug.Stack()))
			}
		}()
		if err := d.Serve(ctx); err != nil {
			s.env.say("rollout: %v; the run goes on without", err)
		}
	}()
	return func() { stop(); <-done }
}

// dashboardFlag adds --dashboard to a command that carries a run out.
func dashboardFlag(f *pflag.FlagSet, addr *string) {
	f.StringVar(addr, "dashboard", "", "serve the dashboard on the loopback `ADDR` while the run goes on, like 127.0.0.1:8742")
}

// checkDashboard refuses an address that cannot be meant, before anything is touched. One that is in use is no reason not to begin.
func checkDashboard(addr string) error {
	if addr == "" {
		return nil
	}
	if err := web.CheckAddr(addr); err != nil {
		return usageError{err}
	}
	return nil
}

// journals is where a dashboard finds the runs.
type journals struct{ dir string }

func (j journals) Runs() ([]string, error) { return journal.Runs(j.dir) }

func (j journals) Read(run string) ([]plans.Event, error) { return journal.Read(j.dir, run) }

func (j journals) Follow(ctx context.Context, run string, after int64) iter.Seq2[plans.Event, error] {
	return journal.Follow(ctx, j.dir, run, after)
}

// logBytes is as much of a log as a page shows: some thirty lines.
const logBytes = 3 << 10

func (j journals) Log(run, machine string) (string, error) {
	return journal.Tail(j.dir, run, machine, logBytes)
}

func (j journals) Holder() (web.Holder, error) {
	h, held, err := journal.Who(j.dir)
	if err != nil || !held {
		return web.Holder{}, err
	}
	return web.Holder{Held: true, Run: h.Run, Who: h.String(), Since: h.Since}, nil
}
