package main

import (
	"github.com/spf13/cobra"
)

// newRootCommand gives the whole command line.
func newRootCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rollout",
		Short: "Update long-connection services behind a UCloud load balancer and cut nobody",
		Long: `rollout updates a service on two groups of machines: it moves the load balancer's new connections to one group, waits until the
other group's sessions have ended, restarts that group over ssh, checks it, moves the traffic over, and does the same for the other.

To see it all without an account or a machine:  rollout sandbox

` + exitCodes,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := given(cmd.Flags()); err != nil {
				return err
			}
			e.again = e.flags.again()
			return e.flags.check()
		},
		CompletionOptions: cobra.CompletionOptions{},
	}
	cmd.SetIn(e.stdin)
	cmd.SetOut(e.stdout)
	cmd.SetErr(e.stderr)
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		e.begin(c.CommandPath())
		return wrongValue(err)
	})
	e.flags.addFlags(cmd.PersistentFlags())
	cmd.AddGroup(&cobra.Group{ID: "everyday", Title: "Everyday:"}, &cobra.Group{ID: "running", Title: "While it runs:"}, &cobra.Group{ID: "afterwards", Title: "Afterwards:"}, &cobra.Group{ID: "around", Title: "Around it:"})
	in := func(group string, cs ...*cobra.Command) {
		for _, c := range cs {
			c.GroupID = group
			if args := c.Args; args != nil { // it is asked right after the flags, before anything can be refused
				c.Args = func(c *cobra.Command, words []string) error {
					e.begin(c.CommandPath())
					return args(c, words)
				}
			}
			cmd.AddCommand(c)
		}
	}
	in("everyday", newInitCommand(e), newCheckCommand(e), newPlanCommand(e), newStartCommand(e), newStatusCommand(e))
	in("running", newPauseCommand(e), newResumeCommand(e), newAbortCommand(e))
	in("afterwards", newRollbackCommand(e), newHistoryCommand(e), newReportCommand(e))
	in("around", newSandboxCommand(e), newDashboardCommand(e), newLockCommand(e), newTrustCommand(e), newNotifyCommand(e), newSchemaCommand(e), newVersionCommand(e))
	return cmd
}

// noArgs refuses arguments with a usage error.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, and got %s", cmd.CommandPath(), word(args[0]))
	}
	return nil
}
