package steps_test

import (
	"time"

	"github.com/seed59ee9cdc/rollout/steps"
)

// freshness is how old what an act rests on may be, and prompt how long the opening of a group may take to begin, after the hurt of the one that serves
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
	renewed  map[string]bool          // host → its start has succeeded, until a stop begins; its machine may have died since
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
	j.current, j.renewed = map[string]string{}, map[string]bool{}
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
