package sandbox

import (
	"fmt"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/players"
)

// Report is what really happened in the world, as the players and the machines saw it.
type Report struct {
	Players  players.Stats
	Releases map[string]Releases // by machine
	Restarts map[string]int      // by machine: how often it was started after the world's beginning
	Weights  map[string]int      // by machine:port: the weight of each backend as the balancer acts on it, whatever the API tells; 0: off
	Took     time.Duration       // since the world's beginning
}

// Releases are what one machine ran and runs.
type Releases struct {
	Before string `json:"before"`
	After  string `json:"after"` // empty: nothing runs; several joined by +: processes of more than one release
}

// Report looks at the machines and the players now.
func (w *World) Report() (Report, error) {
	r := Report{Releases: map[string]Releases{}, Restarts: map[string]int{}, Weights: map[string]int{}, Took: time.Since(w.began)}
	for _, b := range w.backends() {
		weight := 0
		if b.Enabled {
			weight = b.Weight
		}
		r.Weights[fmt.Sprintf("%s:%d", b.Name, b.Port)] = weight
	}
	if w.Crowd != nil {
		r.Players = w.Crowd.Stats()
	}
	now, err := w.Hosts.Truth()
	if err != nil {
		return r, err
	}
	for i, t := range now {
		rel := Releases{Before: w.o.Release}
		if len(w.before[i].Serving) > 0 {
			rel.Before = w.before[i].Serving[0]
		}
		for _, s := range t.Serving {
			if rel.After != "" {
				rel.After += "+"
			}
			rel.After += s
		}
		r.Releases[t.Machine], r.Restarts[t.Machine] = rel, t.Restarts
	}
	return r, nil
}
