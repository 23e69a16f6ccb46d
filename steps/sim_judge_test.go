package steps_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// fresh is how old what an act rests on may be, and prompt how long the opening of a group may take to begin, after the hurt of the one that serves
// can be read.
const (
	freshness = 15 * time.Second
	prompt    = 10 * time.Second
)

// judge knows what the processes of a run have seen and sent, and holds every act against that.
type judge struct {
	seen     *sight                   // the last reading of this process
	shut     map[string]time.Duration // backend → since when every reading has shown it off; never: absent
	probes   map[spot]probe
	counts   map[string]time.Duration // host → when its sessions were counted last
	wrote    map[string]time.Duration // backend → when a request was sent last
	current  map[string]string        // host → the start that was recorded last, until a stop begins after it
	issued   map[string]time.Duration // id of a command → when it was sent first
	meant    map[string]int           // backend → the weight that was sent last
	doubt    [2]time.Duration         // group → when a request of unknown outcome was sent last
	acted    [2]time.Duration         // group → when anything was done to it last
	commands map[string][]attempt     // by host and key: the attempts in this plan's step
	touched  map[string]time.Duration // host → when a command began there last
	out      map[string]bool          // host → the run has stopped it, and it does not serve yet
	open     [2]time.Duration         // group → when it took players last by this run's will
	cuts     int                      // sessions cut by stops that were there when they were counted
	stepCuts map[string]int           // by plan, step
	judged   bool                     // the stops that were recorded together rest on one gate
	batch    bool                     // commands that were recorded together are being sent
	broke    bool                     // the journal has refused an event of this process
	leaving  int                      // ways back begun
	tokens   map[int64]int            // token → the process that has it
	pids     int

	hurtAt   time.Duration // since when the group that serves is hurt and the other could be opened; 0: it is not so
	excused  time.Duration // when something last kept the process from reading or acting
	opened   bool          // opening has begun since hurtAt
	seenHurt bool          // said already
}

type sight struct {
	began, at time.Duration
	look      steps.Look
}

type probe struct {
	began time.Duration
	life  int
	open  bool
}

type attempt struct {
	id    string
	token int64
}

func (j *judge) init() {
	j.shut, j.probes, j.counts = map[string]time.Duration{}, map[spot]probe{}, map[string]time.Duration{}
	j.wrote, j.commands, j.touched = map[string]time.Duration{}, map[string][]attempt{}, map[string]time.Duration{}
	j.current = map[string]string{}
	j.meant, j.issued = map[string]int{}, map[string]time.Duration{}
	j.out, j.stepCuts, j.tokens = map[string]bool{}, map[string]int{}, map[int64]int{}
}

// life begins another process.
func (j *judge) life(s *sim) {
	j.seen, j.judged, j.broke = nil, false, false
	j.excuse(s, "a process begins")
}

func (j *judge) excuse(s *sim, _ string) { j.excused = s.now }

// looked takes down what a reading showed.
func (j *judge) looked(s *sim, began time.Duration, l steps.Look) {
	j.seen = &sight{began, s.now, l}
	for id, w := range l.Weights {
		if _, ok := j.shut[id]; w != 0 {
			delete(j.shut, id)
		} else if !ok {
			j.shut[id] = began
		}
	}
}

// probed takes down what a port did when it was tried.
func (j *judge) probed(s *sim, m *machine, port int, open bool, began time.Duration) {
	j.probes[spot{m, port}] = probe{began, s.life, open}
}

// spot is a port of a machine.
type spot struct {
	m    *machine
	port int
}

func (j *judge) counted(m *machine, began time.Duration) { j.counts[m.host] = began }

// sent takes down a request that has left.
func (j *judge) sent(s *sim, b *backend, unknown bool) {
	j.wrote[b.id], j.acted[b.m.group] = s.now, s.now
	if unknown {
		j.doubt[b.m.group] = s.now
	}
}

// write judges requests that are about to be sent.
func (j *judge) write(s *sim, weights map[string]int) {
	maps.Copy(j.meant, weights)
	last := s.book.es[len(s.book.es)-1]
	if last.What != plans.Writing || !maps.Equal(last.Weights, weights) || j.broke {
		s.violate("I4: %v is written and was not recorded just before", weights)
	}
	st := s.book.state
	if j.seen == nil || s.now-j.seen.began > freshness {
		s.violate("I1b: %v is written, and the last look is too old", weights)
		return
	}
	for _, id := range slices.Sorted(maps.Keys(weights)) {
		b, ok := st.Plan.Before[id]
		if !ok {
			s.violate("I8: %s is written and is none of the plan's", id)
			continue
		}
		if at := j.seen.look.Addrs[id]; at != b.Addr {
			s.violate("I8: %s is written, and was seen at %s", id, at)
		}
		w, now := weights[id], j.seen.look.Weights[id]
		if now != b.Weight && !slices.Contains(st.Wrote[id], now) {
			s.violate("I11: %s was read as %d, which is somebody else's, and is written", id, now)
		}
		g := s.back[id].m.group
		switch {
		case w < now && w < b.Serve():
			j.gate(s, 1-g, fmt.Sprintf("%s is lowered to %d", id, w))
		case w > 0:
			j.well(s, s.back[id].m, id)
		}
	}
}

