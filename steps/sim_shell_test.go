package steps_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

var errDropped = errors.New("ssh: connection lost")

// Run runs a command. One with an id begins once at most, whoever sends it and however often.
func (s *sim) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	m := s.at[c.Host]
	if c.ID == "" {
		return s.ask(ctx, m)
	}
	s.judge.command(s, c)
	s.judge.excuse(s, "a command runs")
	defer s.judge.excuse(s, "a command runs")
	begin := func() *job { return s.begin(m, c, within) }
	const tooOld = 15 * time.Second
	travels := func() {
		way := s.between(0, lateness)
		s.after(way, func() {
			if way > tooOld { // the machine looks how long ago it was sent
				s.say("%s on %s comes too late, and is refused", c.Do, m.name)
				return
			}
			if j := begin(); j != nil {
				j.late = true
			}
		})
	}
	s.act(func(f fate) {
		switch f {
		case applied:
			begin()
		case late:
			travels()
		case lost:
		}
	})
	switch {
	case m.dead:
		_ = s.call(ctx, s.between(time.Second, 5*time.Second))
		s.leave()
		return steps.Result{}, fmt.Errorf("%w: ssh: no route to host", steps.ErrUnsent)
	case s.stormy() && s.chance(s.mix.dropBefore):
		_ = s.call(ctx, s.between(0, 2*time.Second))
		s.leave()
		return steps.Result{}, fmt.Errorf("%w: %w", steps.ErrUnsent, errDropped)
	case s.stormy() && s.chance(s.mix.dropLate):
		s.say("%s on %s is on its way for long", c.Do, m.name)
		travels()
		_ = s.call(ctx, s.between(0, 2*time.Second))
		s.leave()
		return steps.Result{}, errDropped
	}
	if err := s.call(ctx, s.between(10*time.Millisecond, 50*time.Millisecond)); err != nil {
		return steps.Result{}, err
	}
	j := begin()
	s.enter()
	if j == nil {
		return steps.Result{}, errors.New("refused: a newer process has taken this machine over")
	}
	if s.stormy() && s.chance(s.mix.dropDuring) {
		_ = s.call(ctx, s.between(0, j.ends-s.now))
		s.leave()
		return steps.Result{}, errDropped
	}
	for end := s.now + within + 10*time.Second; j.state == "going" && s.now < end && !m.dead; {
		if err := s.call(ctx, min(max(j.ends-s.now, 10*time.Millisecond), end-s.now)); err != nil {
			s.leave()
			return steps.Result{}, err
		}
	}
	if s.stormy() && s.chance(s.mix.dropAfter) || j.state != "over" || m.dead {
		s.leave()
		return steps.Result{}, errDropped
	}
	s.leave()
	return steps.Result{Code: j.code, Output: fmt.Sprintf("ended with %d\n", j.code)}, nil
}

// ask runs a line that only looks.
func (s *sim) ask(ctx context.Context, m *machine) (steps.Result, error) {
	s.enter()
	if m.dead || s.stormy() && s.chance(s.mix.dropBefore) {
		s.judge.excuse(s, "status failed")
		_ = s.call(ctx, s.between(0, time.Second))
		s.leave()
		return steps.Result{}, errDropped
	}
	if err := s.call(ctx, s.between(5*time.Millisecond, 40*time.Millisecond)); err != nil {
		return steps.Result{}, err
	}
	code := 3
	if m.up || len(m.procs) > 0 {
		code = 0
	}
	s.leave()
	return steps.Result{Code: code}, nil
}

// Ask tells what has become of a command.
func (s *sim) Ask(ctx context.Context, c plans.Command) (steps.Begun, error) {
	s.enter()
	m := s.at[c.Host]
	_ = s.call(ctx, s.between(10*time.Millisecond, 50*time.Millisecond))
	if m.dead || s.stormy() && s.chance(s.mix.dropBefore) {
		s.leave()
		return "", errDropped
	}
	s.leave()
	j, ok := m.jobs[c.ID]
	switch {
	case !ok:
		return steps.Absent, nil
	case j.state == "going":
		return steps.Going, nil
	case j.state == "lost":
		return steps.Lost, nil
	}
	return steps.Over, nil
}

// begin begins a command on its machine, unless it has begun before. It is nil where the machine refuses.
func (s *sim) begin(m *machine, c plans.Command, within time.Duration) *job {
	if j, ok := m.jobs[c.ID]; ok {
		return j
	}
	if m.dead || c.Token < m.token {
		return nil
	}
	m.token = c.Token
	j := &job{state: "going"}
	m.jobs[c.ID] = j
	s.judge.began(s, m, c)
	took, end := s.effect(m, c, within)
	j.ends = s.now + took
	s.say("%s %s on %s begins (%s)", c.Do, c.For, m.name, c.ID)
	s.after(took, func() {
		if j.state != "going" {
			return
		}
		j.code, j.state = end(), "over"
		s.say("%s on %s ends with %d", c.Do, m.name, j.code)
	})
	return j
}

