package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

func newPlanCommand(e *env) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what start would do, against the live state",
		Long: `Show what start would do, against the live state. Nothing is changed.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPlan(cmd.Context(), e, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

type planOptions struct {
	ref, out, takeOver string
	exitCode           bool
	policy             policyOptions
}

func (o *planOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.ref, "ref", "", "the `RELEASE` to bring: $ROLLOUT_REF of the deploy line")
	f.StringVar(&o.out, "out", "", "save the plan in `FILE`, for start --plan")
	f.StringVar(&o.takeOver, "take-over", "", "plan from where the unfinished `RUN` stands")
	o.policy.addFlags(f)
	f.BoolVar(&o.exitCode, "exit-code", false, "exit 8: there are changes to come")
}

func (o *planOptions) check() error {
	return errors.Join(checkRef("--ref", o.ref), checkRun("--take-over", o.takeOver))
}

func runPlan(ctx context.Context, e *env, o planOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	s, err := e.site()
	if err != nil {
		return err
	}
	if err := o.policy.apply(&s.cfg); err != nil {
		return err
	}
	if err := s.busy(); err != nil {
		return err
	}
	left, err := s.takenOver(o.takeOver)
	if err != nil {
		return err
	}
	id, err := newID(time.Now())
	if err != nil {
		return err
	}
	v, p, err := s.decide(ctx, id, aim{ref: o.ref}, nil, left)
	defer v.close()
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := savePlan(o.out, p); err != nil {
			return err
		}
		e.say("saved in %s; carry it out with: %s", o.out, view.With("rollout start --plan "+view.Typed(o.out), e.again))
	}
	if !e.text() {
		if err := e.document(view.PlanOf(p)); err != nil {
			return err
		}
	}
	if e.ci.active() {
		var text bytes.Buffer
		if err := v.draw(&text, p); err != nil {
			return err
		}
		e.ci.show("rollout plan of "+s.cfg.Service, text.String())
	}
	if o.exitCode {
		return codeError(8)
	}
	return nil
}

// draw prints a plan for people.
func (v *survey) draw(w io.Writer, p plans.Plan) error {
	return view.Plan(w, p, view.PlanOptions{
		Sessions: v.sessions, PerMachine: v.site.cfg.Capacity.MaxSessionsPerMachine, Past: v.site.past(p.ID), Width: v.site.env.width,
	})
}

// excuse forgives what the run that is taken over explains: the group it left out is not running or not on.
func (v *survey) excuse(left plans.State) {
	out := map[string]bool{}
	for _, m := range left.Plan.Machines {
		out[m.Name] = left.Dirty[m.Group]
		out[m.Group] = out[m.Group] || left.Dirty[m.Group] || v.closed(left, m.Group)
	}
	for i, f := range v.findings {
		if f.Level == "fail" && out[f.Where] && slices.Contains([]string{"status", "ports", "sessions", "group"}, f.Name) {
			v.findings[i].Level = "warn"
		}
	}
}

// closed says whether it was the run that closed a group which is off now.
func (v *survey) closed(left plans.State, group string) bool {
	for id, b := range v.before {
		old := left.Plan.Before[id]
		if b.Group == group && old.Weight > 0 && (b.Weight > 0 || !slices.Contains(left.Wrote[id], 0)) {
			return false
		}
	}
	return true
}
