//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// edit changes the world's rollout.yaml.
func (w *world) edit(from, to string) {
	w.t.Helper()
	path := filepath.Join(w.dir, "rollout.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(string(b), from) {
		w.t.Fatalf("rollout.yaml has no %q:\n%s", from, b)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), from, to, 1)), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// releases gives what the machines have, by name.
func (w *world) releases() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	files, _ := filepath.Glob(filepath.Join(w.dir, "machines", "*", "game", "RELEASE"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			w.t.Fatal(err)
		}
		all[filepath.Base(filepath.Dir(filepath.Dir(f)))] = strings.TrimSpace(string(b))
	}
	return all
}

// all demands one release of every machine.
func (w *world) all(release string) {
	w.t.Helper()
	rs := w.releases()
	for name, is := range rs {
		if is != release || len(rs) != 6 {
			w.t.Errorf("%s of %d machines has %s, want %s", name, len(rs), is, release)
		}
	}
}

// past gives the phases of the runs, the newest first.
func (w *world) past() []string {
	w.t.Helper()
	var doc struct{ Runs []struct{ Phase string } }
	if err := json.Unmarshal([]byte(w.must(0, "history", "-o", "json").stdout), &doc); err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for _, r := range doc.Runs {
		all = append(all, r.Phase)
	}
	return all
}

// asFound demands that every backend has the weight that it had.
func (w *world) asFound(weights map[string]int) {
	w.t.Helper()
	for _, b := range w.backends() {
		if b.Weight != weights[b.ID] {
			w.t.Errorf("backend %s has weight %d, want %d", b.ID, b.Weight, weights[b.ID])
		}
	}
}

func (w *world) weights() map[string]int {
	w.t.Helper()
	all := map[string]int{}
	for _, b := range w.backends() {
		all[b.ID] = b.Weight
	}
	return all
}

func TestARunUnderWayIsRolledBackFromAnotherTerminal(t *testing.T) {
	w := serve(t)
	before := w.weights()
	run := w.start("start", "--yes", "--ref", "v1.1.0")
	w.until("the drain of the second group", func(s status) bool { return draining(s) && s.Step.Index > 1 })
	contains(t, w.must(0, "rollback", "--yes"), "asked run", "to abort", "v1.1.0→v1.0.0")
	if o := run.wait(); o.code != 7 {
		t.Errorf("the run that was stopped: want exit 7, got %s", o)
	}
	w.all("v1.0.0")
	w.asFound(before)
	if got := w.past(); !slices.Equal(got, []string{"done", "aborted"}) {
		t.Errorf("got runs %v", got)
	}
	w.nobodyNoticed()
}

func TestAFailedRestartIsFollowedByTheWayBack(t *testing.T) {
	w := serve(t)
	before := w.weights()
	w.edit("state:\n", "on_failure: rollback\nstate:\n")
	w.plant("game-5", "start-fails", "once")
	o := w.must(7, "start", "--yes", "--ref", "v1.1.0")
	contains(t, o, "start on game-5: exit 1", "on_failure: rollback: the previous release is brought back")
	w.all("v1.0.0")
	w.asFound(before)
	if got := w.past(); !slices.Equal(got, []string{"done", "held"}) {
		t.Errorf("got runs %v", got)
	}
	w.must(0, "check")
	w.nobodyNoticed()
}

// TestAFailureBeforeAnyRestartPutsEverythingBack: with on_failure: rollback there is nothing to bring back yet.
func TestAFailureBeforeAnyRestartPutsEverythingBack(t *testing.T) {
	w := serve(t)
	before := w.weights()
	w.edit("state:\n", "on_failure: rollback\nstate:\n")
	w.edit("deploy:\n  run: \"", "deploy:\n  run: \"exit 7; ")
	contains(t, w.must(7, "start", "--yes", "--ref", "v1.1.0"), "deploy on game-", "exit 7", "on_failure: rollback: everything is put back")
	w.asFound(before)
	if got := w.past(); !slices.Equal(got, []string{"aborted"}) {
		t.Errorf("got runs %v", got)
	}
	w.nobodyNoticed()
}

func TestARollbackIsFollowedByNone(t *testing.T) {
	w := serve(t)
	w.edit("state:\n", "on_failure: rollback\nstate:\n")
	w.plant("game-5", "start-fails", "")
	w.must(6, "start", "--yes", "--ref", "v1.1.0")
	if got := w.past(); !slices.Equal(got, []string{"held", "held"}) {
		t.Errorf("got runs %v, want the update and one rollback, both held", got)
	}
	w.nobodyNoticed()
}

