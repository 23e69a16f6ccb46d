//go:build e2e

package pomelo

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

// TestInit lets init write a rollout.yaml from nothing but the two masters and the load balancer's id, and uses it unedited.
func TestInit(t *testing.T) {
	w := bring(t, rig.Options{Machines: 2, Gates: 1, Players: 16, Game: 3 * time.Second})
	before := w.truths()
	c := w.Configuration()
	w.config = filepath.Join(t.TempDir(), "rollout.yaml")
	w.env = append(w.env, "UCLOUD_SHARED_CREDENTIAL_FILE="+filepath.Join(w.Dir, "credential.json"))
	args := []string{"init", "--master", "10.77.0.13", "--master", "10.77.0.11", "--ulb-id", "ulb-game", "--dir", rig.Game, "--service", "game",
		"--ssh-user", w.LAN.User, "--ssh-port", "59622", "--key", w.LAN.Key, "--known-hosts", w.LAN.KnownHosts, "--release-file", "VERSION",
		"--profile", "sandbox", "--region", c.UCloud.Region, "--project-id", c.UCloud.ProjectID, "--base-url", c.UCloud.BaseURL}
	w.must(0, args, "rollout check")
	written, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", written)
	w.must(2, args, "rollout.yaml") // it overwrites nothing
	state := t.TempDir()
	if err := os.Chmod(state, 0o700); err != nil {
		t.Fatal(err)
	}
	w.must(0, []string{"check", "--state-dir", state}, "5 run, as configured")
	w.must(0, []string{"plan", "--state-dir", state}, "exactly 5 processes")
	if r := w.update("--state-dir", state); r.Result != "done" || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it done with 0 cut", r)
	}
	w.unnoticed()
	w.whole(before, "v1.0.0")
}
