package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
)

// restarting is a run whose first restart has begun: from there on an abort is refused.
func restarting() []plans.Event {
	stop := plans.Command{Host: "127.9.0.4", Do: plans.DoStop, Dir: "/data/game", Line: "./stop"}
	return append(begun(),
		plans.Event{What: plans.Ended, Step: 0, Group: "group2"}, plans.Event{What: plans.Began, Step: 1, Group: "group2"},
		plans.Event{What: plans.Ended, Step: 1, Group: "group2"}, plans.Event{What: plans.Began, Step: 2, Group: "group2"},
		plans.Event{What: plans.Running, Step: 2, Group: "group2", Command: &stop})
}

// TestWhatWouldBeRefusedIsNotAdvised: half-way through a restart an abort is.
func TestWhatWouldBeRefusedIsNotAdvised(t *testing.T) {
	for name, row := range map[string]struct {
		events []plans.Event
		abort  bool
	}{"in a shift": {begun(), true}, "in a restart": {restarting(), false}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.keeps(row.events...)
			again := "rollout -c DIR/rollout.yaml --state-dir DIR/state "
			for _, args := range [][]string{{"start", "--yes"}, {"plan"}} {
				code, _, errs := d.types(args...)
				if code != 3 || !strings.Contains(errs, "is unfinished (") || !strings.Contains(errs, again+"resume (") || !strings.Contains(errs, again+"start --take-over "+d.planned().ID+" (") {
					t.Errorf("%v: exit %d, %s", args, code, errs)
				}
				if got := strings.Contains(errs, again+"abort"); got != row.abort {
					t.Errorf("%v advises an abort: %v, want %v: %s", args, got, row.abort, errs)
				}
			}
			v := &survey{site: &site{env: &env{}, dir: filepath.Join(d.state, "game")}}
			v.left()
			if got := strings.Contains(v.findings[0].Fix, "rollout abort"); got != row.abort || v.findings[0].Level != "fail" {
				t.Errorf("check: %+v, want an abort advised: %v", v.findings[0], row.abort)
			}
		})
	}
}

// TestAPlanBesideARunUnderWayIsRefusedAsALock: it is to be tried again later, and there is nothing to resume.
func TestAPlanBesideARunUnderWayIsRefusedAsALock(t *testing.T) {
	d := newDesk(t)
	d.keeps(begun()...)
	id := d.planned().ID
	store, err := journal.Lock(filepath.Join(d.state, "game"), journal.Holder{User: "ann", Host: "deploy1", PID: os.Getpid(), Run: id, Command: "rollout start"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	for _, args := range [][]string{{"plan"}, {"plan", "--take-over", id}} {
		code, _, errs := d.types(args...)
		if code != 5 || !strings.Contains(errs, "run "+id+" is under way: the lock is held by ann@deploy1") || !strings.Contains(errs, "rollout status") || strings.Contains(errs, "resume") {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
}
