package plans

import (
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
)

// Options are the parts of a plan that do not follow from the machines. All durations must be set.
type Options struct {
	ID, Service, Balancer, By, Config string
	Release, Was                      string
	Ran                               map[string]string // by host, what it ran; Was names all of it
	Made                              time.Time
	OnFail                            string // hold or rollback

	Ramp   []int         // percent of its weight a closing group passes through; empty: none
	Settle time.Duration // how long a weight must read back unchanged before the next step
	Late   time.Duration // how long a request that was not answered may still take effect
	Try    int           // connections made through the load balancer after a shift
	Room   int           // sessions that a machine is known to carry; 0: not known
	Strict bool          // where one group cannot carry everyone: stop
	Shift  time.Duration // the deadline of a shift, the wait for healthy backends included

	DrainWithin time.Duration
	DrainStable time.Duration
	Draining    Draining

	Deploy       string    // the line run on every machine; empty: no deploy steps, unless there is an artifact
	Artifact     *Artifact // instead of a line
	Archive      string    // the artifact's local file
	Back         string    // with an artifact: go back to its release, which the machines still have, and mark this one as bad
	DeployWithin time.Duration

	Return bool     // it brings a previous release back
	Kept   []string // groups that are not updated, since they run what is wanted

	RestartWithin time.Duration // of a start
	KillAfter     time.Duration // of a stop

	Gates       map[string]*Gates // by group; nil: they are not asked
	Health      string            // run on every machine, exit 0 is healthy; empty: none
	Releases    string            // run on every machine, prints its release; empty: that is not compared
	CheckWithin time.Duration
	CheckStable time.Duration
}

// Build makes the plan that updates f.First and then f.Second. before is every backend of both groups as it was found.
func Build(f groups.Fleet, r Recipe, before map[string]Backend, o Options) Plan {
	p := Plan{
		Version: Version, ID: o.ID, Purpose: Update, Service: o.Service, Balancer: o.Balancer, Made: o.Made, By: o.By, Config: o.Config,
		Release: o.Release, Was: o.Was, First: f.First.Name, Second: f.Second.Name, Before: before, OnFail: o.OnFail, Kept: o.Kept,
		Back: o.Return, Late: Seconds(o.Late), Room: o.Room, Strict: o.Strict,
	}
	for _, g := range []groups.Group{f.First, f.Second} {
		for _, m := range g.Machines {
			p.Machines = append(p.Machines, Machine{Name: m.Name, Host: m.Host, Group: g.Name, Was: o.Ran[m.Host]})
		}
	}
	b, last := builder{p: p, o: o, r: r}, f.Second
	for _, g := range []groups.Group{f.First, f.Second} {
		other := f.Second
		if g.Name == f.Second.Name {
			other = f.First
		}
		if slices.Contains(o.Kept, g.Name) {
			last = other
			continue
		}
		b.shift(g, other, o.Ramp)
		b.update(g)
	}
	stays := f.First
	if last.Name == f.First.Name {
		stays = f.Second
	}
	b.open(last, stays)
	return b.p
}

// builder adds steps to a plan.
type builder struct {
	p    Plan
	o    Options
	r    Recipe
	want []Process // of the groups so far
}

// shift closes a group; the one that stays is opened first.
func (b *builder) shift(closed, stays groups.Group, ramp []int) {
	w := b.p.Weights()
	for id, be := range b.p.Before {
		w[id] = 0
		if be.Group == stays.Name {
			w[id] = be.Serve()
		}
	}
	b.add(Step{Kind: Shift, Group: closed.Name, Hosts: closed.Hosts(), Weights: w, Ramp: slices.Clone(ramp), Try: b.o.Try,
		Probe: Answering(stays), Within: Seconds(b.o.Shift), Stable: Seconds(b.o.Settle)})
}

// open brings both groups to what they were.
func (b *builder) open(opened, stays groups.Group) {
	b.add(Step{Kind: Shift, Group: opened.Name, Hosts: opened.Hosts(), Weights: b.p.Weights(), Try: b.o.Try,
		Probe: Answering(stays), Within: Seconds(b.o.Shift), Stable: Seconds(b.o.Settle)})
}

