package main

import (
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/config"
)

// policyOptions say for one rollout what rollout.yaml says for all: what happens to sessions that are left at a drain's deadline.
type policyOptions struct {
	onDeadline string
	cutBudget  int
	spread     time.Duration
	flags      *pflag.FlagSet
}

func (o *policyOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.onDeadline, "on-deadline", "", "what happens to sessions left at a drain's deadline: cut, wait, pause or abort (default: drain.on_deadline)")
	f.IntVar(&o.cutBudget, "cut-budget", 0, "more sessions than `N` left at the deadline pause instead of being cut (default: drain.cut_budget)")
	f.DurationVar(&o.spread, "spread", 0, "cut what is left machine by machine over this `TIME`, such as 30s (default: drain.spread)")
	o.flags = f
}

// apply changes the configuration for this rollout.
func (o *policyOptions) apply(c *config.Config) error {
	if o.flags == nil { // called from within: nothing was typed
		return nil
	}
	all := []config.OnDeadline{config.DeadlineCut, config.DeadlineWait, config.DeadlinePause, config.DeadlineAbort}
	if o.flags.Changed("on-deadline") {
		c.Drain.OnDeadline = config.OnDeadline(o.onDeadline)
		if c.Drain.OnDeadline != config.DeadlineCut { // what is of use with cut only was written for another policy
			c.Drain.CutBudget, c.Drain.Spread = nil, 0
		}
	}
	if o.flags.Changed("cut-budget") {
		c.Drain.CutBudget = &o.cutBudget
	}
	if o.flags.Changed("spread") {
		c.Drain.Spread = o.spread
	}
	cuts := c.Drain.OnDeadline == config.DeadlineCut
	switch {
	case !slices.Contains(all, c.Drain.OnDeadline):
		return usagef("--on-deadline %s: it is cut, wait, pause or abort", word(o.onDeadline))
	case o.cutBudget < 0 || o.spread < 0:
		return usagef("--cut-budget and --spread are not below 0")
	case !cuts && o.flags.Changed("cut-budget"):
		return usagef("--cut-budget is only for --on-deadline cut, and here it is %s", c.Drain.OnDeadline)
	case !cuts && o.flags.Changed("spread"):
		return usagef("--spread is only for --on-deadline cut, and here it is %s", c.Drain.OnDeadline)
	case c.Pomelo != nil && o.spread > 0:
		return usagef("--spread cannot be done with pomelo: the master restarts its group as a whole")
	}
	return nil
}

// typed says whether any of it was given.
func (o *policyOptions) typed() bool {
	return o.flags != nil && (o.flags.Changed("on-deadline") || o.flags.Changed("cut-budget") || o.flags.Changed("spread"))
}
