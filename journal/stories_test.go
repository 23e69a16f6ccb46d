package journal

import (
	"maps"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

// stories gives the events of some runs, each as the steps would tell it.
func stories(t *testing.T) map[string][]plans.Event {
	t.Helper()
	p := planOfTwo()
	retreat, ok := plans.Retreat(plans.Fold(func(yield func(plans.Event) bool) {
		for _, e := range opening(p) {
			if !yield(e) {
				return
			}
		}
	}))
	if !ok {
		t.Fatal("there is no way out of the first drain")
	}
	return map[string][]plans.Event{
		"done":    append(opening(p), append(updated(p), plans.Event{What: plans.Done, Step: -1})...),
		"held":    append(opening(p), heldAtRestart(p)...),
		"aborted": append(opening(p), aborted(retreat)...),
		"resumed": append(opening(p), resumed()...),
		"hurt":    append(opening(p), hurt(retreat)...),
		"ruled":   append(opening(p), ruled()...),
		"doubted": append(opening(p), doubted(p)...),
	}
}

// planOfTwo is the plan of two machines.
func planOfTwo() plans.Plan {
	one := groups.Machine{Name: "game-1", Host: "10.9.0.1", Ports: []int{6150, 6200}, Sessions: []int{6200}}
	two := groups.Machine{Name: "game-4", Host: "10.9.0.4", Ports: []int{6150, 6200}, Sessions: []int{6200}}
	f := groups.Fleet{
		First:  groups.Group{Name: "group2", Machines: []groups.Machine{two}},
		Second: groups.Group{Name: "group1", Machines: []groups.Machine{one}},
	}
	before := map[string]plans.Backend{
		"backend-1": {Addr: "10.9.0.1:6150", Host: one.Host, Group: "group1", Weight: 7},
		"backend-4": {Addr: "10.9.0.4:6150", Host: two.Host, Group: "group2", Weight: 3},
	}
	sec := func(n int) time.Duration { return time.Duration(n) * time.Second }
	return plans.Build(f, plans.Lines{Dir: "/data/game", Stop: "./stop.sh || true", Start: "./start.sh -D > log 2>&1", Status: "./status.sh"}, before, plans.Options{
		ID: "7f3a", Service: "game", Balancer: "ulb-1", By: "ann@deploy1", Config: "c0ffee", Release: "v2", Was: "v1", Made: noon, OnFail: "hold",
		Settle: sec(5), Shift: sec(120), DrainWithin: sec(180), DrainStable: sec(5),
		Draining: plans.Draining{Interval: plans.Seconds(sec(1)), OnDeadline: plans.Cut}, Deploy: "git checkout v2", DeployWithin: sec(300),
		RestartWithin: sec(90), KillAfter: sec(20), CheckWithin: sec(120), CheckStable: sec(10),
	})
}

// opening tells of a run up to the middle of its first drain.
func opening(p plans.Plan) []plans.Event {
	es := []plans.Event{
		{What: plans.Planned, Step: -1, Plan: &p},
		{What: plans.Resumed, Step: -1, By: "ann@deploy1", PID: 4242},
	}
	es = append(es, shifted(p, 0)...)
	return append(es,
		plans.Event{What: plans.Began, Step: 1, Group: "group2"},
		plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: count(1284, 150)},
		plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Unread: map[string]string{"10.9.0.4": "ss: exit 127"}}})
}

// shifted tells of a shift from its beginning to its end.
func shifted(p plans.Plan, step int) []plans.Event {
	w := p.Steps[step].Weights
	was := p.Weights()
	var answers []plans.Answer
	changed := map[string]int{}
	for _, id := range []string{"backend-1", "backend-4"} {
		if w[id] != was[id] || step == len(p.Steps)-1 {
			changed[id] = w[id]
			answers = append(answers, plans.Answer{Backend: id, Outcome: plans.Accepted})
		}
	}
	return []plans.Event{
		{What: plans.Began, Step: step, Group: p.Steps[step].Group},
		{What: plans.Looked, Step: step, Weights: was},
		{What: plans.Writing, Step: step, Weights: changed},
		{What: plans.Wrote, Step: step, Answers: answers},
		{What: plans.Looked, Step: step, Weights: maps.Clone(w)},
		{What: plans.Ended, Step: step},
	}
}

