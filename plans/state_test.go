package plans_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// half tells a run up to the middle of the first restart.
func half() *story {
	p := build(noDeploy)
	st := &story{}
	st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p}, plans.Event{What: plans.Resumed, Step: -1, By: "liu@ops", PID: 7})
	st.tell(plans.Event{What: plans.Began, Step: 0})
	st.tell(plans.Event{What: plans.Writing, Step: 0, Weights: map[string]int{"backend-4-6150": 0}})
	st.tell(plans.Event{What: plans.Wrote, Step: 0, Answers: []plans.Answer{{Backend: "backend-4-6150", Outcome: plans.Unknown}}})
	st.tell(plans.Event{What: plans.Looked, Step: 0, Weights: p.Steps[0].Weights}, plans.Event{What: plans.Ended, Step: 0})
	st.tell(plans.Event{What: plans.Began, Step: 1})
	st.tell(plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Total: 40, ByHost: map[string]int{"10.9.0.4": 40}}})
	st.tell(plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Unread: map[string]string{"10.9.0.4": "gone"}}})
	st.tell(plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Total: 3}})
	st.tell(plans.Event{What: plans.Ended, Step: 1, EndedBy: "deadline"})
	st.tell(plans.Event{What: plans.Began, Step: 2})
	three := 3
	st.tell(plans.Event{What: plans.Counted, Step: 2, Group: "group2", Sessions: &plans.Sessions{Total: 3, ByHost: map[string]int{"10.9.0.4": 2, "10.9.0.5": 1}}, Cut: &three})
	for _, c := range p.Steps[2].Run[:4] {
		st.tell(plans.Event{What: plans.Running, Step: 2, Group: "group2", Command: &c}, plans.Event{What: plans.Ran, Step: 2, Group: "group2", Command: &c})
	}
	return st
}

func TestTheStateCountsWhoWasCutAndWhoMoved(t *testing.T) {
	s := half().s
	if s.Cut() != 3 || s.Moved() != 37 {
		t.Errorf("got %d cut and %d moved, want 3 and 37", s.Cut(), s.Moved())
	}
}

func TestSessionsThatLeftADrainWhichWasStoppedHaveMoved(t *testing.T) {
	drained := func(then ...plans.Event) plans.State {
		p := build(noDeploy)
		st := &story{}
		st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p}, plans.Event{What: plans.Resumed, Step: -1}, plans.Event{What: plans.Began, Step: 1})
		st.tell(plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Total: 40}})
		st.tell(plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Total: 9}})
		return st.tell(then...)
	}
	back := build(noDeploy)
	back.Purpose, back.Steps = plans.Leaving, back.Steps[:1]
	for name, then := range map[string][]plans.Event{
		"paused":  {{What: plans.Paused, Step: -1}},
		"failed":  {{What: plans.Failed, Step: 1, Error: "nobody counts"}, {What: plans.Held, Step: -1}},
		"aborted": {{What: plans.Planned, Step: -1, Plan: &back}, {What: plans.Aborted, Step: -1}},
		"running": nil,
	} {
		if got := drained(then...).Moved(); got != 31 {
			t.Errorf("%s: got %d moved, want 31 of 40, of which 9 are left", name, got)
		}
	}
}

func TestASessionIsCountedAsCutOnce(t *testing.T) {
	st := half() // 10.9.0.4 is stopped and started, 10.9.0.5 and 10.9.0.6 are stopped
	n := 0
	st.tell(plans.Event{What: plans.Counted, Step: 2, Group: "group2", Cut: &n, Sessions: &plans.Sessions{Total: 12, ByHost: map[string]int{"10.9.0.4": 5, "10.9.0.5": 7}}})
	if got := st.s.Cut(); got != 3+7 {
		t.Errorf("got %d cut, want 10: those on a machine that is done are not cut, those that came after a stop are", got)
	}
}

func TestAnUnreadCountDoesNotBecomeTheNumberLeft(t *testing.T) {
	s := half().s
	if got := s.Progress[1].Left; got != 3 {
		t.Errorf("got %d left, want 3", got)
	}
	if got := *s.Progress[1].First; got != 40 {
		t.Errorf("got %d at first, want 40", got)
	}
}

