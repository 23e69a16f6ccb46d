package view

import (
	"fmt"
	"maps"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// change is what one shift of a plan changes, if everything before it went as planned.
type change struct {
	stays, closed string         // the group that takes new connections afterwards, and the one that does not; empty: both do
	raised        map[string]int // group → backends that get more
	lowered       map[string]int // group → backends that get less
	asFound       bool           // afterwards every backend is as it was found
}

// writes gives how many backends are written to, each once for every stage of a ramp.
func (c change) writes(st plans.Step) int {
	n := 0
	for _, v := range c.raised {
		n += v
	}
	for _, v := range c.lowered {
		n += v * (1 + len(st.Ramp))
	}
	return n
}

// changeOf works out what step i of p changes.
func changeOf(p plans.Plan, i int) change {
	before := p.Weights()
	for _, st := range p.Steps[:i] {
		if st.Kind == plans.Shift {
			before = st.Weights
		}
	}
	after := p.Steps[i].Weights
	c := change{raised: map[string]int{}, lowered: map[string]int{}, asFound: maps.Equal(after, p.Weights())}
	on := map[string]int{}
	for id, b := range p.Before {
		on[b.Group] += one(after[id] > 0)
		c.raised[b.Group] += one(after[id] > before[id])
		c.lowered[b.Group] += one(after[id] < before[id])
	}
	for _, g := range []string{p.First, p.Second} {
		if on[g] == 0 && on[p.Other(g)] > 0 {
			c.closed, c.stays = g, p.Other(g)
		}
	}
	return c
}

// shiftPlan says what step i, a shift, will do.
func (l Lang) shiftPlan(p plans.Plan, i int) string {
	c := changeOf(p, i)
	switch {
	case p.Purpose == plans.Leaving || c.closed == "":
		return l.shiftDone(p, i)
	case c.raised[c.stays] > 0:
		return l.Say("all new connections to %s: its %d on and healthy, then %s off%s", "新连接全部进 %s：先开启它的 %d 个后端并确认健康，再关闭 %s%s",
			c.stays, c.raised[c.stays], c.closed, l.ramp(p.Steps[i]))
	}
	return l.Say("all new connections to %s: %s of %s off%s", "新连接全部进 %[1]s：关闭 %[3]s 的 %[2]s%[4]s",
		c.stays, l.plural(c.lowered[c.closed], "backend"), c.closed, l.ramp(p.Steps[i]))
}

// shiftDone says where traffic is after step i, a shift.
func (l Lang) shiftDone(p plans.Plan, i int) string {
	switch c := changeOf(p, i); {
	case c.asFound:
		return l.Say("both groups as they were found", "两组都恢复原状")
	case c.closed != "":
		return l.Say("%s on, %s off", "%s 开启，%s 关闭", c.stays, c.closed)
	}
	return l.Say("both groups on", "两组都开启")
}

// ramp says which shares of its weight a closing group passes through.
func (l Lang) ramp(st plans.Step) string {
	if len(st.Ramp) == 0 {
		return ""
	}
	var by []string
	for _, r := range st.Ramp {
		by = append(by, fmt.Sprintf("%d%%", r))
	}
	return l.Say(", by way of %s", "，逐级经过 %s", strings.Join(by, l.comma()))
}
