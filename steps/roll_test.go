package steps_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// herd is a world in which the first machine of each group starts the processes of all of them.
type herd struct {
	*world
	procs   map[string][]proc // by host
	lost    map[string]int    // process id → how many starts do not bring it up
	hung    map[string]int    // process id → how many starts bring it up unknown to its master
	survi   map[string]bool   // host → its processes live through a stop
	deafens string            // host that cannot be reached any more once its group is stopped
	reaps   int
	mends   int
	serial  int
}

type proc struct {
	id     string
	pid    int
	born   time.Time
	listed bool
}

// herding is the recipe of a herd: a master and two processes on each machine.
type herding struct{}

func (herding) Restart(g groups.Group) []plans.Command {
	master := g.Machines[0].Host
	cs := []plans.Command{{Host: master, Do: plans.DoStop, Line: "stop"}, {Host: master, Do: plans.DoStart, Line: "start"}}
	for _, m := range g.Machines {
		cs = append(cs, plans.Command{Host: m.Host, Do: plans.DoReap, Line: "reap"}, plans.Command{Host: m.Host, Do: plans.DoStatus, Line: "status"})
	}
	cs = append(cs, plans.Command{Host: master, Do: plans.DoMend, Line: "mend"})
	return cs
}

func (herding) Processes(g groups.Group) []plans.Process {
	ps := []plans.Process{{ID: "master", Type: "master", Host: g.Machines[0].Host, Port: 3005}}
	for i, m := range g.Machines {
		ps = append(ps, plans.Process{ID: fmt.Sprintf("gate-%d", i), Type: "gate", Host: m.Host}, plans.Process{ID: fmt.Sprintf("connector-%d", i), Type: "connector", Host: m.Host})
	}
	return ps
}

func newHerd() *herd {
	w := newWorldOf(herding{})
	h := &herd{world: w, procs: map[string][]proc{}, lost: map[string]int{}, hung: map[string]int{}, survi: map[string]bool{}}
	for _, g := range []string{"group1", "group2"} {
		for _, p := range h.want(g) {
			h.spawn(p, time.Now().Add(-time.Hour))
		}
	}
	return h
}

// strip makes a machine one that takes no players: no port of it is watched or must answer.
func (h *herd) strip(host string) {
	h.bare = map[string]bool{host: true}
	is := func(p plans.Ports) bool { return p.Host == host }
	for i := range h.plan.Steps {
		st := &h.plan.Steps[i]
		st.Watch, st.Probe = slices.DeleteFunc(slices.Clone(st.Watch), is), slices.DeleteFunc(slices.Clone(st.Probe), is)
	}
}

func (h *herd) want(group string) []plans.Process {
	for _, st := range h.plan.Steps {
		if st.Kind == plans.Restart && st.Group == group {
			return st.Want
		}
	}
	return nil
}

func (h *herd) spawn(p plans.Process, born time.Time) {
	if h.lost[p.ID] > 0 {
		h.lost[p.ID]--
		return
	}
	h.serial++
	h.procs[p.Host] = append(h.procs[p.Host], proc{id: p.ID, pid: h.serial, born: born, listed: h.hung[p.ID] == 0})
	h.hung[p.ID] = max(0, h.hung[p.ID]-1)
	h.up[p.Host] = true
}

func (h *herd) tools() steps.Tools {
	t := h.world.tools()
	t.Shell, t.Roll = h, h
	return t
}

