package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/notify"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// saga tells the events of a run the way steps does, and keeps what of it was news.
type saga struct {
	s    plans.State
	at   time.Duration
	n    newsworthy
	news []tiding
	then []plans.State // the state after each
}

var tea = time.Date(2026, 11, 22, 14, 30, 52, 0, time.UTC)

func newSaga(change func(*plans.Plan)) *saga {
	group := func(name string, machines ...string) groups.Group {
		g := groups.Group{Name: name}
		for _, m := range machines {
			g.Machines = append(g.Machines, groups.Machine{Name: m, Host: "10.9.0." + m[len(m)-1:], Ports: []int{6150}, Sessions: []int{6200}})
		}
		return g
	}
	before := map[string]plans.Backend{}
	for i, g := range []string{"group1", "group2"} {
		host := fmt.Sprintf("10.9.0.%d", 1+3*i)
		before["backend-"+g] = plans.Backend{Addr: host + ":6150", Host: host, Group: g, Weight: 1}
	}
	p := plans.Build(groups.Fleet{First: group("group2", "game-4"), Second: group("group1", "game-1")}, plans.Lines{Stop: "a", Start: "b", Status: "c"}, before, plans.Options{
		ID: "7f3a", Service: "game", By: "liu@ci-31", Release: "v1.8.2", Was: "v1.8.1", Made: tea, OnFail: "hold", Settle: 5 * time.Second, Shift: 2 * time.Minute,
		Deploy: "x", DeployWithin: time.Minute, DrainWithin: 3 * time.Minute, DrainStable: 5 * time.Second, Draining: plans.Draining{OnDeadline: plans.Cut}, RestartWithin: time.Minute, CheckWithin: time.Minute,
	})
	if change != nil {
		change(&p)
	}
	g := &saga{}
	g.s = g.s.Apply(plans.Event{Version: plans.Version, Seq: 1, Stamp: plans.Stamp{At: tea}, What: plans.Planned, Step: -1, Plan: &p})
	g.n.was = g.s
	return g
}

func (g *saga) tell(es ...plans.Event) *saga {
	for _, e := range es {
		e.Version, e.Seq = plans.Version, g.s.Seq+1
		e.Stamp = plans.Stamp{At: tea.Add(g.at), Boot: "b", Up: plans.Seconds(g.at)}
		g.s = g.s.Apply(e)
		if t, ok := g.n.of(g.s, e); ok {
			g.news, g.then = append(g.news, t), append(g.then, g.s)
		}
	}
	return g
}

func (g *saga) wait(d time.Duration) *saga { g.at += d; return g }

// start takes the run up and brings it to the drain of its first group.
func (g *saga) start() *saga {
	shift := g.s.Plan.Steps[0]
	return g.tell(
		plans.Event{What: plans.Resumed, Step: -1, By: "liu@ci-31"}, plans.Event{What: plans.Began, Step: 0, Group: "group2"},
		plans.Event{What: plans.Writing, Step: 0, Group: "group2", Weights: shift.Weights}, plans.Event{What: plans.Wrote, Step: 0, Group: "group2"},
		plans.Event{What: plans.Looked, Step: 0, Weights: shift.Weights}, plans.Event{What: plans.Ended, Step: 0, Group: "group2"},
		plans.Event{What: plans.Began, Step: 1, Group: "group2"}, left(1284))
}

func left(n int) plans.Event {
	empty := plans.Seconds(70 * time.Second)
	return plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &plans.Sessions{Total: n, ByHost: map[string]int{"10.9.0.4": n}, Empty: &empty}}
}

func (g *saga) has() string {
	var all []string
	for _, t := range g.news {
		all = append(all, string(t.is))
	}
	return strings.Join(all, ", ")
}

func stopped(what plans.What, change func(*plans.Event)) plans.Event {
	e := plans.Event{What: what, Step: -1}
	if change != nil {
		change(&e)
	}
	return e
}

