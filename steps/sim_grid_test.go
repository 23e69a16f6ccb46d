package steps_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// crash is where the processes of a run die, and what is done next.
type crash struct {
	at, then int  // boundaries; 0: nowhere
	fate     fate // of what was being sent
	next     plans.Request
	herd     bool
}

func (c crash) String() string {
	return fmt.Sprintf("dies at %d, then after %d more, what was sent is %s, then %s, herd %v", c.at, c.then, []string{"applied", "lost", "late"}[c.fate], c.next, c.herd)
}

// smallWorld is two groups of two machines and a few players.
func smallWorld(c crash) *sim {
	var recipe plans.Recipe = plans.Lines{Stop: "stop", Start: "start", Status: "status"}
	if c.herd {
		recipe = herding{}
	}
	p := simPlan(recipe, 2, 1, func(o *plans.Options, _ map[string]plans.Backend) { o.Deploy, o.DeployWithin = "deploy", time.Minute })
	s := newSim(7, mix{stay: 8 * time.Second}, p)
	for _, m := range s.hosts {
		m.sessions = append(m.sessions, session{ends: s.now + 30*time.Second})
	}
	s.fate = c.fate
	s.open()
	return s
}

// try crashes a run and brings it to its end. It gives what is wrong with that, whether the process died while it sent something, and how many boundaries
// there were.
func (c crash) try() (wrong []string, sending bool, calls int) {
	s := smallWorld(c)
	s.dieAt = c.at
	_, died := s.process()
	sending = s.sending
	if c.at > 0 && died {
		s.pass(s.between(0, 20*time.Second))
		if c.next == plans.AskAbort {
			s.book.asks, s.book.asked = []plans.Request{plans.AskAbort}, s.now
		}
		s.dieAt = 0
		if c.then > 0 {
			s.dieAt = s.calls + c.then
		}
		err, again := s.process()
		s.dieAt = 0
		st := s.book.state
		var held *steps.HeldError
		switch {
		case again:
			if err, _ = s.process(); errors.As(err, &held) && c.next == plans.AskAbort && s.halfway() { // the abort had been heard
				err, _ = s.process()
			}
			s.expect(err == nil || errors.Is(err, steps.ErrAborted), "resumed after the second crash: %v", err)
		case c.next == plans.AskResume:
			s.expect(err == nil, "resumed: %v", err)
		case errors.As(err, &held):
			s.expect(s.halfway(), "abort was refused: %v", err)
			s.expect(len(s.judge.touched) > 0, "abort was refused, and no restart has begun: %v", err)
			s.expect(held.Safe, "held, and no group is proven to serve: %v", err)
			err, _ = s.process()
			s.expect(err == nil, "resumed after the abort was refused: %v", err)
		case err == nil:
			s.expect(c.at > 0 && st.Step == len(st.Plan.Steps), "abort came too late, and the run is not done")
		default:
			s.expect(errors.Is(err, steps.ErrAborted), "abort: %v", err)
		}
	}
	s.over()
	st := s.book.state
	s.expect(st.Phase.Over(), "it ends %s", st.Phase)
	s.pass(lateness + lag)
	for _, id := range s.ids {
		s.expect(s.back[id].data == st.Plan.Before[id].Weight, "%s has %d in the end", id, s.back[id].data)
	}
	for _, m := range s.hosts {
		s.expect(m.serves(), "%s does not serve in the end", m.name)
		s.expect(m.starts <= 1 && (st.Phase != plans.PhaseDone || m.starts == 1 || s.herd), "%s was started %d times", m.name, m.starts)
	}
	return s.broken, sending, s.calls
}

// halfway says whether a group is half-way through its restart: then an abort must be refused.
func (s *sim) halfway() bool {
	st := s.book.state
	return st.Dirty[st.Plan.First] || st.Dirty[st.Plan.Second]
}

func (s *sim) expect(ok bool, format string, args ...any) {
	if !ok {
		s.violate(format, args...)
	}
}

// TestEveryCrashEndsWell kills a run at the boundaries of its calls, with each fate of what was being sent, and then resumes or aborts it. ROLLOUT_SIM_GRID
// says at which: 1 is every one.
func TestEveryCrashEndsWell(t *testing.T) {
	for _, herd := range []bool{false, true} {
		_, _, calls := crash{herd: herd}.try()
		var all []crash
		for at := 1; at <= calls; at += int(from(t, "ROLLOUT_SIM_GRID", 3)) {
			all = append(all, crash{at: at, herd: herd, next: plans.AskResume}, crash{at: at, herd: herd, next: plans.AskAbort})
		}
		tried := grid(t, all, true)
		t.Logf("herd %v: %d boundaries, %d crashes", herd, calls, tried)
		if calls < 300 {
			t.Errorf("only %d boundaries", calls)
		}
	}
}

// TestEveryPairOfCrashesEndsWell kills the process that takes the run up, too. It is coarse unless ROLLOUT_SIM_STRIDE says otherwise.
func TestEveryPairOfCrashesEndsWell(t *testing.T) {
	stride := int(from(t, "ROLLOUT_SIM_STRIDE", 97))
	_, _, calls := crash{}.try()
	r := rand.New(rand.NewPCG(1, 1))
	var all []crash
	for at := 1; at <= calls; at += stride {
		for then := 1; then <= calls; then += stride {
			all = append(all, crash{at: at + r.IntN(stride), then: then + r.IntN(stride), fate: fate(r.IntN(3)), next: []plans.Request{plans.AskResume, plans.AskAbort}[r.IntN(2)]})
		}
	}
	t.Logf("%d pairs of crashes", grid(t, all, false))
}

// grid tries crashes on two cores, those in whose moment something was being sent with every fate, and gives their number.
func grid(t *testing.T, all []crash, fates bool) int {
	t.Helper()
	var both sync.WaitGroup
	var mu sync.Mutex
	var next, tried atomic.Int64
	bad := map[string][]string{}
	for range 2 {
		both.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				c := all[i]
				for {
					tried.Add(1)
					wrong, sending, _ := c.try()
					if len(wrong) > 0 {
						mu.Lock()
						bad[c.String()] = wrong
						mu.Unlock()
					}
					if !fates || !sending || c.fate == late {
						break
					}
					c.fate++
				}
			}
		})
	}
	both.Wait()
	n := 0
	for at, wrong := range maps.All(bad) {
		if n++; n > 5 {
			t.Errorf("and %d more", len(bad)-5)
			break
		}
		t.Errorf("%s:\n  %s", at, strings.Join(wrong, "\n  "))
	}
	return int(tried.Load())
}
