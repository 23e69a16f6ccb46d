package view

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

func TestAHistoryTellsWhatBecameOfEachRun(t *testing.T) {
	var runs []plans.State
	for _, sc := range scenes(t) {
		runs = append(runs, sc.tale.s)
	}
	var b bytes.Buffer
	if err := History(&b, runs, false, 100); err != nil {
		t.Fatal(err)
	}
	golden(t, "history.txt", b.String())
	d := HistoryOf("game", runs, false)
	if len(d.Runs) != len(runs) || d.Schema != HistorySchema {
		t.Errorf("%d runs of %d in %s", len(d.Runs), len(runs), d.Schema)
	}
	for i, r := range d.Runs {
		if r.Phase == plans.PhaseRunning || r.Sessions.Cut != runs[i].Cut() || r.Started == nil {
			t.Errorf("%s: %+v", r.Run, r)
		}
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
}

func TestARollbackIsAdvisedOnlyWhereSomethingCanComeBack(t *testing.T) {
	for _, sc := range scenes(t) {
		s := sc.tale.s
		if s.Phase != plans.PhaseHeld {
			continue
		}
		advised := func() bool {
			for _, a := range Next(s) {
				if a.Command == "rollout rollback" {
					return true
				}
			}
			return false
		}
		if !advised() {
			t.Errorf("%s: no rollback is advised", sc.name)
		}
		s.Plan.Was = ""
		if advised() {
			t.Errorf("%s: a rollback to nothing is advised", sc.name)
		}
	}
}
