package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/seed59ee9cdc/rollout/sandbox/app"
	"github.com/seed59ee9cdc/rollout/sandbox/players"
)

// Truth is what one machine really runs.
type Truth struct {
	Processes []Process
	Releases  []string // what its connectors say they run, each once
}

// Truths asks every connector of every machine what it runs, and every machine for its processes; by the machine's name. A connector that
// does not answer is in the error.
func (r *Rig) Truths(ctx context.Context) (map[string]Truth, error) {
	all := map[string]Truth{}
	var errs []error
	for _, g := range r.Groups {
		for _, m := range g.Machines {
			ps, err := r.Processes(ctx, m.Name)
			if err != nil {
				return nil, err
			}
			t := Truth{Processes: ps}
			for p := range r.o.Gates {
				release, err := players.Visit(ctx, net.JoinHostPort(m.IP, strconv.Itoa(app.ConnectorPort+p)))
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", m.Name, err))
				} else if !slices.Contains(t.Releases, release) {
					t.Releases = append(t.Releases, release)
				}
			}
			all[m.Name] = t
		}
	}
	return all, errors.Join(errs...)
}

// String is the releases joined by +.
func (t Truth) String() string { return strings.Join(t.Releases, "+") }

// New says whether none of a machine's processes was there before.
func (t Truth) New(before Truth) bool {
	for _, p := range t.Processes {
		if slices.ContainsFunc(before.Processes, func(b Process) bool { return b.PID == p.PID }) {
			return false
		}
	}
	return true
}