// well demands that a machine was seen to answer before a backend of it is opened.
func (j *judge) well(s *sim, m *machine, id string) {
	for _, port := range s.ports(m) {
		p := j.probes[spot{m, port}]
		switch {
		case p.life != s.life || !p.open:
			s.violate("I9: %s is opened, and port %d of %s did not answer when it was tried last", id, port, m.name)
		case s.now-p.began > freshness:
			s.violate("I9: %s is opened, and port %d of %s was tried %s ago", id, port, m.name, s.now-p.began)
		case p.began < j.touched[m.host]:
			s.violate("I9: %s is opened, and port %d of %s has not been tried since the restart", id, port, m.name)
		}
	}
}

func (s *sim) ports(m *machine) []int {
	for _, st := range s.plan.Steps {
		for _, p := range st.Probe {
			if p.Host == m.host {
				return p.Ports
			}
		}
	}
	return nil
}

// gate demands that an act that takes capacity away rests on a look at the other group in full service.
func (j *judge) gate(s *sim, other int, act string) {
	st := s.book.state
	if a := s.book.asked; a > 0 && st.Plan.Purpose != plans.Leaving && (s.book.taken || s.now-a > freshness) {
		s.violate("L4: %s, %s after an abort was asked for (taken %v)", act, s.now-a, s.book.taken)
	}
	if j.broke {
		s.violate("I4: %s although nothing can be recorded", act)
	}
	switch {
	case j.seen == nil:
		s.violate("I1b: %s without a look", act)
		return
	case s.now-j.seen.began > freshness:
		s.violate("I1b: %s by a look %s old", act, s.now-j.seen.began)
	case j.seen.began < j.acted[other]:
		s.violate("I1b: %s by a look from before the last act on the other group", act)
	}
	drifted := plans.Drifted(st, j.seen.look.Weights)
	for _, id := range s.ids {
		b := st.Plan.Before[id]
		if s.back[id].m.group != other || b.Serve() == 0 || st.Plan.Purpose == plans.Leaving && slices.Contains(drifted, id) {
			continue
		}
		if w := j.seen.look.Weights[id]; w != b.Serve() {
			s.violate("I1b: %s, and %s of the other group was seen with %d", act, id, w)
		}
		if slices.Contains(j.seen.look.Sick, id) {
			s.violate("I1b: %s, and %s of the other group was seen sick", act, id)
		}
	}
	for _, m := range s.hosts {
		if m.group != other {
			continue
		}
		for _, port := range s.ports(m) {
			p := j.probes[spot{m, port}]
			if p.life != s.life || !p.open || s.now-p.began > freshness {
				s.violate("I1b: %s, and port %d of %s of the other group was not seen to answer (%s ago)", act, port, m.name, s.now-p.began)
			}
		}
	}
}

// command judges a command that is about to be sent.
func (j *judge) command(s *sim, c plans.Command) {
	st := s.book.state
	m, ok := s.at[c.Host]
	if !ok {
		s.violate("I8: a command for %s, which is no machine of the plan", c.Host)
		return
	}
	if st.Step >= len(st.Progress) || st.Progress[st.Step].Acts[c.Key()].ID != c.ID || j.broke && !j.batch {
		s.violate("I4: %s on %s was not recorded", c.Do, m.name)
	}
	j.batch = true // those that were recorded together are sent at once, only not here
	if life, ok := j.tokens[c.Token]; ok && life != s.life {
		s.violate("I5: %s on %s has the token of an earlier process", c.Do, m.name)
	}
	j.tokens[c.Token] = s.life
	if _, ok := j.issued[c.ID]; !ok {
		j.issued[c.ID] = s.now
	}
	key := fmt.Sprint(len(st.Earlier), st.Step, c.Host, c.Key())
	if !slices.Contains(j.commands[key], attempt{c.ID, c.Token}) {
		j.commands[key] = append(j.commands[key], attempt{c.ID, c.Token})
	}
	if c.Do != plans.DoStop || j.judged {
		return
	}
	if _, begun := m.jobs[c.ID]; begun {
		return // only its end is waited for
	}
	j.judged = true
	act := "stop on " + m.name
	j.gate(s, 1-m.group, act)
	j.closed(s, m.group, act)
}