func TestWhatSomebodyElseHasChangedIsAdoptedOrPutBack(t *testing.T) {
	w := serve(t, "--method", "WeightRoundrobin")
	before := w.weights()
	run := w.start("start", "--yes")
	w.until("a drain", draining)
	var mine []string // two backends of the group that serves
	for _, b := range w.backends() {
		if b.Weight > 0 && len(mine) < 2 {
			w.set(b, 7)
			mine = append(mine, b.ID)
		}
	}
	if o := run.wait(); o.code != 6 {
		t.Fatalf("want it held, got %s", o)
	} else {
		contains(t, o, "somebody else changed the load balancer", "was found with weight 1 and now has 7", w.state+" resume --overwrite "+strings.Join(slices.Sorted(slices.Values(mine)), ","), w.state+" resume --adopt")
	}
	w.must(6, "resume")
	contains(t, w.must(3, "resume", "--overwrite", "10.0.0.1:1"), "nobody but this run has changed that backend", mine[0])
	contains(t, w.must(3, "resume", "--overwrite", mine[0]), "somebody has changed "+mine[1])
	contains(t, w.must(0, "resume", "--overwrite", mine[0], "--adopt"), "may be put back from weight 7", "keeps weight 7")
	before[mine[1]] = 7
	w.asFound(before)
	w.restartedOnce()
	w.nobodyNoticed()
}

func TestWhatHappensAtADeadlineCanBeSaidForOneRollout(t *testing.T) {
	w := serve(t, "--game", "5m", "--deadline", "6s")
	contains(t, w.must(2, "start", "--yes", "--on-deadline", "kill"), "it is cut, wait, pause or abort")
	contains(t, w.must(2, "start", "--yes", "--on-deadline", "pause", "--spread", "3s"), "--spread is only for --on-deadline cut")
	contains(t, w.must(6, "start", "--yes", "--on-deadline", "pause"), "sessions left on group2 at the deadline", " resume")
	w.must(0, "abort", "--yes")
	contains(t, w.must(6, "start", "--yes", "--cut-budget", "2"), "more than the cut_budget of 2")
	w.must(0, "abort", "--yes")
	w.must(7, "start", "--yes", "--on-deadline", "abort")
	if n := w.restarts()["game-4"]; n != 0 {
		t.Errorf("game-4 was restarted %d times, want never", n)
	}
	o := w.must(0, "start", "--yes", "--spread", "6s")
	if _, cut, _ := w.end(); cut == 0 || !strings.Contains(o.stdout, "the next machine of group2 follows") {
		t.Errorf("%d cut, want some, one machine after another: %s", cut, o)
	}
}

// TestTheLoadBalancerCanBeAskedWhereTheJournalIsDamaged: --from-cloud tells what is on, and what is not as the run had found it.
func TestTheLoadBalancerCanBeAskedWhereTheJournalIsDamaged(t *testing.T) {
	w := serve(t)
	contains(t, w.must(0, "status", "--from-cloud"), "group1               6 of 6 backends on", "group2               6 of 6 backends on")
	run := w.start("start", "--yes")
	w.until("a drain", draining)
	_ = run.Process.Kill()
	run.wait()
	files, _ := filepath.Glob(filepath.Join(w.state, "*", "runs", "*", "journal.jsonl"))
	if len(files) != 1 {
		t.Fatalf("journals: %v", files)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(b), `"what":"looked"`)
	b[at+8] ^= 1
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	contains(t, w.must(1, "resume"), "is damaged")
	o := w.must(0, "status", "--from-cloud")
	contains(t, o, "is damaged", "group1               6 of 6 backends on", "group2               0 of 6 backends on, 6 not as the newest run had found them", " is off and was on with weight 1")
	var doc struct {
		Schema, Journal string
		Groups          []struct {
			Name    string
			On, Odd int
		}
	}
	if err := json.Unmarshal([]byte(w.must(0, "status", "--from-cloud", "-o", "json").stdout), &doc); err != nil || doc.Schema != "rollout.cloud/v1" || len(doc.Groups) != 2 || doc.Groups[1].Odd != 6 {
		t.Errorf("got %+v, %v", doc, err)
	}
}
