package steps_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// fault is one thing that goes wrong once.
type fault struct {
	name  string
	step  int           // it comes after this step has begun; -1: after the world has
	delay time.Duration // so long after
	calls int           // or after so many boundaries of calls; 0: by the clock
	harm  bool          // it takes capacity away by itself
	lasts time.Duration
	host  int
	which int
	do    func(*sim, fault)
	spent bool
}

// kinds are the faults that come once.
var kinds = []fault{
	{name: "killed", do: func(s *sim, f fault) { s.kill(f) }},
	{name: "killed again", do: func(s *sim, f fault) { s.kill(f) }},
	{name: "a signal", do: func(s *sim, _ fault) {
		if s.stop != nil {
			s.stop(context.Canceled)
		}
	}},
	{name: "stopped for a while", do: func(s *sim, f fault) { s.mix.freeze, s.mix.nap = f.lasts, false }},
	{name: "the computer sleeps", do: func(s *sim, f fault) { s.mix.freeze, s.mix.nap = f.lasts, true }},
	{name: "the clock is set", do: func(s *sim, f fault) { s.jumped += time.Duration(2*(f.which%2)-1) * time.Hour }},
	{name: "the disk is full", do: func(s *sim, f fault) {
		s.book.full = true
		s.after(f.lasts, func() { s.book.full = false })
	}},
	{name: "a machine dies", harm: true, do: func(s *sim, f fault) { s.die(s.hosts[f.host%len(s.hosts)], f.lasts, false) }},
	{name: "a machine dies, too", harm: true, do: func(s *sim, f fault) { s.die(s.hosts[f.host%len(s.hosts)], f.lasts, false) }},
	{name: "a machine is cut off", harm: true, do: func(s *sim, f fault) { s.die(s.hosts[f.host%len(s.hosts)], f.lasts, true) }},
	{name: "health flaps", harm: true, do: func(s *sim, f fault) {
		m := s.hosts[f.host%len(s.hosts)]
		m.flaps = true
		s.health(m)
		s.after(min(f.lasts/20, 8*time.Second), func() { m.flaps = false; s.health(m) })
	}},
	{name: "a hand", harm: true, do: func(s *sim, f fault) { s.hand(f) }},
	{name: "another hand", harm: true, do: func(s *sim, f fault) { s.hand(f) }},
	{name: "counts fail", do: func(s *sim, f fault) { s.hosts[f.host%len(s.hosts)].blind = 3 * int(f.lasts/time.Second) / 2 }},
	{name: "the load balancer cannot be read", do: func(s *sim, f fault) { s.mix.blindUntil = s.now + f.lasts; s.judge.excuse(s, "blind") }},
	{name: "a backend is another machine's", do: func(s *sim, f fault) {
		s.mix.readdressed = s.ids[f.which%len(s.ids)]
		s.after(f.lasts, func() { s.mix.readdressed = "" })
	}},
	{name: "pause", do: func(s *sim, _ fault) { s.request(plans.AskPause) }},
	{name: "pause and resume", do: func(s *sim, f fault) {
		s.request(plans.AskPause)
		s.after(f.lasts/20, func() { s.request(plans.AskResume) })
	}},
	{name: "abort", do: func(s *sim, _ fault) { s.request(plans.AskAbort) }},
}

func randomFault(r *rand.Rand) fault {
	f := kinds[r.IntN(len(kinds))]
	f.step = -1
	f.delay = time.Duration(r.Int64N(int64(12 * time.Minute)))
	if r.IntN(2) == 0 {
		f.step = r.IntN(10)
		f.delay = time.Duration(r.ExpFloat64() * float64(15*time.Second))
		if r.IntN(2) == 0 {
			f.calls = 1 + r.IntN(60)
		}
	}
	f.lasts = time.Duration(1+r.IntN(200)) * time.Second
	f.host, f.which = r.IntN(6), r.IntN(12)
	return f
}

// plant plants the faults that do not wait for a step.
func (s *sim) plant() { s.phase(-1) }

// phase plants the faults of a step that has begun.
func (s *sim) phase(step int) {
	for i := range s.mix.faults {
		f := &s.mix.faults[i]
		if f.spent || f.step != step || len(s.book.state.Earlier) > 0 {
			continue
		}
		f.spent = true
		if f.calls > 0 {
			s.mix.soon = append(s.mix.soon, soon{s.calls + f.calls, *f})
			continue
		}
		s.after(f.delay, func() { s.befall(*f) })
	}
}

// soon is a fault that comes at a boundary.
type soon struct {
	call int
	f    fault
}

func (s *sim) atBoundary() {
	s.mix.soon = slices.DeleteFunc(s.mix.soon, func(x soon) bool {
		if x.call > s.calls {
			return false
		}
		s.befall(x.f)
		return true
	})
}

func (s *sim) befall(f fault) {
	if !s.stormy() || s.book.state.Phase.Over() {
		return
	}
	s.say("FAULT %s (host %d, lasts %s)", f.name, f.host, f.lasts)
	f.do(s, f)
	s.check()
}

func (s *sim) kill(f fault) {
	if s.alive {
		s.dying, s.fate = true, fate(f.which%3)
		s.reboots = f.which == 5
	}
}

// die takes a machine away for a while. Where it is only cut off, what runs on it goes on.
func (s *sim) die(m *machine, lasts time.Duration, running bool) {
	if m.dead {
		return
	}
	m.dead, m.sessions = true, nil
	if running {
		s.health(m)
		s.after(lasts, func() { m.dead = false; s.health(m) })
		return
	}
	was, half, procs := m.up, m.half, m.procs
	s.down(m)
	for _, j := range m.jobs {
		if j.state == "going" {
			j.state = "lost"
		}
	}
	s.after(lasts, func() {
		m.dead, m.up, m.half, m.procs = false, was, half, procs
		for i := range m.procs {
			m.procs[i].born = s.now
		}
		s.health(m)
		s.say("%s is back", m.name)
	})
}

// hand is somebody who changes a backend.
func (s *sim) hand(f fault) {
	b := s.back[s.ids[f.which%len(s.ids)]]
	w := []int{0, 0, s.plan.Before[b.id].Serve(), 77}[f.host%4]
	s.set(b, w, true)
}

// request is somebody at another terminal.
func (s *sim) request(what plans.Request) {
	if s.book.state.Phase.Over() || !s.alive {
		return
	}
	s.book.asks = append(s.book.asks, what)
	if what == plans.AskAbort && s.book.asked == 0 {
		s.book.asked = s.now
	}
}