func count(total int, empty int) *plans.Sessions {
	s := plans.Seconds(time.Duration(empty) * time.Second)
	return &plans.Sessions{Total: total, ByHost: map[string]int{"10.9.0.4": total}, Empty: &s}
}

// updated tells of all steps from the first drain on.
func updated(p plans.Plan) []plans.Event {
	es := []plans.Event{
		{What: plans.Counted, Step: 1, Group: "group2", Sessions: count(0, 0)},
		{What: plans.Ended, Step: 1, EndedBy: "zero"},
	}
	for i := 2; i < len(p.Steps); i++ {
		st := p.Steps[i]
		if st.Kind == plans.Shift {
			es = append(es, shifted(p, i)...)
			continue
		}
		es = append(es, plans.Event{What: plans.Began, Step: i, Group: st.Group})
		ended := plans.Event{What: plans.Ended, Step: i}
		switch st.Kind {
		case plans.Drain:
			es = append(es, plans.Event{What: plans.Counted, Step: i, Group: st.Group, Sessions: count(41, 0)})
			ended.EndedBy = "deadline"
		case plans.Restart:
			cut := 2
			es = append(es, plans.Event{What: plans.Counted, Step: i, Group: st.Group, Sessions: count(cut, 0), Cut: &cut})
		}
		for _, c := range st.Run {
			es = append(es, plans.Event{What: plans.Running, Step: i, Group: st.Group, Command: &c},
				plans.Event{What: plans.Ran, Step: i, Group: st.Group, Command: &c, Output: "ok & well\n"})
		}
		es = append(es, ended)
	}
	return es
}

// heldAtRestart tells of a restart that fails: its start's outcome is not known, and then it is bad.
func heldAtRestart(p plans.Plan) []plans.Event {
	stop, start := p.Steps[3].Run[0], p.Steps[3].Run[1]
	return []plans.Event{
		{What: plans.Counted, Step: 1, Group: "group2", Sessions: count(0, 0)},
		{What: plans.Ended, Step: 1, EndedBy: "zero"},
		{What: plans.Began, Step: 2, Group: "group2"},
		{What: plans.Ended, Step: 2},
		{What: plans.Began, Step: 3, Group: "group2"},
		{What: plans.Running, Step: 3, Group: "group2", Command: &stop},
		{What: plans.Ran, Step: 3, Group: "group2", Command: &stop},
		{What: plans.Running, Step: 3, Group: "group2", Command: &start},
		{What: plans.Ran, Step: 3, Group: "group2", Command: &start, Error: "ssh 10.9.0.4: connection lost"},
		{What: plans.Noted, Step: 3, Note: "start on game-4: its outcome is not known; trying again"},
		{What: plans.Running, Step: 3, Group: "group2", Command: &start},
		{What: plans.Ran, Step: 3, Group: "group2", Command: &start, Code: 1, Output: "EADDRINUSE 6203\n"},
		{What: plans.Failed, Step: 3, Group: "group2", Error: "restart group2: start on 10.9.0.4: exit 1: EADDRINUSE 6203"},
		{What: plans.Held, Step: 3, Error: "restart group2: start on 10.9.0.4: exit 1: EADDRINUSE 6203", Safe: true},
	}
}

// aborted tells of an abort that is asked for during the first drain.
func aborted(out plans.Plan) []plans.Event {
	es := []plans.Event{
		{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: "bob@laptop", Note: "asked at 2026-03-01T12:00:20Z"},
		{What: plans.Planned, Step: -1, Plan: &out},
	}
	es = append(es, shifted(out, 0)...)
	return append(es, plans.Event{What: plans.Aborted, Step: -1})
}