func TestWhatIsNews(t *testing.T) {
	ask := plans.Event{What: plans.Asked, Step: -1, Request: plans.AskPause, By: "wang@ops-1"}
	hurt := plans.Event{What: plans.Alarmed, Step: 1, Group: "group1", Error: "10.9.0.1:6150 refuses"}
	well := plans.Event{What: plans.Alarmed, Step: 1, Group: "group1", Note: "group1 is in full service again"}
	held := stopped(plans.Held, func(e *plans.Event) { e.Safe, e.Error = true, "drain group2: x" })
	unsafe := stopped(plans.Held, func(e *plans.Event) { e.Error = "drain group2: x" })
	stays := stopped(plans.Held, func(e *plans.Event) {
		e.Safe, e.Error = true, "abort (asked): group2 was restarted, so it stays closed"
	})
	rollback := func(p *plans.Plan) { p.OnFail = "rollback" }
	for _, row := range []struct {
		name string
		of   *saga
		want string
		keys string // of the last
	}{
		{"a start", newSaga(nil).start(), "started", "started"},
		{"the end", newSaga(nil).start().tell(stopped(plans.Done, nil)), "started, finished", "finished"},
		{"a rollback by a person or by on_failure", newSaga(func(p *plans.Plan) { p.Back = true }).start().tell(stopped(plans.Done, nil)), "started, brought back", "rolled_back finished"},
		{"a pause that was asked for", newSaga(nil).start().tell(ask, stopped(plans.Paused, nil)), "started, paused", "paused"},
		{"a pause at a deadline", newSaga(nil).start().tell(stopped(plans.Paused, nil)), "started, stuck", "paused held failed"},
		{"a resume", newSaga(nil).start().tell(ask, stopped(plans.Paused, nil), plans.Event{What: plans.Resumed, Step: -1}), "started, paused, resumed", "started"},
		{"held", newSaga(nil).start().tell(held), "started, held", "held failed"},
		{"held, not safe", newSaga(nil).start().tell(unsafe), "started, unsafe", "held failed"},
		{"held, and a rollback follows", newSaga(rollback).start().tell(held), "started, falls back", "held failed"},
		{"held, not safe, so that none follows", newSaga(rollback).start().tell(unsafe), "started, unsafe", "held failed"},
		{"held since it was asked to abort", newSaga(rollback).start().tell(stays), "started, held", "held failed"},
		{"a signal, or a defect", newSaga(nil).start().tell(stopped(plans.Interrupted, nil)), "started, interrupted", "held failed"},
		{"put back", newSaga(nil).start().tell(stopped(plans.Aborted, nil)), "started, put back", "rolled_back failed"},
		{"a signal before anything was touched", newSaga(nil).tell(plans.Event{What: plans.Resumed, Step: -1}, stopped(plans.Aborted, nil)), "started, not begun", "rolled_back failed"},
		{"hurt, seen three times, and well, seen twice", newSaga(nil).start().tell(hurt, hurt, hurt, well, well), "started, hurt, well", "alarm"},
		{"hurt and well in turn, without end", newSaga(nil).start().tell(slices.Repeat([]plans.Event{hurt, well}, 9)...), "started, hurt, well, hurt, well", "alarm"},
		{"a drain in time", newSaga(nil).start().wait(2 * time.Minute).tell(left(7)), "started", "started"},
		{"a drain past four fifths of its deadline", newSaga(nil).start().wait(145*time.Second).tell(left(7), left(6)), "started, drain slow", "drain_slow"},
		{"a drain that is over by then", newSaga(nil).start().wait(145 * time.Second).tell(left(0)), "started", "started"},
		{"the other group counted by then", newSaga(nil).start().wait(145 * time.Second).tell(plans.Event{What: plans.Counted, Step: 1, Group: "group1", Sessions: &plans.Sessions{Total: 9}}), "started", "started"},
		{"resumes without end", newSaga(nil).start().tell(slices.Repeat([]plans.Event{stopped(plans.Held, nil), {What: plans.Resumed, Step: -1}}, 9)...), "started, unsafe, resumed, unsafe, resumed, unsafe", "held failed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.of.has(); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
			if got := strings.Join(row.of.news[len(row.of.news)-1].keys, " "); got != row.keys {
				t.Errorf("got for %s, want for %s", got, row.keys)
			}
		})
	}
}

