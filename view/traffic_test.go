package view

import (
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

func TestItIsSaidWhatFollowsAFailure(t *testing.T) {
	for _, tt := range []struct {
		name, onFail string
		steps        int // done
		cut          int // sessions open at the restart, if one has begun
		want         string
	}{
		{"shift, hold", "hold", 0, -1, "it holds: no further backend is closed, and what is open stays open, nobody is cut (on_failure: hold)"},
		{"drain, hold", "hold", 1, -1, "it holds: traffic stays on group1, nobody is cut (on_failure: hold)"},
		{"drain, rollback", "rollback", 1, -1, "it goes back: every backend as it was found, nobody is cut (on_failure: rollback)"},
		{"restart, rollback", "rollback", 3, 4, "it brings v1.8.1 back by the same safe path: traffic stays on group1, nobody more is cut (on_failure: rollback)"},
		{"drain of the second, rollback", "rollback", 6, -1, "it brings v1.8.1 back by the same safe path: traffic stays on group2, nobody is cut (on_failure: rollback)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := usualSetting()
			o.onFail = tt.onFail
			w := begin(t, o.plan())
			w.through(tt.steps)
			if tt.cut >= 0 {
				w.restartBegins(tt.cut)
			} else {
				w.step(plans.Event{What: plans.Began})
			}
			if got := IfFails(w.s); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// hurt tells that group1, which serves, is hurt during the step under way.
func (w *tale) hurt() {
	w.look(w.s.Weights, "backend-1-6150", "backend-1-6151")
	w.step(plans.Event{What: plans.Alarmed, Group: "group1", Error: "backend backend-1-6150 (10.9.0.1:6150) is reported unhealthy"})
}

// TestNobodyIsPromisedToSessionsOnWhatIsIll: what the update did not cut, the group that was hurt may have lost.
func TestNobodyIsPromisedToSessionsOnWhatIsIll(t *testing.T) {
	w := begin(t, usualSetting().plan())
	w.through(3)
	if got := English.cuts(w.s); got != "nobody was cut" {
		t.Errorf("of a healthy run: %q", got)
	}
	w.step(plans.Event{What: plans.Began})
	w.hurt()
	const en, zh = "the update cut nobody; sessions on what is ill may be lost", "更新没有掐断任何长连接；有故障的后端上的长连接可能丢失"
	check := func(when string) {
		t.Helper()
		if got := English.cuts(w.s); got != en {
			t.Errorf("%s: %q", when, got)
		}
		if got := Chinese.cuts(w.s); got != zh {
			t.Errorf("%s: %q", when, got)
		}
	}
	check("hurt now")
	w.step(plans.Event{What: plans.Alarmed, Group: "group1", Note: "group1 is whole again"})
	w.look(w.s.Weights)
	check("hurt before")
}

// TestWhatFollowsAFailureIsAnotherThingWhereTheServingGroupIsHurt: traffic does not stay on it alone.
func TestWhatFollowsAFailureIsAnotherThingWhereTheServingGroupIsHurt(t *testing.T) {
	w := begin(t, usualSetting().plan())
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.hurt()
	if got, want := IfFails(w.s), "it goes back: group1 is hurt, so group2 is opened again"; got != want {
		t.Errorf("during the drain: got %q, want %q", got, want)
	}
	w = begin(t, usualSetting().plan())
	w.through(3)
	w.restartBegins(0)
	w.hurt()
	if got, want := IfFails(w.s), "it holds: group1 is hurt, so the machines of group2 that are well are opened"; got != want {
		t.Errorf("during the restart: got %q, want %q", got, want)
	}
	if got := Chinese.IfFails(w.s); !strings.Contains(got, "group2") || strings.Contains(got, "留在") {
		t.Errorf("got %q", got)
	}
}

func TestAnAbortIsNotAdvisedWhileARestartIsNotProven(t *testing.T) {
	w := find(t, "held").tale
	for _, a := range Next(w.s) {
		if a.Command == "rollout abort" {
			t.Error("abort is advised, and nothing could be put back")
		}
	}
	if as := Next(find(t, "paused").tale.s); len(as) != 2 || as[1].Command != "rollout abort" {
		t.Errorf("got %v, want resume and abort", as)
	}
	if as := Next(find(t, "done").tale.s); len(as) != 0 {
		t.Errorf("got %v for a run that is done", as)
	}
}

func TestBothGroupsOffIsSaidAloud(t *testing.T) {
	w := begin(t, usualSetting().plan())
	w.step(plans.Event{What: plans.Began})
	off := map[string]int{}
	for id := range w.s.Plan.Before {
		off[id] = 0
	}
	w.look(off)
	if got, want := Traffic(w.s), "no group takes new connections: all 48 backends are off"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	delete(off, "backend-1-6150") // gone from the load balancer: it takes nothing either
	w.look(off)
	if got := Traffic(w.s); !strings.HasPrefix(got, "no group takes new connections") {
		t.Errorf("got %q", got)
	}
}

func TestARampIsPartOfThePlan(t *testing.T) {
	p := usualSetting().plan()
	p.Steps[0].Ramp = []int{50, 10}
	if got, want := English.shiftPlan(p, 0), "all new connections to group1: 24 backends of group2 off, by way of 50%, 10%"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAPlanThatRetreatsSaysSo(t *testing.T) {
	w := begin(t, usualSetting().plan())
	w.through(1)
	back, ok := plans.Retreat(w.s)
	if !ok {
		t.Fatal("no way back")
	}
	var b strings.Builder
	if err := Plan(&b, back, PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Plan for game: back to what was found", "1  shift    both groups as they were found", "a person decides"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// TestARunThatTakesAnotherOverSaysWhatIsSo: what it calls as found is what the run before had found, and not how things are.
func TestARunThatTakesAnotherOverSaysWhatIsSo(t *testing.T) {
	left := begin(t, usualSetting().plan())
	left.through(3)
	left.restartBegins(0)
	now := map[string]plans.Backend{}
	for id, b := range left.s.Plan.Before {
		b.Weight = left.s.Weights[id]
		now[id] = b
	}
	p := usualSetting().plan()
	p.Before, p.Taken, p.Dirty = plans.TakeOver(left.s, now)
	p.Was, p.Release = "v1.8.2", "v1.8.1"
	w := begin(t, p)
	if got, want := Traffic(w.s), "all new connections on group1 (v1.8.2): 24 of 24 backends on"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, b := range StatusOf(w.s, w.now(), StatusOptions{}).Backends {
		if want := now[b.ID].Weight; b.Actual != nil && *b.Actual != want || b.Actual == nil && b.Before != want {
			t.Errorf("%s is said to have %v, want %d", b.ID, b.Actual, want)
		}
	}
	var b strings.Builder
	if err := Plan(&b, p, PlanOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"from where the run before was left", "0 backends on (24 left off by the run before)", "restart not proven"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "nothing has been touched") {
		t.Errorf("a run had touched it:\n%s", b.String())
	}
	if back, ok := plans.Retreat(w.s); ok {
		t.Errorf("a way back with a group half restarted: %v", back)
	}
}

func TestABalancerThatLiesIsNotQuotedAlone(t *testing.T) {
	w := begin(t, usualSetting().plan())
	w.step(plans.Event{What: plans.Began})
	off := map[string]int{}
	for id, b := range w.s.Plan.Before {
		if off[id] = b.Weight; b.Group == w.s.Plan.First {
			off[id] = 0
		}
	}
	w.step(plans.Event{What: plans.Looked, Weights: off})
	closed, open := w.s.Plan.Hosts(w.s.Plan.First)[0], w.s.Plan.Hosts(w.s.Plan.Second)[0]
	w.step(plans.Event{What: plans.Tried, Hits: map[string]int{closed: 3, open: 17}})
	w.step(plans.Event{What: plans.Held, Step: -1, Safe: true, Error: "it lies"})
	if got, want := Traffic(w.s), "; but 3 of 20 connections through the load balancer were answered by group2, which it calls off"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want it to end with %q", got, want)
	}
}

// TestAGroupIsSaidToRunWhatItsOwnMachinesRan: where the machines ran different releases, all of them together are no release of a group.
func TestAGroupIsSaidToRunWhatItsOwnMachinesRan(t *testing.T) {
	for _, tt := range []struct {
		name string
		was  string
		ran  map[string]string // by group
		odd  string            // what one machine of group1 ran, where it is another
		want string
	}{
		{"one release", "v1.2.0", map[string]string{"group1": "v1.2.0", "group2": "v1.2.0"}, "v1.2.0", "all new connections on group1 (v1.2.0): "},
		{"each group its own", "v1.2.0+v6.6.6", map[string]string{"group1": "v1.2.0", "group2": "v6.6.6"}, "v1.2.0", "all new connections on group1 (v1.2.0): "},
		{"different ones in the group", "v1.2.0+v6.6.6", map[string]string{"group1": "v1.2.0", "group2": "v6.6.6"}, "v1.1.0", "all new connections on group1 (v1.1.0+v1.2.0): "},
		{"a machine that does not say", "+v1.2.0", map[string]string{"group1": "v1.2.0", "group2": "v1.2.0"}, "", "all new connections on group1: "},
		{"a journal that has only all of them", "v1.2.0+v6.6.6", nil, "", "all new connections on group1: "},
		{"a journal that has only the one", "v1.2.0", nil, "", "all new connections on group1 (v1.2.0): "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := usualSetting().plan()
			p.Was = tt.was
			odd := true
			for i, m := range p.Machines {
				p.Machines[i].Was = tt.ran[m.Group]
				if m.Group == "group1" && odd {
					p.Machines[i].Was, odd = tt.odd, false
				}
			}
			w := begin(t, p)
			w.through(2)
			if got := Traffic(w.s); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestARunThatTakesOverIsShownAsItBegins: the group that the run before had closed is off, although its backends will be put back as found.
func TestARunThatTakesOverIsShownAsItBegins(t *testing.T) {
	p := usualSetting().plan()
	p.Taken = map[string]int{}
	for id, b := range p.Before {
		if b.Group == "group2" {
			p.Taken[id] = 0
		}
	}
	s := plans.State{}.Apply(plans.Event{What: plans.Planned, Seq: 1, Step: -1, Plan: &p})
	if got := Traffic(s); !strings.HasPrefix(got, "all new connections on group1") {
		t.Errorf("got %q, want all on group1", got)
	}
	var l Lines
	if line, ok := l.Next(s.Apply(plans.Event{What: plans.Resumed, Seq: 2, Step: -1}), plans.Event{What: plans.Resumed, Seq: 2, Step: -1}); ok {
		t.Errorf("got %q, want no word of going on with what has just begun", line)
	}
}
