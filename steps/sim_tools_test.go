package steps_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// fate is what becomes of a request in whose sending its process dies.
type fate int

const (
	applied fate = iota
	lost
	late
)

var errTimeout = errors.New("no answer in time")

// tools are the world's, for one process.
func (s *sim) tools() steps.Tools {
	t := steps.Tools{Traffic: s, Shell: s, Prober: s, Sessions: s, Clock: &s.simClock, Alone: true, By: fmt.Sprintf("liu@ops-%d", s.life), PID: s.life}
	if s.herd {
		t.Roll = s
	}
	if s.mix.front {
		t.Front = s
	}
	return t
}

// boundary is passed at both ends of each call. It is true where the process ends there.
func (s *sim) boundary() bool {
	s.calls++
	if len(s.mix.soon) > 0 {
		s.atBoundary()
	}
	return s.calls == s.dieAt || s.dying
}

// enter begins a call, or ends the process.
func (s *sim) enter() {
	if s.boundary() {
		panic(killed{})
	}
}

// leave ends a call. The process may be stopped for a while just then, or the computer put to sleep.
func (s *sim) leave() {
	s.enter()
	if d := s.mix.freeze; d > 0 {
		s.mix.freeze = 0
		s.say("the process stands still for %s (asleep %v)", d, s.mix.nap)
		s.judge.excuse(s, "stood still")
		s.asleep, s.frozen = s.mix.nap, true
		s.pass(d)
		s.asleep, s.frozen = false, false
		s.judge.excuse(s, "stood still")
		if s.dying {
			panic(killed{})
		}
	}
}

// act is where a request leaves for the world. Where the process ends there, its fate is drawn.
func (s *sim) act(send func(fate)) {
	if !s.boundary() {
		return
	}
	s.say("killed while it sends (fate %d)", s.fate)
	s.sending = true
	send(s.fate)
	panic(killed{})
}

// call lets the time of a call go by, and says why it is broken off.
func (s *sim) call(ctx context.Context, d time.Duration) error { return s.Wait(ctx, d) }

// Look reads every backend, each as it was at a moment not long ago.
func (s *sim) Look(ctx context.Context) (steps.Look, error) {
	s.enter()
	began := s.now
	if s.stormy() && s.chance(s.mix.lookFail) || s.now < s.mix.blindUntil {
		s.judge.excuse(s, "look failed")
		err := s.call(ctx, s.between(10*time.Millisecond, time.Second))
		s.judge.excuse(s, "look failed")
		s.leave()
		return steps.Look{}, errors.Join(errors.New("503"), err)
	}
	if s.stormy() && s.chance(s.mix.lookHang) {
		s.judge.excuse(s, "look hung")
		_ = s.call(ctx, 10*time.Second)
		s.judge.excuse(s, "look hung")
		s.leave()
		return steps.Look{}, errTimeout
	}
	d := s.between(10*time.Millisecond, 150*time.Millisecond)
	if err := s.call(ctx, d); err != nil {
		s.leave()
		return steps.Look{}, err
	}
	l := steps.Look{Weights: map[string]int{}, Addrs: map[string]string{}}
	for _, id := range s.ids {
		b := s.back[id]
		age := s.between(0, staleness-d)
		if !s.mix.stale {
			age = 0
		}
		l.Weights[id], l.Addrs[id] = b.control.when(s.now-age), s.plan.Before[id].Addr
		if id == s.mix.readdressed {
			l.Addrs[id] = "10.9.0.99:6150"
		}
		if b.m.well.when(s.now-age) == 0 {
			l.Sick = append(l.Sick, id)
		}
	}
	s.judge.looked(s, began, l)
	s.leave()
	return l, nil
}

// Write sends a request for each backend.
func (s *sim) Write(ctx context.Context, weights map[string]int) []plans.Answer {
	s.judge.write(s, weights)
	var as []plans.Answer
	for _, id := range slices.Sorted(maps.Keys(weights)) {
		b, w := s.back[id], weights[id]
		apply := func() { s.set(b, w, false) }
		s.act(func(f fate) {
			s.judge.sent(s, b, true)
			switch f {
			case applied:
				apply()
			case late:
				s.lands(b, w)
			case lost:
			}
		})
		a := plans.Answer{Backend: id, Outcome: plans.Accepted}
		switch {
		case s.stormy() && s.chance(s.mix.writeAgain):
			a.Outcome, a.Again, a.Error = plans.Refused, true, "throttled"
		case s.stormy() && s.chance(s.mix.writeGood):
			a.Outcome, a.Error = plans.Refused, "quota"
		case s.stormy() && s.chance(s.mix.writeLost):
			a.Outcome, a.Error = plans.Unknown, "timeout"
			s.judge.sent(s, b, true)
		case s.stormy() && s.chance(s.mix.writeLate):
			a.Outcome, a.Error = plans.Unknown, "timeout"
			s.judge.sent(s, b, true)
			s.lands(b, w)
		case s.stormy() && s.chance(s.mix.writeMute):
			a.Outcome, a.Error = plans.Unknown, "reset"
			s.judge.sent(s, b, true)
			apply()
		default:
			s.judge.sent(s, b, false)
			apply()
		}
		s.say("write %s = %d: %s %s", id, w, a.Outcome, a.Error)
		if a.Outcome == plans.Unknown {
			s.judge.excuse(s, "write unanswered")
			_ = s.call(ctx, s.between(0, 3*time.Second))
			s.judge.excuse(s, "write unanswered")
		} else {
			_ = s.call(ctx, s.between(20*time.Millisecond, 200*time.Millisecond))
		}
		as = append(as, a)
	}
	s.enter()
	return as
}

