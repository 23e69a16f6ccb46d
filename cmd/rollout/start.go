package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

func newStartCommand(e *env) *cobra.Command {
	var o startOptions
	cmd := &cobra.Command{
		Use:        "start",
		Short:      "Update both groups, one after the other",
		SuggestFor: []string{"deploy", "apply", "up", "run"},
		Long: `Update both groups, one after the other.

It looks at everything first and refuses to begin where something is wrong. Then it prints the plan, asks (on a terminal) and carries it
out. Every act is on disk before it is done, so that whatever ends this process, ` + "`rollout resume`" + ` goes on where it was.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runStart(cmd.Context(), e, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

type startOptions struct {
	ref, plan, takeOver, dashboard string
	policy                         policyOptions
}

func (o *startOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.ref, "ref", "", "the `RELEASE` to bring: $ROLLOUT_REF of the deploy line")
	f.StringVar(&o.plan, "plan", "", "carry out the plan in `FILE`, if nothing has changed since it was made")
	f.StringVar(&o.takeOver, "take-over", "", "leave the unfinished `RUN` as it is and begin a new one that puts back what that one had found")
	dashboardFlag(f, &o.dashboard)
	o.policy.addFlags(f)
}

func (o *startOptions) check() error {
	if o.plan != "" && (o.ref != "" || o.takeOver != "" || o.policy.typed()) {
		return usagef("--plan says what to do already: it goes without --ref, --take-over, --on-deadline, --cut-budget and --spread")
	}
	return errors.Join(checkRef("--ref", o.ref), checkRun("--take-over", o.takeOver), checkDashboard(o.dashboard))
}

func runStart(ctx context.Context, e *env, o startOptions) error {
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
	id, err := newID(time.Now())
	if err != nil {
		return err
	}
	var saved *plans.Plan
	if o.plan != "" {
		p, err := s.readPlan(o.plan)
		if err != nil {
			return err
		}
		saved, id = &p, p.ID
	}
	question := "Update " + s.cfg.Service + "?"
	if err := e.askable(question); err != nil {
		return err
	}
	store, err := s.lock("start", id)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	defer s.present(ctx, o.dashboard)()
	left, err := s.takenOver(o.takeOver)
	if err != nil {
		return err
	}
	if saved != nil {
		if err := s.unused(*saved); err != nil {
			return err
		}
	}
	v, p, err := s.decide(ctx, id, aim{ref: o.ref}, saved, left)
	defer v.close()
	if err != nil {
		return err
	}
	return v.begin(ctx, store, p, question)
}

// begin asks whether a plan is to be carried out, where there is a question, and carries it out as a new run.
func (v *survey) begin(ctx context.Context, store *journal.Store, p plans.Plan, question string) error {
	if question != "" {
		if err := v.site.env.confirm(question); err != nil {
			return err
		}
	}
	run, first, err := store.Begin(p.ID, plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	if err != nil {
		return err
	}
	c := &carrier{site: v.site, balancer: v.balancer, pool: v.pool, run: run, known: v.known}
	return c.fallBack(ctx, store, c.carry(ctx, plans.State{}.Apply(first)))
}

// takenOver gives the state of the unfinished run that the user has said to leave; it refuses to begin beside one that he has not named.
func (s *site) takenOver(named string) (plans.State, error) {
	left, err := s.latest()
	is := unfinished(left)
	switch {
	case err != nil:
		return left, err
	case !is && named == "":
		return plans.State{}, nil
	case !is || left.Plan.ID != named && named != "":
		return left, refusedf("--take-over %s: that is not the unfinished run of %s", named, s.cfg.Service)
	case named == "":
		return left, refusedf("run %s is unfinished (%s, %s): %s", left.Plan.ID, left.Phase, view.Traffic(left), ways(left, s.env.again))
	}
	return left, nil
}

// decide looks at everything and gives the plan to be carried out: the saved one if it still fits, else a new one. The survey is open
// in either case.
func (s *site) decide(ctx context.Context, id string, to aim, saved *plans.Plan, left plans.State) (*survey, plans.Plan, error) {
	if left.Plan.ID != "" {
		if err := s.same(left.Plan); err != nil {
			return &survey{site: s}, plans.Plan{}, err
		}
	}
	v, err := s.survey(ctx)
	if err != nil {
		return v, plans.Plan{}, err
	}
	if left.Plan.ID != "" {
		v.excuse(left)
	}
	if err := v.err(); err != nil {
		return v, plans.Plan{}, err
	}
	var p plans.Plan
	if saved != nil {
		p, err = *saved, v.fresh(*saved)
	} else {
		if p, err = v.draft(id, to, left); err == nil {
			err = v.welcome(ctx)
		}
	}
	if err == nil && s.env.text() && !s.env.flags.quiet {
		err = v.draw(s.env.stdout, p)
	}
	return v, p, err
}