// update drains, deploys, restarts and checks one group.
func (b *builder) update(g groups.Group) {
	watch, d := Watching(g), b.o.Draining
	b.add(Step{Kind: Drain, Group: g.Name, Hosts: g.Hosts(), Watch: watch,
		Within: Seconds(b.o.DrainWithin), Stable: Seconds(b.o.DrainStable), Drain: &d})
	if run := b.deploy(g); len(run) > 0 {
		b.add(Step{Kind: Deploy, Group: g.Name, Hosts: g.Hosts(), Run: b.env(run), Within: Seconds(b.o.DeployWithin)})
	}
	recipe, want := b.env(b.r.Restart(g)), b.r.Processes(g)
	b.add(Step{Kind: Restart, Group: g.Name, Hosts: g.Hosts(), Watch: watch, Probe: Answering(g), Run: recipe, Want: want,
		Within: Seconds(b.o.RestartWithin), Kill: Seconds(b.o.KillAfter), Stable: Seconds(b.o.DrainStable), Drain: &d})
	check := slices.DeleteFunc(slices.Clone(recipe), func(c Command) bool { return c.Do != DoStatus || len(want) > 0 })
	if b.o.Health != "" {
		check = append(check, b.env(each(g, DoHealth, b.o.Health))...)
	}
	if b.o.Releases != "" {
		check = append(check, b.env(each(g, DoRelease, b.o.Releases))...)
	}
	b.want = append(b.want, want...) // the last check is of both groups: a machine may have come back meanwhile with what it ran before
	b.add(Step{Kind: Check, Group: g.Name, Hosts: g.Hosts(), Probe: Answering(g), Run: check, Want: slices.Clone(b.want), Gates: b.o.Gates[g.Name],
		Within: Seconds(b.o.CheckWithin), Stable: Seconds(b.o.CheckStable)})
}

// deploy gives the commands that bring the new code to g, or the one before it back.
func (b *builder) deploy(g groups.Group) []Command {
	switch a := b.o.Artifact; {
	case a != nil && b.o.Back != "":
		cs := a.Back(g, b.o.Back)
		for i := range cs {
			cs[i].Line = "# back to " + a.Release + " under " + a.Root + "\n" + cs[i].Line
		}
		return cs
	case a != nil:
		cs := a.Deploy(g)
		for i := range cs {
			cs[i].Send, cs[i].Line = b.o.Archive, "# unpack "+b.o.Archive+" as "+a.Release+" under "+a.Root+"\n"+cs[i].Line
		}
		return cs
	case b.o.Deploy != "":
		return each(g, DoDeploy, b.o.Deploy)
	}
	return nil
}

func (b *builder) add(s Step) { b.p.Steps = append(b.p.Steps, s) }

// env tells each command which run and release it belongs to.
func (b *builder) env(cs []Command) []Command {
	for i := range cs {
		env := maps.Clone(cs[i].Env)
		if env == nil {
			env = map[string]string{}
		}
		env["ROLLOUT_RUN"], env["ROLLOUT_MACHINE"] = b.p.ID, b.p.Name(cs[i].Host)
		if b.o.Release != "" {
			env["ROLLOUT_REF"], env["ROLLOUT_RELEASE"] = b.o.Release, b.o.Release
		}
		cs[i].Env = env
	}
	return cs
}

func each(g groups.Group, do Act, line string) []Command {
	var cs []Command
	for _, m := range g.Machines {
		cs = append(cs, Command{Host: m.Host, Do: do, Line: line})
	}
	return cs
}

// Answering gives the ports of g that must answer.
func Answering(g groups.Group) []Ports {
	return ports(g, func(m groups.Machine) []int { return m.Ports })
}

// Watching gives the ports of g that hold sessions.
func Watching(g groups.Group) []Ports {
	return ports(g, func(m groups.Machine) []int { return m.Sessions })
}

func ports(g groups.Group, of func(groups.Machine) []int) []Ports {
	var ps []Ports
	for _, m := range g.Machines {
		if m.Inner && len(of(m)) == 0 {
			continue
		}
		addr := m.Address
		if addr == "" {
			addr = m.Host
		}
		ps = append(ps, Ports{Host: m.Host, Addr: addr, Bind: m.Bind, Ports: slices.Clone(of(m))})
	}
	return ps
}