// effect is what a command does when it begins, how long it takes, and what it does when it ends, which gives its exit code.
func (s *sim) effect(m *machine, c plans.Command, within time.Duration) (time.Duration, func() int) {
	well := func() int { return 0 }
	fails := func(n int) bool { return s.stormy() && s.chance(n) }
	switch c.Do {
	case plans.DoStop:
		if fails(s.mix.stopNoop) {
			return time.Second, well
		}
		for _, x := range s.unit(m) {
			s.judge.cut(s, x, s.down(x), c)
		}
		return s.between(100*time.Millisecond, 2*time.Second), well
	case plans.DoReap:
		if id := c.Env[plans.EnvProcess]; id != "" {
			m.procs = slices.DeleteFunc(m.procs, func(p simProc) bool { return p.id == id })
		} else {
			s.judge.cut(s, m, s.down(m), c)
		}
		return 500 * time.Millisecond, well
	case plans.DoStart:
		m.starts++
		if slices.ContainsFunc(s.unit(m), func(x *machine) bool { return !x.dead && (x.up || len(x.procs) > 0) }) {
			s.violate("I5: start on %s while what was there before runs", m.name)
			return time.Second, func() int { return 1 }
		}
		switch {
		case fails(s.mix.startFail):
			return time.Second, func() int { return 1 }
		case fails(s.mix.startHang):
			return within, func() int { return 124 }
		case fails(s.mix.startHalf):
			return time.Second, func() int { s.started(m, c, true); return 0 }
		case s.mix.daemon:
			s.after(s.between(time.Second, 4*time.Second), func() { s.started(m, c, false) })
			return 500 * time.Millisecond, well
		}
		return s.between(500*time.Millisecond, 3*time.Second), func() int { s.started(m, c, false); return 0 }
	case plans.DoMend:
		return time.Second, func() int { s.spawn(c.Env[plans.EnvProcess], m.group); return 0 }
	case plans.DoDeploy:
		if fails(s.mix.startFail) {
			return time.Second, func() int { return 1 }
		}
		return s.between(500*time.Millisecond, 5*time.Second), well
	}
	return 100 * time.Millisecond, well
}

// unit gives the machines that a stop or a start on m is about.
func (s *sim) unit(m *machine) []*machine {
	if !s.herd {
		return []*machine{m}
	}
	var all []*machine
	for _, x := range s.hosts {
		if x.group == m.group && !x.dead {
			all = append(all, x)
		}
	}
	return all
}

// started is the end of a start.
func (s *sim) started(m *machine, c plans.Command, half bool) {
	if m.jobs[c.ID].state == "lost" {
		return
	}
	for _, x := range s.unit(m) {
		if s.herd {
			s.spawnAll(x, s.now)
		} else {
			s.raised(x, half)
		}
		x.done, x.doneAt, s.judge.renewed[x.host] = c.ID, s.now, true
	}
}

// wants gives the processes of a group.
func (s *sim) wants(group int) []plans.Process {
	for _, st := range s.plan.Steps {
		if st.Kind == plans.Restart && s.groupIndex(st.Group) == group {
			return st.Want
		}
	}
	return nil
}

func (s *sim) spawnAll(x *machine, born time.Duration) {
	for _, p := range s.wants(x.group) {
		if p.Host != x.host || born > 0 && p.Port == 0 && s.stormy() && s.chance(s.mix.procLost) {
			continue
		}
		s.judge.pids++
		x.procs = append(x.procs, simProc{p.ID, s.judge.pids, born, born < 0 || !s.stormy() || !s.chance(s.mix.procHung)})
	}
	s.whole(x)
}

// spawn begins one process.
func (s *sim) spawn(id string, group int) {
	for _, p := range s.wants(group) {
		if x := s.at[p.Host]; p.ID == id {
			s.judge.pids++
			x.procs = append(x.procs, simProc{id, s.judge.pids, s.now, true})
			s.whole(x)
		}
	}
}

// whole brings a machine's ports in line with its processes.
func (s *sim) whole(x *machine) {
	n := 0
	for _, p := range s.wants(x.group) {
		if p.Host == x.host && p.Type != "master" && slices.ContainsFunc(x.procs, func(q simProc) bool { return q.id == p.ID }) {
			n++
		}
	}
	x.up, x.half = n > 0, n == 1
	s.health(x)
}

// Call calls the roll of a group.
func (s *sim) Call(ctx context.Context, group string, master bool) ([]plans.Found, error) {
	s.enter()
	if err := s.call(ctx, s.between(20*time.Millisecond, 200*time.Millisecond)); err != nil {
		return nil, err
	}
	if s.stormy() && s.chance(s.mix.dropBefore) {
		s.leave()
		return nil, errDropped
	}
	var all []plans.Found
	led := false
	for _, x := range s.hosts {
		if s.groupName(x.group) != group {
			continue
		}
		if x.dead {
			s.leave()
			return nil, fmt.Errorf("%s: %w", x.name, errDropped)
		}
		for _, p := range x.procs {
			led = led || p.id == "master"
			all = append(all, plans.Found{Process: plans.Process{ID: p.id, Host: x.host}, PID: p.pid, Age: plans.Seconds(s.now - p.born), Listed: p.listed || !master})
		}
	}
	s.leave()
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("%w in %s", steps.ErrNobody, group)
	case master && !led:
		return nil, errors.New("the master does not answer")
	}
	return all, nil
}
