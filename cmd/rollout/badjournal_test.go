package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
)

// keeps writes a run into the desk's state directory: the plan, and the events after it. It is left as by a process that was killed.
func (d *desk) keeps(events ...plans.Event) {
	d.t.Helper()
	d.keepsOf(d.planned(), events...)
}

// keepsOf is keeps with a plan of one's own.
func (d *desk) keepsOf(p plans.Plan, events ...plans.Event) {
	d.t.Helper()
	store, err := journal.Lock(filepath.Join(d.state, "game"), journal.Holder{User: "ann", Host: "deploy1", PID: os.Getpid(), Run: p.ID, Command: "rollout start"})
	if err != nil {
		d.t.Fatal(err)
	}
	run, _, err := store.Begin(p.ID, plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range events {
		if _, err := run.Append(d.t.Context(), e); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) journal() string {
	return filepath.Join(d.state, "game", "runs", "20260301-120000-7f3a", "journal.jsonl")
}

// begun is a run that has begun its first step and written.
func begun() []plans.Event {
	return []plans.Event{
		{What: plans.Resumed, Step: -1, By: "ann@deploy1", PID: 7},
		{What: plans.Began, Step: 0, Group: "group2"},
		{What: plans.Writing, Step: 0, Group: "group2", Weights: map[string]int{"backend-127.9.0.4": 0}},
	}
}

func TestADamagedJournalIsNamedByEveryCommandAndNothingIsDone(t *testing.T) {
	at := regexp.MustCompile(`at byte \d+`)
	sums := regexp.MustCompile(`"[0-9a-f]{8}"`)
	const way = "  nothing was done on the strength of it; docs/journal.md says how to go on, under \"When it is refused\"\n"
	for _, row := range []struct {
		name  string
		spoil func(lines []string) string
		want  string
		way   string
	}{
		{"a bit changed", func(l []string) string { return l[0] + strings.Replace(l[1], "ann@", "bnn@", 1) + l[2] + l[3] },
			`line 2, at byte N, is damaged: its checksum is "X" and should be "X"`, way},
		{"a line removed", func(l []string) string { return l[0] + l[2] + l[3] }, `line 2, at byte N, is damaged: it does not follow the line before it`, way},
		{"no JSON", func(l []string) string { return l[0] + "so far so good\n" + l[2] }, `line 2, at byte N, is damaged: it is too short for a record`, way},
		{"a line without an end that is whole", func(l []string) string { return l[0] + strings.TrimSuffix(l[1], "\n") + "x" }, `line 2, at byte N, is damaged: its newline is damaged`, way},
		{"emptied", func([]string) string { return "" }, `line 1, at byte N, is damaged: its first line is gone, or a part of it`, way},
		{"cut in its first line", func(l []string) string { return l[0][:100] }, `line 1, at byte N, is damaged: its first line is gone, or a part of it`, way},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			d.keeps(begun()...)
			b, err := os.ReadFile(d.journal())
			if err != nil {
				t.Fatal(err)
			}
			spoilt := row.spoil(strings.SplitAfter(string(b), "\n"))
			d.write(d.journal(), spoilt)
			for _, args := range [][]string{{"resume"}, {"abort", "--yes"}, {"pause"}, {"start", "--yes"}, {"status"}, {"history"}, {"report"}, {"plan"}} {
				code, _, errs := d.types(args...)
				got := sums.ReplaceAllString(at.ReplaceAllString(errs, "at byte N"), `"X"`)
				want := "rollout: journal DIR/state/game/runs/20260301-120000-7f3a/journal.jsonl: " + row.want + "\n" + row.way
				if args[0] == "history" { // it says each thing it could not read
					want = strings.TrimSuffix(want, row.way)
					got = strings.TrimSuffix(got, row.way)
					got, _, _ = strings.Cut(got, "\njournal")
					got = strings.TrimSuffix(got, "\n") + "\n"
				}
				if code != 1 || got != want {
					t.Errorf("%s: got exit %d\n%s\nwant exit 1\n%s", args[0], code, got, want)
				}
			}
			if after, err := os.ReadFile(d.journal()); err != nil || string(after) != spoilt {
				t.Errorf("the journal was changed: %v", err)
			}
		})
	}
}

