package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

// outputs reads a file as GitHub reads $GITHUB_OUTPUT: of a name that is there twice, the last value counts.
func outputs(t *testing.T, path string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for rest := string(b); rest != ""; {
		head, text, ok := strings.Cut(rest, "\n")
		name, end, heredoc := strings.Cut(head, "<<")
		if !ok || !heredoc || name == "" || end == "" {
			t.Fatalf("line %q of %s is no NAME<<END", head, path)
		}
		value, after, ok := strings.Cut("\n"+text, "\n"+end+"\n")
		if !ok {
			t.Fatalf("%s does not end in %s", name, path)
		}
		all[name], rest = strings.TrimPrefix(value, "\n"), after
	}
	return all
}

// job is a command in a pretend job.
type job struct {
	env
	out, errs                bytes.Buffer
	output, summary, settled string
}

func newJob(t *testing.T, command, system string) *job {
	t.Helper()
	dir := t.TempDir()
	j := &job{output: filepath.Join(dir, "output"), summary: filepath.Join(dir, "summary"), settled: filepath.Join(dir, "rollout.env")}
	vars := map[string]string{system: "true", "GITHUB_OUTPUT": j.output, "GITHUB_STEP_SUMMARY": j.summary, "GITHUB_WORKSPACE": dir, "ROLLOUT_DOTENV": j.settled}
	j.env = env{stdout: &j.out, stderr: &j.errs, terminal: true, flags: globals{output: "text"}, lookup: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }}
	j.inCI()
	j.begin("rollout " + command)
	return j
}

// play lets the job carry out a run that a machine ends by what it prints, and looks after each event.
func (j *job) play(t *testing.T, look func(plans.State, plans.Event)) {
	t.Helper()
	ears := j.ears()
	one := groups.Group{Name: "group1", Machines: []groups.Machine{{Name: "game-1", Host: "10.9.0.1", Ports: []int{6150}, Sessions: []int{6150}}}}
	two := groups.Group{Name: "group2", Machines: []groups.Machine{{Name: "game-4", Host: "10.9.0.4", Ports: []int{6150}, Sessions: []int{6150}}}}
	p := plans.Build(groups.Fleet{First: two, Second: one}, plans.Lines{Stop: "a", Start: "b", Status: "c"}, map[string]plans.Backend{
		"b1": {Addr: "10.9.0.1:6150", Host: "10.9.0.1", Group: "group1", Weight: 1}, "b4": {Addr: "10.9.0.4:6150", Host: "10.9.0.4", Group: "group2", Weight: 1},
	}, plans.Options{ID: "r1", Service: "game", Shift: 1e9, Settle: 1e9})
	hostile := "exit 1: \x1b[31m\n::error::owned\n \u00a0::set-output name=result::owned\r##[add-mask]owned\n```\n<img src=x>"
	cut := 3
	s := plans.State{}
	for i, e := range []plans.Event{
		{What: plans.Planned, Step: -1, Plan: &p},
		{What: plans.Resumed, Step: -1, By: "ann@ci"},
		{What: plans.Began, Step: 0},
		{What: plans.Ended, Step: 0},
		{What: plans.Began, Step: 1},
		{What: plans.Alarmed, Step: 1, Group: "group1", Error: hostile},
		{What: plans.Ended, Step: 1, EndedBy: "deadline"},
		{What: plans.Began, Step: 2},
		{What: plans.Counted, Step: 2, Group: "group2", Sessions: &plans.Sessions{Total: 3, ByHost: map[string]int{"10.9.0.4": 3}}, Cut: &cut},
		{What: plans.Running, Step: 2, Command: &plans.Command{Host: "10.9.0.4", Do: plans.DoStop, Line: "a"}},
		{What: plans.Ran, Step: 2, Command: &plans.Command{Host: "10.9.0.4", Do: plans.DoStop, Line: "a"}, Code: 1, Output: hostile},
		{What: plans.Failed, Step: 2, Error: "restart group2: " + hostile},
		{What: plans.Held, Step: -1, Safe: true, Error: "restart group2: " + hostile},
	} {
		e.Seq, e.At = int64(i+1), time.Date(2026, 11, 22, 14, 30, i, 0, time.UTC)
		s = s.Apply(e)
		for _, h := range ears {
			h.hear(s, e)
		}
		if look != nil {
			look(s, e)
		}
	}
}

// TestAJobThatIsKilledHasToldHowItStands: after each event, whatever ends the process then, the next job finds the run and that it goes on.
func TestAJobThatIsKilledHasToldHowItStands(t *testing.T) {
	j := newJob(t, "start", "GITHUB_ACTIONS")
	j.play(t, func(s plans.State, e plans.Event) {
		want := map[string]string{"run-id": "r1", "result": "interrupted", "sessions-cut": fmt.Sprint(s.Cut())}
		if e.What == plans.Held {
			want["result"] = "held"
		}
		if got := outputs(t, j.output); !maps.Equal(got, want) {
			t.Errorf("after %s: got outputs %v, want %v", e.What, got, want)
		}
		lines := fmt.Sprintf("ROLLOUT_RESULT=%s\nROLLOUT_RUN_ID=r1\nROLLOUT_SESSIONS_CUT=%d\n", want["result"], s.Cut())
		if b, err := os.ReadFile(j.settled); err != nil || string(b) != lines {
			t.Errorf("after %s: got %q, %v, want %q", e.What, b, err, lines)
		}
		page, err := os.ReadFile(j.summary)
		if goesOn := strings.Contains(string(page), "`rollout resume` goes on from there"); err != nil || goesOn != (e.What != plans.Held) {
			t.Errorf("after %s: %v, the page says %s", e.What, err, page)
		}
	})
	if code := j.exit(toldError{codeError(6)}, 0); code != 6 {
		t.Errorf("got exit %d", code)
	}
	if got := outputs(t, j.output); got["exit-code"] != "6" || got["result"] != "held" || got["sessions-cut"] != "3" {
		t.Errorf("got %v", got)
	}
}

