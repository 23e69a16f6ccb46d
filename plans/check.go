package plans

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrUnsafe is wrapped by every fault [Plan.Check] finds.
var ErrUnsafe = errors.New("unsafe plan")

// Check refuses a plan that is unsafe in any prefix or does not do its whole work: it plays the steps through and looks at
// what would be true after each. The error names the step and joins every fault.
func (p Plan) Check() error {
	if p.Version > Version {
		return fmt.Errorf("%w: it has version %d, and this build knows versions up to %d", ErrUnsafe, p.Version, Version)
	}
	c := checker{p: p, open: p.Weights(), at: map[string]stage{}}
	c.whole()
	for i, s := range p.Steps {
		c.i = i
		c.step(s)
	}
	c.end()
	return errors.Join(c.faults...)
}

// stage is how far a group is between being closed and being open again.
type stage int

const (
	whole     stage = iota // serves, or could
	drained                // closed and waited for
	deployed               //
	restarted              // its processes are new and not yet proven
)

// checker plays a plan through.
type checker struct {
	p       Plan
	i       int
	open    map[string]int // backend → weight after the steps so far
	at      map[string]stage
	updated []string
	deploys []string
	faults  []error
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%w: step %d %s: %s", ErrUnsafe, c.i+1, c.kind(), fmt.Sprintf(format, args...)))
}

func (c *checker) kind() string {
	if c.i < len(c.p.Steps) {
		return string(c.p.Steps[c.i].Kind) + " " + c.p.Steps[c.i].Group
	}
	return "end"
}

// whole looks at what concerns the plan as such.
func (c *checker) whole() {
	if c.p.First == c.p.Second || c.p.First == "" || c.p.Second == "" {
		c.fault("the plan needs two groups of different names, and has %q and %q", c.p.First, c.p.Second)
	}
	if len(c.p.Steps) == 0 {
		c.fault("the plan has no steps")
	}
	for _, id := range slices.Sorted(maps.Keys(c.p.Before)) {
		if b := c.p.Before[id]; b.Group != c.p.First && b.Group != c.p.Second {
			c.fault("backend %s (%s) is of group %q, which the plan does not have", id, b.Addr, b.Group)
		} else if !slices.Contains(c.p.Hosts(b.Group), b.Host) {
			c.fault("backend %s (%s) is on %q, which is no machine of %s", id, b.Addr, b.Host, b.Group)
		}
	}
}

func (c *checker) step(s Step) {
	if s.Group != c.p.First && s.Group != c.p.Second {
		c.fault("it is about group %q, which the plan does not have", s.Group)
		return
	}
	if !slices.Equal(slices.Sorted(slices.Values(s.Hosts)), slices.Sorted(slices.Values(c.p.Hosts(s.Group)))) {
		c.fault("it names %d of the %d machines of %s", len(s.Hosts), len(c.p.Hosts(s.Group)), s.Group)
	}
	if s.Within <= 0 && s.Kind != Drain {
		c.fault("it has no deadline")
	}
	for _, cmd := range s.Run {
		if !slices.Contains(s.Hosts, cmd.Host) {
			c.fault("it runs a command on %s, which is no machine of %s", c.p.Name(cmd.Host), s.Group)
		}
	}
	switch s.Kind {
	case Shift:
		c.shift(s)
	case Drain:
		c.drain(s)
	case Deploy:
		c.move(s, drained, deployed, "its group must be drained first")
		c.deploys = append(c.deploys, s.Group)
	case Restart:
		c.restart(s)
	case Check:
		c.move(s, restarted, whole, "its group must be restarted first")
		c.updated = append(c.updated, s.Group)
	default:
		c.fault("nobody knows how to %q", s.Kind)
	}
}

func (c *checker) shift(s Step) {
	if len(s.Weights) != len(c.p.Before) {
		c.fault("it names %d of the %d backends", len(s.Weights), len(c.p.Before))
	}
	changes := false
	for _, id := range slices.Sorted(maps.Keys(s.Weights)) {
		b, ok := c.p.Before[id]
		w := s.Weights[id]
		switch {
		case !ok:
			c.fault("backend %s is none of the plan's", id)
			continue
		case w != 0 && w != b.Weight && w != b.Standby:
			c.fault("backend %s (%s) was found with weight %d and would get %d", id, b.Addr, b.Weight, w)
		case w != 0 && c.open[id] == 0 && slices.Contains(c.p.Dirty, b.Group) && !slices.Contains(c.updated, b.Group), w != 0 && c.at[b.Group] == restarted:
			c.fault("it opens %s (%s) before %s is checked", id, b.Addr, b.Group)
		}
		if w != c.open[id] {
			changes = true
			c.open[id] = w
			c.reopened(b.Group, w)
		}
	}
	if !changes && c.p.Purpose == Update && !c.foundOff(s.Group) {
		c.fault("it changes nothing")
	}
	if !c.serves(c.p.First) && !c.serves(c.p.Second) {
		c.fault("no group would take new connections")
	}
}

// reopened forgets that a group was drained once one of its backends takes new connections again.
func (c *checker) reopened(group string, weight int) {
	if weight > 0 && c.at[group] == drained {
		c.at[group] = whole
	}
}