// nasty is what a machine may print to change the terminal of who reads it, and what is left of that to be read.
const (
	nasty   = "disk \x1b[2J\x1b]0;owned\afull\x1b[1A\r\x1b[K\b\b\b\u009b31m \u202egnp.exe\x00\x7f\xff end"
	legible = "full"
)

func nastyEvents() []plans.Event {
	stop := plans.Command{Host: "127.9.0.4", Do: plans.DoStop, Dir: "/data/game", Line: "./stop"}
	return append(begun(), []plans.Event{
		{What: plans.Noted, Step: 0, Note: nasty},
		{What: plans.Wrote, Step: 0, Answers: []plans.Answer{{Backend: "backend-127.9.0.4", Outcome: plans.Unknown, Error: nasty}}},
		{What: plans.Running, Step: 2, Group: "group2", Command: &stop},
		{What: plans.Ran, Step: 2, Group: "group2", Command: &stop, Code: 1, Output: nasty, Error: nasty},
		{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Unread: map[string]string{"127.9.0.4": nasty}}},
		{What: plans.Asked, Step: -1, Request: plans.AskPause, By: nasty},
		{What: plans.Failed, Step: 2, Group: "group2", Error: nasty},
		{What: plans.Held, Step: 2, Group: "group2", Error: nasty, Safe: true, By: nasty},
	}...)
}

// raw finds what a terminal would act on; "" where there is nothing.
func raw(s string) string {
	for _, r := range s {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}

func TestWhatAMachinePrintedChangesNoTerminal(t *testing.T) {
	d := newDesk(t)
	d.keeps(nastyEvents()...)
	seen := 0
	for _, command := range [][]string{{"status"}, {"history"}, {"report"}, {"lock", "status"}, {"start", "--yes"}, {"pause"}, {"abort"}} {
		for _, format := range []string{"text", "json", "yaml", "jsonl"} {
			_, out, errs := d.types(append([]string{"-o", format}, command...)...)
			for name, text := range map[string]string{"stdout": out, "stderr": errs} {
				if r := raw(text); r != "" {
					t.Errorf("%v -o %s: %s has %s: %q", command, format, name, r, text)
				}
				if strings.Contains(text, legible) {
					seen++
				}
			}
			if strings.Contains(out, legible) && (format == "json" || format == "jsonl") {
				var v any
				if err := json.Unmarshal([]byte(out), &v); err != nil {
					t.Errorf("%v -o %s: %v", command, format, err)
				}
			}
			if strings.Contains(out, legible) && format == "yaml" {
				var v any
				if err := yaml.Unmarshal([]byte(out), &v); err != nil {
					t.Errorf("%v -o %s: %v", command, format, err)
				}
			}
		}
	}
	if seen < 4 {
		t.Errorf("the text was shown %d times: the test proves nothing", seen)
	}
}

func TestAHolderThatNamesItselfNastilyIsNamedPlainly(t *testing.T) {
	d := newDesk(t)
	d.keeps(begun()...)
	dir := filepath.Join(d.state, "game")
	store, err := journal.Lock(dir, journal.Holder{User: nasty, Host: nasty, PID: 7, Run: "20260301-120000-7f3a", Command: nasty})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	for _, args := range [][]string{{"lock", "status"}, {"lock", "status", "-o", "json"}, {"status"}, {"status", "-o", "json"}, {"start", "--yes"}} {
		_, out, errs := d.types(args...)
		if r := raw(out + errs); r != "" || !strings.Contains(out+errs, legible) {
			t.Errorf("%v: %s in %q %q", args, r, out, errs)
		}
	}
}
