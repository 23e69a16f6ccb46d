package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

var noon = time.Date(2026, 11, 22, 14, 30, 52, 0, time.UTC)

// tale tells the events of a run the way the steps do, and keeps them.
type tale struct {
	t      *testing.T
	s      plans.State
	at     time.Duration // since noon
	events []plans.Event
	states []plans.State // after each of them
}

// setting is what a tale may vary.
type setting struct {
	names  []string // of the six machines
	deploy string
	onFail string
	drain  plans.Draining
	within time.Duration
	off    string // a backend found off
}

func usualSetting() setting {
	return setting{
		names:  []string{"game-1", "game-2", "game-3", "game-4", "game-5", "game-6"},
		deploy: `git -C /data/game checkout -q "$ROLLOUT_REF"`, onFail: "hold", within: 3 * time.Minute,
		drain: plans.Draining{Interval: plans.Seconds(time.Second), OnDeadline: plans.Cut},
	}
}

func (o setting) plan() plans.Plan {
	ports := func(from int) []int {
		var ps []int
		for i := range 8 {
			ps = append(ps, from+i)
		}
		return ps
	}
	fleet := groups.Fleet{First: groups.Group{Name: "group2"}, Second: groups.Group{Name: "group1"}}
	before := map[string]plans.Backend{}
	for i, n := range o.names {
		g := &fleet.Second
		if i >= len(o.names)/2 {
			g = &fleet.First
		}
		host := fmt.Sprintf("10.9.0.%d", i+1)
		g.Machines = append(g.Machines, groups.Machine{Name: n, Host: host, Ports: append(ports(6150), ports(6200)...), Sessions: ports(6200)})
		for _, p := range ports(6150) {
			id := fmt.Sprintf("backend-%d-%d", i+1, p)
			before[id] = plans.Backend{Addr: fmt.Sprintf("%s:%d", host, p), Host: host, Group: g.Name, Weight: 1}
			if id == o.off {
				b := before[id]
				b.Weight = 0
				before[id] = b
			}
		}
	}
	recipe := plans.Lines{Dir: "/data/game", Stop: "bin/stop", Start: "bin/start --env=production", Status: "bin/status"}
	p := plans.Build(fleet, recipe, before, plans.Options{
		ID: "7f3a", Service: "game", Balancer: "ulb-x", By: "liu@ci-31", Release: "v1.8.2", Was: "v1.8.1", Made: noon, OnFail: o.onFail,
		Settle: 5 * time.Second, Shift: 2 * time.Minute, DrainWithin: o.within, DrainStable: 5 * time.Second, Draining: o.drain,
		Deploy: o.deploy, DeployWithin: 5 * time.Minute, RestartWithin: 90 * time.Second, KillAfter: 20 * time.Second,
		CheckWithin: 2 * time.Minute, CheckStable: 10 * time.Second,
	})
	return p
}

// begin tells of a run that a process has taken up.
func begin(t *testing.T, p plans.Plan) *tale {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	w := &tale{t: t}
	w.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: "liu@ci-31", PID: 4412})
	return w
}

// tell applies an event.
func (w *tale) tell(e plans.Event) {
	e.Version, e.Seq = plans.Version, w.s.Seq+1
	e.Stamp = plans.Stamp{At: noon.Add(w.at), Boot: "boot", Up: plans.Seconds(time.Hour + w.at)}
	w.s = w.s.Apply(e)
	w.events, w.states = append(w.events, e), append(w.states, w.s)
}

// step tells an event of the step under way.
func (w *tale) step(e plans.Event) {
	e.Step = w.s.Step
	if st, ok := w.s.Current(); ok && e.Group == "" {
		e.Group = st.Group
	}
	w.tell(e)
}

func (w *tale) wait(d time.Duration) { w.at += d }

func (w *tale) now() time.Time { return noon.Add(w.at) }

// look tells what the load balancer reports.
func (w *tale) look(weights map[string]int, sick ...string) {
	w.step(plans.Event{What: plans.Looked, Weights: weights, Sick: sick})
}

// shift tells a whole shift.
func (w *tale) shift() {
	st, _ := w.s.Current()
	w.step(plans.Event{What: plans.Began})
	now := w.s.Weights
	if now == nil {
		now = w.s.Plan.Weights()
		w.look(now)
	}
	todo := map[string]int{}
	for id, v := range st.Weights {
		if now[id] != v {
			todo[id] = v
		}
	}
	if len(todo) > 0 {
		w.step(plans.Event{What: plans.Writing, Weights: todo})
		var as []plans.Answer
		for _, id := range slices.Sorted(maps.Keys(todo)) {
			as = append(as, plans.Answer{Backend: id, Outcome: plans.Accepted})
		}
		w.wait(2900 * time.Millisecond)
		w.step(plans.Event{What: plans.Wrote, Answers: as})
		w.look(st.Weights)
	}
	w.wait(5 * time.Second)
	w.step(plans.Event{What: plans.Ended})
}

