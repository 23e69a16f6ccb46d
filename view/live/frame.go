package live

import (
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

const (
	narrow    = 60  // columns; below, the run is three lines
	wide      = 100 // from here on the groups stand face to face
	leastFall = 4   // lines of a curve: three and its axis
	mostFall  = 12
	tall      = 30 // lines; below, the row of steps is one
)

// picture is a frame in the making.
type picture struct {
	scene
	view.Parts
	doc           view.StatusDoc
	now           time.Time
	width, height int
}

// frame gives the lines of a screen, foot as the last of them where it is not empty. What does not fit is left out in an order that does not
// change: the curve first, then events, then machines.
func frame(s scene, now time.Time, width, height int, foot string) []string {
	s.options.Width = width
	p := picture{scene: s, Parts: view.PartsOf(s.state, now, s.options), doc: view.StatusOf(s.state, now, s.options), now: now, width: width, height: height}
	p.state.Phase = p.Phase
	var tail []string
	if foot != "" {
		tail = []string{foot}
	}
	lines, fits := p.full(len(tail))
	if !fits {
		lines = p.short(len(tail))
	}
	return fit(append(lines, tail...), width, height)
}

// short is the run in three lines, with what follows a failure and the newest events where there is room.
func (p picture) short(tail int) []string {
	room := p.height - tail
	brief := view.Brief(p.state, p.now, p.options)
	if n := len(brief); room < n { // who takes traffic, then what is left until when
		return append([]string(nil), []string{brief[n-1], brief[1%n]}[:max(0, min(room, 2))]...)
	}
	lines := append([]string(nil), brief...)
	rest := room - len(lines)
	lines = append(lines, first(p.Fails, rest)...)
	return append(lines, p.events(room-len(lines))...)
}

// full is the whole picture, and whether it fits.
func (p picture) full(tail int) ([]string, bool) {
	if p.width < narrow {
		return nil, false
	}
	top := p.clocked()
	steps, waiting, fails := p.Steps, first(p.Waiting, 3), p.Fails
	if p.height < tall {
		steps, waiting = []string{p.row()}, first(p.Waiting, 2)
	}
	if p.Phase == plans.PhaseRunning {
		fails = first(fails, 2)
	}
	sides, drain := p.sides(), p.drain()
	room := p.height - tail - len(top) - len(steps) - len(waiting) - len(drain) - len(fails) - sides.least()
	if room < 0 {
		room += len(steps) + max(0, len(waiting)-1) + max(0, len(fails)-1)
		steps, waiting, fails = nil, first(waiting, 1), first(fails, 1)
	}
	if room < 0 {
		return nil, false
	}
	take := func(n int) int { n = max(0, min(n, room)); room -= n; return n }
	machines := take(sides.compact())
	events := take(min(3, len(p.lines)))
	var fall []string
	if len(drain) > 0 && room >= leastFall {
		fall = p.curve(take(mostFall))
	}
	machines += take(sides.detailed() - machines)
	airy := take(2)
	by := first(p.By, take(len(p.By)))
	events += take(len(p.lines) - events)

	lines := append(append(top, steps...), waiting...)
	lines = append(lines, make([]string, min(1, airy))...)
	lines = append(lines, sides.draw(machines)...)
	lines = append(lines, make([]string, max(0, airy-1))...)
	lines = append(append(append(lines, drain...), fall...), fails...)
	return append(append(lines, by...), p.events(events)...), true
}

// first gives at most n of the lines; where some are left out the last one says so.
func first(lines []string, n int) []string {
	if n <= 0 {
		return nil
	}
	if len(lines) <= n {
		return lines
	}
	lines = append([]string(nil), lines[:n]...)
	lines[n-1] += " …"
	return lines
}

// clocked gives the head with the time of the day at the right edge, where there is room.
func (p picture) clocked() []string {
	lines := append([]string(nil), p.Head...)
	at := p.now.UTC().Format("15:04:05Z")
	if len(lines) > 0 && view.Columns(lines[0])+len(at)+3 <= p.width {
		lines[0] = view.Pad(lines[0], p.width-len(at)-1) + at
	}
	return lines
}

// row gives the steps around the one under way, in one line.
func (p picture) row() string {
	lead, from := " ", max(0, min(p.state.Step, len(p.Row)-1)-1)
	if p.state.Plan.Purpose == plans.Leaving {
		lead = " back: "
	}
	width := func(a, b int) int { return view.Columns(strings.Join(p.Row[a:b], "  ")) }
	room := p.width - len(lead) - 6 // an ellipsis on either side
	to := from
	for to < len(p.Row) && width(from, to+1) <= room {
		to++
	}
	for from > 0 && width(from-1, to) <= room {
		from--
	}
	line := strings.Join(p.Row[from:to], "  ")
	if from > 0 {
		line = "…  " + line
	}
	if to < len(p.Row) {
		line += "  …"
	}
	return lead + line
}

// drain gives a line about the drain under way.
func (p picture) drain() []string {
	if len(p.Drain) == 0 || p.doc.Step == nil {
		return nil
	}
	of, items, past := "sessions left on "+p.doc.Step.Group, p.Drain, []string(nil)
	if len(p.doc.Steps[p.doc.Step.Index].LastCurve) > 0 {
		past = []string{"· last run"}
	}
	line := ""
	for _, words := range [][]string{slices.Concat([]string{of}, items, past), slices.Concat([]string{of}, items), slices.Concat(items, past), items, items[min(1, len(items)-1):]} {
		if line = " " + strings.Join(words, "   "); view.Columns(line) <= p.width {
			break
		}
	}
	return []string{line}
}

// events gives the newest n lines, the newest first.
func (p picture) events(n int) []string {
	var lines []string
	for i := len(p.lines) - 1; i >= 0 && len(lines) < n; i-- {
		at, said := apart(p.lines[i])
		lines = append(lines, " "+at+"  "+said)
	}
	return lines
}
