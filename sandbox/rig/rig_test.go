package rig_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/lan"
	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

// TestMain runs the tests as the operator of namespaces of their own, where the host can make such.
func TestMain(m *testing.M) {
	lan.Boot()
	if os.Getenv("ROLLOUT_POMELO") != "" && lan.Possible() == nil && !lan.Inside() {
		code, err := lan.Enter(os.Args[1:], nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func TestPeopleArePlayingOnRealPomelo(t *testing.T) {
	module := os.Getenv("ROLLOUT_POMELO")
	if module == "" {
		t.Skip("needs pomelo from npm: make pomelo-world, and ROLLOUT_POMELO=$PWD/.pomelo/node_modules/pomelo")
	}
	if err := lan.Possible(); err != nil {
		t.Skip(err)
	}
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("needs haproxy: apt-get install haproxy")
	}
	r, err := rig.Start(t.Context(), rig.Options{NodeModules: filepath.Dir(module), Machines: 2, Gates: 1, Players: 10, Game: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	for until := time.Now().Add(time.Minute); r.Crowd.Stats().Finished < 20 && time.Now().Before(until); {
		time.Sleep(100 * time.Millisecond)
	}
	if s := r.Crowd.Stats(); s.Finished < 20 || s.Cut != 0 || s.Failed.Total() != 0 {
		t.Fatalf("%d finished, %d cut, %d failed: %v", s.Finished, s.Cut, s.Failed.Total(), s.Incidents)
	}
	all, err := r.Everyone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, ps := range all {
		if len(ps) != r.Wanted(name) {
			t.Errorf("%s has %d processes, want %d: %v", name, len(ps), r.Wanted(name), ps)
		}
	}
	// A connector is ended behind everybody's back: its players are cut, and say so.
	for _, p := range all["m2"] {
		if p.ID == "cluster-server-connector-1" {
			if err := r.LAN.Command(t.Context(), "m2", "kill", "-9", strconv.Itoa(p.PID)).Run(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for until := time.Now().Add(20 * time.Second); r.Crowd.Stats().Cut == 0 && time.Now().Before(until); {
		time.Sleep(100 * time.Millisecond)
	}
	if r.Crowd.Stats().Cut == 0 {
		t.Error("nobody was cut")
	}
}
