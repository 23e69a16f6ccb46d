package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/plans"
)

// planned gives a plan for the desk's rollout.yaml, as rollout plan would make it.
func (d *desk) planned() plans.Plan {
	d.t.Helper()
	cfg, err := config.Load(d.file, d.lookup)
	if err != nil {
		d.t.Fatal(err)
	}
	s := &site{cfg: cfg}
	fleet, err := cfg.Fleet()
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := s.recipe(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	before := map[string]plans.Backend{}
	for _, g := range fleet.Groups() {
		for _, m := range g.Machines {
			before["backend-"+m.Name] = plans.Backend{Addr: m.Address + ":6150", Host: m.Host, Group: g.Name, Weight: 1}
		}
	}
	p := plans.Build(fleet, r, before, plans.Options{
		ID: "20260301-120000-7f3a", Service: cfg.Service, Balancer: cfg.ULB.ID, By: "ann@deploy1", Config: cfg.Sum, Made: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		OnFail: "hold", Settle: time.Second, Shift: time.Minute, DrainWithin: time.Minute, DrainStable: time.Second,
		Draining: plans.Draining{Interval: plans.Seconds(time.Second), OnDeadline: plans.Cut}, RestartWithin: time.Minute, KillAfter: time.Second,
		CheckWithin: time.Minute, CheckStable: time.Second,
	})
	if err := p.Check(); err != nil {
		d.t.Fatal(err)
	}
	return p
}

// resummed puts the right sum to an edited plan file: what somebody does who means to.
func (d *desk) resummed(text string) string {
	d.t.Helper()
	var f planFile
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		d.t.Fatal(err)
	}
	sum, err := sumOf(f.Plan)
	if err != nil {
		d.t.Fatal(err)
	}
	b, err := json.Marshal(planFile{f.Plan, sum})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(b)
}

func replaced(t *testing.T, text, from, to string) string {
	t.Helper()
	if !strings.Contains(text, from) {
		t.Fatalf("%q is not in the plan", from)
	}
	return strings.Replace(text, from, to, 1)
}