func TestFoldOfAPrefixAndTheRestIsFoldOfAll(t *testing.T) {
	st := half()
	for i := range st.es {
		s := plans.Fold(slices.Values(st.es[:i]))
		for _, e := range st.es[i:] {
			s = s.Apply(e)
		}
		if !reflect.DeepEqual(s, st.s) {
			t.Fatalf("after event %d: got %+v, want %+v", i, s, st.s)
		}
	}
}

func TestApplyDoesNotChangeTheStateItIsGiven(t *testing.T) {
	st := half()
	var states []plans.State
	var before [][]byte
	s := plans.State{}
	for _, e := range st.es {
		states, before = append(states, s), append(before, mustJSON(t, s))
		s = s.Apply(e)
	}
	for i := range states {
		if got := mustJSON(t, states[i]); string(got) != string(before[i]) {
			t.Errorf("event %d changed the state before it:\n got %s\nwant %s", i+1, got, before[i])
		}
	}
}

func TestEventsReadBackAsTheyWereWritten(t *testing.T) {
	for _, e := range half().es {
		var back plans.Event
		if err := json.Unmarshal(mustJSON(t, e), &back); err != nil {
			t.Fatal(err)
		}
		if got, want := string(mustJSON(t, back)), string(mustJSON(t, e)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAGroupIsDirtyFromItsFirstCommandToItsCheck(t *testing.T) {
	st := half()
	if !st.s.Dirty["group2"] || st.s.Updated["group2"] {
		t.Errorf("got dirty %v updated %v in the restart, want true false", st.s.Dirty, st.s.Updated)
	}
	if _, ok := plans.Retreat(st.s); ok {
		t.Error("a group that was restarted and not checked would be opened again")
	}
	st.tell(plans.Event{What: plans.Ended, Step: 2}, plans.Event{What: plans.Began, Step: 3}, plans.Event{What: plans.Ended, Step: 3})
	if st.s.Dirty["group2"] || !st.s.Updated["group2"] {
		t.Errorf("got dirty %v updated %v after the check, want false true", st.s.Dirty, st.s.Updated)
	}
}

func TestAGroupWhoseRestartWasOnlyMeantIsNotDirty(t *testing.T) {
	p := build(noDeploy)
	stop := func(i int) plans.Command { return p.Steps[2].Run[i] }
	running := func(c plans.Command) plans.Event {
		return plans.Event{What: plans.Running, Step: 2, Group: "group2", Command: &c}
	}
	ran := func(c plans.Command, by string, code int, err string) plans.Event {
		return plans.Event{What: plans.Ran, Step: 2, Group: "group2", Command: &c, EndedBy: by, Code: code, Error: err}
	}
	absent := func(c plans.Command) plans.Event { return ran(c, plans.Absent, 0, "no route to host") }
	a, b := stop(0), stop(1)
	for _, tt := range []struct {
		name  string
		es    []plans.Event
		dirty bool
		taken []string // the groups that an earlier run had left so
	}{
		{"none was sent", []plans.Event{running(a), running(b), absent(a), absent(b)}, false, nil},
		{"of one nobody knows", []plans.Event{running(a), running(b), absent(a)}, true, nil},
		{"of one the outcome is not known", []plans.Event{running(a), running(b), absent(a), ran(b, "", 0, "connection lost")}, true, nil},
		{"one failed", []plans.Event{running(a), running(b), ran(a, "", 1, ""), absent(b)}, true, nil},
		{"one was lost by its machine", []plans.Event{running(a), running(b), ran(a, plans.Lost, 0, "lost"), absent(b)}, true, nil},
		{"one had begun in an earlier attempt", []plans.Event{running(a), ran(a, "", 1, ""), running(a), absent(a)}, true, nil},
		{"it was left so by an earlier run", []plans.Event{running(a), absent(a)}, true, []string{"group2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			taken := p
			taken.Dirty = tt.taken
			st, two := &story{}, 2
			st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &taken}, plans.Event{What: plans.Began, Step: 2})
			st.tell(plans.Event{What: plans.Counted, Step: 2, Group: "group2", Sessions: &plans.Sessions{Total: 2, ByHost: map[string]int{a.Host: 2}}, Cut: &two})
			st.tell(tt.es...)
			if _, back := plans.Retreat(st.s); st.s.Dirty["group2"] != tt.dirty || back == tt.dirty {
				t.Errorf("got dirty %v and a way back %v, want %v and %v", st.s.Dirty["group2"], back, tt.dirty, !tt.dirty)
			}
			if !tt.dirty && st.s.Cut() != 0 {
				t.Errorf("%d sessions are told as cut, and no stop was sent", st.s.Cut())
			}
		})
	}
}

func TestTheWayBackPutsEverythingAsItWasFound(t *testing.T) {
	st := &story{}
	p := build()
	st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p}, plans.Event{What: plans.Began, Step: 0})
	back, ok := plans.Retreat(st.s)
	if !ok {
		t.Fatal("there is no way back, want one")
	}
	if err := back.Check(); err != nil {
		t.Errorf("Check: %v", err)
	}
	if got, want := back.Steps[0].Weights, p.Weights(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	st.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &back})
	if got := st.s.Earlier[0].Progress[3].Status; got != plans.StepSkipped {
		t.Errorf("a step that was left is %q, want %q", got, plans.StepSkipped)
	}
}

