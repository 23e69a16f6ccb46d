//go:build e2e

package pomelo

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/sandbox/app"
	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

// TestFaultAnArtifactIsBroughtAndABadOneIsTakenBack brings a good release, then one that crashes, goes back from that, and is not let in again with it.
func TestFaultAnArtifactIsBroughtAndABadOneIsTakenBack(t *testing.T) {
	w := bring(t, small(rig.Options{Releases: true}))
	first := w.truths()
	if err := w.Pack(t.Context(), "v1.1.0"); err != nil {
		t.Fatal(err)
	}
	if r := w.update("--ref", "v1.1.0"); r.Sessions.Cut != 0 {
		t.Errorf("%d cut", r.Sessions.Cut)
	}
	w.whole(first, "v1.1.0")
	good := w.truths()
	if err := w.Pack(t.Context(), "v1.2.0", app.Crash); err != nil {
		t.Fatal(err)
	}
	w.ended(6, "start", "--yes", "-o", "json", "--ref", "v1.2.0")
	if r := w.ended(0, "rollback", "--yes", "-o", "json"); r.Result != "done" || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it done with 0 cut", r)
	}
	w.unnoticed()
	for name, is := range w.truths() {
		updated := w.Group(name).Name == "group2"
		if is.String() != "v1.1.0" || len(is.Processes) != w.Wanted(name) || is.New(good[name]) != updated {
			t.Errorf("%s: %d processes of %s, all new: %v; want %d of v1.1.0, new: %v", name, len(is.Processes), is, is.New(good[name]), w.Wanted(name), updated)
		}
	}
	for _, m := range []string{"m3", "m4"} {
		if bad, _ := filepath.Glob(w.LAN.Disk(m, rig.Home) + "/.rollout/bad/*"); !slices.ContainsFunc(bad, func(p string) bool { return strings.HasSuffix(p, "v1.2.0") }) {
			t.Errorf("%s: v1.2.0 is not marked bad: %v", m, bad)
		}
	}
	w.must(3, []string{"start", "--yes", "--ref", "v1.2.0"}, "release v1.2.0 was marked bad") // before anything is drained
	w.unnoticed()
}
