package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
	"github.com/seed59ee9cdc/rollout/view"
)

func newAbortCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "abort",
		Short: "Put the traffic back as it was found, and stop",
		Long: `Put the traffic back as it was found, and stop. A run under way elsewhere is asked to; one that was left part-way is taken up here. A
group that was restarted and is not proven well stays closed: then the run is held (exit 6), and ` + "`rollout resume`" + ` tries it again.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAbort(cmd.Context(), e) },
	}
}

func runAbort(ctx context.Context, e *env) error {
	s, err := e.bystander()
	if err != nil {
		return err
	}
	st, held, err := s.underWay()
	if err != nil {
		return err
	}
	if st.Plan.ID == "" || st.Phase.Over() {
		e.say("no rollout of %s is unfinished; there is nothing to abort", s.cfg.Service)
		if e.text() {
			return nil
		}
		return e.document(view.NoResult(s.cfg.Service))
	}
	if err := e.confirm(fmt.Sprintf("Abort run %s of %s?", st.Plan.ID, s.cfg.Service)); err != nil {
		return err
	}
	if held {
		return s.askAbort(ctx, st)
	}
	err = s.goOn(ctx, "abort", func(ctx context.Context, c *carrier, st plans.State) (plans.State, error) {
		e, err := c.run.Append(ctx, plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: by()})
		return st.Apply(e), err
	})
	if errors.Is(err, steps.ErrAborted) {
		return nil
	}
	return err
}

// askAbort asks the process that carries the run out, waits until it has stopped, and says how.
func (s *site) askAbort(ctx context.Context, st plans.State) error {
	st, err := s.stopRun(ctx, st)
	if err != nil {
		return err
	}
	if err := s.env.result(st); err != nil {
		return err
	}
	if st.Phase == plans.PhaseHeld {
		return toldError{&steps.HeldError{Safe: st.Safe, Err: errors.New(st.Error)}}
	}
	return nil
}

// stopRun asks the process that carries the run out to abort, and gives the state in which it has stopped. A process that is gone will not answer.
func (s *site) stopRun(ctx context.Context, st plans.State) (plans.State, error) {
	id := st.Plan.ID
	if err := journal.Ask(s.dir, id, plans.AskAbort, by()); err != nil {
		return st, err
	}
	s.env.say("asked run %s to abort; waiting for it", id)
	_, err := s.listen(ctx, id, st.Seq, nil, func(e plans.Event) bool {
		st = st.Apply(e)
		return moving(st)
	})
	switch {
	case ctx.Err() != nil && moving(st):
		return st, context.Cause(ctx)
	case err != nil:
		return st, err
	case moving(st):
		return st, fmt.Errorf("the process that carried run %s out (pid %d) has ended without putting anything back: `rollout abort` again does it from here", id, st.PID)
	}
	return st, nil
}
