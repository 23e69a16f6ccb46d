package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// broken is a load balancer whose reader has a bug.
type broken struct{}

func (broken) Look(context.Context) (steps.Look, error) { panic("index out of range") }

func (broken) Write(context.Context, map[string]int) []plans.Answer { return nil }

// fair is a load balancer on which everything is as it was found.
type fair struct{ broken }

func (fair) Look(context.Context) (steps.Look, error) {
	return steps.Look{Weights: map[string]int{"b1": 1, "b4": 1}, Addrs: map[string]string{"b1": "10.9.0.1:6150", "b4": "10.9.0.4:6150"}}, nil
}

// faulty tries ports, several at once, and has a bug.
type faulty struct{}

func (faulty) Probe(context.Context, plans.Ports, int) (bool, error) { panic("index out of range") }

// TestADefectInAnotherGoroutineIsToldToo: Go would end the process with exit 2, which means that nothing was touched.
func TestADefectInAnotherGoroutineIsToldToo(t *testing.T) {
	defect(t, steps.Tools{Traffic: fair{}, Prober: faulty{}}, "faulty.Probe")
}

// TestADefectIsToldAndNothingMoreIsDone: a panic ends the run like a kill, and the journal has where it was.
func TestADefectIsToldAndNothingMoreIsDone(t *testing.T) {
	defect(t, steps.Tools{Traffic: broken{}}, "broken.Look")
}

// defect carries a run out with tools that panic in a function.
func defect(t *testing.T, tools steps.Tools, in string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := journal.Lock(dir, journal.Holder{User: "ann", Host: "deploy1", PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	one := groups.Group{Name: "group1", Machines: []groups.Machine{{Name: "game-1", Host: "10.9.0.1", Ports: []int{6150}, Sessions: []int{6150}}}}
	two := groups.Group{Name: "group2", Machines: []groups.Machine{{Name: "game-4", Host: "10.9.0.4", Ports: []int{6150}, Sessions: []int{6150}}}}
	p := plans.Build(groups.Fleet{First: two, Second: one}, plans.Lines{Stop: "a", Start: "b", Status: "c"}, map[string]plans.Backend{
		"b1": {Addr: "10.9.0.1:6150", Host: "10.9.0.1", Group: "group1", Weight: 1}, "b4": {Addr: "10.9.0.4:6150", Host: "10.9.0.4", Group: "group2", Weight: 1},
	}, plans.Options{ID: "r1", Service: "game", Shift: 1e9, Settle: 1e9})
	run, first, err := store.Begin("r1", plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	if err != nil {
		t.Fatal(err)
	}
	st := plans.State{}.Apply(first)
	var out bytes.Buffer
	j := &told{Run: run, state: st, ears: (&env{stdout: &out, stderr: &out, flags: globals{output: "text"}}).ears()}
	end, err := j.run(t.Context(), st, tools)
	if !errors.Is(err, errDefect) || !strings.Contains(err.Error(), "index out of range") || exitCode(err, 0) != 1 {
		t.Errorf("got %v, exit %d, want the defect named and exit 1", err, exitCode(err, 0))
	}
	es, err := journal.Read(dir, "r1")
	if err != nil {
		t.Fatal(err)
	}
	if last := es[len(es)-1]; end.Phase != plans.PhaseInterrupted || last.What != plans.Interrupted || !strings.Contains(last.Output, in) {
		t.Errorf("got phase %s, last event %+v, want it interrupted, with the place", end.Phase, last)
	}
}

// crash is a process that carries a run out, and in which something panics that nobody waits for.
func crash() {
	abortOnPanic()
	go panic("index out of range")
	select {}
}