// serves says whether every backend of g that was found on is on, at least one is, and g is not half-way through a restart.
func (c *checker) serves(g string) bool {
	on := 0
	for id, b := range c.p.Before {
		if b.Group != g {
			continue
		}
		if b.Serve() > 0 {
			on++
		}
		if c.open[id] != b.Serve() {
			return false
		}
	}
	return on > 0 && c.at[g] != restarted && (!slices.Contains(c.p.Dirty, g) || slices.Contains(c.updated, g))
}

// foundOff says whether no backend of g was on before the run.
func (c *checker) foundOff(g string) bool {
	for _, b := range c.p.Before {
		if b.Group == g && b.Weight > 0 {
			return false
		}
	}
	return true
}

// takes says whether connections come to a host. A machine that has only a Pomelo master, or only processes behind others, takes none.
func (c *checker) takes(host string) bool {
	at := func(p Ports) bool { return p.Host == host && len(p.Ports) > 0 }
	for _, s := range c.p.Steps {
		if len(s.Want) > 0 && s.Kind == Restart && slices.Contains(s.Hosts, host) && !slices.ContainsFunc(s.Probe, at) {
			return slices.ContainsFunc(slices.Collect(maps.Values(c.p.Before)), func(b Backend) bool { return b.Host == host })
		}
	}
	return true
}

// closed says whether no backend of g takes new connections.
func (c *checker) closed(g string) bool {
	for id, b := range c.p.Before {
		if b.Group == g && c.open[id] > 0 {
			return false
		}
	}
	return true
}

func (c *checker) drain(s Step) {
	if !c.closed(s.Group) {
		c.fault("%s still takes new connections", s.Group)
	}
	c.move(s, whole, drained, "its group is drained already")
	c.watched(s)
	if s.Drain == nil || s.Stable <= 0 {
		c.fault("it does not say when a count is believed")
	}
	if s.Drain != nil && s.Within <= 0 && s.Drain.OnDeadline != Wait {
		c.fault("it has no deadline")
	}
}

// watched demands that the sessions of every machine are counted that takes any: one that has a backend or a port that must answer.
func (c *checker) watched(s Step) {
	for _, h := range s.Hosts {
		if !c.takes(h) {
			continue
		}
		if !slices.ContainsFunc(s.Watch, func(p Ports) bool { return p.Host == h && len(p.Ports) > 0 }) {
			c.fault("the sessions of %s are not counted", c.p.Name(h))
		}
	}
}

func (c *checker) restart(s Step) {
	if !c.closed(s.Group) {
		c.fault("%s still takes new connections", s.Group)
	}
	if !c.serves(c.p.Other(s.Group)) {
		c.fault("%s would be the only group left, and it is not open", c.p.Other(s.Group))
	}
	if c.at[s.Group] != deployed {
		c.move(s, drained, restarted, "its group must be drained first")
	}
	c.at[s.Group] = restarted
	for _, do := range []Act{DoStop, DoStart} {
		if !slices.ContainsFunc(s.Run, func(r Command) bool { return r.Do == do }) {
			c.fault("it has no %s line", do)
		}
	}
	c.reaped(s)
	c.watched(s)
}

// reaped demands that a group whose processes are known by name is proven empty on every machine before it is started.
func (c *checker) reaped(s Step) {
	for _, h := range s.Hosts {
		if len(s.Want) > 0 && !slices.ContainsFunc(s.Run, func(r Command) bool { return r.Do == DoReap && r.Host == h && r.For == "" }) {
			c.fault("what a stop leaves on %s is not ended", c.p.Name(h))
		}
	}
	for _, w := range s.Want {
		if !slices.Contains(s.Hosts, w.Host) {
			c.fault("%s is to run on %s, which is no machine of %s", w.ID, w.Host, s.Group)
		}
	}
}

// move takes a group from one stage to the next.
func (c *checker) move(s Step, from, to stage, otherwise string) {
	if c.at[s.Group] != from {
		c.fault("%s", otherwise)
	}
	c.at[s.Group] = to
}

// end looks at what is true when the plan has been carried out.
func (c *checker) end() {
	c.i = len(c.p.Steps)
	if !c.serves(c.p.First) && !c.serves(c.p.Second) {
		c.fault("no group takes new connections")
	}
	if c.p.Purpose == Leaving {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(c.p.Before)) {
		if b := c.p.Before[id]; c.open[id] != b.Weight {
			c.fault("backend %s (%s) was found with weight %d and is left with %d", id, b.Addr, b.Weight, c.open[id])
		}
	}
	for _, g := range []string{c.p.First, c.p.Second} {
		once := 1
		if slices.Contains(c.p.Kept, g) {
			once = 0
			if slices.Contains(c.p.Dirty, g) {
				c.fault("%s is left as it is, and nobody has proven it well", g)
			}
		}
		if n := count(c.updated, g); n != once {
			c.fault("%s is updated %d times", g, n)
		}
		if len(c.deploys) > 0 && count(c.deploys, g) != once {
			c.fault("%s gets the new code %d times", g, count(c.deploys, g))
		}
	}
}

func count(in []string, s string) int {
	n := 0
	for _, x := range in {
		if x == s {
			n++
		}
	}
	return n
}
