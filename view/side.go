package view

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// side is what is known of one group.
type side struct {
	name     string
	machines []plans.Machine
	release  string // what its machines run; empty: not known
	proven   bool   // no restart of it is begun and not yet checked
	total    int    // backends
	found    int    // of them on when the run found them
	wanted   int    // of them to be on now
	on       int    // of them on, as last read
	sick     int    // of those on, how many the load balancer reports as not healthy
	read     bool   // the load balancer has been read by this run; otherwise on is what was found
	count    plans.Count
	counted  bool // count is one
}

// sidesOf gives both groups in the order of their names, which is their place in every view from beginning to end, whichever of
// them is worked on.
func sidesOf(s plans.State) []side {
	want := wanted(s)
	var ss []side
	for _, g := range []string{s.Plan.First, s.Plan.Second} {
		d := side{name: g, release: ran(s.Plan, g), proven: !s.Dirty[g], read: s.Weights != nil}
		if (s.Updated[g] || s.Dirty[g] && (restarted(s, g) || !slices.Contains(s.Plan.Dirty, g))) && s.Plan.Release != "" {
			d.release = s.Plan.Release
		}
		for _, m := range s.Plan.Machines {
			if m.Group == g {
				d.machines = append(d.machines, m)
			}
		}
		for id, b := range s.Plan.Before {
			if b.Group != g {
				continue
			}
			d.total++
			d.found += one(b.Weight > 0)
			d.wanted += one(want[id] > 0)
			now, known := actual(s, id)
			d.on += one(known && now > 0)
			d.sick += one(known && now > 0 && slices.Contains(s.Sick, id))
		}
		d.count, d.counted = s.Sessions[g]
		ss = append(ss, d)
	}
	slices.SortStableFunc(ss, func(a, b side) int { return cmp.Compare(a.name, b.name) })
	return ss
}

// restarted says whether the plan under way has begun to restart a group. One that a plan takes over half restarted runs what it was found with.
func restarted(s plans.State, group string) bool {
	for i, p := range s.Progress {
		if st := s.Plan.Steps[i]; st.Kind == plans.Restart && st.Group == group && !p.Began.At.IsZero() {
			return true
		}
	}
	return false
}

// ran gives what a group ran when the plan was made: one release, or all that its machines ran; empty where that is not known. A plan that does not say it
// of each machine says it of both groups, and then only one release is one of each group.
func ran(p plans.Plan, group string) string {
	var all []string
	for _, m := range p.Machines {
		if m.Group == group {
			all = append(all, m.Was)
		}
	}
	slices.Sort(all)
	switch {
	case len(all) > 0 && all[0] != "":
		return strings.Join(slices.Compact(all), "+")
	case strings.Contains(p.Was, "+"):
		return ""
	}
	return p.Was
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// actual gives the weight of a backend as last read, or as it was when the plan was made where nothing was read yet; false where a reading lacks it.
func actual(s plans.State, id string) (int, bool) {
	if s.Weights == nil {
		for _, c := range slices.Backward(s.Chapters()) { // a way back takes nothing over itself
			if w, taken := c.Plan.Taken[id]; taken {
				return w, true
			}
		}
		return s.Plan.Before[id].Weight, true
	}
	w, ok := s.Weights[id]
	return w, ok
}

// wanted gives the weight every backend is to have now: that of the newest shift begun, and as found before the first one.
func wanted(s plans.State) map[string]int {
	for _, c := range slices.Backward(s.Chapters()) {
		for i := len(c.Progress) - 1; i >= 0 && i < len(c.Plan.Steps); i-- {
			begun := c.Progress[i].Status != plans.Pending && c.Progress[i].Status != plans.StepSkipped
			if begun && c.Plan.Steps[i].Kind == plans.Shift {
				return c.Plan.Steps[i].Weights
			}
		}
	}
	return s.Plan.Weights()
}

// takesOver says whether a plan begins at the place where another run was left part-way.
func takesOver(p plans.Plan) bool { return len(p.Taken) > 0 || len(p.Dirty) > 0 }

// serves says whether every backend of d that was found on is on and its machines are proven.
func (d side) serves() bool { return d.on > 0 && d.on >= d.found && d.proven }

// backends writes how many backends of d are on: 24 of 24 backends on.
func (d side) backends(l Lang) string {
	return l.Say("%s of %s on", "%s/%s开启", number(d.on), l.plural(d.total, "backend"))
}

// runs writes what the machines of d run, as far as it is known.
func (d side) runs(l Lang) string {
	switch {
	case !d.proven && d.release == "":
		return l.Say("not checked", "未检查")
	case !d.proven:
		return l.Say("%s, not checked", "%s，未检查", d.release)
	}
	return d.release
}

// named writes d's name and release: group1 (v1.8.1).
func (d side) named(l Lang) string {
	if r := d.runs(l); r != "" {
		return l.Say("%s (%s)", "%s（%s）", d.name, r)
	}
	return d.name
}

// sessions writes d's last count, and empty where there is none.
func (d side) sessions(l Lang) string {
	if !d.counted {
		return ""
	}
	return l.total(d.count.Sessions)
}

// total writes how many sessions were counted: where a machine was not read, at least so many.
func (l Lang) total(c plans.Sessions) string {
	if c.Known() {
		return l.plural(c.Total, "session")
	}
	return l.Say("at least %s", "至少 %s", l.plural(c.Total, "session"))
}

// unread gives the machines of a count whose number is not known, by name, and why.
func unread(p plans.Plan, c plans.Sessions) (names []string, why map[string]string) {
	why = map[string]string{}
	for _, h := range slices.Sorted(maps.Keys(c.Unread)) {
		names = append(names, p.Name(h))
		why[p.Name(h)] = lastLine(c.Unread[h])
	}
	slices.Sort(names)
	return names, why
}
