package main

import (
	"fmt"
	"slices"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// explain says of what an unfinished run has closed that the run has: who opens it by hand, or starts what is not up, acts against a run that is going to do
// so itself, in its order.
func (v *survey) explain(st plans.State, alive bool) {
	flags := v.site.env.again
	status := view.With("rollout status", flags)
	how, fix := string(st.Phase), view.With("rollout resume", flags)+", or what "+status+" says"
	switch {
	case alive:
		how, fix = "under way", "leave it to the run: "+status
	case st.Phase == plans.PhaseRunning: // its process is gone
		how = string(plans.PhaseInterrupted)
	}
	by := fmt.Sprintf("by run %s (%s)", st.Plan.ID, how)
	whole, part := map[string]string{}, map[string]bool{} // the group that is closed as a whole, by its name and those of its machines; groups
	for _, m := range st.Plan.Machines {
		off, on := v.shut(st, m.Group)
		if off && !on {
			whole[m.Group], whole[m.Name] = m.Group, m.Group
		}
		part[m.Group] = off && on
	}
	for i := range v.findings {
		f := &v.findings[i]
		group, out := whole[f.Where]
		switch {
		case f.Level == "ok":
		case f.Name == "group" && out:
			f.Level, f.Text, f.Fix = "warn", "it is closed "+by, fix
		case f.Name == "group" && part[f.Where]:
			f.Level, f.Text, f.Fix = "warn", "it is closed in part "+by, fix
		case out && slices.Contains([]string{"status", "ports", "sessions", "processes"}, f.Name):
			f.Level, f.Text, f.Fix = "warn", fmt.Sprintf("%s; %s is closed %s", f.Text, group, by), fix
		case f.Name == "release" && f.Level == "warn": // half of them have the new one
			f.Fix = fix
		}
	}
}

// shut says whether a backend of a group is off that the run has switched off, and whether one is on.
func (v *survey) shut(st plans.State, group string) (off, on bool) {
	for id, b := range v.before {
		if b.Group == group {
			on = on || b.Weight > 0
			off = off || b.Weight == 0 && slices.Contains(st.Wrote[id], 0)
		}
	}
	return off, on
}