// TestTheWayBackIsToldAtItsEnd: a retreat is a plan of its own, which its process takes up anew.
func TestTheWayBackIsToldAtItsEnd(t *testing.T) {
	g := newSaga(nil).start()
	back, ok := plans.Retreat(g.s)
	if !ok {
		t.Fatal("there is no way back")
	}
	g.tell(plans.Event{What: plans.Planned, Step: -1, Plan: &back, Note: "asked by wang@ops-1"}, plans.Event{What: plans.Resumed, Step: -1, By: "liu@ci-31"},
		stopped(plans.Aborted, func(e *plans.Event) { e.Note = "every backend is as it was found" }))
	if got := g.has(); got != "started, put back" || g.news[1].why != "asked by wang@ops-1; every backend is as it was found" {
		t.Errorf("got %s, because of %q", got, g.news[len(g.news)-1].why)
	}
}

func TestADrainIsSlowByItsLastTimeAndItsDeadline(t *testing.T) {
	for _, row := range []struct {
		name                 string
		deadline, last, want time.Duration
		known                bool
	}{
		{"no last time", 3 * time.Minute, 0, 144 * time.Second, true},
		{"by half", 30 * time.Minute, 4 * time.Minute, 6 * time.Minute, true},
		{"not by a few seconds", 30 * time.Minute, 10 * time.Second, 40 * time.Second, true},
		{"as ever close to its deadline", 3 * time.Minute, 151 * time.Second, 162 * time.Second, true},
		{"cut each time", 3 * time.Minute, 3 * time.Minute, 3 * time.Minute, true},
		{"no deadline", 0, time.Minute, 90 * time.Second, true},
		{"neither", 0, 0, 0, false},
	} {
		if got, known := expected(row.deadline, row.last); got != row.want || known != row.known {
			t.Errorf("%s: got %s, %v, want %s, %v", row.name, got, known, row.want, row.known)
		}
	}
}

// TestNewsReadsWellInBothLanguages keeps what people are told as a file.
func TestNewsReadsWellInBothLanguages(t *testing.T) {
	hurt := plans.Event{What: plans.Alarmed, Step: 1, Group: "group1", Error: "10.9.0.1:6150 refuses\nand again"}
	sagas := []*saga{
		newSaga(nil).start().wait(70 * time.Second).tell(hurt).wait(90 * time.Second).tell(left(143)),
		newSaga(nil).start().wait(time.Minute).tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskPause}, stopped(plans.Paused, func(e *plans.Event) { e.Note, e.Safe = "asked by wang@ops-1", true }), plans.Event{What: plans.Resumed, Step: -1, By: "wang@ops-1"}),
		newSaga(nil).start().wait(3*time.Minute).tell(left(143), stopped(plans.Paused, func(e *plans.Event) {
			e.Note, e.Safe = "143 sessions left at the deadline, more than the cut budget of 10", true
		})),
		newSaga(nil).start().wait(3*time.Minute).tell(plans.Event{What: plans.Failed, Step: 1, Group: "group2", Error: "drain group2: x"}, stopped(plans.Held, func(e *plans.Event) { e.Safe, e.Error = true, "drain group2: game-4 cannot be read" })),
		newSaga(nil).start().wait(3 * time.Minute).tell(stopped(plans.Held, func(e *plans.Event) { e.Error = "drain group2: game-4 cannot be read" })),
		newSaga(func(p *plans.Plan) { p.OnFail = "rollback" }).start().wait(3 * time.Minute).tell(stopped(plans.Held, func(e *plans.Event) { e.Safe, e.Error = true, "drain group2: game-4 cannot be read" })),
		newSaga(nil).start().wait(time.Minute).tell(stopped(plans.Interrupted, func(e *plans.Event) { e.Note = "a signal ended the process that ran it" })),
		newSaga(nil).tell(plans.Event{What: plans.Resumed, Step: -1}, stopped(plans.Aborted, func(e *plans.Event) { e.Note = "a signal came before anything was touched" })),
		newSaga(nil).start().wait(time.Minute).tell(stopped(plans.Aborted, func(e *plans.Event) { e.Note = "every backend is as it was found" })),
		newSaga(func(p *plans.Plan) { p.Back = true }).start().wait(8 * time.Minute).tell(stopped(plans.Done, nil)),
		newSaga(nil).start().wait(8 * time.Minute).tell(stopped(plans.Done, nil)),
	}
	for _, in := range []tongue{{view.English}, {view.Chinese}} {
		var all strings.Builder
		said := map[happening]bool{}
		write := func(ti tiding, s plans.State) {
			if said[ti.is] {
				return
			}
			said[ti.is] = true
			m := ti.message(s, s.Last.At, in)
			fmt.Fprintf(&all, "%s  %s  %s\n%s\n", m.ID, m.Kind, m.Level, m.Title)
			for _, l := range m.Lines {
				fmt.Fprintf(&all, "  %s: %s\n", l.Label, l.Text)
			}
			all.WriteString("\n")
			if len(m.Lines) < 4 || len(m.Lines) > 8 {
				t.Errorf("%s has %d lines", ti.is, len(m.Lines))
			}
		}
		for _, g := range sagas {
			for i, ti := range g.news {
				write(ti, g.then[i])
			}
		}
		write(tiding{is: isBroken, keys: []string{onHeld}, level: notify.Bad, why: "journal: no space left on device"}, newSaga(nil).start().s)
		file := filepath.Join("testdata", "news-"+string(in.Lang)+".txt")
		if *updateScripts {
			if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if all.String() != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, all.String(), want)
		}
	}
}

