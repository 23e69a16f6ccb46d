package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
)

// leaves makes the plan to v1.9.0 and leaves its run where these events end. write must have been.
func (b *bed) leaves(events func(plans.Plan) []plans.Event) plans.State {
	b.t.Helper()
	saved := filepath.Join(b.t.TempDir(), "p.json")
	if code, _, errs := b.run("plan", "--ref", "v1.9.0", "--out", saved); code != 0 {
		b.t.Fatalf("plan: exit %d, %s", code, errs)
	}
	p, err := openPlan(saved)
	b.must(err)
	s := b.hold()
	r, first, err := s.Begin(p.ID, plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	b.must(err)
	st := plans.State{}.Apply(first)
	for _, e := range events(p) {
		e, err := r.Append(b.t.Context(), e)
		b.must(err)
		st = st.Apply(e)
	}
	b.must(s.Close())
	return st
}

// draining is a run that has closed group2 and waits for its sessions.
func draining(p plans.Plan) []plans.Event {
	closed := p.Steps[0].Weights
	off := map[string]int{}
	for id, w := range closed {
		if w == 0 {
			off[id] = 0
		}
	}
	return []plans.Event{
		{What: plans.Resumed, Step: -1}, {What: plans.Began, Step: 0, Group: "group2"}, {What: plans.Writing, Step: 0, Group: "group2", Weights: off}, {What: plans.Wrote, Step: 0},
		{What: plans.Looked, Step: 0, Weights: closed}, {What: plans.Ended, Step: 0, Group: "group2"}, {What: plans.Began, Step: 1, Group: "group2"},
	}
}

// halfway is one whose restart of group2 was held.
func halfway(p plans.Plan) []plans.Event {
	at := slices.IndexFunc(p.Steps, func(s plans.Step) bool { return s.Kind == plans.Restart })
	es := draining(p)
	for i := 1; i < at; i++ {
		es = append(es, plans.Event{What: plans.Ended, Step: i, Group: "group2"}, plans.Event{What: plans.Began, Step: i + 1, Group: "group2"})
	}
	return append(es, plans.Event{What: plans.Running, Step: at, Group: "group2", Command: &p.Steps[at].Run[0]},
		plans.Event{What: plans.Failed, Step: at, Error: "restart group2: it will not start"}, plans.Event{What: plans.Held, Step: -1, Safe: true, Error: "restart group2: it will not start"})
}

// TestARollbackDoesWhatIsLeftToDo: every machine of this world runs v1.0.0, whatever was to be brought.
func TestARollbackDoesWhatIsLeftToDo(t *testing.T) {
	s := newSoil(t)
	t.Run("nothing, after an abort", func(t *testing.T) {
		b := s.bed(t)
		b.write()
		b.leaves(func(p plans.Plan) []plans.Event {
			return append(draining(p), plans.Event{What: plans.Aborted, Step: -1})
		})
		code, out, errs := b.run("rollback", "--yes")
		if code != 0 || out != "" || errs != "all machines run v1.0.0 already; there is nothing to bring back\n" {
			t.Errorf("exit %d, %s%s", code, out, errs)
		}
		if runs, err := journal.Runs(b.state); err != nil || len(runs) != 1 {
			t.Errorf("there are the runs %v (%v), want the one that was aborted", runs, err)
		}
	})
	t.Run("the load balancer, in a drain", func(t *testing.T) {
		b := s.bed(t)
		b.write()
		b.leaves(draining)
		code, _, errs := b.run("rollback", "--yes")
		if !strings.Contains(errs, "all machines run that release already: what run ") || code != 0 {
			t.Errorf("exit %d, %s", code, errs)
		}
		if runs, err := journal.Runs(b.state); err != nil || len(runs) != 1 {
			t.Errorf("there are the runs %v (%v), want the one that was left", runs, err)
		}
		if code, _, errs := b.run("status", "--exit-code"); code != 7 {
			t.Errorf("exit %d, want it aborted: %s", code, errs)
		}
	})
	t.Run("the group that is not proven well", func(t *testing.T) {
		b := s.bed(t)
		b.write()
		left := b.leaves(halfway)
		e := &env{stdin: strings.NewReader(""), stdout: t.Output(), stderr: t.Output(), lookup: func(name string) (string, bool) { return b.dir, name == "HOME" }}
		e.flags.config, e.flags.quiet = filepath.Join(b.dir, "rollout.yaml"), true
		at, err := e.site()
		b.must(err)
		a, err := at.previous(t.Context(), left, "v1.0.0")
		b.must(err)
		v, p, err := at.decide(t.Context(), "r2", a, nil, left)
		defer v.close()
		if err != nil || !slices.Equal(p.Kept, []string{"group1"}) || slices.ContainsFunc(p.Steps, func(s plans.Step) bool { return s.Kind == plans.Restart && s.Group != "group2" }) {
			said, _ := json.Marshal(p.Steps)
			t.Errorf("got %v kept, %v, want group1: %s", p.Kept, err, said)
		}
	})
}

// TestCheckLeavesWhatARunHasClosedToTheRun: who would open or start it by hand is not told to.
func TestCheckLeavesWhatARunHasClosedToTheRun(t *testing.T) {
	s := newSoil(t)
	group2 := []string{"game-4", "game-5", "game-6"}
	for name, row := range map[string]struct {
		left  func(plans.Plan) []plans.Event
		down  bool // game-4 is
		alive bool
		want  []string
		never []string
	}{
		"killed in a drain": {left: draining, want: []string{"warn group group2: it is closed by run RUN (interrupted)\n  → rollout FLAGS resume, or what rollout FLAGS status says\n", "fail journal "}, never: []string{"console"}},
		"held in a restart": {left: halfway, down: true, want: []string{
			"warn group group2: it is closed by run RUN (held)\n  → rollout FLAGS resume, or what rollout FLAGS status says\n",
			"warn status game-4: the service does not run: ", "; group2 is closed by run RUN (held)\n  → rollout FLAGS resume, or what rollout FLAGS status says\n",
			"warn ports game-4: 2 of 2 ports do not answer: ", "warn sessions game-4: no port of drain.ports listens there"}, never: []string{"console", "game.sh start", "ss -ltn", " abort ("}},
		"under way": {left: halfway, alive: true, want: []string{"warn group group2: it is closed by run RUN (under way)\n  → leave it to the run: rollout FLAGS status\n"}, never: []string{"console", "rollout.yaml abort", "rollout.yaml resume"}},
		"closed by a person before": {left: func(plans.Plan) []plans.Event {
			return []plans.Event{{What: plans.Resumed, Step: -1}, {What: plans.Began, Step: 0, Group: "group1"}, {What: plans.Writing, Step: 0, Weights: map[string]int{"backend-game-1": 1}}}
		}, want: []string{"→ switch its backends on in the console, unless they are meant to be off"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := s.bed(t).sockets()
			b.write()
			st := b.leaves(row.left)
			for _, m := range group2 { // as the run has left it
				b.must(b.api.Set("backend-"+m, func(k *cloud.Backend) { k.Enabled = false }))
			}
			if row.down {
				b.act("game-4", "stop")
				t.Cleanup(func() { b.act("game-4", "start") })
			}
			if row.alive {
				b.underWay()
			}
			_, got := b.found()
			for _, want := range row.want {
				if want = strings.NewReplacer("RUN", st.Plan.ID, "FLAGS", "-c DIR/rollout.yaml").Replace(want); !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
			for _, never := range row.never {
				if strings.Contains(got, never) {
					t.Errorf("%q is in\n%s", never, got)
				}
			}
		})
	}
}
