package live

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed59ee9cdc/rollout/plans"
)

// table is a model without a terminal, and what it has asked for.
type table struct {
	*model
	asked       []plans.Request
	interrupted int
	refuse      error
}

func seated(t *testing.T) *table {
	x := &table{}
	v := &View{done: make(chan struct{}), scene: moments(t)[1].scene}
	v.cfg = Config{Now: func() time.Time { return noon }, Leaves: "leave it running", Interrupt: func() { x.interrupted++ }, Ask: func(r plans.Request) error {
		x.asked = append(x.asked, r)
		return x.refuse
	}}
	x.model = &model{view: v, now: noon, width: 120, height: 40}
	return x
}

// press presses keys, carries out what they ask for, and says whether the view is about to end.
func (x *table) press(keys ...rune) bool {
	for _, k := range keys {
		key := tea.KeyPressMsg{Code: k, Text: string(k)}
		if k < ' ' || k == tea.KeyEscape {
			key.Text = ""
		}
		if k == 3 {
			key = tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
		}
		_, cmd := x.Update(key)
		if cmd == nil {
			continue
		}
		msg := cmd()
		if _, quits := msg.(tea.QuitMsg); quits {
			return true
		}
		x.Update(msg)
	}
	return false
}

func (x *table) shows(t *testing.T, texts ...string) {
	t.Helper()
	got := x.View().Content
	for _, want := range texts {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestAnAbortIsAskedForOnlyOnceItIsConfirmed(t *testing.T) {
	x := seated(t)
	x.shows(t, "q leave it running", "a abort")
	x.press('a')
	x.shows(t, "Abort run 7f3a of game", "[y/N]")
	for _, k := range []rune{'n', tea.KeyEnter, 'q', tea.KeyEscape, 'a'} {
		if x.press('a', k) || len(x.asked) > 0 {
			t.Fatalf("after %q: asked %v", k, x.asked)
		}
		x.press('n')
	}
	x.press('a', 'y')
	if len(x.asked) != 1 || x.asked[0] != plans.AskAbort {
		t.Errorf("asked %v, want one abort", x.asked)
	}
	x.shows(t, "asked to abort")
}

func TestAPauseIsAskedForAndTakenBack(t *testing.T) {
	x := seated(t)
	x.press('p')
	x.shows(t, "asked to pause after this step")
	s := x.view.scene.state
	x.view.Hear(s.Apply(plans.Event{What: plans.Asked, Step: -1, Seq: s.Seq + 1, Stamp: s.Last, Request: plans.AskPause, By: "wang@desk"}), "")
	x.shows(t, "to pause, by wang@desk")
	x.press('p')
	if len(x.asked) != 2 || x.asked[1] != plans.AskResume {
		t.Errorf("asked %v, want a pause and a resume", x.asked)
	}
	x.refuse = errors.New("request: no space left on device")
	x.press('p')
	x.shows(t, "not asked: request: no space left on device")
}

func TestTheLogAndTheKeysAreLeftByTheirKey(t *testing.T) {
	x := seated(t)
	for range 100 {
		x.view.Say("2026-11-22T14:31:02Z note     something happened")
	}
	x.press('l')
	x.shows(t, "Events of run 7f3a", "14:31:02Z  note     something happened")
	x.press('g')
	x.shows(t, "start    game v1.8.1→v1.8.2")
	x.press('q')
	x.shows(t, "TAKES ALL NEW CONNECTIONS")
	x.press('?')
	x.shows(t, "as `rollout abort`; it asks first")
	if x.press(tea.KeyEscape) || !x.press('q') {
		t.Error("q leaves the view from the first page, and esc only a page")
	}
}

func TestCtrlCIsHandedOnAndDoesNotCloseTheView(t *testing.T) {
	x := seated(t)
	if x.press('a', 3) || x.interrupted != 1 || x.asking {
		t.Errorf("interrupted %d times, asking %v; want once, false", x.interrupted, x.asking)
	}
	x.shows(t, "interrupted")
}

// TestAPanicOfTheViewEndsTheViewAlone: nothing of it comes out of the model.
func TestAPanicOfTheViewEndsTheViewAlone(t *testing.T) {
	x := seated(t)
	x.view.cfg.Ask = func(plans.Request) error { panic("ask") }
	x.press('p')
	x.shows(t, "not asked: panic: ask")
	broken := x.view.scene.state
	broken.Progress = nil // no fold gives this
	x.view.Hear(broken, "")
	x.View()
	_, cmd := x.Update(tick{})
	if x.broken == nil || cmd == nil || cmd() != tea.Quit() {
		t.Errorf("broken %v, want it to quit", x.broken)
	}
	if got := x.last(x.view.scene); got != "" {
		t.Errorf("got a last picture of a broken view: %q", got)
	}
}

func TestARunThatHasStoppedEndsTheView(t *testing.T) {
	x := seated(t)
	if _, cmd := x.Update(tick{}); cmd == nil {
		t.Fatal("it does not go on")
	}
	x.view.over = true
	if _, cmd := x.Update(tick{}); cmd() != tea.Quit() {
		t.Error("it does not end")
	}
	x.view.closed = true
	if x.view.Hear(plans.State{}, "x") || x.view.Say("x") {
		t.Error("a view that has ended still hears")
	}
}
