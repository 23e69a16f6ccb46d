package steps

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// check waits until every port of the group answers, exactly the wanted processes run, every status and health line succeeds and every machine
// shows the release, and goes on doing so for the step's Stable. It changes nothing.
func (r *runner) check(ctx context.Context, step plans.Step) error {
	ctx, cancel := r.t.Clock.Within(ctx, step.Within.Duration(), fmt.Errorf("waited %s", step.Within))
	defer cancel()
	var well time.Time // since when; zero: not now
	var found []plans.Found
	for {
		if err := r.asked(ctx, false); err != nil {
			return err
		}
		if err := r.watch(ctx, step); err != nil {
			return err
		}
		var why string
		ends, still := well.IsZero() || r.since(well) >= step.Stable.Duration(), *r // a copy: whoever watches meanwhile changes the state
		if err := r.during(ctx, step, func(ctx context.Context) {
			if why = still.ill(ctx, step); why == "" && ends { // first and last: it is many questions
				if why = still.astray(ctx, step.Gates); why == "" && len(step.Want) > 0 {
					found, why = still.odd(ctx, step, true)
				}
			}
		}); err != nil {
			return err
		}
		switch {
		case why != "":
			well = time.Time{}
			if err := r.note(ctx, "waiting for %s: %s", step.Group, why); err != nil {
				return err
			}
		case well.IsZero():
			well = r.t.Clock.Now()
			if err := r.note(ctx, "%s answers; it must go on for %s", step.Group, step.Stable); err != nil {
				return err
			}
		}
		if !well.IsZero() && r.since(well) >= step.Stable.Duration() {
			if err := r.called(ctx, step, found); err != nil {
				return err
			}
			return r.event(ctx, plans.Event{What: plans.Ended})
		}
		if err := r.sleep(ctx, r.beat()); err != nil {
			if why != "" {
				return fmt.Errorf("%s: %w", why, err)
			}
			return fmt.Errorf("it did not stay well for %s: %w", step.Stable, err)
		}
	}
}

// ill says what is wrong with the group; empty where nothing is.
func (r *runner) ill(ctx context.Context, step plans.Step) string {
	if why := r.unanswered(ctx, step.Probe); why != "" {
		return why
	}
	if len(step.Want) > 0 {
		if _, odd := r.odd(ctx, step, false); odd != "" {
			return odd
		}
	}
	found, shown := make([]string, len(step.Run)), make([]string, len(step.Run))
	r.each(len(step.Run), func(i int) {
		c := step.Run[i]
		res, err := r.t.Shell.Run(ctx, c, step.Within.Duration())
		if f := r.fault(c, ran{res, err}); f != nil {
			found[i] = f.Error()
		}
		shown[i], _, _ = strings.Cut(strings.TrimSpace(res.Output), "\n")
	})
	for _, f := range found {
		if f != "" {
			return f
		}
	}
	return r.mixed(step, shown)
}

// mixed says where the machines of the group do not show one and the same release, or still show what they had before; empty where they do. A
// release need not be spelled as it was asked for: a branch is not the commit that a machine shows.
func (r *runner) mixed(step plans.Step, shown []string) string {
	p, first := r.s.Plan, -1
	for i, c := range step.Run {
		switch {
		case c.Do != plans.DoRelease:
			continue
		case first < 0:
			first = i
		case shown[i] != shown[first]:
			return fmt.Sprintf("%s shows release %q and %s shows %q", p.Name(step.Run[first].Host), shown[first], p.Name(c.Host), shown[i])
		}
		if p.Release != "" && shown[i] != p.Release && shown[i] == p.Was {
			return fmt.Sprintf("%s still shows release %q and not %q", p.Name(c.Host), shown[i], p.Release)
		}
	}
	return ""
}

// astray says which gate does not send players to exactly the connectors of its group; empty where all do.
func (r *runner) astray(ctx context.Context, g *plans.Gates) string {
	if g == nil {
		return ""
	}
	found := make([]string, len(g.Ports))
	r.each(len(g.Ports), func(i int) {
		for _, port := range g.Ports[i].Ports {
			to, err := r.t.Gates.Ask(ctx, g.Ports[i], port, *g)
			var fault string
			switch {
			case err != nil:
				fault = fmt.Sprintf("is not known to send players: %v", err)
			default:
				fault = differs(to, g.To)
			}
			if fault != "" {
				found[i] = fmt.Sprintf("gate %s port %d %s", r.s.Plan.Name(g.Ports[i].Host), port, fault)
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

// differs says how the connectors that a gate names differ from those it should.
func differs(to map[string]int, want []string) string {
	for _, a := range slices.Sorted(maps.Keys(to)) {
		if !slices.Contains(want, a) {
			return fmt.Sprintf("sends players to %s, which is no connector of its group", a)
		}
	}
	for _, a := range want {
		if to[a] == 0 {
			return fmt.Sprintf("names %d of %d connectors, and %s is not among them", len(to), len(want), a)
		}
	}
	return ""
}
