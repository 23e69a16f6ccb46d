package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
	"github.com/seed59ee9cdc/rollout/view/live"
)

// lively says whether a run may take the whole terminal: it can be drawn on, and it is ours to draw on.
func (e *env) lively() bool { return e.drawable() && foreground(e.stdin) }

// drawable says whether a person reads what is printed, on a terminal that can be drawn on and where nothing else is printed.
func (e *env) drawable() bool {
	term, _ := e.lookup("TERM")
	dumb := term == "dumb" || term == "" && runtime.GOOS != "windows"
	aloud := e.flags.verbose && e.aside != nil
	return e.terminal && e.text() && !e.flags.quiet && !aloud && !dumb && system(e.lookup) == ""
}

// colour says whether the live view may be coloured.
func (e *env) colour() bool {
	no, _ := e.lookup("NO_COLOR")
	return !e.flags.noColor && no == ""
}

// open shows a run on the terminal, and gives what ends that and gives the terminal back. leaves says what the key q does.
func (s *site) open(st plans.State, o view.StatusOptions, leaves string) (*live.View, func()) {
	e, id := s.env, st.Plan.ID
	cfg := live.Config{In: e.stdin, Out: e.stdout, Environ: os.Environ(), Color: e.colour(), Leaves: leaves, Interrupt: e.signals.press}
	if !e.flags.noInput {
		cfg.Ask = func(r plans.Request) error { return journal.Ask(s.dir, id, r, by()) }
	}
	back := unstoppable()
	v := live.Start(cfg, st, o)
	e.signals.before(v.Kill)
	e.aside.lend(v.Say)
	return v, sync.OnceFunc(func() {
		v.Close()
		e.signals.before(nil)
		e.aside.lend(nil)
		back()
	})
}

// liveEar shows each event on the terminal; once nobody watches any more, it prints lines.
type liveEar struct {
	lineEar
	view *live.View
}

func (l *liveEar) hear(s plans.State, e plans.Event) {
	line, worth := l.lines.Next(s, e)
	if !l.view.Hear(s, line) && worth {
		_, _ = fmt.Fprintln(l.out, line)
	}
}

// stage puts the live view in the place of the plain lines of a run that is about to be carried out here, where there is a terminal for it, and
// gives what ends it.
func (s *site) stage(t *told) func() {
	if !s.env.lively() {
		return func() {}
	}
	o := view.StatusOptions{Alive: true, Flags: s.env.again}
	v, end := s.open(t.state, o, "plain lines (it goes on)")
	for i, h := range t.ears {
		if l, ok := h.(*lineEar); ok {
			t.ears[i] = &liveEar{*l, v}
		}
	}
	var reading sync.WaitGroup
	reading.Go(func() { // beside the run, which must not wait for old journals
		o.Past = s.past(t.state.Plan.ID)
		v.Know(o)
	})
	return func() {
		reading.Wait()
		end()
	}
}