func TestAStopForgetsTheStartBeforeIt(t *testing.T) {
	st := half()
	stop, start := st.s.Plan.Steps[2].Run[0], st.s.Plan.Steps[2].Run[3]
	if !st.s.Progress[2].Acts[plans.Key(start.Host, plans.DoStart)].OK() {
		t.Fatal("the start is not known to have succeeded")
	}
	st.tell(plans.Event{What: plans.Running, Step: 2, Group: "group2", Command: &stop})
	if _, ok := st.s.Progress[2].Acts[plans.Key(start.Host, plans.DoStart)]; ok {
		t.Error("the start before the stop is still believed")
	}
}

func TestDriftIsWhatNeitherTheRunNorItsBeginningExplains(t *testing.T) {
	st := half()
	w := st.s.Plan.Weights()
	w["backend-4-6150"] = 0 // written by the run
	if ds := plans.Drift(st.s, w); len(ds) != 0 {
		t.Errorf("got %v, want none", ds)
	}
	w["backend-4-6151"] = 0 // by somebody else
	delete(w, "backend-1-6150")
	ds := strings.Join(plans.Drift(st.s, w), "\n")
	for _, want := range []string{"backend-4-6151 (10.9.0.4:6151) was found with weight 1 and now has 0", "backend-1-6150 (10.9.0.1:6150) is gone"} {
		if !strings.Contains(ds, want) {
			t.Errorf("got %q, want %q in it", ds, want)
		}
	}
}

