package view

import (
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Parts are the pieces of a [Status], for a view with a layout of its own: the same words, in lines of clean text, none wider than was asked.
type Parts struct {
	Phase   plans.Phase // interrupted, where the process that ran it is gone
	Head    []string    // what, which run, for how long, ETA, cut, which step
	Steps   []string    // every step with its glyph
	Row     []string    // those of the plan under way, in items
	Waiting []string    // what it waits for and until when, or why it has stopped
	Fails   []string    // what would follow if it failed now; of a run that has stopped where traffic is, and what to type
	By      []string    // who runs it
	Drain   []string    // of a drain under way, in items: how much is gone, when it will be empty, when it must be
	Groups  []GroupPart // in the order of their names
}

// GroupPart is one group in a few words.
type GroupPart struct {
	Title    []string // its name, what it runs, what it is doing
	Backends string   // 24 on of 24, want 24
	Sessions string   // 592 of 1,284, read 2s ago; empty: never counted
	Unread   []string // machines whose count is not known, by name
}

// PartsOf gives the pieces of the status of a run at now.
func PartsOf(s plans.State, now time.Time, o StatusOptions) Parts {
	s.Phase = phase(s, o.Alive)
	in := func(draw func(*page)) []string {
		pg := newPage(o.Width)
		draw(pg)
		return pg.lines()
	}
	p := Parts{
		Phase:   s.Phase,
		Head:    in(func(pg *page) { head(pg, s, now, o) }),
		Steps:   in(func(pg *page) { stepsRow(pg, s) }),
		Waiting: in(func(pg *page) { waiting(pg, s, now) }),
		Fails:   in(func(pg *page) { outlook(pg, s, o.Flags) }),
		By:      in(func(pg *page) { whose(pg, s, now, o) }),
	}
	for _, it := range steps(s.Plan, s.Progress, s.Step) {
		p.Row = append(p.Row, oneLine(it))
	}
	for _, d := range sidesOf(s) {
		g := GroupPart{Title: title(s, d), Backends: backends(d)}
		if d.counted {
			g.Sessions = sessionsOf(s, d, now)
			g.Unread, _ = unread(s.Plan, d.count.Sessions)
		}
		if pr, draining := drainOf(s, d.name); draining && d.counted {
			p.Drain = progress(s, d, pr, now)
		}
		p.Groups = append(p.Groups, g)
	}
	return p
}

// Brief gives the whole status in three lines: what and how long still, what it waits for, and how many backends of each group are on.
func Brief(s plans.State, now time.Time, o StatusOptions) []string {
	s.Phase = phase(s, o.Alive)
	pg := newPage(o.Width)
	brief(pg, s, now, o)
	return pg.lines()
}

// lines gives what is on the page.
func (p *page) lines() []string {
	if p.b.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(p.b.String(), "\n"), "\n")
}

// Number writes n with a comma between its thousands: 1,284.
func Number(n int) string { return number(n) }

// Span writes a duration as short as it is of use: 2.9s, 25s, 2m33s, 3m, 1h05m.
func Span(d time.Duration) string { return span(d) }

// OneLine is [Clean], with the lines of s joined.
func OneLine(s string) string { return oneLine(s) }

// Wrap puts the words of s into lines of at most n columns.
func Wrap(s string, n int) []string { return wrap(s, max(n, 2)) }

// Columns gives the columns of a terminal that a line of clean text takes.
func Columns(s string) int { return columns(s) }

// Cut gives s in at most n columns; what is left out is marked with an ellipsis.
func Cut(s string, n int) string { return cut(s, max(n, 0)) }

// Pad gives s with spaces after it up to n columns.
func Pad(s string, n int) string { return pad(s, n) }

// PadLeft gives s with spaces before it up to n columns.
func PadLeft(s string, n int) string { return padLeft(s, n) }
