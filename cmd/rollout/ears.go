package main

import (
	"fmt"
	"io"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// ear hears each event of the run that this process carries out, after it is on disk, with the state after it. What it does with it never holds
// the run up and never ends it.
type ear interface {
	hear(s plans.State, e plans.Event)
}

// ears gives those who hear of a run that is about to be carried out. The CI system is first: its marks go around the lines.
func (e *env) ears() []ear {
	if e.ci.active() {
		return append([]ear{e.ci}, e.printers()...)
	}
	return e.printers()
}

// printers gives those who print what they hear.
func (e *env) printers() []ear {
	switch {
	case e.flags.output == "jsonl":
		return []ear{journalEar{e.stdout}}
	case e.flags.quiet:
		return nil
	case e.text():
		return []ear{&lineEar{out: e.stdout, lines: view.Lines{Flags: e.again}}}
	}
	return []ear{&lineEar{out: e.stderr, lines: view.Lines{Flags: e.again}}}
}

// journalEar prints each event as the journal has it.
type journalEar struct{ out io.Writer }

func (j journalEar) hear(_ plans.State, e plans.Event) { _ = writeJSON(j.out, e, "") }

// lineEar prints a line for each event that is worth one.
type lineEar struct {
	out   io.Writer
	lines view.Lines
}

func (l *lineEar) hear(s plans.State, e plans.Event) {
	if line, ok := l.lines.Next(s, e); ok {
		_, _ = fmt.Fprintln(l.out, line)
	}
}