func TestTheLogOfAJobHasGroupsAndAnnotationsAndNothingOfAMachine(t *testing.T) {
	j := newJob(t, "start", "GITHUB_ACTIONS")
	j.play(t, nil)
	log := j.out.String() + j.errs.String()
	if strings.ContainsAny(log, "\x1b\r") {
		t.Errorf("an escape code is in %q", log)
	}
	got := obeyed(j.out.String())
	want := "::group::1 of 9  shift group2|::endgroup::|::group::2 of 9  drain group2|::endgroup::|::group::3 of 9  restart group2|::endgroup::"
	if strings.Join(got, "|") != want {
		t.Errorf("got groups %q, want %q", strings.Join(got, "|"), want)
	}
	var levels []string
	for _, l := range obeyed(j.errs.String()) {
		command, _, _ := strings.Cut(strings.TrimPrefix(l, "::"), "::")
		levels = append(levels, command)
		if strings.Contains(command, "owned") {
			t.Errorf("a machine has a part in the command of %q", l)
		}
	}
	marks := "warning title=ALARM%3A group1%2C which serves%2C is hurt|error title=restart group2|error title=Held%2C safe"
	if strings.Join(levels, "|") != marks {
		t.Errorf("got annotations %q, want %q", strings.Join(levels, "|"), marks)
	}
	page, err := os.ReadFile(j.summary)
	if err != nil || !strings.Contains(string(page), "\n````text\n") || strings.Contains(string(page), "\x1b") {
		t.Errorf("%v: the fence is not longer than a machine's: %s", err, page)
	}
}

func TestOutsideOfGitHubTheLogHasPlainLinesOnly(t *testing.T) {
	for _, system := range []string{"GITLAB_CI", "JENKINS_URL", "CI"} {
		j := newJob(t, "start", system)
		j.play(t, nil)
		if strings.Contains(j.out.String(), "group::") || strings.Contains(j.out.String(), "\x1b") || !strings.Contains(j.out.String(), "FAILED group2") {
			t.Errorf("%s: got %s", system, j.out.String())
		}
		if _, err := os.Stat(j.output); err == nil {
			t.Errorf("%s: GitHub's output was written", system)
		}
		if b, err := os.ReadFile(j.settled); err != nil || !strings.HasPrefix(string(b), "ROLLOUT_RESULT=held\n") {
			t.Errorf("%s: got %q, %v", system, b, err)
		}
	}
}

// TestWhatOthersHaveWrittenStays: other commands of the same step write to the same files.
func TestWhatOthersHaveWrittenStays(t *testing.T) {
	j := newJob(t, "start", "GITHUB_ACTIONS")
	for path, text := range map[string]string{j.output: "mine<<X\nyes\nX\n", j.summary: "# mine\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j.play(t, func(_ plans.State, e plans.Event) {
		if e.What != plans.Failed {
			return
		}
		f, err := os.OpenFile(j.summary, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintln(f, "meanwhile")
	})
	if got := outputs(t, j.output); got["mine"] != "yes" || got["result"] != "held" {
		t.Errorf("got %v", got)
	}
	b, err := os.ReadFile(j.summary)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	if !strings.HasPrefix(page, "# mine\n") || strings.Count(page, "meanwhile") != 1 || strings.Count(page, "## rollout of game") != 2 || !strings.Contains(page, "Held, safe") {
		t.Errorf("got %s", page)
	}
}

func TestAPageIsNeverLongerThanGitHubTakes(t *testing.T) {
	p := jobPage{path: filepath.Join(t.TempDir(), "page")}
	size := func() int64 {
		i, err := os.Stat(p.path)
		if err != nil {
			t.Fatal(err)
		}
		return i.Size()
	}
	for range 3 {
		if err := p.put(strings.Repeat("line\n", 1<<18)); err != nil {
			t.Fatal(err)
		}
		p.keep()
		if n := size(); n > jobPageLimit || n < jobPageLimit-100 {
			t.Errorf("got %d bytes, want nearly %d", n, jobPageLimit)
		}
	}
}

// TestAFileThatCannotBeWrittenIsSaidOnce: a run goes on without it.
func TestAFileThatCannotBeWrittenIsSaidOnce(t *testing.T) {
	j := newJob(t, "start", "GITHUB_ACTIONS")
	for _, path := range []string{j.output, j.summary, j.settled} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	j.play(t, nil)
	if n := strings.Count(j.errs.String(), "what the next job is told"); n != 1 || !strings.Contains(j.out.String(), "held") {
		t.Errorf("said %d times: %s", n, j.errs.String())
	}
}

func TestACommandThatMakesNoJobTellsNothing(t *testing.T) {
	j := newJob(t, "status", "GITHUB_ACTIONS")
	if len(j.ears()) != 1 {
		t.Errorf("got %d ears", len(j.ears()))
	}
	j.exit(nil, 0)
	for _, path := range []string{j.output, j.summary, j.settled} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	if j.terminal {
		t.Error("a job has a terminal")
	}
}

func TestTheActionFetchesTheReleaseItCameWith(t *testing.T) {
	b, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "\n    default: "+version+"\n") {
		t.Errorf("action.yml does not fetch %s", version)
	}
}
