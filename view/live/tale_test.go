package live

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

var noon = time.Date(2026, 11, 22, 14, 30, 52, 0, time.UTC)

// tale is the story of a run, as the steps tell it.
type tale struct {
	scene
	at     time.Duration
	lines  view.Lines
	events int
}

// begin tells of a run of so many machines a group that a process has taken up.
func begin(t testing.TB, names func(i int) string, each int) *tale {
	t.Helper()
	w := &tale{scene: scene{options: view.StatusOptions{Alive: true}}}
	p := plan(names, each)
	w.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: "liu@ci-31", PID: 4412})
	return w
}

// plan gives the eleven steps of an update of two groups.
func plan(names func(i int) string, each int) plans.Plan {
	p := plans.Plan{ID: "7f3a", Service: "game", By: "liu@ci-31", Release: "v1.8.2", Was: "v1.8.1", First: "group2", Second: "group1", OnFail: "hold", Purpose: plans.Update,
		Before: map[string]plans.Backend{}}
	on := map[string]map[string]int{"group1": {}, "group2": {}, "": {}}
	for i := range 2 * each {
		m := plans.Machine{Name: names(i), Host: fmt.Sprintf("10.9.%d.%d", i/200, i%200+1), Group: "group1"}
		if i >= each {
			m.Group = "group2"
		}
		p.Machines = append(p.Machines, m)
		for port := 6150; port < 6158; port++ {
			id := fmt.Sprintf("backend-%d-%d", i, port)
			p.Before[id] = plans.Backend{Addr: fmt.Sprintf("%s:%d", m.Host, port), Host: m.Host, Group: m.Group, Weight: 1}
			for g := range on {
				on[g][id] = 0
				if g == m.Group || g == "" {
					on[g][id] = 1
				}
			}
		}
	}
	for _, g := range []string{"group2", "group1"} {
		hosts := p.Hosts(g)
		p.Steps = append(p.Steps,
			plans.Step{Kind: plans.Shift, Group: g, Weights: on[p.Other(g)], Stable: plans.Seconds(5 * time.Second), Within: plans.Seconds(2 * time.Minute)},
			plans.Step{Kind: plans.Drain, Group: g, Hosts: hosts, Within: plans.Seconds(3 * time.Minute), Stable: plans.Seconds(5 * time.Second), Drain: &plans.Draining{OnDeadline: plans.Cut}},
			plans.Step{Kind: plans.Deploy, Group: g, Hosts: hosts, Within: plans.Seconds(5 * time.Minute)},
			plans.Step{Kind: plans.Restart, Group: g, Hosts: hosts, Within: plans.Seconds(90 * time.Second), Kill: plans.Seconds(20 * time.Second)},
			plans.Step{Kind: plans.Check, Group: g, Hosts: hosts, Within: plans.Seconds(2 * time.Minute), Stable: plans.Seconds(10 * time.Second)})
	}
	p.Steps = append(p.Steps, plans.Step{Kind: plans.Shift, Group: "group1", Weights: on[""], Stable: plans.Seconds(5 * time.Second), Within: plans.Seconds(2 * time.Minute)})
	return p
}

// tell applies an event.
func (w *tale) tell(e plans.Event) {
	w.events++
	e.Version, e.Seq = plans.Version, w.state.Seq+1
	e.Stamp = plans.Stamp{At: noon.Add(w.at), Boot: "boot", Up: plans.Seconds(time.Hour + w.at)}
	w.state = w.state.Apply(e)
	line, _ := w.lines.Next(w.state, e)
	w.add(line)
}

// step tells an event of the step under way.
func (w *tale) step(e plans.Event) {
	e.Step = w.state.Step
	if st, ok := w.state.Current(); ok && e.Group == "" {
		e.Group = st.Group
	}
	w.tell(e)
}

func (w *tale) now() time.Time { return noon.Add(w.at) }

// shift tells a whole shift.
func (w *tale) shift() {
	st, _ := w.state.Current()
	w.step(plans.Event{What: plans.Began})
	w.step(plans.Event{What: plans.Writing, Weights: st.Weights})
	w.step(plans.Event{What: plans.Looked, Weights: st.Weights})
	w.at += 8 * time.Second
	w.step(plans.Event{What: plans.Ended})
}

// count tells a count of a group: so many on each machine, and when it will be empty.
func (w *tale) count(group string, of func(i int) int, empty time.Duration) {
	c := plans.Sessions{ByHost: map[string]int{}}
	for i, h := range w.state.Plan.Hosts(group) {
		n := of(i)
		if n < 0 {
			c.Unread = map[string]string{h: "ssh: connect to " + h + ": timed out after 10s"}
			continue
		}
		c.ByHost[h] = n
		c.Total += n
	}
	if empty > 0 {
		s := plans.Seconds(empty)
		c.Empty = &s
	}
	w.step(plans.Event{What: plans.Counted, Group: group, Sessions: &c})
}

