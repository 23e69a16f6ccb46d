// This file and those beside it that begin with sim_ are a world in which the shipped steps are tried: sim_clock is its time, sim_world what is
// there, sim_tools and sim_shell what a run sees and does of it, sim_book its journal, sim_mix and sim_faults what goes wrong, sim_judge and the three
// after it the promises, sim_run the life of one rollout, sim_grid crashes at every boundary.

package steps_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// What the load balancer of a simulated world keeps to: a read is at most staleness old, an accepted write reaches the workers within lag, and a request
// takes effect within lateness of being sent or never.
const (
	staleness = 5 * time.Second
	lag       = 10 * time.Second
	lateness  = 30 * time.Second
)

// sim is a simulated world: a load balancer, two groups of machines, players, the computer that rollout runs on, and what has been seen and done
// by the runs of one rollout. It keeps what is true, and so can judge what was done by what could be known.
type sim struct {
	simClock
	rand  *rand.Rand
	mix   mix
	plan  plans.Plan
	ids   []string // of the backends, sorted
	back  map[string]*backend
	hosts []*machine
	at    map[string]*machine
	book  simBook
	herd  bool

	life    int  // of the process: which one it is
	alive   bool // it runs
	frozen  bool // it stands still
	calls   int  // boundaries passed
	dieAt   int  // the process dies at this boundary; 0: at none
	sending bool // the process died while it sent a request
	reboots bool // and its computer with it
	fate    fate // of the requests under way where it dies
	stop    func(error)
	judge   judge
	trace   []string
	tracing bool
	broken  []string // the promises that were broken
}

// value is what a backend, or a machine, was from a moment on.
type value struct {
	at time.Duration
	is int
}

// past is what something was, oldest first.
type past []value

func (p past) when(t time.Duration) int {
	for i := len(p) - 1; i > 0; i-- {
		if p[i].at <= t {
			return p[i].is
		}
	}
	return p[0].is
}

func (p past) last() value { return p[len(p)-1] }

// backend is one backend of the load balancer.
type backend struct {
	id      string
	m       *machine
	control past          // its weight as the API has it
	data    int           // its weight as the workers have it
	foreign bool          // somebody else has set it last
	handed  time.Duration // when somebody else opened it last
	flight  []request
}

// request is one that was not answered and will take effect.
type request struct {
	weight int
	sent   time.Duration
}

// machine is one machine of a group.
type machine struct {
	host, name string
	group      int  // index: 0 is the first group
	dead       bool // it cannot be reached
	up         bool // its service runs
	half       bool // but for one port
	flaps      bool // its health is told wrongly
	well       past // 1 where the load balancer has cause to call it healthy
	sessions   []session
	jobs       map[string]*job
	token      int64
	doneAt     time.Duration
	starts     int    // begun
	done       string // the start that brought up what runs, where it succeeded
	procs      []simProc
	blind      int // how many counts fail here still
}

type session struct {
	came time.Duration
	ends time.Duration
	odd  bool // it came through a backend that somebody else had opened
}

// job is a command that has begun on a machine.
type job struct {
	state string // going, over, lost
	late  bool   // it has travelled for long: whoever asked for it meanwhile was told that it had not begun
	code  int
	ends  time.Duration
}

type simProc struct {
	id     string
	pid    int
	born   time.Duration
	listed bool
}

func (s *sim) say(format string, args ...any) {
	if s.tracing {
		s.trace = append(s.trace, fmt.Sprintf("%9.3f  ", s.now.Seconds())+fmt.Sprintf(format, args...))
	}
}

func (s *sim) violate(format string, args ...any) {
	v := fmt.Sprintf(format, args...)
	s.say("VIOLATION %s", v)
	if len(s.broken) < 20 {
		s.broken = append(s.broken, fmt.Sprintf("at %.3f: ", s.now.Seconds())+v)
	}
}

// between gives a duration from a range.
func (s *sim) between(from, to time.Duration) time.Duration {
	if to <= from {
		return from
	}
	return from + time.Duration(s.rand.Int64N(int64(to-from)))
}

// chance is true n times in a thousand.
func (s *sim) chance(n int) bool { return n > 0 && s.rand.IntN(1000) < n }

func (s *sim) groupName(i int) string {
	if i == 0 {
		return s.plan.First
	}
	return s.plan.Second
}

func (s *sim) groupIndex(name string) int {
	if name == s.plan.First {
		return 0
	}
	return 1
}

