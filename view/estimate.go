package view

import (
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// These are guesses for a step of which neither this run nor an earlier one knows a duration. They only ever make an ETA, which
// is drawn with a ~; nothing waits for them.
const (
	oneWrite   = 125 * time.Millisecond // measured against the sandbox, one request after another
	getHealthy = 10 * time.Second       // three probes of a load balancer, a few seconds apart
	oneDeploy  = 20 * time.Second
	oneRestart = 25 * time.Second
	answering  = 10 * time.Second
)

// bound gives the time a step takes at most, and false where it has no end of its own.
func bound(st plans.Step) (time.Duration, bool) {
	if st.Kind == plans.Drain && (st.Within <= 0 || st.Drain != nil && st.Drain.OnDeadline == plans.Wait) {
		return 0, false
	}
	return allowed(st), true
}

// allowed gives the time between a step's beginning and its deadline. A restart may take the time of its stop twice, for the stop and
// until nothing is left of what it stopped, before that of its start.
func allowed(st plans.Step) time.Duration { return (st.Within + 2*st.Kill).Duration() }

// known gives the time step i took the last time, or can be foreseen to take: a shift mostly waits for what it has written to
// stay so. It is false where only the bound is known.
func known(p plans.Plan, i int, last []time.Duration) (time.Duration, bool) {
	if i < len(last) && last[i] > 0 {
		return last[i], true
	}
	st := p.Steps[i]
	if st.Kind != plans.Shift {
		return 0, false
	}
	c := changeOf(p, i)
	d := st.Stable.Duration()*time.Duration(1+len(st.Ramp)) + oneWrite*time.Duration(c.writes(st))
	if c.raised[p.First]+c.raised[p.Second] > 0 {
		d += getHealthy
	}
	return d, true
}

// shortest gives the time a step takes at the very least.
func shortest(st plans.Step) time.Duration {
	if st.Kind == plans.Restart {
		return 0 // its Stable is for the case that it must drain again
	}
	return st.Stable.Duration()
}

// between gives the time a whole plan takes, from the least to the most, and false where it has no upper end.
func between(p plans.Plan, last []time.Duration) (from, to time.Duration, ends bool) {
	ends = true
	for i, st := range p.Steps {
		d, ok := known(p, i, last)
		most, bounded := bound(st)
		switch {
		case ok && st.Kind != plans.Drain: // how long a drain takes is up to those who play
			from, to = from+d, to+d
			continue
		case ok:
			from += min(d, most)
		default:
			from += shortest(st)
		}
		to += most
		ends = ends && bounded
	}
	return from, to, ends
}

// eta gives how long the run will still take, as far as that can be said: what is left of the step under way and what the
// others took in this run for the other group, in the last run, or usually take.
func eta(s plans.State, now time.Time, last []time.Duration) (time.Duration, bool) {
	if s.Phase != plans.PhaseRunning {
		return 0, false
	}
	var sum time.Duration
	for i := max(s.Step, 0); i < len(s.Plan.Steps); i++ {
		d, ok := expected(s, i, last)
		if i == s.Step && s.Progress[i].Status == plans.UnderWay {
			if left, known := forecast(s, s.Plan.Steps[i], now); known {
				d, ok = left, true
			} else {
				d -= now.Sub(since(s, s.Plan.Steps[i]))
			}
		}
		if !ok {
			return 0, false
		}
		sum += max(d, 0)
	}
	return sum, true
}

// expected gives the time step i will take from its beginning; false where that cannot be said.
func expected(s plans.State, i int, last []time.Duration) (time.Duration, bool) {
	st := s.Plan.Steps[i]
	for j, o := range s.Plan.Steps { // the other group has shown how long it takes
		if st.Kind != plans.Shift && o.Kind == st.Kind && o.Group != st.Group && s.Progress[j].Status == plans.StepDone {
			return took(s.Progress[j]), true
		}
	}
	if d, ok := known(s.Plan, i, last); ok {
		return d, true
	}
	switch st.Kind {
	case plans.Deploy:
		return min(oneDeploy, st.Within.Duration()), true
	case plans.Restart:
		return min(oneRestart, st.Within.Duration()), true
	case plans.Check:
		return min(answering+st.Stable.Duration(), st.Within.Duration()), true
	}
	return bound(st)
}

// forecast gives how long the drain under way will still take, by the decay of its sessions: until none is left and that has
// stayed so, or until the deadline.
func forecast(s plans.State, st plans.Step, now time.Time) (time.Duration, bool) {
	c, ok := s.Sessions[st.Group]
	if st.Kind != plans.Drain || !ok || c.Empty == nil {
		return 0, false
	}
	left := max(0, c.Empty.Duration()-now.Sub(c.At.At)) + st.Stable.Duration()
	if _, ends := bound(st); ends {
		left = min(left, deadline(s, st).Sub(now))
	}
	return max(0, left), true
}

// took gives how long a step took.
func took(p plans.Progress) time.Duration { return max(0, p.Ended.Sub(p.Began)) }
