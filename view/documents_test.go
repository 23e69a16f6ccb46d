package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// decoded gives a document as a program reads it.
func decoded(t *testing.T, doc any) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, doc); err != nil {
		t.Fatal(err)
	}
	if bad := harmless(b.String()); bad != "" {
		t.Errorf("%s:\n%s", bad, b.String())
	}
	var m map[string]any
	if err := json.Unmarshal(b.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// field gives what stands at a path such as groups.0.name.
func field(t *testing.T, doc any, path string) any {
	t.Helper()
	for _, p := range strings.Split(path, ".") {
		switch d := doc.(type) {
		case map[string]any:
			v, ok := d[p]
			if !ok {
				t.Fatalf("%s: no field %s", path, p)
			}
			doc = v
		case []any:
			i := int(p[0] - '0')
			if i >= len(d) {
				t.Fatalf("%s: no element %s", path, p)
			}
			doc = d[i]
		default:
			t.Fatalf("%s: %v has no %s", path, doc, p)
		}
	}
	return doc
}

func find(t *testing.T, name string) scene {
	t.Helper()
	all := scenes(t)
	i := slices.IndexFunc(all, func(s scene) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("no scene %s", name)
	}
	return all[i]
}

func TestTheStatusDocumentSaysWhatIsWaitedFor(t *testing.T) {
	sc := find(t, "draining")
	doc := decoded(t, StatusOf(sc.tale.s, sc.tale.now(), StatusOptions{Alive: true, Holder: "liu@ci-31"}))
	for path, want := range map[string]any{
		"schema": "rollout.status/v1", "run": "7f3a", "service": "game", "phase": "running", "alive": true, "holder": "liu@ci-31", "safe": nil,
		"step.index": 1.0, "step.kind": "drain", "step.group": "group2",
		"steps.0.status": "done", "steps.0.duration_s": 7.9, "steps.1.status": "running", "steps.1.sessions_first": 1284.0, "steps.2.status": "pending",
		"waiting_for": "375 sessions on game-4 and game-6, and the count of game-5", "deadline": "2026-11-22T14:33:59.9Z",
		"groups.0.name": "group1", "groups.0.takes_new": true, "groups.0.backends.on": 24.0, "groups.0.sessions.total": 1391.0,
		"groups.1.name": "group2", "groups.1.takes_new": false, "groups.1.backends.on": 0.0, "groups.1.backends.wanted": 0.0, "groups.1.backends.total": 24.0,
		"groups.1.sessions.by_machine.game-4": 195.0, "groups.1.sessions.unread.game-5": "ssh: connect to 10.9.0.5: timed out after 10s",
		"groups.1.machines.1.name": "game-5", "groups.1.machines.1.sessions": nil,
		"backends.0.id": "backend-1-6150", "backends.0.machine": "game-1", "backends.0.before": 1.0, "backends.0.wanted": 1.0, "backends.0.actual": 1.0, "backends.0.healthy": true,
		"sessions.moved": 692.0, "sessions.cut": 0.0, "releases.from": "v1.8.1", "releases.to": "v1.8.2",
		"started": "2026-11-22T14:30:52Z", "error": "",
	} {
		if got := field(t, doc, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	if n := len(field(t, doc, "backends").([]any)); n != 48 {
		t.Errorf("%d backends, want 48", n)
	}
	if _, has := field(t, doc, "groups.1.sessions.by_machine").(map[string]any)["game-5"]; has {
		t.Error("the machine that was not read has a count")
	}
	if eta, ok := field(t, doc, "eta_s").(float64); !ok || eta < 100 {
		t.Errorf("eta_s = %v", field(t, doc, "eta_s"))
	}
}

func TestARunWhoseProcessIsGoneIsInterrupted(t *testing.T) {
	sc := find(t, "killed")
	doc := decoded(t, StatusOf(sc.tale.s, sc.tale.now(), StatusOptions{}))
	for path, want := range map[string]any{"phase": "interrupted", "alive": false, "eta_s": nil, "deadline": nil, "waiting_for": "", "next.0": "rollout resume"} {
		if got := field(t, doc, path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
}

func TestTheResultDocumentSaysHowItEnded(t *testing.T) {
	for _, tt := range []struct {
		scene string
		want  map[string]any
	}{
		{"done", map[string]any{"result": "done", "steps_done": 11.0, "steps_total": 11.0, "sessions.moved": 2568.0, "sessions.cut": 0.0, "safe": true, "error": "",
			"duration_s": 379.7, "releases.to": "v1.8.2", "steps.1.ended_by": "zero", "steps.3.cut": 0.0}},
		{"held", map[string]any{"result": "held", "steps_done": 3.0, "steps_total": 11.0, "safe": true, "steps.3.status": "failed", "next.0": "rollout resume",
			"error": "restart group2: start on game-5: exit 1: Error: listen EADDRINUSE: 0.0.0.0:6203"}},
		{"unsafe", map[string]any{"result": "held", "safe": false, "sessions.cut": 37.0}},
		{"paused", map[string]any{"result": "paused", "safe": true, "steps_done": 1.0, "next.1": "rollout abort"}},
		{"aborted", map[string]any{"result": "aborted", "safe": true, "steps_done": 1.0, "steps_total": 11.0, "steps.1.status": "skipped", "steps.0.purpose": "update"}},
		{"killed", map[string]any{"result": "failed", "safe": nil}},
	} {
		t.Run(tt.scene, func(t *testing.T) {
			doc := decoded(t, ResultOf(find(t, tt.scene).tale.s))
			tt.want["schema"], tt.want["run"] = "rollout.result/v1", "7f3a"
			for path, want := range tt.want {
				if got := field(t, doc, path); got != want {
					t.Errorf("%s = %v, want %v", path, got, want)
				}
			}
			if s := field(t, doc, "traffic"); s == "" {
				t.Error("traffic is empty")
			}
		})
	}
	doc := decoded(t, ResultOf(find(t, "aborted").tale.s))
	if steps := field(t, doc, "steps").([]any); len(steps) != 12 || field(t, steps[11], "purpose") != "retreat" {
		t.Errorf("%d steps, want the 11 of the update and the one of the retreat", len(steps))
	}
}

func TestAFailureBeforeARetreatIsNotForgotten(t *testing.T) {
	w := begin(t, usualSetting().plan())
	w.step(plans.Event{What: plans.Began})
	w.step(plans.Event{What: plans.Failed, Error: "shift group2: 24 backends do not read back as written"})
	back, ok := plans.Retreat(w.s)
	if !ok {
		t.Fatal("no way back")
	}
	w.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &back})
	w.tell(plans.Event{What: plans.Resumed, Step: -1})
	w.shift()
	w.tell(plans.Event{What: plans.Aborted, Step: -1})
	if got := ResultOf(w.s).Error; got != "shift group2: 24 backends do not read back as written" {
		t.Errorf("error = %q", got)
	}
}

func TestAPlanReadBackIsThePlan(t *testing.T) {
	p := usualSetting().plan()
	var b bytes.Buffer
	if err := JSON(&b, PlanOf(p)); err != nil {
		t.Fatal(err)
	}
	var doc PlanDoc
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := JSON(&again, doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "rollout.plan/v1" || again.String() != b.String() || doc.Plan.Check() != nil {
		t.Errorf("the plan read back differs:\n%s", again.String())
	}
}

func TestEveryFieldIsSnakeCase(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	byName := []string{"by_machine", "unread"} // whose keys are machines
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch d := v.(type) {
		case map[string]any:
			for k, x := range d {
				if !snake.MatchString(k) {
					t.Errorf("%s.%s is not snake_case", path, k)
				}
				if !slices.Contains(byName, k) {
					walk(path+"."+k, x)
				}
			}
		case []any:
			for _, x := range d {
				walk(path, x)
			}
		}
	}
	for _, sc := range scenes(t) {
		walk("status", decoded(t, StatusOf(sc.tale.s, sc.tale.now(), StatusOptions{Alive: sc.alive})))
		walk("result", decoded(t, ResultOf(sc.tale.s)))
	}
}

func TestADocumentHasNoControlCharacterAndKeepsItsValues(t *testing.T) {
	s := poisoned(t).s
	decoded(t, StatusOf(s, noon, StatusOptions{Alive: true, Holder: evil}))
	decoded(t, PlanOf(s.Plan))
	odd := "game\u202e\u009b\U000e0041"
	s.Plan.Service = odd
	if got := field(t, decoded(t, ResultOf(s)), "service"); got != odd {
		t.Errorf("service = %q, want %q", got, odd)
	}
}

// broken is an output that takes nothing.
type broken struct{}

var errBroken = errors.New("no space left")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestAnOutputThatFailsIsReported(t *testing.T) {
	s := find(t, "held").tale.s
	for name, err := range map[string]error{
		"status":  Status(broken{}, s, noon, StatusOptions{}),
		"summary": Summary(broken{}, s, ""),
		"plan":    Plan(broken{}, s.Plan, PlanOptions{}),
		"json":    JSON(broken{}, ResultOf(s)),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want what the output said", name, err)
		}
	}
}
