package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/journal"
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
	switch {
	case err != nil:
		v.fail("journal", "", look, err)
	case is && alive:
		v.fail("journal", "", "wait for it: rollout status; or end it: rollout abort", fmt.Errorf("run %s is under way", st.Plan.ID))
	case is:
		v.fail("journal", "", fmt.Sprintf("rollout resume goes on, rollout abort puts back what it changed, rollout start --take-over %s begins anew", st.Plan.ID),
			fmt.Errorf("run %s is unfinished (%s)", st.Plan.ID, st.Phase))
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
	if !e.text() {
		if perr := e.document(checkDoc{Schema: "rollout.check/v1", Service: cfg.Service, OK: err == nil, Findings: append([]finding{}, v.findings...)}); perr != nil {
			return perr
		}
		if err != nil {
			return toldError{err}
		}
		return nil
	}
	glyphs := map[string]string{"ok": "✔", "warn": "!", "fail": "✖"}
	_, _ = fmt.Fprintf(e.stdout, "✔ %-9s %s\n", "config", cfg.Path)
	n := map[string]int{}
	for _, f := range v.findings {
		n[f.Level]++
		where := f.Where
		if where != "" {
			where += ": "
		}
		_, _ = fmt.Fprintf(e.stdout, "%s %-9s %s%s\n", glyphs[f.Level], f.Name, where, f.Text)
		if f.Fix != "" {
			_, _ = fmt.Fprintf(e.stdout, "  %-9s → %s\n", "", f.Fix)
		}
	}
	if err != nil {
		_, _ = fmt.Fprintf(e.stdout, "\n%d of %d checks failed; nothing was touched\n", n["fail"], len(v.findings)+1)
		return toldError{err}
	}
	if v.pool == nil {
		_, _ = fmt.Fprintf(e.stdout, "\nonly the file was looked at; `rollout check` looks at the rest\n")
		return nil
	}
	if n["warn"] > 0 {
		_, _ = fmt.Fprintf(e.stdout, "\n%s is ready: %d checks passed, %s to read\n", cfg.Service, n["ok"]+1, plural(int64(n["warn"]), "warning"))
		return nil
	}
	_, _ = fmt.Fprintf(e.stdout, "\n%s is ready: %d checks passed\n", cfg.Service, n["ok"]+1)
	return nil
}
