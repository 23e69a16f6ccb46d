package plans_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

func TestOddNamesEveryWayToBeWrong(t *testing.T) {
	want := []plans.Process{{ID: "master", Type: "master", Host: "a", Port: 3005}, {ID: "gate-0", Type: "gate", Host: "a"}, {ID: "gate-1", Type: "gate", Host: "b"}}
	found := func(change ...plans.Found) []plans.Found {
		var all []plans.Found
		for i, w := range want {
			all = append(all, plans.Found{Process: w, PID: 10 + i, Age: plans.Seconds(10 * time.Second), Listed: true})
		}
		return append(all, change...)
	}
	at := func(id, host string, pid int) plans.Found {
		return plans.Found{Process: plans.Process{ID: id, Host: host}, PID: pid, Age: plans.Seconds(time.Second), Listed: true}
	}
	for _, tc := range []struct {
		name  string
		found []plans.Found
		odd   []string
	}{
		{"nothing", found(), nil},
		{"missing", found()[:2], []string{"gate-1 on game-b is missing"}},
		{"twin", found(at("gate-1", "b", 99)), []string{"gate-1 runs 2 times on game-b: pid 12, pid 99"}},
		{"elsewhere", found(at("gate-1", "a", 99)), []string{"gate-1 runs on game-a (pid 99) and belongs to no group there"}},
		{"stranger", found(at("chat-0", "b", 99)), []string{"chat-0 runs on game-b (pid 99) and belongs to no group there"}},
		{"unlisted", func() []plans.Found { f := found(); f[2].Listed = false; return f }(), []string{"gate-1 on game-b (pid 12) runs and is unknown to its master"}},
		{"old", func() []plans.Found { f := found(); f[1].Age = plans.Seconds(time.Hour); return f }(), []string{"gate-0 on game-a (pid 11) has run since before the restart: it is an old process"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			former := func(f plans.Found) bool { return f.Age > plans.Seconds(time.Minute) }
			if got := plans.Odd(want, tc.found, former, func(h string) string { return "game-" + h }); !slices.Equal(got, tc.odd) {
				t.Errorf("got %q, want %q", got, tc.odd)
			}
		})
	}
}

// herded is a recipe by which the first machine of a group starts all of it.
type herded struct{ noReap string }

func (h herded) Restart(g groups.Group) []plans.Command {
	cs := []plans.Command{{Host: g.Machines[0].Host, Do: plans.DoStop, Line: "x"}, {Host: g.Machines[0].Host, Do: plans.DoStart, Line: "x"}, {Host: g.Machines[0].Host, Do: plans.DoMend, Line: "x"}}
	for _, m := range g.Machines {
		if m.Host != h.noReap {
			cs = append(cs, plans.Command{Host: m.Host, Do: plans.DoReap, Line: "x"})
		}
		cs = append(cs, plans.Command{Host: m.Host, Do: plans.DoStatus, Line: "x"})
	}
	return cs
}

func (herded) Processes(g groups.Group) []plans.Process {
	var ps []plans.Process
	for _, m := range g.Machines {
		ps = append(ps, plans.Process{ID: "p-" + m.Name, Type: "gate", Host: m.Host})
	}
	return ps
}

func TestAGroupThatItsMasterStartsIsReapedOnEveryMachine(t *testing.T) {
	f, before := sixMachines()
	p := plans.Build(f, herded{}, before, options())
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	last := p.Steps[len(p.Steps)-2]
	if last.Kind != plans.Check || len(last.Want) != 6 {
		t.Errorf("the last check wants %d processes, want those of both groups", len(last.Want))
	}
	err := plans.Build(f, herded{noReap: "10.9.0.5"}, before, options()).Check()
	if err == nil || !strings.Contains(err.Error(), "what a stop leaves on game-5 is not ended") {
		t.Errorf("got %v, want it refused", err)
	}
}

func TestAGroupThatIsKeptIsNotTouched(t *testing.T) {
	for _, kept := range []string{"group1", "group2"} {
		p := build(func(o *plans.Options) { o.Kept = []string{kept} })
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Steps {
			if s.Kind != plans.Shift && s.Group == kept {
				t.Errorf("%s is kept, and the plan would %s it", kept, s.Kind)
			}
		}
		if len(p.Steps) != 6 {
			t.Errorf("%d steps, want 6", len(p.Steps))
		}
		p.Dirty = []string{kept}
		if err := p.Check(); err == nil {
			t.Errorf("%s is kept although nobody has proven it well", kept)
		}
	}
}

func TestADeployOfAnArtifactIsStreamedToEachMachine(t *testing.T) {
	p := build(func(o *plans.Options) {
		o.Deploy, o.Archive = "", "/tmp/game.tar.gz"
		o.Artifact = &plans.Artifact{Root: "/srv/game", Release: "v2", Sum: strings.Repeat("0", 64), Keep: 5}
	})
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range p.Steps {
		for _, c := range s.Run {
			if c.Do == plans.DoDeploy && c.Send == "/tmp/game.tar.gz" {
				n++
			}
		}
	}
	if n != 6 {
		t.Errorf("it is sent to %d machines, want 6", n)
	}
}
