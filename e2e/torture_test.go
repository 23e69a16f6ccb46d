//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestKilledAtRandomMomentsARunStillEndsWell kills the program with SIGKILL at random moments and takes the run up again, until it is done; and
// again with the next run. ROLLOUT_TORTURE says how many kills. Nobody may be cut, each machine is started once a run, and every backend is as it was found.
func TestKilledAtRandomMomentsARunStillEndsWell(t *testing.T) {
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("ROLLOUT_TORTURE")); err == nil {
		kills = n
	}
	w := serve(t)
	lot := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	found := fmt.Sprint(w.backends())
	at := map[string]int{} // where the kills struck
	done, runs, refs := 0, 0, 0
	for done < kills {
		refs++
		run := w.start("start", "--yes", "--ref", "v"+strconv.Itoa(refs))
		for {
			aim, most := "", 9*time.Second
			if lot.IntN(2) == 0 { // most of a run is a drain: half of the kills look for something else
				aim, most = []string{"shift", "deploy", "restart", "check"}[lot.IntN(4)], 1500*time.Millisecond
			}
			o, killed := w.killSoon(run, aim, time.Duration(lot.Float64()*float64(most)), done < kills)
			if !killed {
				if o.code != 0 {
					t.Fatalf("run %d after %d kills: %s", runs+1, done, o)
				}
				break
			}
			done++
			s, begun := w.newest(fmt.Sprintf("→ v%d", refs))
			if !begun { // before there was a run: nothing to take up
				at["before a run"]++
				run = w.start("start", "--yes", "--ref", "v"+strconv.Itoa(refs))
				continue
			}
			if s.Phase == "done" {
				at["after the end"]++
				break
			}
			at[s.Step.Kind]++
			run = w.start("resume")
		}
		runs++
		for name, n := range w.restarts() {
			if n != runs {
				t.Errorf("after %d runs and %d kills %s was started %d times", runs, done, name, n)
			}
		}
		if now := fmt.Sprint(w.backends()); now != found {
			t.Errorf("after %d runs and %d kills the backends are %s, and were found %s", runs, done, now, found)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d kills (%v), %d runs done, 0 held, each machine started %d times", done, at, runs, runs)
	w.nobodyNoticed()
}

// killSoon kills a command a while after its run has come to a step of a kind, or after it began where none is named, if it is still there then and may
// be killed; else it waits for its end.
func (w *world) killSoon(run *started, kind string, after time.Duration, may bool) (output, bool) {
	ended := make(chan output, 1)
	go func() { ended <- run.wait() }()
	for end := time.Now().Add(20 * time.Second); may && kind != "" && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if s, _ := w.newest(""); s.Step.Kind == kind && s.Phase == "running" || len(ended) > 0 {
			break
		}
	}
	if may {
		select {
		case o := <-ended:
			return o, false
		case <-time.After(after):
			_ = run.Process.Kill()
			o := <-ended
			return o, o.code == -1
		}
	}
	return <-ended, false
}

// newest gives the status of the newest run, and whether it is the one that brings a release.
func (w *world) newest(release string) (status, bool) {
	o := w.run("status")
	if o.code != 0 || !strings.Contains(o.stdout, release) {
		return status{}, false
	}
	s, _ := w.status()
	return s, true
}