func TestAPlanThatIsNotAsItWasWrittenIsRefused(t *testing.T) {
	const again = "; make a new one with `rollout plan`\n"
	for _, row := range []struct {
		name  string
		spoil func(d *desk, text string) string
		code  int
		want  string
	}{
		{"truncated", func(_ *desk, s string) string { return s[:200] }, 2, "DIR/p.json:9:26: the file ends here, in the middle of the plan" + again},
		{"empty", func(*desk, string) string { return "" }, 2, "DIR/p.json:1:1: the file ends here, in the middle of the plan" + again},
		{"no JSON", func(d *desk, s string) string { return replaced(d.t, s, `"service":`, `"service"=`) }, 2,
			"DIR/p.json:5:12: no JSON: invalid character '=' after object key" + again},
		{"a list", func(*desk, string) string { return "[]" }, 2, "DIR/p.json:1:1: it is a list and no plan" + again},
		{"a number for a text", func(d *desk, s string) string { return replaced(d.t, s, `"id": "20260301-120000-7f3a"`, `"id": 7`) }, 2,
			"DIR/p.json:3:9: id: it is a number, which cannot stand here" + again},
		{"a text for a number", func(d *desk, s string) string { return replaced(d.t, s, `"weight": 1`, `"weight": "all"`) }, 2,
			"DIR/p.json:29:21: before.weight: it is a text, which cannot stand here" + again},
		{"null", func(*desk, string) string { return "null" }, 2, "DIR/p.json: it is no plan: there is no sha256 in it" + again},
		{"something else in JSON", func(*desk, string) string { return `{"name": "rollout", "version": "1.0"}` }, 2,
			"DIR/p.json:1:36: version: it is a text, which cannot stand here" + again},
		{"a newer version", func(d *desk, s string) string { return replaced(d.t, s, `"version": 1`, `"version": 2`) }, 2,
			"DIR/p.json: it has format version 2 and this rollout reads up to 1; use the rollout that wrote it" + again},
		{"a step removed", func(d *desk, s string) string {
			var f planFile
			if err := json.Unmarshal([]byte(s), &f); err != nil {
				d.t.Fatal(err)
			}
			f.Steps = append(f.Steps[:1:1], f.Steps[2:]...)
			b, err := json.Marshal(f)
			if err != nil {
				d.t.Fatal(err)
			}
			return string(b)
		}, 2, "DIR/p.json: it is not as it was written: its sha256 does not fit" + again},
		{"a command changed", func(d *desk, s string) string { return replaced(d.t, s, `"./stop"`, `"./stop; id"`) }, 2,
			"DIR/p.json: it is not as it was written: its sha256 does not fit" + again},
		{"a key doubled", func(d *desk, s string) string {
			return replaced(d.t, s, `"service": "game"`, `"service": "game", "service": "other"`)
		}, 2, "DIR/p.json: it is not as it was written: its sha256 does not fit" + again},
		{"a step removed on purpose", func(d *desk, s string) string {
			var f planFile
			if err := json.Unmarshal([]byte(s), &f); err != nil {
				d.t.Fatal(err)
			}
			f.Steps = append(f.Steps[:1:1], f.Steps[2:]...)
			b, err := json.Marshal(f)
			if err != nil {
				d.t.Fatal(err)
			}
			return d.resummed(string(b))
		}, 3, "DIR/p.json: unsafe plan: step 2 restart group2: its group must be drained first\n"},
		{"a way out of the runs on purpose", func(d *desk, s string) string {
			return d.resummed(replaced(d.t, s, `"id": "20260301-120000-7f3a"`, `"id": "../../x"`))
		}, 2, "DIR/p.json: its id \"../../x\" is not the id of a run: it has up to 64 letters, digits and . _ - and begins with none of . and -; `rollout history` lists them" + again},
		{"another service's", func(d *desk, s string) string {
			return d.resummed(replaced(d.t, s, `"service": "game"`, `"service": "\u001b[31mshop"`))
		}, 3, "DIR/p.json: the plan is for \"\\x1b[31mshop\", and rollout.yaml is about \"game\"; name the plan's rollout.yaml with -c\n"},
		{"of another rollout.yaml", func(d *desk, s string) string {
			d.write(d.file, goodFile+"# a comment\n")
			return s
		}, 3, "DIR/p.json: the plan is stale: rollout.yaml has changed since it was made; make a new one with `rollout plan`\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			d.t = t
			path := filepath.Join(d.dir, "p.json")
			if err := savePlan(path, d.planned()); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			d.write(path, row.spoil(d, string(b)))
			d.wants(row.code, "rollout: --plan "+row.want, "start", "--plan", path, "--yes")
			d.untouched()
		})
	}
}

// TestAPlanIsCarriedOutOnce: it is said before it is shown again.
func TestAPlanIsCarriedOutOnce(t *testing.T) {
	d := newDesk(t)
	path := filepath.Join(d.dir, "p.json")
	p := d.planned()
	if err := savePlan(path, p); err != nil {
		t.Fatal(err)
	}
	d.keeps(append(begun(), plans.Event{What: plans.Done, Step: -1})...)
	d.wants(3, "rollout: this plan was carried out already (run "+p.ID+"): `rollout report "+p.ID+"` says how it ended; make a new one with `rollout plan`\n",
		"start", "--plan", path, "--yes")
}

// TestAnyChangeOfAPlanFileIsNoticed changes one bit of each byte in turn.
func TestAnyChangeOfAPlanFileIsNoticed(t *testing.T) {
	d := newDesk(t)
	p := d.planned()
	sum, err := sumOf(p)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := json.Marshal(planFile{p, sum})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parsePlan("p", whole); err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("the plan itself: got %v, %v; want %v", got, err, p)
	}
	unnoticed := 0
	for i := range whole {
		b := append([]byte(nil), whole...)
		b[i] ^= 1
		got, err := parsePlan("p", b)
		if err != nil {
			continue
		}
		unnoticed++
		if !reflect.DeepEqual(got, p) {
			t.Errorf("byte %d, %q for %q: the plan is another one and nobody noticed", i, b[i], whole[i])
		}
	}
	if unnoticed > len(whole)/20 {
		t.Errorf("%d of %d changes are not noticed", unnoticed, len(whole))
	}
	for n := range whole {
		if _, err := parsePlan("p", whole[:n]); err == nil {
			t.Errorf("cut after %d of %d bytes: no error", n, len(whole))
		}
	}
}