// closed demands that a group was seen closed for as long as a change takes to reach the workers, before it is stopped.
func (j *judge) closed(s *sim, group int, act string) {
	for _, id := range s.ids {
		b := s.back[id]
		if b.m.group != group {
			continue
		}
		if j.seen != nil && j.seen.look.Weights[id] != 0 {
			s.violate("I2: %s, and %s was seen with %d", act, id, j.seen.look.Weights[id])
		}
		if since, ok := j.shut[id]; !ok || s.now-since < staleness+lag {
			s.violate("I2: %s, and %s was not seen off for %s", act, id, staleness+lag)
		}
		if at, ok := j.wrote[id]; ok && s.now-at < staleness+lag {
			s.violate("I2: %s, %s after %s was written", act, s.now-at, id)
		}
		if len(b.flight) > 0 {
			s.violate("I2: %s, and a request to %s is still under way", act, id)
		}
	}
	if at := j.doubt[group]; at > 0 && s.now-at < lateness {
		s.violate("I2: %s, %s after a request that was not answered", act, s.now-at)
	}
}

// began judges a command that begins on its machine.
func (j *judge) began(s *sim, m *machine, c plans.Command) {
	for key, all := range j.commands {
		if !slices.Contains(all, attempt{c.ID, c.Token}) {
			continue
		}
		for _, a := range all {
			other, ok := m.jobs[a.id]
			switch {
			case a.id == c.ID:
			case ok && other.state == "going":
				s.violate("I5: %s begins while an earlier attempt runs", key)
			case !ok && a.token >= c.Token:
				s.violate("I5: %s begins anew, and an earlier attempt may begin still", key)
			}
		}
	}
	if c.Do == plans.DoDeploy {
		return
	}
	if c.Do == plans.DoStop && m.done != "" && m.done == j.current[m.host] && m.doneAt < j.issued[c.ID] && m.serves() && (!s.herd || s.complete(m.group)) {
		s.violate("I5: %s is restarted, and was healthy and done", m.name)
	}
	for _, id := range s.ids {
		if b := s.back[id]; b.m.group == m.group && b.data > 0 && !b.foreign {
			s.violate("I2: %s on %s while the workers send players to %s", c.Do, m.name, id)
		}
	}
	if c.Do == plans.DoStop {
		delete(j.current, m.host)
	}
	j.acted[m.group] = s.now
	for _, x := range s.unit(m) {
		j.touched[x.host] = s.now
		if c.Do == plans.DoStop || c.Do == plans.DoStart {
			j.out[x.host] = true
		}
	}
}

// complete says whether exactly the wanted processes of a group run.
func (s *sim) complete(group int) bool {
	for _, w := range s.wants(group) {
		x, n := s.at[w.Host], 0
		for _, p := range x.procs {
			if p.id == w.ID {
				n++
				if !p.listed {
					return false
				}
			}
		}
		if n != 1 || !x.serves() {
			return false
		}
	}
	return true
}

// cut judges sessions that end with what held them.
func (j *judge) cut(s *sim, m *machine, cut []session, c plans.Command) {
	st, n := s.book.state, 0
	var drain plans.Step
	for _, x := range st.Plan.Steps {
		if x.Kind == plans.Drain && s.groupIndex(x.Group) == m.group {
			drain = x
		}
	}
	for _, x := range cut {
		if x.came <= j.counts[m.host] {
			j.cuts++
		}
		switch {
		case x.odd:
			continue
		case x.came > j.counts[m.host]:
			s.violate("I6: %s on %s cuts a session that came after they were counted", c.Do, m.name)
		case drain.Drain == nil || drain.Drain.OnDeadline != plans.Cut:
			s.violate("I6: %s on %s cuts a session, and the plan does not say cut", c.Do, m.name)
		case s.now-j.open[m.group] < drain.Within.Duration():
			s.violate("I2: %s on %s cuts a session %s after the group was closed, which had %s", c.Do, m.name, s.now-j.open[m.group], drain.Within)
		}
		n++
	}
	key := fmt.Sprint(len(st.Earlier), st.Step)
	j.stepCuts[key] += n
	if drain.Drain != nil && drain.Drain.CutBudget != nil && j.stepCuts[key] > *drain.Drain.CutBudget {
		s.violate("I6: %d sessions of a step are cut, and the budget is %d", j.stepCuts[key], *drain.Drain.CutBudget)
	}
}

