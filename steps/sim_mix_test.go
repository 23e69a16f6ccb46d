package steps_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

// mix is what a world is made of: how many players, which faults, and how often in a thousand calls each befalls one.
type mix struct {
	players       int
	arrival, stay time.Duration
	long          int  // players that stay eight times as long
	stale         bool // a read may be old
	front         bool // connections are made through the load balancer
	daemon        bool // a start returns before what it starts is up
	paper         bool // each event is written as a line and read back
	harm          bool // somebody or something else than the run may take capacity away
	calm          time.Duration
	faults        []fault

	lookFail, lookHang, probeFail, countFail                      int
	writeAgain, writeGood, writeLost, writeLate, writeMute        int
	dropBefore, dropLate, dropDuring, dropAfter                   int
	stopNoop, startFail, startHang, startHalf, procLost, procHung int
	freeze                                                        time.Duration // the process stands still at the end of its next call
	nap                                                           bool          // since the computer sleeps
	readdressed                                                   string        // the backend that has another address now
	blindUntil                                                    time.Duration // the load balancer cannot be read
	soon                                                          []soon
}

func (s *sim) stormy() bool { return s.now < s.mix.calm }

// simPlan makes a plan: two groups of so many machines, with so many backends each.
func simPlan(recipe plans.Recipe, machines, backends int, change func(*plans.Options, map[string]plans.Backend)) plans.Plan {
	before := map[string]plans.Backend{}
	group := func(name string, from int) groups.Group {
		g := groups.Group{Name: name}
		for i := from; i < from+machines; i++ {
			host := fmt.Sprintf("10.9.0.%d", i)
			g.Machines = append(g.Machines, groups.Machine{Name: fmt.Sprintf("game-%d", i), Host: host, Ports: []int{6150, 6200}, Sessions: []int{6200}})
			for k := range backends {
				before[fmt.Sprintf("b%d%c", i, 'a'+k)] = plans.Backend{Addr: fmt.Sprintf("%s:%d", host, 6150+k), Host: host, Group: name, Weight: 10*i + k}
			}
		}
		return g
	}
	o := plans.Options{ID: "r", Service: "game", OnFail: "hold", Settle: staleness + lag, Late: lateness, Shift: 5 * time.Minute, DrainWithin: 2 * time.Minute,
		DrainStable: 5 * time.Second, Draining: plans.Draining{Interval: plans.Seconds(time.Second), OnDeadline: plans.Cut},
		RestartWithin: 90 * time.Second, KillAfter: 20 * time.Second, CheckWithin: 2 * time.Minute, CheckStable: 10 * time.Second}
	change(&o, before)
	return plans.Build(groups.Fleet{First: group("group2", machines+1), Second: group("group1", 1)}, recipe, before, o)
}

// randomPlan draws a plan.
func randomPlan(r *rand.Rand, m *mix) plans.Plan {
	var recipe plans.Recipe = plans.Lines{Stop: "stop", Start: "start", Status: "status"}
	if r.IntN(3) == 0 {
		recipe = herding{}
	}
	one := func(n int) bool { return r.IntN(n) == 0 }
	return simPlan(recipe, 3, 2, func(o *plans.Options, before map[string]plans.Backend) {
		o.DrainWithin = time.Duration(60+r.IntN(120)) * time.Second
		o.Draining.OnDeadline = []plans.Deadline{plans.Cut, plans.Cut, plans.Cut, plans.Wait, plans.Pause, plans.Abort}[r.IntN(6)]
		if one(4) {
			n := r.IntN(4)
			o.Draining.CutBudget = &n
		}
		if one(5) {
			o.Draining.Spread = plans.Seconds(20 * time.Second)
		}
		if one(2) {
			o.Deploy, o.DeployWithin = "deploy", time.Minute
		}
		if one(4) {
			o.Ramp = []int{50}
		}
		if one(3) {
			o.Try, m.front = 12, true
		}
		if one(5) {
			o.Room, o.Strict = 10+r.IntN(40), one(2)
		}
		if one(4) {
			o.Health = "smoke"
		}
		switch r.IntN(10) {
		case 0: // a backend that was found off
			for id, b := range before {
				if id == "b5a" {
					b.Weight = 0
					before[id] = b
				}
			}
		case 1: // a group that stands by
			for id, b := range before {
				if b.Group == "group2" {
					b.Weight, b.Standby = 0, b.Weight
					before[id] = b
				}
			}
		}
	})
}

// randomMix draws the world of a seed: none of the faults in some, each by itself in others, many in most.
func randomMix(r *rand.Rand) mix {
	m := mix{players: 10 + r.IntN(30), arrival: time.Duration(1+r.IntN(4)) * time.Second, stay: time.Duration(10+r.IntN(40)) * time.Second, long: r.IntN(40),
		stale: r.IntN(4) > 0, daemon: r.IntN(3) == 0, paper: r.IntN(16) == 0, calm: time.Duration(2+r.IntN(20)) * time.Minute}
	some := func(of, n int) int {
		if r.IntN(of) > 0 {
			return 0
		}
		return 1 + r.IntN(n)
	}
	m.lookFail, m.lookHang, m.probeFail, m.countFail = some(4, 100), some(8, 10), some(6, 20), some(4, 100)
	m.writeAgain, m.writeGood, m.writeLost, m.writeLate, m.writeMute = some(4, 200), some(20, 30), some(4, 200), some(3, 300), some(4, 200)
	m.dropBefore, m.dropLate, m.dropDuring, m.dropAfter = some(6, 60), some(5, 150), some(5, 150), some(5, 150)
	m.stopNoop, m.startFail, m.startHang, m.startHalf = some(20, 100), some(6, 200), some(12, 200), some(12, 200)
	m.procLost, m.procHung = some(4, 150), some(6, 100)
	for n := r.IntN(6); n > 0; n-- {
		m.faults = append(m.faults, randomFault(r))
	}
	for _, f := range m.faults {
		m.harm = m.harm || f.harm
	}
	return m
}