func (h *herd) Run(_ context.Context, c plans.Command, _ time.Duration) (steps.Result, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deaf[c.Host] {
		return steps.Result{}, errors.New("ssh: connection refused")
	}
	if c.ID != "" && h.begun[c.Host+c.ID] {
		return steps.Result{}, nil
	}
	h.begun[c.Host+c.ID] = true
	g := h.group(c.Host)
	switch c.Do {
	case plans.DoStop:
		if !h.off(g) {
			h.violate("stop of %s while it takes new connections", g)
		}
		if n := h.open(g); n > 0 && len(h.procs[c.Host]) > 0 && time.Since(h.closed[g]) < 3*time.Minute {
			h.violate("stop of %s cuts %d sessions before the deadline", g, n)
		}
		h.stops[c.Host]++
		if h.deafens != "" && h.group(h.deafens) == g {
			h.deaf[h.deafens], h.survi[h.deafens] = true, true
		}
		for _, host := range h.plan.Hosts(g) {
			if !h.survi[host] {
				h.clear(host, "")
			}
		}
	case plans.DoReap:
		if !h.off(g) {
			h.violate("reap on %s while it takes new connections", c.Host)
		}
		h.reaps++
		h.clear(c.Host, c.Env[plans.EnvProcess])
	case plans.DoStart:
		h.starts[c.Host]++
		for _, host := range h.plan.Hosts(g) {
			if len(h.procs[host]) > 0 {
				h.violate("start of %s while processes run on %s", g, host)
			}
		}
		for _, p := range h.want(g) {
			h.spawn(p, time.Now())
		}
	case plans.DoMend:
		h.mends++
		for _, p := range h.want(g) {
			if p.ID == c.Env[plans.EnvProcess] {
				h.spawn(p, time.Now())
			}
		}
	case plans.DoStatus:
		if len(h.procs[c.Host]) == 0 {
			return steps.Result{Code: 1}, nil
		}
	}
	return steps.Result{}, nil
}

func (h *herd) clear(host, id string) {
	h.procs[host] = slices.DeleteFunc(h.procs[host], func(p proc) bool { return id == "" || p.id == id })
	h.up[host] = len(h.procs[host]) > 0
}

func (h *herd) Call(_ context.Context, group string, master bool) ([]plans.Found, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []plans.Found
	for _, host := range h.plan.Hosts(group) {
		if h.deaf[host] {
			return nil, fmt.Errorf("%s: ssh: connection refused", host)
		}
		for _, p := range h.procs[host] {
			all = append(all, plans.Found{Process: plans.Process{ID: p.id, Host: host}, PID: p.pid, Age: plans.Seconds(time.Since(p.born)), Listed: p.listed || !master})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w in %s", steps.ErrNobody, group)
	}
	return all, nil
}

// complete demands exactly the wanted processes, all of them young and known.
func (h *herd) complete(t *testing.T) {
	t.Helper()
	if len(h.broken) > 0 {
		t.Errorf("promises broken:\n%s", strings.Join(h.broken, "\n"))
	}
	for _, g := range []string{"group1", "group2"} {
		found, err := h.Call(context.Background(), g, true)
		if err != nil {
			t.Fatal(err)
		}
		former := func(f plans.Found) bool { return f.Age > plans.Seconds(50*time.Minute) }
		if odd := plans.Odd(h.want(g), found, former, h.plan.Name); len(odd) > 0 {
			t.Errorf("%s: %s", g, strings.Join(odd, "; "))
		}
	}
}

func TestAGroupThatItsMasterStarts(t *testing.T) {
	for _, tc := range []struct {
		name  string
		plant func(*herd)
		mends int
	}{
		{"all is well", func(*herd) {}, 0},
		{"a machine has only the master", func(h *herd) { h.strip("10.9.0.4") }, 0},
		{"processes live through the stop", func(h *herd) { h.survi["10.9.0.5"] = true }, 0},
		{"two processes do not come up at first", func(h *herd) { h.lost["gate-1"], h.lost["connector-2"] = 1, 2 }, 3},
		{"a process hangs before its master knows it", func(h *herd) { h.hung["connector-1"] = 1 }, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHerd()
				tc.plant(h)
				b := begin(h.world)
				s, err := steps.Run(t.Context(), b.state(), b, h.tools())
				if err != nil || s.Phase != plans.PhaseDone || s.Cut() != 0 {
					t.Fatalf("got %v, %s, %d cut, want done and 0", err, s.Phase, s.Cut())
				}
				h.complete(t)
				if slices.ContainsFunc(b.es, func(e plans.Event) bool { return strings.Contains(e.Note, "draining again") }) {
					t.Error("a group was drained twice")
				}
				if h.mends != tc.mends {
					t.Errorf("%d processes were begun one by one, want %d", h.mends, tc.mends)
				}
				for _, m := range []string{"10.9.0.1", "10.9.0.4"} {
					if h.stops[m] != 1 || h.starts[m] != 1 {
						t.Errorf("%s: %d stops, %d starts, want one each", m, h.stops[m], h.starts[m])
					}
				}
			})
		})
	}
}

