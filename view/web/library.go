package web

import (
	"errors"
	"io/fs"
	"slices"
	"sync"

	"github.com/seed59ee9cdc/rollout/plans"
)

// shown is how many runs the history has, and how far the last one that ended well is looked for.
const shown = 50

// library reads whole runs, and keeps those that are over: they do not change.
type library struct {
	source Source
	mu     sync.Mutex
	over   map[string]plans.State
}

// read gives the state of a run. With an error it is as far as the run could be read.
func (l *library) read(run string) (plans.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.over[run]; ok {
		return s, nil
	}
	es, err := l.source.Read(run)
	s := plans.Fold(slices.Values(es))
	if err == nil && s.Phase.Over() {
		if l.over == nil || len(l.over) > 2*shown {
			l.over = map[string]plans.State{}
		}
		l.over[run] = s
	}
	return s, err
}

// newest gives the newest runs, the newest first. With an error it gives those that could be read.
func (l *library) newest() ([]plans.State, error) {
	ids, err := l.source.Runs()
	if err != nil {
		return nil, err
	}
	slices.Reverse(ids)
	var all []plans.State
	var faults []error
	for _, id := range ids[:min(len(ids), shown)] {
		s, err := l.read(id)
		faults = append(faults, err)
		if s.Plan.ID != "" {
			all = append(all, s)
		}
	}
	return all, errors.Join(faults...)
}

// latest gives the newest run; a state without a plan where there is none.
func (l *library) latest() (plans.State, error) {
	ids, err := l.source.Runs()
	if err != nil || len(ids) == 0 {
		return plans.State{}, err
	}
	return l.read(ids[len(ids)-1])
}

// before gives the last run before this one that ended well; its zero where there is none.
func (l *library) before(run string) plans.State {
	ids, err := l.source.Runs()
	i := slices.Index(ids, run)
	if err != nil || i < 0 {
		return plans.State{}
	}
	ids = ids[max(0, i-shown):i]
	for _, id := range slices.Backward(ids) {
		if s, err := l.read(id); err == nil && s.Phase == plans.PhaseDone {
			return s
		}
	}
	return plans.State{}
}

// missing says whether an error means that there is no such run.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
