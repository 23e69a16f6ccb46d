package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

func newHistoryCommand(e *env) *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Past runs: what became of them, sessions moved and cut, who",
		Long: `Past runs, the newest first: when, what became of it, the releases, how long it took, the sessions that ended by themselves in its drains and
those that it cut, and who. It reads the journals only.

` + exitCodes,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return runHistory(e, most) },
	}
	cmd.Flags().IntVarP(&most, "lines", "n", 20, "no more than `N` runs; 0 is all")
	return cmd
}

// runHistory prints what can be read; a journal that is damaged is named, and what came before the damage is told.
func runHistory(e *env, most int) error {
	s, err := e.bystander()
	if err != nil {
		return err
	}
	if most < 0 {
		return usagef("--lines %d: it is 0 for all of them, or more", most)
	}
	ids, err := journal.Runs(s.dir)
	if err != nil {
		return err
	}
	slices.Reverse(ids)
	if most > 0 && len(ids) > most {
		ids = ids[:most]
	}
	var runs []plans.State
	var faults []error
	for _, id := range ids {
		es, err := journal.Read(s.dir, id)
		if err != nil {
			faults = append(faults, err)
		}
		if st := plans.Fold(slices.Values(es)); st.Plan.ID != "" {
			runs = append(runs, st)
		}
	}
	_, alive, err := s.underWay()
	faults = append(faults, err)
	if !e.text() {
		return errors.Join(errors.Join(faults...), e.document(view.HistoryOf(s.cfg.Service, runs, alive)))
	}
	if len(runs) == 0 {
		_, _ = fmt.Fprintf(e.stdout, "no rollout of %s has been started yet\n", s.cfg.Service)
	}
	return errors.Join(errors.Join(faults...), view.History(e.stdout, runs, alive, e.width))
}
