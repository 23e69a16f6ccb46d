//go:build e2e

package pomelo

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/app"
	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

// full leaves a test to `make e2e-full`.
func full(t *testing.T) {
	t.Helper()
	if os.Getenv("ROLLOUT_E2E_FULL") == "" {
		t.Skip("it takes long: make e2e-full")
	}
}

// TestFullSize updates 98 processes behind 48 backends while 200 people play, by hand and then by rollout.
func TestFullSize(t *testing.T) {
	full(t)
	w := bring(t, rig.Options{Gates: 8, Players: 200, Game: 12 * time.Second, Deadline: 3 * time.Minute})
	before := w.truths()
	hand := w.byHand(10 * time.Second)
	w.unnoticed()
	began := time.Now()
	r := w.update("--ref", "v1.1.0")
	ours := time.Since(began)
	if r.Result != "done" || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it done with 0 cut", r)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
	t.Logf("by hand %s, rollout %s, ratio %.2f", hand.Round(time.Second), ours.Round(time.Second), ours.Seconds()/hand.Seconds())
	t.Log(w.status())
}

// TestFullSizeWithTheRealTimes is the same with games of two minutes and a deadline of three.
func TestFullSizeWithTheRealTimes(t *testing.T) {
	full(t)
	w := bring(t, rig.Options{Gates: 8, Players: 200, Game: 2 * time.Minute, Deadline: 3 * time.Minute, Cut: true})
	before := w.truths()
	began := time.Now()
	r := w.update("--ref", "v1.1.0")
	if r.Result != "done" || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it done with 0 cut", r)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
	t.Logf("rollout %s", time.Since(began).Round(time.Second))
	t.Log(w.status())
}

// byHand does what a careful person does: closes a group at the load balancer, waits until its connectors have had no session for a quiet time,
// stops and starts it from its master, waits until everything listens and is listed, opens it; and then the other one. It gives how long that
// took: the same promises as a rollout's, but for its proof that every process is new and every gate knows its connectors.
func (w *world) byHand(quiet time.Duration) time.Duration {
	w.t.Helper()
	ctx, began := context.Background(), time.Now()
	for _, g := range w.Groups {
		w.enable(g, false)
		for empty := time.Now(); time.Since(empty) < quiet; time.Sleep(time.Second) {
			if w.sessions(g) > 0 {
				empty = time.Now()
			}
		}
		if err := w.Master(ctx, g.Machines[0].Name, "stop"); err != nil {
			w.t.Fatal(err)
		}
		if err := w.Master(ctx, g.Machines[0].Name, "start --env=production -D"); err != nil {
			w.t.Fatal(err)
		}
		for _, m := range g.Machines {
			if err := w.Listening(ctx, m.Name); err != nil {
				w.t.Fatal(err)
			}
		}
		if err := w.Master(ctx, g.Machines[0].Name, "list"); err != nil {
			w.t.Fatal(err)
		}
		w.enable(g, true)
		time.Sleep(3 * time.Second) // until the balancer has seen it healthy
	}
	return time.Since(began)
}

// enable opens or closes a group's backends at the load balancer.
func (w *world) enable(g rig.Group, on bool) {
	w.t.Helper()
	if err := w.Enable(g, on); err != nil {
		w.t.Fatal(err)
	}
}

// sessions counts what is connected to a group's connectors.
func (w *world) sessions(g rig.Group) int {
	w.t.Helper()
	n := 0
	for _, m := range g.Machines {
		out, err := w.LAN.Command(context.Background(), m.Name, "ss", "-Htn", "state", "established",
			"( sport >= :"+strconv.Itoa(app.ConnectorPort)+" and sport < :"+strconv.Itoa(app.ConnectorPort+100)+" )").Output()
		if err != nil {
			w.t.Fatal(err)
		}
		n += strings.Count(string(out), "\n")
	}
	return n
}
