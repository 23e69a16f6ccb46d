package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newResumeCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "Go on after a pause, a crash or a hold",
		Long: `Go on with the newest run: after a pause, after a crash, or after it was held and the reason is mended. What is known to be done is not
done again. The run keeps the plan it began with.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runResume(cmd.Context(), e) },
	}
}

func runResume(ctx context.Context, e *env) error {
	s, err := e.site()
	if err != nil {
		return err
	}
	return s.goOn(ctx, "resume", nil)
}
