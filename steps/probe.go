package steps

import (
	"context"
	"fmt"

	"github.com/seed59ee9cdc/rollout/plans"
)

// silent says which port of a group does not answer; empty where all do.
func (r *runner) silent(ctx context.Context, group string) string {
	return r.unanswered(ctx, r.answers(group))
}

// answers gives the ports of a group that must answer. The way back has no steps that name them: there they are those of the plan it leaves.
func (r *runner) answers(group string) []plans.Ports {
	var of []plans.Ports
	steps := r.s.Plan.Steps
	if n := len(r.s.Earlier); n > 0 && r.s.Plan.Purpose == plans.Leaving {
		steps = r.s.Earlier[n-1].Plan.Steps
	}
	for _, st := range steps {
		switch {
		case st.Kind == plans.Check && st.Group == group:
			of = st.Probe
		case st.Kind == plans.Shift && st.Group != group && of == nil: // a group that is left as it is has no check, and serves all the same
			of = st.Probe
		}
	}
	return of
}

// unanswered says which of the ports does not answer; empty where all do.
func (r *runner) unanswered(ctx context.Context, of []plans.Ports) string {
	return r.first(ctx, of, func(open bool, err error) string {
		switch {
		case err != nil:
			return fmt.Sprintf("is not known to answer: %v", err)
		case !open:
			return "does not answer"
		}
		return ""
	})
}

// closed says which port of a group that must answer is known not to; empty where none is. One that cannot be tried is not known.
func (r *runner) closed(ctx context.Context, group string) string {
	return r.first(ctx, r.answers(group), func(open bool, err error) string {
		if err == nil && !open {
			return "does not answer"
		}
		return ""
	})
}

// answering says which of the ports still answers, or may; empty where all are proven closed.
func (r *runner) answering(ctx context.Context, of []plans.Ports) string {
	return r.first(ctx, of, func(open bool, err error) string {
		switch {
		case err != nil:
			return fmt.Sprintf("is not known to be closed: %v", err)
		case open:
			return "still answers: the old process is there"
		}
		return ""
	})
}

// first probes every port, the machines at once, and gives the first fault in the plan's order.
func (r *runner) first(ctx context.Context, of []plans.Ports, fault func(bool, error) string) string {
	found := make([]string, len(of))
	r.each(len(of), func(i int) {
		for _, port := range of[i].Ports {
			if f := fault(r.t.Prober.Probe(ctx, of[i], port)); f != "" {
				found[i] = fmt.Sprintf("%s port %d %s", r.s.Plan.Name(of[i].Host), port, f)
				return
			}
		}
	})
	for _, f := range found {
		if f != "" {
			return f
		}
	}
	return ""
}
