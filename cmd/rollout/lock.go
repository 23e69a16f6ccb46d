package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/view"
)

func newLockCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lock",
		Short: "Who holds the lock?",
		Long: `One rollout of a service at a time: the process that carries one out holds a lock, which ends with the process, however that ends. There is
nothing to release by hand.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "status",
		Short: "Say who holds the lock, where, and since when",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return runLockStatus(e) },
	})
	return cmd
}

// lockDoc is the result of lock status for programs.
type lockDoc struct {
	Schema  string          `json:"schema"`
	Service string          `json:"service"`
	Held    bool            `json:"held"`
	Holder  *journal.Holder `json:"holder,omitempty"`
}

func runLockStatus(e *env) error {
	s, err := e.bystander()
	if err != nil {
		return err
	}
	h, held, err := journal.Who(s.dir)
	if err != nil {
		return err
	}
	if !e.text() {
		d := lockDoc{Schema: "rollout.lock/v1", Service: s.cfg.Service, Held: held}
		if held {
			d.Holder = &h
		}
		return e.document(d)
	}
	if !held {
		_, err = fmt.Fprintf(e.stdout, "the lock of %s is free\n", s.cfg.Service)
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "the lock of %s is held by %s\n", s.cfg.Service, view.Clean(h.String()))
	return err
}
