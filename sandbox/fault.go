package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// Fault is an entry of the world's fault menu.
type Fault struct {
	Name string
	Says string // one line for a person
	do   func(*World) error
}

// Faults gives the menu.
func Faults() []Fault {
	api := func(f cloud.Fault) func(*World) error { return func(w *World) error { return w.Cloud.Break(f) } }
	first := func(f hosts.Fault, text string) func(*World) error {
		return func(w *World) error { return w.Hosts.Plant(w.first(), f, text) }
	}
	return []Fault{
		{"api-flaky", "3 in 10 API calls are throttled, refused, reset, or hang after they were carried out", api(cloud.Fault{Kind: "flaky", Rate: 0.3})},
		{"api-5xx", "3 in 10 API calls answer HTTP 502", api(cloud.Fault{Kind: "http", Rate: 0.3, Code: 502})},
		{"api-throttle", "3 in 10 API calls are throttled (RetCode 153)", api(cloud.Fault{Kind: "retcode", Rate: 0.3, Code: 153})},
		{"api-silent", "writes are accepted and nothing is done", api(cloud.Fault{Kind: "silent"})},
		{"api-lag", "reads show the state of 1.5 s ago", api(cloud.Fault{Kind: "lag", Delay: 1500e6})},
		{"restart-fails", "the first start on a machine of the first group fails", first(hosts.StartFails, "once")},
		{"restart-noop", "stop does nothing on a machine of the first group: the old process still answers", first(hosts.StopNoop, "")},
		{"slow-start", "the processes of a machine of the first group listen late", first(hosts.SlowStart, "4s")},
		{"machine-dies", "a machine of the first group is dead from the beginning", func(w *World) error { return w.Hosts.Kill(w.first()) }},
	}
}

// first names a machine of the group that is updated first.
func (w *World) first() string {
	i := slices.IndexFunc(w.Hosts.Machines, func(m hosts.Machine) bool { return m.Group == w.Groups[0] })
	return w.Hosts.Machines[i].Name
}

// Break plants a fault of the menu.
func (w *World) Break(name string) error {
	var names []string
	for _, f := range Faults() {
		if f.Name == name {
			if err := f.do(w); err != nil {
				return fmt.Errorf("fault %s: %w", name, err)
			}
			return nil
		}
		names = append(names, f.Name)
	}
	return fmt.Errorf("fault %q: there is none of that name; there are %s", name, strings.Join(names, ", "))
}
