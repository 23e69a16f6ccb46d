package view

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// StatusOptions are what a drawing of a run needs beside its state. Its zero is usable.
type StatusOptions struct {
	Alive  bool        // the process that carries the run out lives
	Holder string      // who holds the lock, where that is not the run's own process
	Past   plans.State // the last run that ended well; its zero: there is none
	Flags  string      // of every command that is advised: -c game.yaml
	Width  int         // columns; 0: 80. Below 60 the status is three lines
}

// Status draws where a run is at now: its steps, what it waits for and until when, each group with its backends and sessions, and
// what would follow if it failed now, or what to type if it has stopped.
func Status(w io.Writer, s plans.State, now time.Time, o StatusOptions) error {
	pg := newPage(o.Width)
	s.Phase = phase(s, o.Alive)
	if pg.width < narrow {
		brief(pg, s, now, o)
		return pg.print(w)
	}
	head(pg, s, now, o)
	stepsRow(pg, s)
	waiting(pg, s, now)
	for _, d := range sidesOf(s) {
		pg.line("")
		group(pg, s, d, now)
	}
	pg.line("")
	outlook(pg, s, o.Flags)
	whose(pg, s, now, o)
	return pg.print(w)
}

// phase gives where the run is: one whose process is gone is interrupted, whatever it wrote last.
func phase(s plans.State, alive bool) plans.Phase {
	if s.Phase == plans.PhaseRunning && !alive {
		return plans.PhaseInterrupted
	}
	return s.Phase
}

// brief is the whole status in three lines.
func brief(pg *page, s plans.State, now time.Time, o StatusOptions) {
	pg.line("%s", strings.Join(append([]string{s.Plan.Service}, moving(s, now, o)...), "  "))
	what := at(s)
	if d, until, ok := Doing(s); ok {
		what = d
		if !until.IsZero() {
			what = span(max(0, until.Sub(now)).Round(time.Second)) + " left: " + d
		}
	}
	if what == "" {
		what = string(s.Phase)
	}
	pg.line("%s %s", glyphOf(s), what)
	var gs []string
	for _, d := range sidesOf(s) {
		gs = append(gs, fmt.Sprintf("%s %d/%d on", d.name, d.on, d.total))
	}
	pg.line("%s", strings.Join(gs, "  "))
}

// glyphOf gives the sign of the run as a whole.
func glyphOf(s plans.State) string {
	switch s.Phase {
	case plans.PhaseDone:
		return glyph(plans.StepDone)
	case plans.PhaseHeld:
		return glyph(plans.StepFailed)
	}
	return glyph(plans.UnderWay)
}

// head draws the first line: what, which run, how far, how long still, how many were cut.
func head(pg *page, s plans.State, now time.Time, o StatusOptions) {
	hs := []string{"rollout " + s.Plan.Service}
	if r := strings.TrimSpace(releases(s.Plan.Was, s.Plan.Release, " → ")); r != "" {
		hs = append(hs, r)
	}
	pg.items(" ", append(append(hs, "run "+s.Plan.ID), moving(s, now, o)...), "  ")
}

// moving gives the facts of the first line that change.
func moving(s plans.State, now time.Time, o StatusOptions) []string {
	end := s.Last.At
	if s.Phase == plans.PhaseRunning {
		end = now
	}
	hs := []string{strings.ToUpper(string(s.Phase)) + " " + span(end.Sub(s.Began.At).Round(time.Second))}
	if d, ok := eta(s, now, Lasted(s.Plan, o.Past)); ok {
		hs = append(hs, "ETA ~"+about(d))
	}
	n := len(s.Plan.Steps)
	return append(hs, "cut "+number(s.Cut()), fmt.Sprintf("%d/%d", min(s.Step+1, n), n))
}

// waiting draws what the run waits for and until when; what it last said, where that is something else; or why it has stopped.
func waiting(pg *page, s plans.State, now time.Time) {
	if s.Alarm != "" && !s.Phase.Over() {
		pg.text(" ALARM: ", "the group that serves is hurt: "+s.Alarm)
	}
	what, until, ok := Doing(s)
	switch {
	case ok:
		pg.text(" waits for ", what+left(until, now))
		if n := English.note(s, ""); n != "" && !strings.Contains(what, n) {
			pg.text(" says      ", n)
		}
	case s.Phase == plans.PhaseHeld && !s.Safe:
		pg.text(" NOT PROVEN SAFE: ", cause(s))
	case s.Phase == plans.PhaseHeld:
		pg.text(" held, safe: ", cause(s))
	case cause(s) != "":
		pg.text(" "+string(s.Phase)+": ", cause(s))
	}
	if s.Asked != "" {
		pg.text(" asked     ", fmt.Sprintf("to %s, by %s", s.Asked, s.AskedBy))
	}
}

// left says until when a wait is, and how long that is.
func left(until, now time.Time) string {
	switch {
	case until.IsZero():
		return ", however long it takes"
	case now.After(until):
		return fmt.Sprintf(", until %s (%s ago)", clock(until), span(now.Sub(until).Round(time.Second)))
	}
	return fmt.Sprintf(", until %s (in %s)", clock(until), span(until.Sub(now).Round(time.Second)))
}

// outlook draws what would follow if the step failed now; of a run that has stopped, where traffic is and what to type.
func outlook(pg *page, s plans.State, flags string) {
	switch f := IfFails(s); {
	case f != "":
		pg.text(" if it fails now  ", f)
	case s.Phase != plans.PhaseRunning:
		pg.text(" traffic  ", Traffic(s))
		advise(pg, " next     ", Next(s), flags)
	}
}

// whose draws who runs it and how old the newest event is.
func whose(pg *page, s plans.State, now time.Time, o StatusOptions) {
	by := "by " + s.By
	if s.By == "" {
		by = "by " + s.Plan.By
	}
	if s.PID != 0 {
		by += " pid " + strconv.Itoa(s.PID)
	}
	if s.Phase == plans.PhaseInterrupted && !o.Alive {
		by += " (gone)"
	}
	items := []string{by, "began " + clock(s.Began.At), "last event " + age(s.Last.At, now)}
	if o.Holder != "" {
		items = append(items, "lock held by "+o.Holder)
	}
	pg.items(" ", items, "   ")
}

// age says how old a reading is.
func age(t, now time.Time) string {
	if d := now.Sub(t).Round(time.Second); d > 0 {
		return span(d) + " ago"
	}
	return "just now"
}