// count tells a count of a group: of its machines in order, -1 for one that was not read.
func (w *tale) count(group string, empty time.Duration, ns ...int) {
	c := plans.Sessions{ByHost: map[string]int{}}
	for i, h := range w.s.Plan.Hosts(group) {
		if ns[i] < 0 {
			if c.Unread == nil {
				c.Unread = map[string]string{}
			}
			c.Unread[h] = "ssh: connect to " + h + ": timed out after 10s"
			continue
		}
		c.ByHost[h] = ns[i]
		c.Total += ns[i]
	}
	if empty > 0 {
		s := plans.Seconds(empty)
		c.Empty = &s
	}
	w.step(plans.Event{What: plans.Counted, Group: group, Sessions: &c})
}

// drain tells a whole drain: 401+445+438 sessions, none after 150 s.
func (w *tale) drain() {
	st, _ := w.s.Current()
	w.step(plans.Event{What: plans.Began})
	for i := 0; i <= 150; i++ {
		left := func(n int) int { return n * (150 - i) / 150 }
		w.count(st.Group, time.Duration(150-i)*time.Second, left(401), left(445), left(438))
		if i%5 == 0 {
			w.count(w.s.Plan.Other(st.Group), 0, 463+i, 470, 458)
		}
		w.wait(time.Second)
	}
	w.step(plans.Event{What: plans.Ended, EndedBy: "zero"})
}

// commands tells one act on every machine of the step, failing on the machines in bad.
func (w *tale) commands(do plans.Act, bad map[string]string) {
	st, _ := w.s.Current()
	var cs []plans.Command
	for _, c := range st.Run {
		if c.Do == do {
			cs = append(cs, c)
			w.step(plans.Event{What: plans.Running, Command: &c})
		}
	}
	w.wait(4 * time.Second)
	for _, c := range cs {
		e := plans.Event{What: plans.Ran, Command: &c}
		if out := bad[w.s.Plan.Name(c.Host)]; out != "" {
			e.Code, e.Output = 1, out
		}
		w.step(e)
	}
}

func (w *tale) deploy() {
	w.step(plans.Event{What: plans.Began})
	w.commands(plans.DoDeploy, nil)
	w.step(plans.Event{What: plans.Ended, Note: "3 machines"})
}

func (w *tale) restart() {
	w.restartBegins(0)
	w.commands(plans.DoStart, nil)
	w.step(plans.Event{What: plans.Ended, Note: "3 machines"})
}

// restartBegins tells a restart up to its stops: cut sessions are still open.
func (w *tale) restartBegins(cut int) {
	w.step(plans.Event{What: plans.Began})
	n := plans.Sessions{Total: cut, ByHost: map[string]int{}}
	st, _ := w.s.Current()
	for _, h := range st.Hosts {
		n.ByHost[h] = 0
	}
	n.ByHost[st.Hosts[0]] = cut
	w.step(plans.Event{What: plans.Counted, Sessions: &n, Cut: &cut})
	w.commands(plans.DoStop, nil)
	w.step(plans.Event{What: plans.Noted, Note: "stopping: " + w.s.Plan.Name(st.Hosts[0]) + " port 6150 still answers: the old process is there"})
	w.wait(time.Second)
}

func (w *tale) check() {
	w.step(plans.Event{What: plans.Began})
	st, _ := w.s.Current()
	first, second := w.s.Plan.Name(st.Hosts[0]), w.s.Plan.Name(st.Hosts[1])
	w.step(plans.Event{What: plans.Noted, Note: "waiting for " + st.Group + ": " + first + " port 6150 does not answer"})
	w.wait(2 * time.Second)
	w.step(plans.Event{What: plans.Noted, Note: "waiting for " + st.Group + ": " + second + " port 6203 does not answer"})
	w.wait(2 * time.Second)
	w.step(plans.Event{What: plans.Noted, Note: st.Group + " answers; it must go on for 10s"})
	w.wait(10 * time.Second)
	w.step(plans.Event{What: plans.Ended})
}

// through tells whole steps until step n (from 0) is the next one.
func (w *tale) through(n int) {
	for w.s.Step < n {
		switch st, _ := w.s.Current(); st.Kind {
		case plans.Shift:
			w.shift()
		case plans.Drain:
			w.drain()
		case plans.Deploy:
			w.deploy()
		case plans.Restart:
			w.restart()
		case plans.Check:
			w.check()
		}
	}
}