func TestAGroupThatDoesNotComeUpIsHeldAndStartedAnewOnResume(t *testing.T) {
	for _, tc := range []struct {
		name  string
		plant func(*herd)
		mend  func(*herd)
		want  string
	}{
		{"the new code ends at once", func(h *herd) {
			for _, p := range h.want("group2") {
				h.lost[p.ID] = 9
			}
		}, func(h *herd) { clear(h.lost) }, "no process came up"},
		{"one process never comes", func(h *herd) { h.lost["gate-2"] = 9 }, func(h *herd) { clear(h.lost) }, "gate-2 on game-6 is missing"},
		{"a machine cannot be reached after the stop", func(h *herd) { h.deafens = "10.9.0.6" }, func(h *herd) { h.deafens = ""; clear(h.deaf) }, "reap on game-6: ssh: connection refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHerd()
				tc.plant(h)
				b := begin(h.world)
				s, err := steps.Run(t.Context(), b.state(), b, h.tools())
				var held *steps.HeldError
				if !errors.As(err, &held) || !held.Safe || !strings.Contains(err.Error(), tc.want) {
					t.Fatalf("got %v, want it held safely with %q", err, tc.want)
				}
				if s.Cut() != 0 {
					t.Errorf("%d cut", s.Cut())
				}
				tc.mend(h)
				s, err = steps.Run(t.Context(), b.state(), b, h.tools())
				if err != nil || s.Phase != plans.PhaseDone {
					t.Fatalf("resumed: %v, %s", err, s.Phase)
				}
				h.complete(t)
			})
		})
	}
}

func TestAnOldProcessThatComesBackIsNamedBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHerd()
		old := proc{id: "connector-1", pid: 4711, born: time.Now().Add(-time.Hour), listed: true}
		b := begin(h.world)
		tools := h.tools()
		tools.Roll = rollFunc(func(ctx context.Context, group string, master bool) ([]plans.Found, error) {
			found, err := h.Call(ctx, group, master)
			if group == "group2" && b.state().Updated["group2"] { // it was cut off while its group was restarted, and is plugged in again
				found = append(found, plans.Found{Process: plans.Process{ID: old.id, Host: "10.9.0.5"}, PID: old.pid, Age: plans.Seconds(time.Since(old.born)), Listed: true})
			}
			return found, err
		})
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		var held *steps.HeldError
		if !errors.As(err, &held) || !held.Safe || !strings.Contains(err.Error(), "connector-1 on game-5 (pid 4711) has run since before the restart") &&
			!strings.Contains(err.Error(), "connector-1 runs 2 times on game-5") {
			t.Fatalf("got %v, want the old process named", err)
		}
	})
}

type rollFunc func(context.Context, string, bool) ([]plans.Found, error)

func (f rollFunc) Call(ctx context.Context, group string, master bool) ([]plans.Found, error) {
	return f(ctx, group, master)
}

func TestAKilledRunOfAHerdFinishesFromEveryEvent(t *testing.T) {
	whole := 0
	synctest.Test(t, func(t *testing.T) {
		h := newHerd()
		b := begin(h.world)
		if _, err := steps.Run(t.Context(), b.state(), b, h.tools()); err != nil {
			t.Fatal(err)
		}
		whole = len(b.es)
	})
	for die := 2; die <= whole; die++ {
		for _, kept := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				h := newHerd()
				b := begin(h.world)
				b.die, b.kept = die, kept
				_, _ = steps.Run(t.Context(), b.state(), b, h.tools())
				b.die, b.dead = 0, false
				s, err := steps.Run(t.Context(), b.state(), b, h.tools())
				if err != nil || s.Phase != plans.PhaseDone || s.Cut() != 0 {
					t.Fatalf("killed at event %d (kept %v): %v, %s, %d cut", die, kept, err, s.Phase, s.Cut())
				}
				h.complete(t)
				if t.Failed() {
					t.Fatalf("killed at event %d (kept %v)", die, kept)
				}
			})
		}
	}
}
