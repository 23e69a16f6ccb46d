package view

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

func commandsOf(as []Advice) []string {
	var cs []string
	for _, a := range as {
		cs = append(cs, a.Command)
	}
	return cs
}

// TestWhatSomebodyElseHasSetIsRuledByTheCommandThatIsAdvised: to resume without a word would hold again for the same reason.
func TestWhatSomebodyElseHasSetIsRuledByTheCommandThatIsAdvised(t *testing.T) {
	set := func(weights map[string]int, gone ...string) plans.State {
		w := begin(t, usualSetting().plan())
		w.through(1)
		w.step(plans.Event{What: plans.Began})
		now := maps.Clone(w.s.Weights)
		for id, v := range weights {
			now[id] = v
		}
		for _, id := range gone {
			delete(now, id)
		}
		w.look(now)
		w.fail("drain group2: somebody else changes the load balancer", true)
		return w.s
	}
	s := set(map[string]int{"backend-1-6150": 7})
	want := []Advice{
		{"rollout resume --overwrite backend-1-6150", "put weight 1 back, and go on"},
		{"rollout resume --adopt", "let 7 stand, and go on"},
		{"rollout abort", "stop for good: every backend as it was found"},
	}
	if got := Next(s); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := Chinese.Next(s)[1]; got.Command != want[1].Command || got.Why != "保留 7，然后继续" {
		t.Errorf("got %q", got)
	}
	if got, want := commandsOf(Next(set(map[string]int{"backend-1-6150": 7, "backend-1-6151": 7, "backend-4-6150": 3}))), "rollout resume --overwrite backend-1-6150,backend-1-6151,backend-4-6150"; got[0] != want {
		t.Errorf("got %q, want %q first", got, want)
	}
	if got := commandsOf(Next(set(map[string]int{"backend-1-6150": 7}, "backend-1-6151"))); !slices.Equal(got, []string{"rollout abort", "rollout resume"}) {
		t.Errorf("got %q where there is a backend that can be neither adopted nor overwritten", got)
	}
	many := map[string]int{}
	for id, b := range s.Plan.Before {
		if b.Group == "group1" {
			many[id] = 5
		}
	}
	if got := Next(set(many)); got[0] != (Advice{"rollout resume --adopt", "let all 24 values stand that this run did not set, and go on"}) {
		t.Errorf("got %q", got)
	}
	if got, want := Typed("back end'1"), `'back end'\''1'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestARollbackIsAdvisedOnceAMachineIsChanged: before that there is nothing to bring back, and to put the traffic back is the whole of it.
func TestARollbackIsAdvisedOnceAMachineIsChanged(t *testing.T) {
	held := func(steps int, act plans.Act) []string {
		w := begin(t, usualSetting().plan())
		w.through(steps)
		w.step(plans.Event{What: plans.Began})
		if act != "" {
			w.commands(act, map[string]string{"game-5": "no space left"})
		}
		w.fail("it does not go on", true)
		return commandsOf(Next(w.s))
	}
	for _, tt := range []struct {
		name  string
		steps int
		act   plans.Act
		want  []string
	}{
		{"drain", 1, "", []string{"rollout abort", "rollout resume"}},
		{"deploy", 2, plans.DoDeploy, []string{"rollout resume", "rollout rollback", "rollout abort"}},
		{"restart", 3, plans.DoStop, []string{"rollout resume", "rollout rollback"}},
	} {
		if got := held(tt.steps, tt.act); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestWhatIsAdvisedIsAboutTheServiceThatWasNamed: followed as it is printed, a command without the flags of the one before acts on another service.
func TestWhatIsAdvisedIsAboutTheServiceThatWasNamed(t *testing.T) {
	const flags = "-c games/cn.yaml --state-dir /srv/state"
	w := find(t, "paused").tale
	var summary, narrow, status, lines strings.Builder
	if err := errors.Join(Summary(&summary, w.s, flags), Summary(&narrow, w.s, flags+"/of/the/machine/that/carries/out/every/run"),
		Status(&status, w.s, w.now(), StatusOptions{Flags: flags, Width: 100})); err != nil {
		t.Fatal(err)
	}
	told := Lines{Flags: flags}
	for i, e := range w.events {
		line, _ := told.Next(w.states[i], e)
		lines.WriteString(line + "\n")
	}
	const resume = "rollout -c games/cn.yaml --state-dir /srv/state resume"
	for name, text := range map[string]string{"summary": summary.String(), "status": status.String(), "line": lines.String()} {
		if !strings.Contains(text, resume) || strings.Contains(text, "rollout abort") || strings.Contains(text, "rollout resume") {
			t.Errorf("the %s does not say %q alone:\n%s", name, resume, text)
		}
	}
	if want := `rollout -c games/cn.yaml --state-dir \`; !strings.Contains(narrow.String(), want+"\n") {
		t.Errorf("no %s in a line that goes on:\n%s", want, narrow.String())
	}
	path := "/srv/" + strings.Repeat("x", 200) // in two pieces it would be no path
	var wide strings.Builder
	if err := Summary(&wide, w.s, "-c "+path); err != nil || !strings.Contains(strings.ReplaceAll(wide.String(), "\\\n", ""), "  rollout -c "+path+" resume\n") {
		t.Errorf("got %v, want a command that a shell takes whole:\n%s", err, wide.String())
	}
	if got := commandsOf(Next(w.s)); got[0] != "rollout resume" {
		t.Errorf("to programs it is %q", got[0])
	}
}
