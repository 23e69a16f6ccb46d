package steps_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// from gives a number from the environment.
func from(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestASimulatedWorldFindsNoPromiseBroken runs rollouts in simulated worlds full of faults and judges every act from the world's side. One seed is one
// world: ROLLOUT_SIM_SEED runs one and prints its trace, ROLLOUT_SIM_SEEDS runs so many, from ROLLOUT_SIM_FROM on.
func TestASimulatedWorldFindsNoPromiseBroken(t *testing.T) {
	if seed := from(t, "ROLLOUT_SIM_SEED", 0); seed > 0 {
		r := simulate(seed, true)
		t.Logf("seed %d\n%s", seed, strings.Join(r.trace, "\n"))
		tell(t, r)
		return
	}
	first, n := from(t, "ROLLOUT_SIM_FROM", 1), from(t, "ROLLOUT_SIM_SEEDS", 300)
	var sum struct {
		sync.Mutex
		took, lives, crashes, full, cut int64
		phases                          map[plans.Phase]int
		bad                             []result
	}
	sum.phases = map[plans.Phase]int{}
	var next atomic.Uint64
	began := time.Now()
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
				r := simulate(first+i, false)
				sum.Lock()
				sum.took += int64(r.took)
				sum.lives += int64(r.lives)
				sum.crashes += int64(r.crashes)
				sum.full += int64(r.fullDisk)
				sum.cut += int64(r.cut)
				sum.phases[r.phase]++
				if len(r.broken) > 0 {
					t.Logf("seed %d: %s", r.seed, r.broken[0])
					sum.bad = append(sum.bad, r)
				}
				enough := len(sum.bad) >= int(from(t, "ROLLOUT_SIM_BAD", 3))
				sum.Unlock()
				if enough {
					return
				}
			}
		})
	}
	both.Wait()
	t.Logf("%d rollouts from seed %d in %s: %.0f simulated hours, %d processes, %d crashes resumed, %d stops on a full disk, %d sessions cut, ends %v, %d with violations",
		n, first, time.Since(began).Round(time.Second), time.Duration(sum.took).Hours(), sum.lives, sum.crashes, sum.full, sum.cut, sum.phases, len(sum.bad))
	slices.SortFunc(sum.bad, func(a, b result) int { return int(a.seed) - int(b.seed) })
	for _, r := range sum.bad {
		tell(t, r)
	}
}

// tell reports a world in which a promise was broken.
func tell(t *testing.T, r result) {
	t.Helper()
	t.Logf("seed %d: %s after %s, %d processes, %d crashes; faults:\n  %s", r.seed, r.phase, r.took.Round(time.Second), r.lives, r.crashes, strings.Join(r.faults, "\n  "))
	if len(r.broken) > 0 {
		t.Errorf("seed %d (make sim SEED=%d):\n  %s", r.seed, r.seed, strings.Join(r.broken, "\n  "))
	}
}

// TestASeedIsOneWorld runs some seeds twice and demands the same story, word for word.
func TestASeedIsOneWorld(t *testing.T) {
	for seed := uint64(1); seed <= 12; seed++ {
		a, b := simulate(seed, true), simulate(seed, true)
		if fmt.Sprint(a.trace) != fmt.Sprint(b.trace) {
			for i := range a.trace {
				if i >= len(b.trace) || a.trace[i] != b.trace[i] {
					t.Fatalf("seed %d differs at line %d:\n%s\n%s", seed, i, a.trace[i], b.trace[min(i, len(b.trace)-1)])
				}
			}
		}
		if len(a.trace) < 50 {
			t.Errorf("seed %d: a story of %d lines", seed, len(a.trace))
		}
	}
}
