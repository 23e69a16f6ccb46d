package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

func newStatusCommand(e *env) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "How far is it? Watches on a terminal until the run stops",
		Long: `How far is the newest run? On a terminal it watches until the run stops. It reads the journal only: it answers although the load balancer
or the machines do not, and says how old its knowledge is. With --processes it asks the machines and masters of a Pomelo service instead, with
--from-cloud the load balancer.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), e, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

type statusOptions struct{ noWatch, exitCode, processes, fromCloud bool }

func (o *statusOptions) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.noWatch, "no-watch", false, "print once and exit")
	f.BoolVar(&o.processes, "processes", false, "ask the masters of a Pomelo service for every process now, instead")
	f.BoolVar(&o.fromCloud, "from-cloud", false, "ask the load balancer which backends are on now, instead: also where the journal is damaged")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with the state of the run: 8 while it is not finished")
}

func runStatus(ctx context.Context, e *env, o statusOptions) error {
	s, err := e.bystander()
	if err != nil {
		return err
	}
	switch {
	case o.processes && o.fromCloud:
		return usagef("--processes and --from-cloud are two questions: ask one")
	case o.processes:
		return s.processes(ctx)
	case o.fromCloud:
		return s.fromCloud(ctx)
	}
	st, alive, err := s.underWay()
	if err != nil && st.Plan.ID != "" {
		return errors.Join(err, s.show(st, alive))
	}
	if err != nil {
		return err
	}
	if st.Plan.ID == "" {
		if e.text() {
			_, _ = fmt.Fprintf(e.stdout, "no rollout of %s has been started yet\n", s.cfg.Service)
			return nil
		}
		return e.document(view.NoStatus(s.cfg.Service))
	}
	if e.text() && e.terminal && !o.noWatch && alive {
		if st, alive, err = s.watch(ctx, st); err != nil {
			return err
		}
		if err := s.summed(st, alive); err != nil {
			return err
		}
	} else if err := s.show(st, alive); err != nil {
		return err
	}
	if o.exitCode {
		return phaseCode(st, alive)
	}
	return nil
}

// options tells the views what the run's own journal does not know.
func (s *site) options(alive bool, past plans.State) view.StatusOptions {
	o := view.StatusOptions{Alive: alive, Past: past, Flags: s.env.again, Width: s.env.width}
	if h, held, err := journal.Who(s.dir); err == nil && held {
		o.Holder = h.String()
	}
	return o
}

// show prints a state once.
func (s *site) show(st plans.State, alive bool) error {
	o := s.options(alive, s.past(st.Plan.ID))
	if !s.env.text() {
		return s.env.document(view.StatusOf(st, time.Now(), o))
	}
	return view.Status(s.env.stdout, st, time.Now(), o)
}

// summed prints how a run that was watched has ended, if it has.
func (s *site) summed(st plans.State, alive bool) error {
	if alive {
		return nil
	}
	if st.Phase == plans.PhaseRunning { // its process is gone
		st.Phase = plans.PhaseInterrupted
	}
	return view.Summary(s.env.stdout, st, s.env.again)
}

// phaseCode gives the exit code of a run's state.
func phaseCode(st plans.State, alive bool) error {
	switch {
	case st.Phase == plans.PhaseDone:
		return nil
	case st.Phase == plans.PhaseAborted:
		return codeError(7)
	case alive, st.Phase == plans.PhasePaused, st.Phase == plans.PhasePlanned:
		return codeError(8)
	case st.Phase == plans.PhaseHeld && !st.Safe:
		return codeError(9)
	}
	return codeError(6)
}
