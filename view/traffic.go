package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Traffic says in one sentence, without a full stop, which group takes new connections as far as the state knows: how many of
// its backends are on, whether the load balancer calls them healthy, and its sessions.
func Traffic(s plans.State) string { return traffic(s) + strays(s) }

// strays says that the load balancer was found to send players to a group all of whose backends it calls off; nothing where it was not.
func strays(s plans.State) string {
	if s.Phase == plans.PhaseRunning || s.Phase.Over() {
		return ""
	}
	for _, d := range sidesOf(s) {
		n, all := 0, 0
		for host, hits := range s.Hits {
			all += hits
			if slices.Contains(s.Plan.Hosts(d.name), host) {
				n += hits
			}
		}
		if d.on == 0 && n > 0 {
			return fmt.Sprintf("; but %d of %s through the load balancer were answered by %s, which it calls off", n, plural(all, "connection"), d.name)
		}
	}
	return ""
}

func traffic(s plans.State) string {
	ss := sidesOf(s)
	if s.Phase == plans.PhaseHeld && !s.Safe {
		return "no group is proven to take new connections; " + lastRead(s) + partly(ss)
	}
	if s.Unlooked && s.Phase != plans.PhaseRunning {
		return "not known: writes were sent and not looked at any more; " + lastRead(s) + partly(ss)
	}
	var on []side
	for _, d := range ss {
		if d.on > 0 {
			on = append(on, d)
		}
	}
	switch {
	case len(s.Plan.Before) == 0:
		return "not known: no backend has been read"
	case len(on) == 0:
		return fmt.Sprintf("no group takes new connections: all %s are off", plural(len(s.Plan.Before), "backend"))
	case !s.Touched && s.Weights == nil:
		return "as it was found, nothing has been touched: " + partly(ss)
	case len(on) == 1 && on[0].on >= on[0].found:
		d := on[0]
		return fmt.Sprintf("all new connections on %s: %s%s%s", d.named(), d.backends(), health(d), also(d.sessions()))
	case len(on) == 2 && on[0].serves() && on[1].serves() && asFound(s):
		all := side{total: on[0].total + on[1].total, on: on[0].on + on[1].on, sick: on[0].sick + on[1].sick, read: on[0].read}
		return fmt.Sprintf("both groups take new connections, as they were found: %s%s", all.backends(), health(all))
	}
	return partly(ss)
}

// lastRead says how old the reading is that a sentence about traffic rests on.
func lastRead(s plans.State) string {
	if s.Weights == nil {
		return "as found: "
	}
	return "as last read at " + clock(s.Looked.At) + ": "
}

// partly says of each group how many backends are on.
func partly(ss []side) string {
	var parts []string
	for _, d := range ss {
		parts = append(parts, d.named()+" "+d.backends()+health(d))
	}
	return strings.Join(parts, "; ")
}

// health says what the load balancer reports of the backends that are on; nothing where it was not read.
func health(d side) string {
	switch {
	case !d.read || d.on == 0:
		return ""
	case d.sick > 0:
		return fmt.Sprintf(", %s not healthy", number(d.sick))
	}
	return ", healthy"
}

func also(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

// asFound says whether every backend has the weight it was found with.
func asFound(s plans.State) bool {
	for id, b := range s.Plan.Before {
		if w, ok := actual(s, id); !ok || w != b.Weight {
			return false
		}
	}
	return true
}

// cuts says how many sessions the run has cut.
func cuts(s plans.State) string {
	switch n := s.Cut(); n {
	case 0:
		return "nobody was cut"
	case 1:
		return "1 session was cut"
	default:
		return number(n) + " sessions were cut"
	}
}

// Advice is a command worth typing now, and what it would do.
type Advice struct {
	Command string // without flags: rollout resume
	Why     string // lower case, no full stop
}

// Next gives the commands that make sense for a run that has stopped, the likeliest first; none for one that is done.
func Next(s plans.State) []Advice {
	switch s.Phase {
	case plans.PhaseDone:
		return nil
	case plans.PhaseAborted:
		return []Advice{{"rollout start", "a new run, from the beginning"}}
	}
	var as []Advice
	if s.Phase == plans.PhaseHeld && !s.Safe {
		as = append(as, Advice{"rollout check", "see what does not answer"})
	}
	as = append(as, Advice{"rollout resume", resumed(s)})
	if back := returned(s); back != "" && s.Phase == plans.PhaseHeld {
		as = append(as, Advice{"rollout rollback", back})
	}
	if _, ok := plans.Retreat(s); ok && s.Plan.Purpose == plans.Update {
		as = append(as, Advice{"rollout abort", "stop for good: " + retreated(s)})
	}
	return as
}

// resumed says what resuming would do first.
func resumed(s plans.State) string {
	st, ok := s.Current()
	switch {
	case !ok:
		return "look once more that everything is as it should be"
	case s.Phase == plans.PhaseHeld:
		return fmt.Sprintf("try %s %s again, and go on", st.Kind, st.Group)
	}
	return fmt.Sprintf("go on with step %d of %d, %s %s", s.Step+1, len(s.Plan.Steps), st.Kind, st.Group)
}

// returned says what a rollback would bring back; empty where the run brings nothing, or nobody knows what was there before it.
func returned(s plans.State) string {
	p := s.Plan
	if p.Purpose != plans.Update || p.Was == "" || p.Was == p.Release || strings.Contains(p.Was, "+") {
		return ""
	}
	if !slices.ContainsFunc(p.Steps, func(st plans.Step) bool { return st.Kind == plans.Deploy }) {
		return ""
	}
	return p.Was + " back by the same safe path"
}

// retreated says what a retreat would leave behind.
func retreated(s plans.State) string {
	var updated []string
	for _, d := range sidesOf(s) {
		if s.Updated[d.name] {
			updated = append(updated, d.name)
		}
	}
	what := "every backend as it was found"
	if len(updated) > 0 && s.Plan.Release != "" {
		what += fmt.Sprintf("; %s on %s", list(updated), s.Plan.Release)
	}
	return what
}

// IfFails says what would follow if the step under way failed now; empty where no step is under way.
func IfFails(s plans.State) string {
	st, ok := s.Current()
	if !ok || s.Phase != plans.PhaseRunning {
		return ""
	}
	stays := s.Plan.Other(st.Group)
	var traffic string
	switch {
	case s.Plan.Purpose == plans.Leaving:
		return "it stops, and a person decides; a group that takes new connections goes on taking them"
	case st.Kind == plans.Shift:
		traffic = "no further backend is closed, and what is open stays open"
	default:
		traffic = "traffic stays on " + stays
	}
	who := "nobody is cut"
	if s.Cut() > 0 {
		who = "nobody more is cut"
	}
	if s.Plan.OnFail != "rollback" {
		return fmt.Sprintf("it holds: %s, %s (on_failure: hold)", traffic, who)
	}
	_, back := plans.Retreat(s) // a group that is restarted and not proven must stay closed
	switch release := returned(s); {
	case back && len(s.Updated) == 0:
		return fmt.Sprintf("it goes back: %s, %s (on_failure: rollback)", retreated(s), who)
	case release != "" && !s.Plan.Back:
		return fmt.Sprintf("it brings %s: %s, %s (on_failure: rollback)", release, traffic, who)
	}
	return fmt.Sprintf("it holds: %s, %s", traffic, who)
}