// lands lets a request take effect long after it was sent.
func (s *sim) lands(b *backend, w int) {
	r := request{w, s.now}
	b.flight = append(b.flight, r)
	s.after(s.between(0, lateness), func() {
		b.flight = slices.DeleteFunc(b.flight, func(o request) bool { return o == r })
		s.say("late:")
		s.set(b, w, false)
	})
}

// Probe tries a port.
func (s *sim) Probe(ctx context.Context, p plans.Ports, port int) (bool, error) {
	s.enter()
	m := s.at[p.Host]
	if m.dead || s.stormy() && s.chance(s.mix.probeFail) {
		s.judge.excuse(s, "probe failed")
		_ = s.call(ctx, s.between(0, time.Second))
		s.judge.excuse(s, "probe failed")
		s.judge.probed(s, m, port, false, s.now)
		s.leave()
		return false, errors.New("no route to host")
	}
	began := s.now
	if err := s.call(ctx, s.between(time.Millisecond, 10*time.Millisecond)); err != nil {
		s.leave()
		return false, err
	}
	open := m.up && !m.dead && (port != 6200 || !m.half)
	s.judge.probed(s, m, port, open, began)
	s.leave()
	return open, nil
}

// Try connects through the load balancer.
func (s *sim) Try(ctx context.Context, n int) (map[string]int, error) {
	s.enter()
	if err := s.call(ctx, s.between(50*time.Millisecond, 300*time.Millisecond)); err != nil || s.stormy() && s.chance(s.mix.lookFail) {
		s.leave()
		return nil, errors.New("connection reset")
	}
	hits, i := map[string]int{}, 0
	for range n {
		for range s.ids {
			b := s.back[s.ids[i%len(s.ids)]]
			i++
			if b.data > 0 && b.m.serves() {
				hits[b.m.host]++
				break
			}
		}
	}
	s.leave()
	return hits, nil
}

// simCounter counts the sessions of one group.
type simCounter struct {
	s     *sim
	group string
}

// Counter gives the counter of a group.
func (s *sim) Counter(group string, _ []plans.Ports) drain.Counter { return simCounter{s, group} }

// Count counts each machine. A source that lies dead tells nothing, or leaves a machine out, or gives what it knew before.
func (c simCounter) Count(ctx context.Context) (drain.Reading, error) {
	s := c.s
	s.enter()
	r := drain.Reading{ByHost: map[string]int{}, Unread: map[string]string{}, At: s.Now(), Full: true}
	began := s.now
	if s.stormy() && s.chance(s.mix.countFail) {
		err := errors.New("count: connection refused")
		if s.chance(300) {
			s.frozen = true // another goroutine would watch meanwhile
			if end := s.call(ctx, 20*time.Second); end != nil {
				err = end
			}
			s.frozen = false
		}
		s.judge.excuse(s, "count failed")
		s.leave()
		return drain.Reading{}, err
	}
	if err := s.call(ctx, s.between(5*time.Millisecond, 60*time.Millisecond)); err != nil {
		s.leave()
		return drain.Reading{}, err
	}
	known := true
	for _, m := range s.hosts {
		if s.groupName(m.group) != c.group {
			continue
		}
		switch {
		case m.dead, m.blind > 0 && m.blind%3 == 0:
			r.Unread[m.host], known = "ssh: connection lost", false
		case m.blind > 0 && m.blind%3 == 1:
			known = false
		case m.blind > 0:
			r.ByHost[m.host], r.Full, known = 0, false, false
		default:
			r.ByHost[m.host] = s.count(m)
			r.Total += r.ByHost[m.host]
			s.judge.counted(m, began)
		}
		m.blind = max(0, m.blind-1)
	}
	if !known {
		s.judge.excuse(s, "count partial")
	}
	s.leave()
	return r, nil
}
