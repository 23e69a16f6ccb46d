package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
)

func newPauseCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "pause",
		Short: "Stop the run under way after its present step",
		Long: `Ask the run under way, in whatever terminal or job it is, to stop after its present step. It exits with code 6, and ` + "`rollout resume`" + `
goes on.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPause(cmd.Context(), e) },
	}
}

func runPause(_ context.Context, e *env) error {
	s, err := e.bystander()
	if err != nil {
		return err
	}
	st, held, err := s.underWay()
	switch {
	case err != nil:
		return err
	case !held && st.Phase == plans.PhasePaused:
		e.say("run %s is paused already", st.Plan.ID)
		return nil
	case !held:
		return refusedf("no rollout of %s is under way", s.cfg.Service)
	}
	if err := journal.Ask(s.dir, st.Plan.ID, plans.AskPause, by()); err != nil {
		return err
	}
	e.say("run %s will stop after its present step; go on with: rollout resume", st.Plan.ID)
	return nil
}

// underWay gives the newest run and whether a process carries it out now.
func (s *site) underWay() (plans.State, bool, error) {
	st, err := s.latest()
	if err != nil {
		return st, false, err
	}
	h, held, err := journal.Who(s.dir)
	return st, held && h.Run == st.Plan.ID && st.Plan.ID != "", err
}
