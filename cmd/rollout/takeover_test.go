package main

import (
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// TestARunThatDiedBeforeItsFirstActIsUnfinishedWhereItTookOneOver: nothing may begin beside it, as beside the one whose place it took. One that took nothing
// over has nothing to go back to.
func TestARunThatDiedBeforeItsFirstActIsUnfinishedWhereItTookOneOver(t *testing.T) {
	for _, row := range []struct {
		name string
		take func(*plans.Plan)
		want bool
	}{
		{"what was closed", func(p *plans.Plan) { p.Taken = map[string]int{"backend-127.9.0.4": 0} }, true},
		{"what was restarted", func(p *plans.Plan) { p.Dirty = []string{"group2"} }, true},
		{"what may yet take effect", func(p *plans.Plan) { p.Doubt = true }, true},
		{"nothing", func(*plans.Plan) {}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			p := d.planned()
			row.take(&p)
			d.keepsOf(p)
			code, _, errs := d.types("start", "--yes")
			if said := strings.Contains(errs, "is unfinished"); said != row.want || said && code != 3 {
				t.Errorf("exit %d, said to be unfinished %v, want %v:\n%s", code, said, row.want, errs)
			}
		})
	}
}

// TestARunIsNotTakenUpAtAnotherLoadBalancer: there all that it had closed would count as gone, and it would end with its group closed.
func TestARunIsNotTakenUpAtAnotherLoadBalancer(t *testing.T) {
	d := newDesk(t)
	d.keeps(append(begun(), plans.Event{What: plans.Held, Step: -1, Safe: true, Error: "x"})...)
	d.write(d.file, strings.Replace(goodFile, "ulb-x", "ulb-y", 1))
	const want = "rollout: run 20260301-120000-7f3a is of what is behind ulb-x, and rollout.yaml is about ulb-y: set ulb.id to ulb-x again; " +
		"or, where that one is no more, move DIR/state/game/runs/20260301-120000-7f3a away\n"
	for _, args := range [][]string{{"resume"}, {"abort", "--yes"}, {"start", "--yes", "--take-over", "20260301-120000-7f3a"}} {
		d.wants(3, want, args...)
	}
}