// TestADefectOfTheTellingEndsNoRun: an ear is heard within the run.
func TestADefectOfTheTellingEndsNoRun(t *testing.T) {
	var said string
	n := &news{to: []config.Notify{{To: "slack", URL: "https://chat.example/x", On: []string{onFinished}}}, say: func(format string, args ...any) { said = fmt.Sprintf(format, args...) }}
	n.hear(newSaga(nil).start().s, stopped(plans.Done, nil)) // it has no outbox
	if !strings.Contains(said, "the run goes on") {
		t.Errorf("got %q", said)
	}
}

func TestWhoIsToldIsWhoWantsIt(t *testing.T) {
	for _, row := range []struct {
		on   []string
		is   plans.What
		want bool
	}{
		{[]string{onFailed}, plans.Held, true}, {[]string{onFailed}, plans.Aborted, true}, {[]string{onFailed}, plans.Interrupted, true}, {[]string{onFailed}, plans.Done, false},
		{[]string{onHeld}, plans.Held, true}, {[]string{onHeld}, plans.Aborted, false}, {[]string{onRolledBack}, plans.Aborted, true}, {[]string{onFinished}, plans.Done, true},
		{[]string{onHeld, onFailed}, plans.Held, true}, {nil, plans.Done, false},
	} {
		to := []config.Notify{{To: "webhook", URL: "http://127.0.0.1:1/", On: row.on}}
		n := &news{to: to, out: notify.NewOutbox(notify.NewSender(nil), receivers(to)), say: t.Logf}
		n.hear(newSaga(nil).start().s, stopped(row.is, nil))
		if got := len(n.out.Close(gone(t), time.Minute)) == 1; got != row.want {
			t.Errorf("on %v, %s: told %v, want %v", row.on, row.is, got, row.want)
		}
	}
}

func TestAJournalThatCannotBeWrittenIsTold(t *testing.T) {
	to := []config.Notify{{To: "webhook", URL: "http://127.0.0.1:1/", On: []string{onHeld}}}
	for phase, want := range map[plans.Phase]int{plans.PhaseRunning: 1, plans.PhaseHeld: 0} {
		n := &news{to: to, out: notify.NewOutbox(notify.NewSender(nil), receivers(to)), say: t.Logf}
		s := newSaga(nil).start().s
		s.Phase = phase // held was told as an event
		n.broken(s, errors.New("no space left on device"))
		if got := len(n.out.Close(gone(t), time.Minute)); got != want {
			t.Errorf("%s: %d messages, want %d", phase, got, want)
		}
	}
}

// gone gives a context that has ended: what is in an outbox is then given up, and named.
func gone(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