func TestAStalePlanNamesEachChange(t *testing.T) {
	p := build()
	_, now := sixMachines()
	b := now["backend-1-6150"]
	b.Weight = 0
	now["backend-1-6150"] = b
	delete(now, "backend-2-6150")
	now["backend-9-6150"] = plans.Backend{Addr: "10.9.0.9:6150"}
	got := strings.Join(plans.Stale(p, now), "\n")
	want := "backend backend-1-6150 (10.9.0.1:6150) was on with weight 1 and is now off\nbackend backend-2-6150 (10.9.0.2:6150) is gone\nbackend backend-9-6150 (10.9.0.9:6150) is new"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAStalePlanNamesWhatTheMachinesRunNow: what came meanwhile would be taken back by a plan that was made before it.
func TestAStalePlanNamesWhatTheMachinesRunNow(t *testing.T) {
	all := func(is string) map[string]string {
		ran := map[string]string{}
		for _, m := range build().Machines {
			ran[m.Host] = is
		}
		return ran
	}
	one := all("v1")
	one["10.9.0.5"] = "v2"
	for name, row := range map[string]struct {
		was  string
		ran  map[string]string // when the plan was made
		now  map[string]string
		want string
	}{
		"the same":                   {"v1", all("v1"), all("v1"), ""},
		"another one":                {"v1", all("v1"), all("v2"), "the machines ran v1 and now run v2"},
		"the first of all":           {"", all(""), all("v1"), "the machines ran no release and now run v1"},
		"on one machine":             {"v1", all("v1"), one, "game-5 ran v1 and now runs v2"},
		"one has caught up":          {"v1+v2", one, all("v2"), "game-4 ran v1 and now runs v2, game-6 ran v1 and now runs v2, game-1 ran v1 and now runs v2, game-2 ran v1 and now runs v2, game-3 ran v1 and now runs v2"},
		"nobody knows":               {"", nil, nil, ""},
		"a plan that knows all only": {"v1", nil, all("v1"), ""},
		"such a plan, another one":   {"v1", nil, all("v2"), "the machines ran v1 and now run v2"},
	} {
		f, before := sixMachines()
		o := options()
		o.Was, o.Ran = row.was, row.ran
		p := plans.Build(f, recipe(), before, o)
		if got := strings.Join(plans.Outrun(p, row.now), ", "); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestANewRunTakesAsFoundWhatTheLeftOneHadFound(t *testing.T) {
	st := half()
	_, now := sixMachines()
	off := now["backend-4-6150"]
	off.Weight = 0 // by the run that was left
	now["backend-4-6150"] = off
	hand := now["backend-4-6151"]
	hand.Weight = 0 // by hand
	now["backend-4-6151"] = hand
	got, taken, dirty := plans.TakeOver(st.s, now)
	if got["backend-4-6150"].Weight != 1 || got["backend-4-6151"].Weight != 0 {
		t.Errorf("got weights %d and %d, want 1 and 0", got["backend-4-6150"].Weight, got["backend-4-6151"].Weight)
	}
	if w, ok := taken["backend-4-6150"]; len(taken) != 1 || !ok || w != 0 || !slices.Equal(dirty, []string{"group2"}) {
		t.Errorf("got %v taken and %v dirty, want backend-4-6150 at 0, and group2", taken, dirty)
	}

	// A run that begins so knows the value as its own, opens the group only after its check, and does not go back before that.
	f, _ := sixMachines()
	p := plans.Build(f, recipe(), got, options())
	p.Taken, p.Dirty = taken, dirty
	if err := p.Check(); err != nil {
		t.Fatalf("Check: %v", err)
	}
	if ds := plans.Stale(p, now); len(ds) > 0 {
		t.Errorf("it is stale at once: %v", ds)
	}
	next := &story{}
	next.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	if !next.s.Touched {
		t.Error("it would end as if nothing had been touched, and what it has taken over would be forgotten")
	}
	w := p.Weights()
	w["backend-4-6150"] = 0
	if ds := plans.Drift(next.s, w); len(ds) > 0 {
		t.Errorf("got %v, want no drift", ds)
	}
	if _, ok := plans.Retreat(next.s); ok {
		t.Error("a group that an earlier run left unproven would be opened on the way back")
	}
}

func TestOnlyStampsOfOneBootProveHowMuchTimeWentBy(t *testing.T) {
	at := func(boot string, up int) plans.Stamp {
		return plans.Stamp{Boot: boot, Up: plans.Seconds(time.Duration(up) * time.Second)}
	}
	for _, tc := range []struct {
		name     string
		from, to plans.Stamp
		want     time.Duration
		proven   bool
	}{
		{"one boot", at("a", 10), at("a", 70), time.Minute, true},
		{"rebooted", at("a", 10), at("b", 70), 0, false},
		{"backwards", at("a", 70), at("a", 10), 0, false},
		{"not known", at("", 10), at("", 70), 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, proven := tc.to.Since(tc.from)
			if got != tc.want || proven != tc.proven {
				t.Errorf("got %s %v, want %s %v", got, proven, tc.want, tc.proven)
			}
		})
	}
}

func FuzzFold(f *testing.F) {
	for _, e := range half().es {
		b, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		var e plans.Event
		if json.Unmarshal(b, &e) != nil {
			return
		}
		s := half().s.Apply(e).Apply(e)
		_, _ = s.Current()
		_ = s.Cut() + s.Moved()
		_ = s.Plan.Check()
	})
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
