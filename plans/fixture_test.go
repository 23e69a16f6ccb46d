package plans_test

import (
	"fmt"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

// sixMachines is two groups of three machines with two gates and two connectors each.
func sixMachines() (groups.Fleet, map[string]plans.Backend) {
	before := map[string]plans.Backend{}
	group := func(name string, from int) groups.Group {
		g := groups.Group{Name: name, Master: fmt.Sprintf("game-%d", from)}
		for i := from; i < from+3; i++ {
			host := fmt.Sprintf("10.9.0.%d", i)
			g.Machines = append(g.Machines, groups.Machine{Name: fmt.Sprintf("game-%d", i), Host: host, Ports: []int{6150, 6151, 6200, 6201}, Sessions: []int{6200, 6201}})
			for port := 6150; port < 6152; port++ {
				before[fmt.Sprintf("backend-%d-%d", i, port)] = plans.Backend{Addr: fmt.Sprintf("%s:%d", host, port), Host: host, Group: name, Weight: 1}
			}
		}
		return g
	}
	return groups.Fleet{First: group("group2", 4), Second: group("group1", 1)}, before
}

func options() plans.Options {
	return plans.Options{
		ID: "7f3a", Service: "game", Balancer: "ulb-1", By: "liu@ops", Release: "v2", Was: "v1", OnFail: "hold",
		Made:   time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC),
		Settle: 5 * time.Second, Shift: 2 * time.Minute,
		DrainWithin: 3 * time.Minute, DrainStable: 5 * time.Second,
		Draining: plans.Draining{Interval: plans.Seconds(time.Second), OnDeadline: plans.Cut},
		Deploy:   "git checkout $ROLLOUT_REF", DeployWithin: 5 * time.Minute,
		RestartWithin: 90 * time.Second, KillAfter: 20 * time.Second,
		Health: "node bin/smoke.js", CheckWithin: 2 * time.Minute, CheckStable: 10 * time.Second,
	}
}

func recipe() plans.Lines {
	return plans.Lines{Dir: "/data/game", Stop: "./game.sh stop", Start: "./game.sh start", Status: "./game.sh status"}
}

func build(change ...func(*plans.Options)) plans.Plan {
	f, before := sixMachines()
	o := options()
	for _, c := range change {
		c(&o)
	}
	return plans.Build(f, recipe(), before, o)
}

// story makes a state by applying events, numbered and a second apart.
type story struct {
	s   plans.State
	es  []plans.Event
	now time.Time
}

func (st *story) tell(es ...plans.Event) plans.State {
	for _, e := range es {
		if st.now.IsZero() {
			st.now = time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC)
		}
		st.now = st.now.Add(time.Second)
		e.Version, e.Seq = plans.Version, int64(len(st.es)+1)
		e.Stamp = plans.Stamp{At: st.now, Boot: "b", Up: plans.Seconds(time.Duration(len(st.es)) * time.Second)}
		st.es = append(st.es, e)
		st.s = st.s.Apply(e)
	}
	return st.s
}
