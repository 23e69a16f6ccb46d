package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
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

// pauseDoc is the result of pause for programs.
type pauseDoc struct {
	Schema  string `json:"schema"`
	Service string `json:"service"`
	Run     string `json:"run"`
	Paused  bool   `json:"paused"` // it is already; else it was asked to, and will be after its present step
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
		return e.paused(st, true)
	case !held:
		return refusedf("no rollout of %s is under way", s.cfg.Service)
	}
	if err := journal.Ask(s.dir, st.Plan.ID, plans.AskPause, by()); err != nil {
		return err
	}
	e.say("run %s will stop after its present step; go on with: %s", st.Plan.ID, view.With("rollout resume", e.again))
	return e.paused(st, false)
}

// paused tells programs what has become of a pause; people have read it already.
func (e *env) paused(st plans.State, is bool) error {
	if e.text() {
		return nil
	}
	return e.document(pauseDoc{Schema: "rollout.pause/v1", Service: st.Plan.Service, Run: st.Plan.ID, Paused: is})
}

// underWay gives the newest run and whether a process carries it out now.
func (s *site) underWay() (plans.State, bool, error) {
	st, err := s.latest()
	if err != nil {
		return st, false, err
	}
	alive, err := s.alive(st.Plan.ID)
	return st, alive, err
}

// busy refuses to plan beside a run that another process carries out now: what it leaves is not there yet.
func (s *site) busy() error {
	st, alive, err := s.underWay()
	if err != nil || !alive || st.Phase.Over() {
		return err
	}
	h, held, err := journal.Who(s.dir)
	if err != nil || !held { // it has ended since
		return err
	}
	return fmt.Errorf("run %s is under way: %w", st.Plan.ID, &journal.LockedError{Holder: h, Known: h.PID != 0})
}

// alive says whether a process carries a run out now.
func (s *site) alive(run string) (bool, error) {
	h, held, err := journal.Who(s.dir)
	return held && h.Run == run && run != "", err
}
