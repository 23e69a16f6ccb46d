package plans

import (
	"fmt"
	"slices"
	"strings"
)

// Process is one process of a service that knows its processes by name.
type Process struct {
	ID   string `json:"id"`             // unique within its group
	Type string `json:"type"`           // such as gate or connector
	Host string `json:"host"`           // the machine's ssh host
	Port int    `json:"port,omitempty"` // of a master: where it is asked about the others
}

// Found is a process that was found on a machine.
type Found struct {
	Process
	PID    int     `json:"pid"`
	Age    Seconds `json:"age"`              // since it started, by its machine's own clocks
	Listed bool    `json:"listed"`           // its master knows it
	Memory float64 `json:"memory,omitempty"` // resident, in MiB, as its master tells it; 0: not known
}

// Roll is the processes of a group when they were last called.
type Roll struct {
	Found []Found `json:"found"`
	At    Stamp   `json:"at"`
}

// Has says whether a process, this very one, was among those called.
func (r Roll) Has(f Found) bool {
	return slices.ContainsFunc(r.Found, func(o Found) bool { return o.Host == f.Host && o.ID == f.ID && o.PID == f.PID })
}

// Unknowing is how a sentence of [Odd] about a process that its master does not know ends.
const Unknowing = "is unknown to its master"

// Missing gives the wanted processes that do not run, or run and are unknown to their master.
func Missing(want []Process, found []Found) []Process {
	var all []Process
	for _, w := range want {
		if !slices.ContainsFunc(found, func(f Found) bool { return f.ID == w.ID && f.Host == w.Host && f.Listed }) {
			all = append(all, w)
		}
	}
	return all
}

// Odd says how what was found differs from what is wanted, a sentence each: a process that is missing, that runs twice, that nobody asked
// for, that its master does not know, or that is known to be from before its group's restart and therefore runs what was there then. name gives a
// machine's name.
func Odd(want []Process, found []Found, former func(Found) bool, name func(host string) string) []string {
	var odd []string
	at := map[string][]Found{} // by host and id
	for _, f := range found {
		at[f.Host+" "+f.ID] = append(at[f.Host+" "+f.ID], f)
	}
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w.Host+" "+w.ID] = true
		fs := at[w.Host+" "+w.ID]
		switch {
		case len(fs) == 0:
			odd = append(odd, fmt.Sprintf("%s on %s is missing", w.ID, name(w.Host)))
		case len(fs) > 1:
			odd = append(odd, fmt.Sprintf("%s runs %d times on %s: %s", w.ID, len(fs), name(w.Host), pids(fs)))
		case !fs[0].Listed:
			odd = append(odd, fmt.Sprintf("%s on %s (pid %d) runs and "+Unknowing, w.ID, name(w.Host), fs[0].PID))
		}
	}
	for _, f := range found {
		if !wanted[f.Host+" "+f.ID] {
			odd = append(odd, fmt.Sprintf("%s runs on %s (pid %d) and belongs to no group there", f.ID, name(f.Host), f.PID))
		}
		if former(f) {
			odd = append(odd, fmt.Sprintf("%s on %s (pid %d) has run since before the restart: it is an old process", f.ID, name(f.Host), f.PID))
		}
	}
	return odd
}

func pids(fs []Found) string {
	all := make([]string, len(fs))
	for i, f := range fs {
		all[i] = fmt.Sprintf("pid %d", f.PID)
	}
	return strings.Join(all, ", ")
}
