package view

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

var update = flag.Bool("update", false, "rewrite the files of testdata")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, want)
	}
}

func status(t *testing.T, sc scene, width int) string {
	t.Helper()
	var b bytes.Buffer
	if err := Status(&b, sc.tale.s, sc.tale.now(), StatusOptions{Alive: sc.alive, Width: width}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAStatusSaysWhereTheRunIs(t *testing.T) {
	for _, sc := range scenes(t) {
		t.Run(sc.name, func(t *testing.T) {
			var all strings.Builder
			for _, width := range []int{100, 80, 60, 50} {
				fmt.Fprintf(&all, "%s\n%s", strings.Repeat("=", width), status(t, sc, width))
			}
			golden(t, "status-"+sc.name+".txt", all.String())
		})
	}
}

func TestASummarySaysWhatToDoNext(t *testing.T) {
	for _, sc := range scenes(t) {
		if sc.alive || sc.name == "planned" {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			s := sc.tale.s
			if s.Phase == plans.PhaseRunning {
				s = s.Apply(plans.Event{What: plans.Interrupted, Seq: s.Seq + 1, Stamp: s.Last, Step: -1, Note: "a signal ended the process that ran it"})
			}
			var b bytes.Buffer
			if err := Summary(&b, s, ""); err != nil {
				t.Fatal(err)
			}
			golden(t, "summary-"+sc.name+".txt", b.String())
		})
	}
}

func TestALogHasOneLineForEachEventWorthOne(t *testing.T) {
	for _, sc := range scenes(t) {
		t.Run(sc.name, func(t *testing.T) {
			golden(t, "lines-"+sc.name+".txt", log(sc.tale))
		})
	}
}

// log gives the lines of a tale.
func log(w *tale) string {
	var b strings.Builder
	var l Lines
	for i, e := range w.events {
		if line, ok := l.Next(w.states[i], e); ok {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func TestAPlanSaysWhatEachStepDoes(t *testing.T) {
	seven := 7
	now := map[string]plans.Sessions{
		"group1": {Total: 1391, ByHost: map[string]int{"10.9.0.1": 463, "10.9.0.2": 470, "10.9.0.3": 458}},
		"group2": {Total: 1284, ByHost: map[string]int{"10.9.0.4": 401, "10.9.0.5": 445, "10.9.0.6": 438}},
	}
	missing := map[string]plans.Sessions{
		"group1": now["group1"],
		"group2": {Total: 839, ByHost: map[string]int{"10.9.0.4": 401, "10.9.0.6": 438}, Unread: map[string]string{"10.9.0.5": "ssh: handshake: timed out after 10s"}},
	}
	past := plans.State{Plan: usualSetting().plan()}
	for _, s := range []int{8, 151, 10, 25, 20, 20, 140, 10, 25, 20, 5} {
		ended := plans.Stamp{At: noon.Add(time.Duration(s) * time.Second)}
		past.Progress = append(past.Progress, plans.Progress{Status: plans.StepDone, Began: plans.Stamp{At: noon}, Ended: ended})
	}
	for _, tt := range []struct {
		name string
		set  func(*setting)
		o    PlanOptions
	}{
		{"first", func(*setting) {}, PlanOptions{}},
		{"known", func(*setting) {}, PlanOptions{Sessions: now, PerMachine: 8000, Past: past}},
		{"unread", func(*setting) {}, PlanOptions{Sessions: missing, PerMachine: 8000}},
		{"short", func(o *setting) { o.onFail = "rollback" }, PlanOptions{Sessions: now, PerMachine: 800}},
		{"nodeploy", func(o *setting) { o.deploy = ""; o.off = "backend-5-6151" }, PlanOptions{}},
		{"wait", func(o *setting) { o.drain.OnDeadline = plans.Wait }, PlanOptions{}},
		{"pause", func(o *setting) { o.drain.OnDeadline = plans.Pause }, PlanOptions{}},
		{"abort", func(o *setting) { o.drain.OnDeadline = plans.Abort }, PlanOptions{}},
		{"budget", func(o *setting) { o.drain.CutBudget = &seven }, PlanOptions{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := usualSetting()
			tt.set(&set)
			var all strings.Builder
			for _, width := range []int{100, 80, 60} {
				fmt.Fprintf(&all, "%s\n", strings.Repeat("=", width))
				tt.o.Width = width
				if err := Plan(&all, set.plan(), tt.o); err != nil {
					t.Fatal(err)
				}
			}
			golden(t, "plan-"+tt.name+".txt", all.String())
		})
	}
}
