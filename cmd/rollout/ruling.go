package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// rulingOptions say what becomes of values at the load balancer that somebody else has set during a run. Without a word they are left alone, and
// the run stays held.
type rulingOptions struct {
	adopt     bool
	overwrite []string
}

func (o *rulingOptions) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.adopt, "adopt", false, "let every change that somebody else has made at the load balancer stand, and go on")
	f.StringSliceVar(&o.overwrite, "overwrite", nil, "go on, and put this `BACKEND` (its id or address) back, which somebody else has changed; may be repeated")
}

// given says whether there is anything to rule.
func (o *rulingOptions) given() bool { return o.adopt || len(o.overwrite) > 0 }

// rule records what a person has said of each value that is neither as found nor this run's. It looks first: what is ruled is what is there now.
func (o *rulingOptions) rule(ctx context.Context, t steps.Traffic, j steps.Journal, st plans.State) (plans.State, error) {
	l, err := t.Look(ctx)
	if err != nil {
		return st, err
	}
	drifted := plans.Drifted(st, l.Weights)
	adopt, overrule := map[string]int{}, map[string]int{}
	for _, word := range o.overwrite {
		i := slices.IndexFunc(drifted, func(id string) bool { return id == word || st.Plan.Before[id].Addr == word })
		if i < 0 {
			return st, refusedf("--overwrite %q: nobody but this run has changed that backend; changed are: %s", word, listed(st, drifted))
		}
		overrule[drifted[i]] = l.Weights[drifted[i]]
	}
	for _, id := range drifted {
		w, there := l.Weights[id]
		_, over := overrule[id]
		switch {
		case !there:
			return st, refusedf("backend %s (%s) is gone from the load balancer: there is nothing to adopt or to overwrite; `rollout abort`", id, st.Plan.Before[id].Addr)
		case over:
		case !o.adopt:
			return st, refusedf("somebody has changed %s too: say --overwrite for it, or --adopt to let the others stand", listed(st, []string{id}))
		default:
			adopt[id] = w
		}
	}
	for _, e := range []plans.Event{{What: plans.Adopted, Weights: adopt}, {What: plans.Overruled, Weights: overrule}} {
		if len(e.Weights) == 0 {
			continue
		}
		e.Step, e.By = -1, by()
		done, err := j.Append(ctx, e)
		if err != nil {
			return st, err
		}
		st = st.Apply(done)
	}
	return st, nil
}

// listed lists backends with their addresses.
func listed(st plans.State, ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	var all []string
	for _, id := range slices.Sorted(slices.Values(ids)) {
		all = append(all, fmt.Sprintf("%s (%s)", id, st.Plan.Before[id].Addr))
	}
	return strings.Join(all, ", ")
}
