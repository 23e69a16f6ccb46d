//go:build e2e

package pomelo

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

func TestAFullUpdateUnderLoad(t *testing.T) {
	w := bring(t, rig.Options{Players: 60})
	before := w.truths()
	w.must(0, []string{"check"}, "13 run, as configured", "the same on all machines")
	w.must(0, []string{"plan", "--ref", "v1.1.0"}, "exactly 13 processes", "every gate to name 6 connectors")
	r := w.update("--ref", "v1.1.0")
	if r.Result != "done" || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it done with 0 cut", r)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
	w.must(0, []string{"status"}, "13 processes")
	w.must(0, []string{"status", "--processes"}, "cluster-server-connector-5")
	w.must(0, []string{"status", "--processes", "-o", "json"}, "rollout.processes/v1", "cluster-server-connector-5")
}

func TestACutIsCounted(t *testing.T) {
	w := bring(t, rig.Options{Machines: 2, Gates: 1, Players: 30, Game: 10 * time.Minute, Deadline: time.Second, Cut: true})
	before := w.truths()
	r := w.update("--ref", "v1.1.0")
	time.Sleep(2 * time.Second)
	s := w.Crowd.Stats()
	if int64(r.Sessions.Cut) != s.Cut || s.Cut == 0 {
		t.Errorf("the rollout counted %d sessions cut, the players %d", r.Sessions.Cut, s.Cut)
	}
	w.whole(before, "v1.1.0")
}

func TestPlayersSlowBetweenGateAndConnector(t *testing.T) {
	w := bring(t, rig.Options{Machines: 2, Gates: 1, Players: 4, Game: 2 * time.Second, Walk: 3 * time.Second, Quiet: 5 * time.Second, Deadline: 30 * time.Second})
	for i := range drains(t) / 2 {
		w.update("--ref", fmt.Sprintf("v1.%d.0", i+1))
	}
	w.unnoticed() // a session that began after its group's drain had ended would have been cut
}

// drains is how many drains a test goes through: few in a quick run.
func drains(t *testing.T) int {
	if testing.Short() {
		return 2
	}
	_ = t
	return 12
}
