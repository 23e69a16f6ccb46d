package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

func newCheckCommand(e *env) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:        "check",
		Short:      "Is everything ready for a rollout?",
		SuggestFor: []string{"doctor", "validate", "lint", "preflight"},
		Long: `Is everything ready for a rollout? It looks at the configuration, the credentials, the load balancer and every machine, and changes nothing.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runCheck(cmd.Context(), e, o) },
	}
	o.addFlags(cmd.Flags())
	return cmd
}

type checkOptions struct{ offline bool }

func (o *checkOptions) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.offline, "offline", false, "look at rollout.yaml only")
}

// checkDoc is the result of check for programs.
type checkDoc struct {
	Schema   string    `json:"schema"`
	Service  string    `json:"service"`
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

func runCheck(ctx context.Context, e *env, o checkOptions) error {
	s, err := e.site()
	if err != nil {
		return err
	}
	v := &survey{site: s}
	if o.offline {
		if err := s.unbuilt(); err != nil {
			return err
		}
	} else {
		if v, err = s.survey(ctx); err != nil {
			v.close()
			return err
		}
		defer v.close()
		v.origins()
		v.left()
	}
	return e.findings(s.cfg, v)
}

// origins says where the credentials and the settings of the API come from. That a key may read proves nothing of writing, and nothing but
// a write would.
func (v *survey) origins() {
	for _, k := range []string{"keys", "region", "project_id", "base_url"} {
		if from, ok := v.settings.Origin[k]; ok {
			v.ok("ucloud", "", "%s from %s", k, from)
		}
	}
	if v.reading.ID != "" {
		v.ok("ucloud", "", "the key may read; whether it may write (%s) only a write tells, which check never sends", write[v.site.kind()])
	}
}

// left looks for a run that was left part-way, and for the lock.
func (v *survey) left() {
	if v.failed("state") { // nothing in there can be believed
		return
	}
	s := v.site
	st, alive, err := s.underWay()
	holder, held, lerr := journal.Who(s.dir)
	const look = "see docs/journal.md: rollout status shows what can be read of it"
	is := unfinished(st)
	if err == nil && is {
		v.explain(st, alive)
	}
	switch {
	case err != nil:
		v.fail("journal", "", look, err)
	case is && alive:
		fix := "wait for it: " + view.With("rollout status", s.env.again)
		if _, ok := plans.Retreat(st); ok {
			fix += "; or end it: " + view.With("rollout abort", s.env.again)
		}
		v.fail("journal", "", fix, fmt.Errorf("run %s is under way", st.Plan.ID))
	case is:
		v.fail("journal", "", ways(st, v.site.env.again), fmt.Errorf("run %s is unfinished (%s)", st.Plan.ID, st.Phase))
	default:
		v.ok("journal", "", "no run is unfinished")
	}
	switch {
	case lerr != nil && err == nil:
		v.fail("lock", "", look, lerr)
	case held:
		known := holder.PID != 0
		v.fail("lock", "", "wait until that process has ended; the lock ends with it, and there is nothing to release", &journal.LockedError{Holder: holder, Known: known})
	case lerr == nil:
		v.ok("lock", "", "free: whatever file a process that has ended left behind holds nothing")
	}
}

// findings prints what was found and gives the refusal where something failed.
func (e *env) findings(cfg config.Config, v *survey) error {
	err := v.err()
	e.ci.warnings(v.findings)
	if !e.text() {
		if perr := e.document(checkDoc{Schema: "rollout.check/v1", Service: cfg.Service, OK: err == nil, Findings: append([]finding{}, v.findings...)}); perr != nil {
			return perr
		}
		if err != nil {
			return toldError{err}
		}
		return nil
	}
	text := v.tell(cfg, err != nil)
	_, _ = io.WriteString(e.stdout, text)
	e.ci.show("rollout check of "+cfg.Service, text)
	if err != nil {
		return toldError{err}
	}
	return nil
}

// tell draws what was found for people.
func (v *survey) tell(cfg config.Config, failed bool) string {
	var b strings.Builder
	glyphs := map[string]string{"ok": "✔", "warn": "!", "fail": "✖"}
	fmt.Fprintf(&b, "✔ %-9s %s\n", "config", cfg.Path)
	n := map[string]int{}
	for _, f := range v.findings {
		n[f.Level]++
		where := f.Where
		if where != "" {
			where += ": "
		}
		fmt.Fprintf(&b, "%s %-9s %s%s\n", glyphs[f.Level], f.Name, where, f.Text)
		if f.Fix != "" {
			fmt.Fprintf(&b, "  %-9s → %s\n", "", f.Fix)
		}
	}
	switch {
	case failed:
		fmt.Fprintf(&b, "\n%d of %d checks failed; nothing was touched\n", n["fail"], len(v.findings)+1)
	case v.pool == nil:
		fmt.Fprintf(&b, "\nonly the file was looked at; `rollout check` looks at the rest\n")
	case n["warn"] > 0:
		fmt.Fprintf(&b, "\n%s is ready: %d checks passed, %s to read\n", cfg.Service, n["ok"]+1, plural(int64(n["warn"]), "warning"))
	default:
		fmt.Fprintf(&b, "\n%s is ready: %d checks passed\n", cfg.Service, n["ok"]+1)
	}
	return b.String()
}