// fall tells d of a drain that decays as games of two minutes do.
func (w *tale) fall(d time.Duration) {
	for at := time.Duration(0); at <= d; at += time.Second {
		share := math.Pow(max(0, 1-at.Seconds()/150), 1.3)
		st, _ := w.state.Current()
		w.count(st.Group, func(i int) int { return int(float64(430+7*(i%5)) * share) }, max(time.Second, 150*time.Second-at))
		if at%(5*time.Second) == 0 {
			w.count(w.state.Plan.Other(st.Group), func(i int) int { return 455 + 5*(i%4) + int(at.Seconds()/2) }, 0)
		}
		w.at += time.Second
	}
}

// drain tells a whole drain.
func (w *tale) drain() {
	w.step(plans.Event{What: plans.Began})
	w.fall(150 * time.Second)
	w.step(plans.Event{What: plans.Ended, EndedBy: "zero"})
}

func latin(i int) string { return fmt.Sprintf("game-%d", i+1) }

func chinese(i int) string {
	return []string{"网关一", "网关二", "game-3", "北京二区游戏服四号机", "游戏-5", "游戏-6"}[i%6] + fmt.Sprint(i/6)
}

// evil is what a hostile or broken machine might send where a text is expected.
const evil = "\x1b[2J\x1b]0;owned\a\u202e\x9b31m\r\nEADDRINUSE\x00\u009b0m"

// past is a run that ended well before this one.
func past(t testing.TB) plans.State {
	w := begin(t, latin, 3)
	w.shift()
	w.step(plans.Event{What: plans.Began})
	for s := 0; s <= 170; s += 2 {
		w.count("group2", func(int) int { return 3 * (170 - s) }, 0)
		w.at += 2 * time.Second
	}
	w.step(plans.Event{What: plans.Ended, EndedBy: "zero"})
	return w.state
}

// moment is a place in a story that pictures are drawn of.
type moment struct {
	name string
	*tale
}

// moments are the places that every picture is drawn at.
func moments(t testing.TB) []moment {
	t.Helper()
	var all []moment
	add := func(name string, w *tale) { all = append(all, moment{name, w}) }

	w := begin(t, latin, 3)
	w.step(plans.Event{What: plans.Began})
	w.step(plans.Event{What: plans.Looked, Weights: w.state.Plan.Weights()})
	w.at += 2 * time.Second
	add("shifting", w)

	draining := func(names func(int) string, each int) *tale {
		w := begin(t, names, each)
		w.options.Past = past(t)
		w.shift()
		w.step(plans.Event{What: plans.Began})
		w.fall(70 * time.Second)
		return w
	}
	add("draining", draining(latin, 3))
	add("chinese", draining(chinese, 3))

	w = draining(latin, 150)
	w.count("group2", func(i int) int {
		if i == 7 {
			return -1
		}
		return 100 + i
	}, 65*time.Second)
	add("many", w)

	w = draining(latin, 3)
	w.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskPause, By: "wang@desk"})
	w.step(plans.Event{What: plans.Alarmed, Group: "group1", Error: "10.9.0.1:6150 refuses"})
	add("asked", w)

	w = begin(t, latin, 3)
	w.shift()
	w.drain()
	w.step(plans.Event{What: plans.Began})
	w.at += 10 * time.Second
	w.step(plans.Event{What: plans.Ended})
	w.step(plans.Event{What: plans.Began})
	stop := plans.Command{Host: "10.9.0.5", Do: plans.DoStop}
	w.step(plans.Event{What: plans.Running, Command: &stop})
	w.step(plans.Event{What: plans.Ran, Command: &stop, Code: 1, Output: "no such process"})
	add("restarting", w)

	w = begin(t, latin, 3)
	w.shift()
	w.drain()
	w.step(plans.Event{What: plans.Began})
	w.step(plans.Event{What: plans.Failed, Error: "deploy group2: game-5: exit 1: EADDRINUSE"})
	w.tell(plans.Event{What: plans.Held, Step: -1, Error: "deploy group2: game-5: exit 1: EADDRINUSE", Safe: true})
	w.options.Alive = false
	add("held", w)

	w = begin(t, func(i int) string { return latin(i) + evil }, 3)
	w.state.Plan.Service += evil
	w.state.Plan.Release += evil
	w.shift()
	w.step(plans.Event{What: plans.Began})
	w.fall(20 * time.Second)
	w.step(plans.Event{What: plans.Counted, Sessions: &plans.Sessions{Total: 3, ByHost: map[string]int{"10.9.0.4": 3}, Unread: map[string]string{"10.9.0.5": evil, evil: evil}}})
	w.step(plans.Event{What: plans.Noted, Note: evil})
	w.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.Request("pause" + evil), By: evil})
	w.add("evil " + evil)
	w.options.Holder = evil
	add("evil", w)

	add("nothing", &tale{})
	return all
}
