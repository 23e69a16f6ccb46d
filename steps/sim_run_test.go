package steps_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// longest is how long one process may be at it, whatever happens to it: the deadlines of all steps, and players who stay.
const longest = 2 * time.Hour

// result is what became of one rollout.
type result struct {
	seed     uint64
	took     time.Duration
	lives    int // processes
	crashes  int
	fullDisk int
	calls    int
	phase    plans.Phase
	cut      int
	held     bool // ended where abort must refuse
	broken   []string
	trace    []string
	faults   []string
}

// simulate runs the rollout of a seed to its end.
func simulate(seed uint64, tracing bool) result {
	r := rand.New(rand.NewPCG(seed, 0x776f726c))
	m := randomMix(r)
	p := randomPlan(r, &m)
	s := newSim(seed, m, p)
	s.tracing = tracing
	s.open()
	return s.finish(result{seed: seed})
}

// open records the plan.
func (s *sim) open() {
	s.book.boot = "boot1"
	if err := s.plan.Check(); err != nil {
		s.violate("the plan is not safe: %v", err)
	}
	s.keep(plans.Event{What: plans.Planned, Step: -1, Plan: &s.plan})
	s.plant()
}

// finish starts process after process until the run is over, as a person would.
func (s *sim) finish(res result) result {
	calmly := 0
	for {
		err, died := s.process()
		st := s.book.state
		if died {
			res.crashes++
		}
		if errors.Is(err, steps.ErrJournal) {
			res.fullDisk++
		}
		if st.Phase.Over() || len(s.broken) > 0 {
			break
		}
		if s.life > 60 {
			s.violate("L1: 60 processes did not end it")
			break
		}
		s.pass(s.between(time.Second, 3*time.Minute))
		if !s.stormy() {
			s.mend(err)
			if calmly++; calmly == 25 {
				s.book.asks, s.book.asked = []plans.Request{plans.AskAbort}, s.now
			} else if calmly > 25 {
				if st.Dirty[st.Plan.First] || st.Dirty[st.Plan.Second] {
					res.held = true
				}
				s.violate("L1: %d processes did not end it although nothing is wrong any more: %v", calmly, err)
				break
			}
		}
		s.person(err)
	}
	s.over()
	res.took, res.lives, res.calls, res.phase, res.cut = s.now, s.life, s.calls, s.book.state.Phase, s.judge.cuts
	res.broken, res.trace = s.broken, s.trace
	for _, f := range s.mix.faults {
		res.faults = append(res.faults, fmt.Sprintf("%s (step %d, after %s or %d calls, lasts %s)", f.name, f.step, f.delay, f.calls, f.lasts))
	}
	return res
}

// process is one process that takes the run up, until it ends or dies.
func (s *sim) process() (err error, died bool) {
	s.life++
	s.alive, s.dying, s.ends, s.book.broken = true, false, nil, false
	s.mix.freeze = 0
	s.judge.life(s)
	began := s.life
	s.after(longest, func() {
		if s.alive && s.life == began {
			s.violate("L1: it has been running for %s", longest)
			s.dying = true
		}
	})
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	s.stop = stop
	defer func() {
		s.alive, s.stop = false, nil
		if s.reboots {
			s.reboots, s.book.boot, s.book.up = false, fmt.Sprintf("boot%d", s.life+1), s.now
		}
		r := recover()
		if _, ok := r.(killed); ok {
			s.say("process %d is dead", s.life)
			died = true
		} else if r != nil {
			s.violate("it panics: %v\n%s", r, debug.Stack())
		}
	}()
	st := s.folded()
	if !reflect.DeepEqual(st, s.book.state) {
		s.violate("I10: the fold of the journal is not the state that was reached")
	}
	s.say("process %d takes it up: %s, step %d", s.life, st.Phase, st.Step)
	reached, err := steps.Run(ctx, st, s, s.tools())
	s.say("process %d ends: %v", s.life, err)
	if !reflect.DeepEqual(reached, s.book.state) {
		s.violate("I10: the state that was reached is not the fold of the journal")
	}
	return err, false
}

// mend is a person, or the passing of time, once nothing goes wrong any more.
func (s *sim) mend(err error) {
	s.book.full = false
	st := s.book.state
	step, _ := st.Current()
	for _, m := range s.hosts {
		m.blind = 0
		if err != nil && strings.Contains(err.Error(), "it is an old process") && s.groupName(m.group) == step.Group {
			s.say("what runs on %s is started again by hand", m.name)
			for i := range m.procs {
				s.judge.pids++
				m.procs[i].pid, m.procs[i].born = s.judge.pids, s.now
			}
		}
		if step.Kind == plans.Restart && step.Group == s.groupName(m.group) || m.dead || m.serves() {
			continue
		}
		s.say("%s is mended by hand", m.name)
		if s.herd {
			for _, p := range s.wants(m.group) {
				if p.Host == m.host && !slices.ContainsFunc(m.procs, func(q simProc) bool { return q.id == p.ID }) {
					s.spawn(p.ID, m.group)
				}
			}
			continue
		}
		s.raised(m, false)
	}
}

// person is who looks at a run that has stopped and decides: mostly to resume.
func (s *sim) person(err error) {
	st := s.book.state
	var drift *steps.DriftError
	switch {
	case errors.As(err, &drift):
		for _, id := range s.ids {
			b, plan := s.back[id], st.Plan.Before[id]
			now := b.control.last().is
			if now == plan.Weight || slices.Contains(st.Wrote[id], now) {
				continue
			}
			switch s.rand.IntN(3) {
			case 0:
				s.keep(plans.Event{What: plans.Adopted, Step: -1, Weights: map[string]int{id: now}, By: "wang@ops"})
			case 1:
				s.keep(plans.Event{What: plans.Overruled, Step: -1, Weights: map[string]int{id: now}, By: "wang@ops"})
			default:
				s.set(b, plan.Weight, true)
			}
		}
	case !s.stormy() && st.Alarm != "" || strings.Contains(fmt.Sprint(err), "is off"):
		for _, id := range s.ids {
			if b := s.back[id]; b.foreign && b.control.last().is == 0 && st.Plan.Before[id].Weight > 0 {
				s.set(b, st.Plan.Before[id].Weight, true)
			}
		}
	case s.stormy() && s.chance(150):
		s.book.asks, s.book.asked = append(s.book.asks, plans.AskAbort), s.now
	}
}

// named finds how many backends the end of a way back says are not as they were found.
var named = regexp.MustCompile(`(?:but for|and) (\d+) (?:gone|with|left)`)

// over judges the end of a run.
func (s *sim) over() {
	st := s.book.state
	if got := st.Cut(); got < s.judge.cuts {
		s.violate("I6: %d sessions were cut, and %d are recorded", s.judge.cuts, got)
	}
	if st.Phase != plans.PhaseAborted {
		return
	}
	s.pass(lateness + lag)
	note, told := s.book.es[len(s.book.es)-1].Note, 0
	for _, part := range named.FindAllStringSubmatch(note, -1) {
		n, _ := strconv.Atoi(part[1])
		told += n
	}
	ours, all := 0, 0 // backends that are not as they were found: those that nobody else has changed, and every one
	for _, id := range s.ids {
		b := s.back[id]
		if b.control.last().is == st.Plan.Before[id].Weight {
			continue
		}
		if all++; !b.foreign && len(st.Wrote[id]) > 0 {
			ours++
		}
	}
	if told < ours || told > all {
		s.violate("I3: aborted (%s), and %d backends are not as they were found, %d of them by this run alone", note, all, ours)
	}
}
