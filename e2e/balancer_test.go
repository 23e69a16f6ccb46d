//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// balancer is the hand of somebody else on the world's load balancer.
func (w *world) balancer() *ulb.Balancer {
	w.t.Helper()
	c, err := config.Load(filepath.Join(w.dir, "rollout.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		w.t.Fatal(err)
	}
	own := map[string]string{"UCLOUD_SHARED_CREDENTIAL_FILE": filepath.Join(w.dir, "keys", "credential.json"), "HOME": w.dir}
	set, err := ulb.Load(ulb.Sources{
		File: ulb.Values{Profile: c.UCloud.Profile, Region: c.UCloud.Region, ProjectID: c.UCloud.ProjectID, BaseURL: c.UCloud.BaseURL},
		Env:  func(n string) (string, bool) { v, ok := own[n]; return v, ok },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := ulb.New(ulb.Config{ID: c.ULB.ID, Settings: set}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// backends reads every backend.
func (w *world) backends() []ulb.Backend {
	w.t.Helper()
	r, err := w.balancer().Read(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Backends
}

// set gives a backend a weight by hand; 0 disables it.
func (w *world) set(b ulb.Backend, weight int) {
	w.t.Helper()
	for _, o := range w.balancer().Write(w.t.Context(), []ulb.Change{{Backend: b, Weight: weight}}) {
		if o.State != ulb.Done {
			w.t.Fatalf("backend %s: %v", o.ID, o.Err)
		}
	}
}

func TestAPlanMadeStaleByAHandIsRefusedAndTheChangeNamed(t *testing.T) {
	w := serve(t)
	p := filepath.Join(t.TempDir(), "p.json")
	w.must(0, "plan", "--out", p)
	b := w.backends()[0]
	w.set(b, 0)
	settle(t)
	o := w.must(3, "start", "--plan", p, "--yes")
	contains(t, o, "the plan is stale: backend "+b.ID, "was on with weight 1 and is now off")
	for name, n := range w.restarts() {
		if n != 0 {
			t.Errorf("%s was restarted %d times, want not at all", name, n)
		}
	}
}

func TestAGroupFoundOffIsUpdatedFirstAndOffInTheEnd(t *testing.T) {
	w := serve(t)
	machines := w.machines("group1")
	for _, b := range w.backends() {
		if machines[b.Host] {
			w.set(b, 0)
		}
	}
	settle(t)
	contains(t, w.must(0, "check"), "group1: it takes no new connections: a rollout that begins now updates it first")
	contains(t, w.must(0, "start", "--yes", "--ref", "v1.1.0"), "0 cut")
	settle(t)
	for _, b := range w.backends() {
		if b.Enabled == machines[b.Host] {
			t.Errorf("backend %s of %s is enabled %v", b.ID, b.Host, b.Enabled)
		}
	}
	w.restartedOnce()
	w.nobodyNoticed()
}

// machines gives the hosts of a group.
func (w *world) machines(group string) map[string]bool {
	w.t.Helper()
	c, err := config.Load(filepath.Join(w.dir, "rollout.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		w.t.Fatal(err)
	}
	hosts := map[string]bool{}
	for _, g := range c.Groups {
		for _, m := range g.Machines {
			if g.Name == group {
				hosts[m.Host] = true
			}
		}
	}
	return hosts
}

func TestWhatWasOffStaysOffAndWeightsAreAsFound(t *testing.T) {
	w := serve(t, "--method", "WeightRoundrobin")
	all := w.backends()
	want := map[string]ulb.Backend{}
	for i, weight := range []int{7, 3, 0} {
		w.set(all[i], weight)
		w.set(all[len(all)-1-i], weight)
	}
	settle(t)
	for _, b := range w.backends() {
		want[b.ID] = b
	}
	w.must(0, "start", "--yes", "--ref", "v1.1.0")
	settle(t)
	for _, b := range w.backends() {
		if was := want[b.ID]; b.Enabled != was.Enabled || b.Stored != was.Stored {
			t.Errorf("backend %s is enabled %v with weight %d, and was %v with %d", b.ID, b.Enabled, b.Stored, was.Enabled, was.Stored)
		}
	}
	if e := want[all[2].ID]; e.Enabled || want[all[0].ID].Stored != 7 {
		t.Errorf("the world was not as the test wants it: %+v", e)
	}
	w.nobodyNoticed()
}
