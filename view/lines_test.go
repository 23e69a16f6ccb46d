package view

import (
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// halfDrained tells of a run whose first drain has begun with 1000 sessions.
func halfDrained(t *testing.T) *tale {
	w := begin(t, usualSetting().plan())
	w.through(1)
	w.step(plans.Event{What: plans.Began})
	w.count("group2", 0, 1000, 0, 0)
	return w
}

// after gives the lines about the events that are told by tell.
func after(w *tale, tell func()) []string {
	n := len(w.events)
	tell()
	var l Lines
	var lines []string
	for i, e := range w.events {
		if line, ok := l.Next(w.states[i], e); ok && i >= n {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestADrainThatStandsStillIsToldEvery15Seconds(t *testing.T) {
	w := halfDrained(t)
	got := after(w, func() {
		for range 60 {
			w.wait(time.Second)
			w.count("group2", 0, 999, 0, 0)
		}
	})
	if len(got) != 4 {
		t.Errorf("got %d lines in a minute, want 4:\n%s", len(got), strings.Join(got, "\n"))
	}
}

func TestADrainIsToldAtOnceWhenATenthHasEnded(t *testing.T) {
	w := halfDrained(t)
	got := after(w, func() {
		for _, n := range []int{950, 901, 900, 899, 801, 800} {
			w.wait(time.Second)
			w.count("group2", 0, n, 0, 0)
		}
	})
	if len(got) != 2 || !strings.Contains(got[0], " group2 900 (-10%)") || !strings.Contains(got[1], " group2 800 (-20%)") {
		t.Errorf("got\n%s\nwant a line at 900 and one at 800", strings.Join(got, "\n"))
	}
}

func TestAnUnreadableMachineIsNamedWithItsReason(t *testing.T) {
	w := halfDrained(t)
	got := after(w, func() {
		for range 6 {
			w.wait(time.Second)
			w.count("group2", 0, 1000, -1, 0)
		}
		for range 6 {
			w.wait(time.Second)
			w.count("group2", 0, 1000, 0, 0)
		}
	})
	if len(got) != 2 || !strings.Contains(got[0], "1000 and game-5 unread (ssh: connect to 10.9.0.5: timed out after 10s)") || strings.Contains(got[1], "unread") {
		t.Errorf("got\n%s\nwant one line that game-5 is unread and one that it is not", strings.Join(got, "\n"))
	}
}

func TestTheOtherGroupsCountsAreNoLinesOfADrain(t *testing.T) {
	w := halfDrained(t)
	got := after(w, func() {
		w.wait(time.Minute)
		w.count("group1", 0, 5, 5, 5)
	})
	if len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestAProcessThatTakesADrainUpSaysItsDeadlineAgain(t *testing.T) {
	w := halfDrained(t)
	w.wait(30 * time.Second)
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: "wang@desk", PID: 7})
	w.count("group2", 0, 700, 0, 0)
	var l Lines // of the new process
	var got []string
	for i := len(w.events) - 2; i < len(w.events); i++ {
		if line, ok := l.Next(w.states[i], w.events[i]); ok {
			got = append(got, line)
		}
	}
	want := []string{
		"2026-11-22T14:31:29Z resume   run=7f3a by wang@desk at step 2 of 11, drain group2",
		"2026-11-22T14:31:29Z drain    group2 700 sessions, deadline 14:33:59Z",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestALineSaysWhatAnEventTells(t *testing.T) {
	cmd := plans.Command{Host: "10.9.0.5", Do: plans.DoStop, Line: "bin/stop"}
	for _, tt := range []struct {
		name string
		e    plans.Event
		want string // without the time; empty: no line
	}{
		{"all accepted", plans.Event{What: plans.Wrote, Answers: []plans.Answer{{Outcome: plans.Accepted}}}, ""},
		{"some unknown", plans.Event{What: plans.Wrote, Answers: []plans.Answer{{Outcome: plans.Accepted}, {Outcome: plans.Unknown, Error: "timeout"}}},
			"drain    1 of 2 accepted, 1 unknown; looking"},
		{"the likeliest refusal", plans.Event{What: plans.Wrote, Answers: []plans.Answer{
			{Outcome: plans.Refused, Error: "RetCode 150"}, {Outcome: plans.Refused, Error: "RetCode 153"}, {Outcome: plans.Refused, Error: "RetCode 153"}}},
			"drain    0 of 3 accepted, 3 refused (RetCode 153); looking"},
		{"a command that ended well", plans.Event{What: plans.Ran, Command: &cmd}, ""},
		{"a command that failed", plans.Event{What: plans.Ran, Command: &cmd, Code: 3, Output: "a\n\x1b[1mbusy\x1b[0m\n\n"}, "drain    stop on game-5: exit 3: busy"},
		{"a command of unknown outcome", plans.Event{What: plans.Ran, Command: &cmd, Error: "ssh: reset"}, "drain    stop on game-5: outcome not known: ssh: reset"},
		{"a command that was not sent", plans.Event{What: plans.Ran, Command: &cmd, Error: "no route to host", EndedBy: plans.Absent}, "drain    stop on game-5: not begun: no route to host"},
		{"a failure", plans.Event{What: plans.Failed, Error: "drain group2: game-4 is gone"}, "drain    FAILED group2: game-4 is gone"},
		{"a deadline", plans.Event{What: plans.Ended, EndedBy: "deadline"}, "drain    ok group2 1000 sessions left at the deadline after 0s, to be cut by the restart"},
		{"a note", plans.Event{What: plans.Noted, Note: "the load balancer cannot be read: EOF; trying again"}, "drain    the load balancer cannot be read: EOF; trying again"},
		{"a reading", plans.Event{What: plans.Looked, Weights: map[string]int{}}, ""},
		{"a count of nothing", plans.Event{What: plans.Counted}, ""},
		{"no plan", plans.Event{What: plans.Planned}, ""},
		{"a request", plans.Event{What: plans.Asked, Request: plans.AskPause, By: "wang@desk"}, "asked    to pause after the step under way, by wang@desk"},
		{"an unknown event", plans.Event{What: "dreamt", Note: "x"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := halfDrained(t)
			got := strings.Join(after(w, func() { w.step(tt.e) }), "\n")
			_, got, _ = strings.Cut(got, "Z ")
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNotesThatBeginAlikeAreSaidOnceIn15Seconds(t *testing.T) {
	w := halfDrained(t)
	got := after(w, func() {
		for i := range 40 {
			w.wait(time.Second)
			w.step(plans.Event{What: plans.Noted, Note: "waiting for group2: port " + string(rune('a'+i%26))})
		}
	})
	if len(got) != 3 {
		t.Errorf("got %d lines, want 3:\n%s", len(got), strings.Join(got, "\n"))
	}
}