// fail tells that the step under way failed and the run is held.
func (w *tale) fail(why string, safe bool) {
	w.step(plans.Event{What: plans.Failed, Error: why})
	w.tell(plans.Event{What: plans.Held, Step: -1, Error: why, Safe: safe, Note: "all new connections go to group1, which is healthy"})
}

// scene is a moment of a run, by name.
type scene struct {
	name  string
	alive bool
	tale  *tale
}

// scenes are the moments every view is drawn at.
func scenes(t *testing.T) []scene {
	t.Helper()
	o := usualSetting()
	start := func() *tale { return begin(t, o.plan()) }
	var all []scene
	add := func(name string, alive bool, w *tale) { all = append(all, scene{name, alive, w}) }

	p := o.plan()
	planned := &tale{t: t}
	planned.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	add("planned", false, planned)

	w := start()
	w.step(plans.Event{What: plans.Began})
	before := w.s.Plan.Weights()
	w.look(before)
	part := maps.Clone(before)
	for _, m := range []string{"4", "5"} {
		for id := range part {
			if strings.HasPrefix(id, "backend-"+m) {
				part[id] = 0
			}
		}
	}
	w.step(plans.Event{What: plans.Writing, Weights: w.s.Plan.Steps[0].Weights})
	w.wait(2 * time.Second)
	var as []plans.Answer
	for i, id := range slices.Sorted(maps.Keys(w.s.Plan.Steps[0].Weights)) {
		a := plans.Answer{Backend: id, Outcome: plans.Accepted}
		switch {
		case i < 24:
			continue
		case i < 28:
			a.Outcome = plans.Unknown
		case i < 31:
			a.Outcome, a.Error, a.Again = plans.Refused, "RetCode 153: throttled", true
		}
		as = append(as, a)
	}
	w.step(plans.Event{What: plans.Wrote, Answers: as})
	w.look(part, "backend-1-6150")
	w.wait(time.Second)
	add("shifting", true, w)

	w = start()
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.count("group2", 0, 401, 445, 438)
	w.count("group1", 0, 463, 470, 458)
	w.wait(60 * time.Second)
	w.count("group2", 65*time.Second, 198, 205, 189)
	w.wait(6 * time.Second)
	w.count("group2", 0, 195, -1, 180)
	w.wait(2 * time.Second)
	add("draining", true, w)

	w = start()
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.count("group2", 0, 401, 445, 438)
	w.wait(45 * time.Second)
	w.count("group2", 100*time.Second, 250, 281, 270)
	w.wait(4 * time.Second)
	add("killed", false, w)

	w = start()
	w.through(3)
	w.restartBegins(0)
	w.commands(plans.DoStart, map[string]string{"game-5": "booting\n\x1b[31mError: listen EADDRINUSE: 0.0.0.0:6203\x1b[0m\n"})
	w.fail("restart group2: start on game-5: exit 1: Error: listen EADDRINUSE: 0.0.0.0:6203", true)
	add("held", false, w)

	w = start()
	w.through(3)
	w.restartBegins(37)
	w.look(w.s.Weights, "backend-1-6150", "backend-1-6151")
	w.fail("restart group2: group1 is not in full service: backend backend-1-6150 (10.9.0.1:6150) is reported unhealthy: waited 1m30s", false)
	add("unsafe", false, w)

	w = start()
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.count("group2", 0, 401, 445, 438)
	w.wait(3 * time.Minute)
	w.count("group2", 0, 2, 0, 5)
	w.tell(plans.Event{What: plans.Paused, Step: -1, Safe: true, Note: "7 sessions left on group2 at the deadline, more than the cut_budget of 0"})
	add("paused", false, w)

	w = start()
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.count("group2", 0, 401, 445, 438)
	w.wait(20 * time.Second)
	w.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: "wang@desk"})
	back, ok := plans.Retreat(w.s)
	if !ok {
		t.Fatal("no way back from a drain")
	}
	w.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &back, Note: "asked by wang@desk"})
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: "liu@ci-31", PID: 4412})
	w.shift()
	w.tell(plans.Event{What: plans.Aborted, Step: -1, Note: "every backend is as it was found"})
	add("aborted", false, w)

	w = start()
	w.through(len(w.s.Plan.Steps))
	w.tell(plans.Event{What: plans.Done, Step: -1})
	add("done", false, w)

	chinese := usualSetting()
	chinese.names = []string{"网关一", "网关二", "game-3", "北京二区游戏服四号机", "游戏-5", "游戏-6"}
	w = begin(t, chinese.plan())
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.count("group2", 0, 401, 445, 438)
	w.count("group1", 0, 463, 470, 458)
	w.wait(60 * time.Second)
	w.count("group2", 65*time.Second, 198, 205, 1189)
	add("chinese", true, w)
	return all
}