// event judges what is recorded.
func (j *judge) event(s *sim, e plans.Event) {
	switch e.What {
	case plans.Began:
		s.phase(e.Step)
	case plans.Running:
		j.judged, j.batch = false, false
		if c := e.Command; c.Do == plans.DoStart {
			j.current[c.Host] = s.book.state.Progress[e.Step].Acts[c.Key()].ID
		}
	case plans.Writing:
		for id, w := range e.Weights {
			j.opened = j.opened || w > 0 && s.back[id].control.last().is == 0
		}
	case plans.Planned:
		if e.Plan.Purpose == plans.Leaving {
			j.leaving++
			s.book.asked, s.book.taken = 0, false
		}
		if j.leaving > 1 || j.leaving == 1 && e.Plan.Purpose != plans.Leaving {
			s.violate("L6: another plan after the way back")
		}
	case plans.Held, plans.Paused, plans.Interrupted, plans.Aborted:
		s.book.asked, s.book.taken = 0, false
	case plans.Done:
		j.done(s)
	}
}

// done judges the claim that all is well.
func (j *judge) done(s *sim) {
	st := s.book.state
	if j.seen == nil || s.now-j.seen.began > freshness {
		s.violate("I7: done without a fresh look")
		return
	}
	for g := range 2 {
		if at := j.doubt[g]; at > 0 && s.now-at < lateness {
			s.violate("I7: done %s after a request that was not answered", s.now-at)
		}
	}
	for _, id := range s.ids {
		b := s.back[id]
		if at, ok := j.wrote[id]; ok && j.seen.began-at < staleness {
			s.violate("I7: done by a look %s after %s was written", j.seen.began-at, id)
		}
		if w := j.seen.look.Weights[id]; w != st.Plan.Before[id].Weight {
			s.violate("I7: done, and %s was seen with %d", id, w)
		}
		if b.control.last().is != st.Plan.Before[id].Weight && b.control.last().at < j.seen.began-staleness {
			s.violate("I7: done, and %s has %d", id, b.control.last().is)
		}
		if len(b.flight) > 0 {
			s.violate("I7: done, and a request to %s is under way", id)
		}
	}
	for _, m := range s.hosts {
		if w := m.well.last(); w.is == 0 && s.now-w.at > freshness+staleness && !s.off(m) {
			s.violate("I7: done, and %s has not been well for %s", m.name, s.now-w.at)
		}
		if kept := slices.Contains(s.plan.Kept, s.groupName(m.group)); m.done == "" && m.serves() && !kept && j.touched[m.host] == 0 {
			s.violate("I7: done, and %s was not restarted", m.name)
		}
	}
}

// check judges the world as it is, after everything that happens.
func (s *sim) check() {
	j, st := &s.judge, &s.book.state
	var ours, service, hurt, out [2]bool
	service = [2]bool{true, true}
	for _, id := range s.ids {
		b, g := s.back[id], s.back[id].m.group
		before := st.Plan.Before[id]
		last := b.control.last().is
		if last < before.Weight && !b.foreign {
			ours[g] = true
			out[g] = out[g] || j.meant[id] == 0
		}
		for _, r := range b.flight {
			ours[g] = ours[g] || r.weight < before.Weight
		}
		if last > 0 && !b.foreign || b.data > 0 && !b.foreign {
			j.open[g] = s.now
		}
		if before.Serve() > 0 {
			service[g] = service[g] && b.data == before.Serve() && b.m.serves()
			hurt[g] = hurt[g] || last == 0 && b.foreign || b.m.well.last().is == 0
		}
	}
	for _, m := range s.hosts {
		if j.out[m.host] && m.serves() {
			delete(j.out, m.host)
		}
		ours[m.group] = ours[m.group] || j.out[m.host]
	}
	if ours[0] && ours[1] {
		s.violate("I1: backends or machines of both groups are out by this run's doing")
	}
	if !service[0] && !service[1] && !s.mix.harm {
		s.violate("I1: no group is in full service, and nobody but this run has touched anything")
	}
	s.prompt(hurt, out)
}

// prompt demands that opening begins soon after the group that serves is hurt.
func (s *sim) prompt(hurt, out [2]bool) {
	j, st := &s.judge, &s.book.state
	bad := false
	if s.alive && !s.frozen && st.Phase == plans.PhaseRunning && st.Plan.Purpose == plans.Update {
		for g := range 2 {
			bad = bad || hurt[g] && out[1-g] && !st.Dirty[s.groupName(1-g)]
		}
	}
	switch {
	case !bad:
		j.hurtAt, j.opened, j.seenHurt = 0, false, false
	case j.hurtAt == 0:
		j.hurtAt, j.opened, j.seenHurt = s.now, false, false
	case !j.opened && !j.seenHurt && s.now-max(j.hurtAt+staleness, j.excused) > prompt:
		j.seenHurt = true
		s.violate("L3: the group that serves has been hurt since %.3f, and the other is not being opened", j.hurtAt.Seconds())
	}
}