// set gives a backend a weight, which the workers take up a while later: what the API has then.
func (s *sim) set(b *backend, weight int, foreign bool) {
	s.say("control %s = %d%s", b.id, weight, map[bool]string{true: " by hand"}[foreign])
	if b.control.last().is == weight && b.foreign == foreign {
		return
	}
	b.control = append(b.control, value{s.now, weight})
	b.foreign = foreign
	if foreign && weight > 0 {
		b.handed = s.now
	}
	s.after(s.between(0, lag), func() {
		if now := b.control.last().is; b.data != now {
			b.data = now
			s.say("data %s = %d", b.id, now)
		}
	})
	s.check()
}

// serves says whether a machine does what players want of it.
func (m *machine) serves() bool { return !m.dead && m.up && !m.half }

// health takes down whether the load balancer has cause to call a machine healthy.
func (s *sim) health(m *machine) {
	is := 0
	if m.serves() && !m.flaps {
		is = 1
	}
	if m.well.last().is != is {
		m.well = append(m.well, value{s.now, is})
		s.say("%s well = %d", m.name, is)
	}
}

// arrivals lets a player come, and the next one.
func (s *sim) arrivals() {
	s.after(s.between(0, 2*s.mix.arrival), s.arrivals)
	var open []*backend
	sum := 0
	for _, id := range s.ids {
		if b := s.back[id]; b.data > 0 && b.m.serves() {
			open = append(open, b)
			sum += b.data
		}
	}
	if sum == 0 {
		return
	}
	n := s.rand.IntN(sum)
	for _, b := range open {
		if n -= b.data; n < 0 {
			odd := b.foreign
			s.after(s.between(0, 3*time.Second), func() { s.join(b.m, odd) }) // it has a gate's answer, and is on its way to a connector
			return
		}
	}
}

func (s *sim) join(m *machine, odd bool) {
	if !m.serves() {
		return
	}
	stay := time.Duration(s.rand.ExpFloat64() * float64(s.mix.stay))
	if s.chance(s.mix.long) {
		stay *= 8
	}
	stay = min(stay, 20*time.Minute)
	m.sessions = append(m.sessions, session{came: s.now, ends: s.now + stay, odd: odd})
}

// count gives the sessions of a machine, without those that have ended.
func (s *sim) count(m *machine) int {
	m.sessions = slices.DeleteFunc(m.sessions, func(x session) bool { return x.ends <= s.now })
	return len(m.sessions)
}

// down ends what runs on a machine and gives the sessions that this cut.
func (s *sim) down(m *machine) []session {
	s.count(m)
	cut := m.sessions
	m.sessions, m.up, m.half, m.done = nil, false, false, ""
	m.procs = nil
	s.health(m)
	return cut
}

// raised brings a machine's service up.
func (s *sim) raised(m *machine, half bool) {
	m.up, m.half = true, half
	s.health(m)
}

// newSim makes the world of a plan.
func newSim(seed uint64, m mix, p plans.Plan) *sim {
	s := &sim{rand: rand.New(rand.NewPCG(seed, 0x726f6c6c)), mix: m, plan: p, back: map[string]*backend{}, at: map[string]*machine{}}
	s.each = s.check
	s.judge.init()
	for _, pm := range p.Machines {
		x := &machine{host: pm.Host, name: pm.Name, group: s.groupIndex(pm.Group), up: true, jobs: map[string]*job{}, well: past{{0, 1}}}
		s.hosts = append(s.hosts, x)
		s.at[x.host] = x
	}
	for id, b := range p.Before {
		s.ids = append(s.ids, id)
		s.back[id] = &backend{id: id, m: s.at[b.Host], control: past{{-time.Hour, b.Weight}}, data: b.Weight}
	}
	slices.Sort(s.ids)
	s.now = time.Minute
	for _, st := range p.Steps {
		s.herd = s.herd || len(st.Want) > 0
	}
	for _, x := range s.hosts {
		if s.herd {
			s.spawnAll(x, -time.Hour)
		}
	}
	for range m.players {
		x := s.hosts[s.rand.IntN(len(s.hosts))]
		if s.off(x) {
			continue
		}
		x.sessions = append(x.sessions, session{came: 0, ends: s.now + time.Duration(s.rand.ExpFloat64()*float64(m.stay))})
	}
	if m.arrival > 0 {
		s.after(0, s.arrivals)
	}
	return s
}

// off says whether a machine has no backend that takes anybody.
func (s *sim) off(m *machine) bool {
	for _, b := range s.back {
		if b.m == m && (b.data > 0 || b.control.last().is > 0) {
			return false
		}
	}
	return true
}
