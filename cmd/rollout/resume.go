package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
)

func newResumeCommand(e *env) *cobra.Command {
	var o rulingOptions
	var dashboard string
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Go on after a pause, a crash or a hold",
		Long: `Go on with the newest run: after a pause, after a crash, or after it was held and the reason is mended. What is known to be done is not
done again. The run keeps the plan it began with. Of a run that is under way, it takes a pause back that has not come yet.

What somebody else has changed at the load balancer meanwhile is never overwritten, and never taken as wanted, without a word: --adopt lets
all of it stand, --overwrite BACKEND puts one back.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runResume(cmd.Context(), e, o, dashboard) },
	}
	o.addFlags(cmd.Flags())
	dashboardFlag(cmd.Flags(), &dashboard)
	return cmd
}

func runResume(ctx context.Context, e *env, o rulingOptions, dashboard string) error {
	if err := checkDashboard(dashboard); err != nil {
		return err
	}
	s, err := e.bystander()
	if err != nil {
		return err
	}
	st, held, err := s.underWay()
	switch {
	case err != nil:
		return err
	case held && o.given():
		return refusedf("run %s is under way: --adopt and --overwrite are for a run that is held", st.Plan.ID)
	case held:
		if err := journal.Ask(s.dir, st.Plan.ID, plans.AskResume, by()); err != nil {
			return err
		}
		e.say("run %s is under way and goes on; a pause that was asked for is taken back", st.Plan.ID)
		return nil
	}
	defer s.present(ctx, dashboard)()
	return s.goOn(ctx, "resume", func(ctx context.Context, c *carrier, st plans.State) (plans.State, error) {
		if !o.given() {
			return st, nil
		}
		return o.rule(ctx, &traffic{b: c.balancer, ours: st.Plan.Before}, &told{Run: c.run, state: st, ears: e.ears()}, st)
	})
}
