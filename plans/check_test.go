package plans_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

func noDeploy(o *plans.Options) { o.Deploy = "" }

func TestAPlanHasElevenStepsAndNineWithoutADeploy(t *testing.T) {
	for _, tc := range []struct {
		name string
		plan plans.Plan
		want string
	}{
		{"with a deploy", build(), "shift drain deploy restart check shift drain deploy restart check shift"},
		{"without", build(noDeploy), "shift drain restart check shift drain restart check shift"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.plan.Check(); err != nil {
				t.Fatalf("Check: %v", err)
			}
			var got []string
			for _, s := range tc.plan.Steps {
				got = append(got, string(s.Kind))
			}
			if g := strings.Join(got, " "); g != tc.want {
				t.Errorf("got %s, want %s", g, tc.want)
			}
		})
	}
}

func TestAPlanWithAnyStepRemovedIsRefused(t *testing.T) {
	for _, p := range []plans.Plan{build(), build(noDeploy)} {
		for i, s := range p.Steps {
			t.Run(fmt.Sprintf("%d of %d %s %s", i+1, len(p.Steps), s.Kind, s.Group), func(t *testing.T) {
				q := p
				q.Steps = slices.Delete(slices.Clone(p.Steps), i, i+1)
				if err := q.Check(); !errors.Is(err, plans.ErrUnsafe) {
					t.Errorf("got %v, want it refused", err)
				}
			})
		}
	}
}

func TestAPlanWithTwoNeighboursSwappedIsRefused(t *testing.T) {
	for _, p := range []plans.Plan{build(), build(noDeploy)} {
		for i := range len(p.Steps) - 1 {
			t.Run(fmt.Sprintf("%d and %d of %d", i+1, i+2, len(p.Steps)), func(t *testing.T) {
				q := p
				q.Steps = slices.Clone(p.Steps)
				q.Steps[i], q.Steps[i+1] = q.Steps[i+1], q.Steps[i]
				if err := q.Check(); !errors.Is(err, plans.ErrUnsafe) {
					t.Errorf("got %v, want it refused", err)
				}
			})
		}
	}
}

func TestAPlanIsRefusedWithTheStepAndTheReason(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*plans.Plan)
		want   string
	}{
		{"a newer version", func(p *plans.Plan) { p.Version = plans.Version + 1 }, "this build knows versions up to"},
		{"no steps", func(p *plans.Plan) { p.Steps = nil }, "the plan has no steps"},
		{"one group twice", func(p *plans.Plan) { p.First = p.Second }, "two groups of different names"},
		{"a weight that was not found", func(p *plans.Plan) { p.Steps[10].Weights["backend-1-6150"] = 100 }, "was found with weight 1 and would get 100"},
		{"a backend left out", func(p *plans.Plan) { delete(p.Steps[0].Weights, "backend-1-6150") }, "names 11 of the 12 backends"},
		{"a backend that is not the plan's", func(p *plans.Plan) { p.Steps[0].Weights["backend-x"] = 0 }, "backend-x is none of the plan's"},
		{"both groups closed", func(p *plans.Plan) {
			for id := range p.Steps[0].Weights {
				p.Steps[0].Weights[id] = 0
			}
		}, "no group would take new connections"},
		{"a machine of the other group restarted", func(p *plans.Plan) { p.Steps[3].Run[0].Host = "10.9.0.1" }, "runs a command on game-1, which is no machine of group2"},
		{"a machine whose sessions nobody counts", func(p *plans.Plan) { p.Steps[1].Watch = p.Steps[1].Watch[1:] }, "the sessions of game-4 are not counted"},
		{"a machine left out of a step", func(p *plans.Plan) { p.Steps[3].Hosts = p.Steps[3].Hosts[1:] }, "names 2 of the 3 machines of group2"},
		{"a restart without a start", func(p *plans.Plan) {
			p.Steps[3].Run = slices.DeleteFunc(slices.Clone(p.Steps[3].Run), func(c plans.Command) bool { return c.Do == plans.DoStart })
		}, "it has no start line"},
		{"a step without a deadline", func(p *plans.Plan) { p.Steps[4].Within = 0 }, "it has no deadline"},
		{"a drain that ends at once", func(p *plans.Plan) { p.Steps[1].Stable = 0 }, "does not say when a count is believed"},
		{"a kind nobody knows", func(p *plans.Plan) { p.Steps[4].Kind = "dance" }, `nobody knows how to "dance"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := build()
			tc.change(&p)
			err := p.Check()
			if !errors.Is(err, plans.ErrUnsafe) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestABackendFoundOffStaysOff(t *testing.T) {
	f, before := sixMachines()
	b := before["backend-5-6150"]
	b.Weight = 0
	before["backend-5-6150"] = b
	p := plans.Build(f, recipe(), before, options())
	if err := p.Check(); err != nil {
		t.Fatalf("Check: %v", err)
	}
	for i, s := range p.Steps {
		if w := s.Weights["backend-5-6150"]; w != 0 {
			t.Errorf("step %d gives it weight %d, want 0", i+1, w)
		}
	}
}

func TestAGroupFoundOffServesInBetweenAndIsOffInTheEnd(t *testing.T) {
	f, before := sixMachines()
	for id, b := range before {
		if b.Group == "group2" {
			b.Weight, b.Standby = 0, 5
			before[id] = b
		}
	}
	p := plans.Build(f, recipe(), before, options())
	if err := p.Check(); err != nil {
		t.Fatalf("Check: %v", err)
	}
	for i, want := range map[int]int{0: 0, 5: 5, 10: 0} {
		if got := p.Steps[i].Weights["backend-4-6150"]; got != want {
			t.Errorf("step %d gives group2 weight %d, want %d", i+1, got, want)
		}
	}
	// Without a weight to stand by with, nobody would serve.
	for id, b := range before {
		b.Standby = 0
		before[id] = b
	}
	if err := plans.Build(f, recipe(), before, options()).Check(); !errors.Is(err, plans.ErrUnsafe) || !strings.Contains(err.Error(), "no group would take new connections") {
		t.Errorf("got %v, want it refused", err)
	}
}