// hurt tells of a serving group that is hurt in the first drain, and of the way back, which leaves a machine closed.
func hurt(out plans.Plan) []plans.Event {
	es := []plans.Event{
		{What: plans.Looked, Step: 1, Group: "group2", Weights: map[string]int{"backend-1": 7, "backend-4": 0}, Sick: []string{"backend-1"}},
		{What: plans.Alarmed, Step: 1, Group: "group1", Error: "backend backend-1 (10.9.0.1:6150) is reported unhealthy"},
		{What: plans.Alarmed, Step: 1, Group: "group1", Note: "group1 is whole again"},
		{What: plans.Alarmed, Step: 1, Group: "group1", Error: "game-1 port 6200 does not answer"},
		{What: plans.Planned, Step: -1, Plan: &out, Note: "group1, which serves, is hurt (game-1 port 6200 does not answer): group2 is opened again"},
	}
	es = append(es, shifted(out, 0)...)
	return append(es, plans.Event{What: plans.Aborted, Step: -1, Note: "every backend this run had changed is as it was found, but for 1 left closed"})
}

// ruled tells of two values that somebody else has set, and of what a person has said of them.
func ruled() []plans.Event {
	return []plans.Event{
		{What: plans.Looked, Step: 1, Group: "group2", Weights: map[string]int{"backend-1": 70, "backend-4": 4}},
		{What: plans.Failed, Step: 1, Group: "group2", Error: "somebody else changed the load balancer"},
		{What: plans.Held, Step: -1, Error: "somebody else changed the load balancer", Safe: true},
		{What: plans.Adopted, Step: -1, By: "bob@laptop", Weights: map[string]int{"backend-1": 70}},
		{What: plans.Overruled, Step: -1, By: "bob@laptop", Weights: map[string]int{"backend-4": 4}},
		{What: plans.Resumed, Step: -1, By: "bob@laptop", PID: 78},
		{What: plans.Asked, Step: -1, Request: plans.AskPause, By: "ann@deploy1"},
		{What: plans.Asked, Step: -1, Request: plans.AskResume, By: "bob@laptop"},
	}
}

// doubted tells of requests and commands whose end is not known: one is not answered, one is about to be sent when its process dies, a start is lost by
// its machine, and another may yet begin.
func doubted(p plans.Plan) []plans.Event {
	start := p.Steps[3].Run[1]
	return []plans.Event{
		{What: plans.Ended, Step: 1, EndedBy: "zero"},
		{What: plans.Began, Step: 3, Group: "group2"},
		{What: plans.Running, Step: 3, Group: "group2", Command: &start},
		{What: plans.Resumed, Step: -1, By: "ci@runner", PID: 77},
		{What: plans.Ran, Step: 3, Group: "group2", Command: &start, Error: "it began, and its machine has lost it", EndedBy: plans.Lost},
		{What: plans.Running, Step: 3, Group: "group2", Command: &start},
		{What: plans.Called, Step: 4, Group: "group2", Found: []plans.Found{{Process: plans.Process{ID: "gate-1", Type: "gate", Host: "10.9.0.4"}, PID: 811, Listed: true}}},
		{What: plans.Ended, Step: 4},
		{What: plans.Began, Step: 5, Group: "group1"},
		{What: plans.Writing, Step: 5, Group: "group1", Weights: map[string]int{"backend-4": 3}},
		{What: plans.Wrote, Step: 5, Group: "group1", Answers: []plans.Answer{{Backend: "backend-4", Outcome: plans.Unknown, Error: "timeout"}}},
		{What: plans.Tried, Step: 5, Group: "group1", Hits: map[string]int{"10.9.0.4": 20}},
		{What: plans.Writing, Step: 5, Group: "group1", Weights: map[string]int{"backend-1": 0}},
		{What: plans.Resumed, Step: -1, By: "ci@runner", PID: 78},
	}
}

// resumed tells of an interruption, a pause and another process.
func resumed() []plans.Event {
	return []plans.Event{
		{What: plans.Interrupted, Step: 1, Note: "SIGTERM"},
		{What: plans.Resumed, Step: -1, By: "ci@runner", PID: 77},
		{What: plans.Asked, Step: -1, Request: plans.AskPause, By: "bob@laptop"},
		{What: plans.Counted, Step: 1, Group: "group2", Sessions: count(12, 30)},
		{What: plans.Paused, Step: 1, Safe: true},
		{What: plans.Resumed, Step: -1, By: "bob@laptop", PID: 78},
		{What: plans.Looked, Step: 1, Weights: map[string]int{"backend-1": 7, "backend-4": 0}, Sick: []string{"backend-4"}},
	}
}
