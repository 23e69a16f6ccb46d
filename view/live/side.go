package live

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/view"
)

const (
	mostFacing  = 10               // rows of machines in each of two groups that stand face to face
	mostStacked = 6                // and where one stands above the other
	longName    = 24               // columns of a machine's name
	fresh       = 10 * time.Second // how old a count may be to say how fast it changes
)

// sides are both groups, face to face or one above the other.
type sides struct {
	boxes  []box
	facing bool
	width  int // of the screen
	inner  int // columns within a box
}

// box is one group.
type box struct {
	title   string
	lines   []string // what stands above its machines
	rows    []row
	arrow   bool // it takes all new connections
	columns int  // of short rows that stand side by side
}

// row is one machine, in a line of its own and in few words.
type row struct {
	long, short string
	rank        int // those that need a look have a low one
	sessions    int
}

func (p picture) sides() sides {
	s := sides{facing: p.width >= wide, width: p.width, inner: p.width - 4}
	if s.facing {
		s.inner = (p.width-4)/2 - 4
	}
	for i, g := range p.doc.Groups {
		s.boxes = append(s.boxes, p.box(g, p.Groups[i], s.inner))
	}
	return s
}

// box draws what is known of a group into the columns there are.
func (p picture) box(g view.GroupDoc, words view.GroupPart, inner int) box {
	others := 0
	for _, o := range p.doc.Groups {
		if o.Name != g.Name {
			others += o.Backends.On
		}
	}
	b := box{title: title(words.Title, inner), arrow: g.Backends.On > 0 && others == 0}
	share := bar(g.Backends.On, g.Backends.Total, inner)
	if view.Columns("backends "+share+words.Backends) > inner {
		share = ""
	}
	b.lines = append(b.lines, "backends "+share+words.Backends)
	sessions := "not counted yet"
	if words.Sessions != "" {
		sessions = words.Sessions
		if g.Sessions.Total > 0 && p.now.Sub(g.Sessions.At) < fresh {
			sessions += pace(g.Sessions.RateS)
		}
	}
	b.lines = append(b.lines, "sessions "+sessions)
	if n := len(words.Unread); n > 0 {
		b.lines = append(b.lines, fmt.Sprintf("unread   %d of %d machines: %s", n, len(g.Machines), strings.Join(words.Unread, ", ")))
	}
	b.rows, b.columns = p.rows(g, inner)
	return b
}

// title joins what a group is called, runs and does. Where there is no room for it all, the last that it does is what matters.
func title(words []string, inner int) string {
	t := strings.Join(words, " ─ ")
	if n := len(words) - 1; n > 0 && view.Columns(t) > inner-2 {
		if i := strings.LastIndex(words[n], ", "); i >= 0 {
			words = append(slices.Clone(words[:n]), words[n][i+2:])
		}
		t = strings.Join(words, " ─ ")
	}
	return t
}

// bar draws a share as a bar, where there is room for it.
func bar(n, of, inner int) string {
	const full = 12
	if of == 0 || inner < 44 {
		return ""
	}
	on := n * full / of
	if n > 0 {
		on = max(on, 1)
	}
	return strings.Repeat("█", on) + strings.Repeat("░", full-on) + " "
}

// pace says how fast sessions come or go.
func pace(rate float64) string {
	sign, by := "▲", math.Abs(rate)
	if rate < 0 {
		sign = "▼"
	}
	switch {
	case by < 0.05:
		return ""
	case by < 9.95:
		return fmt.Sprintf("   %s %.1f/s", sign, by)
	}
	return fmt.Sprintf("   %s %s/s", sign, view.Number(int(math.Round(by))))
}

// rows draws every machine of a group, and says how many short ones stand side by side.
func (p picture) rows(g view.GroupDoc, inner int) ([]row, int) {
	on, all, up, sick := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, b := range p.doc.Backends {
		if b.Group != g.Name {
			continue
		}
		all[b.Machine]++
		if b.Actual != nil && *b.Actual > 0 || b.Actual == nil && p.state.Weights == nil && b.Before > 0 {
			on[b.Machine]++
			if b.Healthy != nil && !*b.Healthy {
				sick[b.Machine]++
			}
		}
	}
	if g.Processes != nil {
		for _, f := range g.Processes.Found {
			up[f.Machine]++
		}
	}
	names, counts, most := make([]string, len(g.Machines)), make([]string, len(g.Machines)), 0
	hosts, wideName, wideCount, wideHost := make([]string, len(g.Machines)), 0, 0, 0
	for i, m := range g.Machines {
		names[i], hosts[i], counts[i] = view.OneLine(m.Name), view.OneLine(m.Host), "–"
		if g.Sessions != nil && m.Sessions == nil && g.Sessions.Unread[m.Name] != "" {
			counts[i] = "unread"
		}
		if m.Sessions != nil {
			counts[i], most = view.Number(*m.Sessions), max(most, *m.Sessions)
		}
		wideName, wideCount, wideHost = max(wideName, view.Columns(names[i])), max(wideCount, view.Columns(counts[i])), max(wideHost, view.Columns(hosts[i]))
	}
	rows := make([]row, len(names))
	for i, m := range g.Machines {
		r := &rows[i]
		glyph := "✔"
		switch {
		case counts[i] == "unread":
			glyph, r.rank = "✖", math.MinInt
		case sick[m.Name] > 0:
			glyph, r.rank = "✖", math.MinInt+1
		case on[m.Name] == 0:
			glyph = "◌"
		}
		count := view.PadLeft(counts[i], wideCount)
		r.short = view.Pad(view.Cut(names[i], longName), min(wideName, longName)) + " " + count
		parts := []string{glyph + " " + r.short}
		if m.Sessions != nil {
			r.rank, r.sessions = min(r.rank, -*m.Sessions), *m.Sessions
		}
		taking := fmt.Sprintf("%d/%d on", on[m.Name], all[m.Name])
		if n := sick[m.Name]; n > 0 {
			taking += fmt.Sprintf(", %d not healthy", n)
		}
		parts = append(parts, level(m.Sessions, most), taking)
		if n, called := up[m.Name]; called || g.Processes != nil {
			parts = append(parts, fmt.Sprintf("%d up", n))
		}
		parts = append(parts, view.Pad(hosts[i], wideHost))
		r.long = parts[0]
		for _, part := range parts[1:] {
			if view.Columns(r.long)+2+view.Columns(part) <= inner {
				r.long += "  " + part
			}
		}
	}
	return rows, max(1, (inner+3)/(min(wideName, longName)+1+wideCount+3))
}

// level draws how many sessions a machine has beside the one that has most of its group.
func level(n *int, most int) string {
	const cells, eighths = 4, "▁▂▃▄▅▆▇█"
	if n == nil || most == 0 || *n <= 0 {
		return strings.Repeat(" ", cells)
	}
	full := max(1, (*n*cells*8+most/2)/most)
	s := strings.Repeat("█", full/8)
	if rest := full % 8; rest > 0 {
		s += string([]rune(eighths)[rest-1])
	}
	return view.Pad(s, cells)
}

// least gives the lines the groups take without their machines.
func (s sides) least() int {
	n := 0
	for _, b := range s.boxes {
		if h := len(b.lines) + 1; s.facing {
			n = max(n, h+1)
		} else {
			n += h
		}
	}
	return n
}

// compact gives the lines it takes beside those to name every machine in few words, as far as many are to be named.
func (s sides) compact() int {
	return s.lines(func(b box) int { return (len(b.rows) + b.columns - 1) / b.columns })
}

// detailed gives the lines it takes to draw every machine in a line of its own.
func (s sides) detailed() int { return s.lines(func(b box) int { return len(b.rows) }) }

func (s sides) lines(of func(box) int) int {
	n := 0
	for _, b := range s.boxes {
		if s.facing {
			n = max(n, min(of(b), mostFacing))
		} else {
			n += min(of(b), mostStacked)
		}
	}
	return n
}

// draw draws the groups with n lines for their machines.
func (s sides) draw(n int) []string {
	if s.facing {
		return s.faces(n)
	}
	var lines []string
	for i, b := range s.boxes {
		mine := n
		if i < len(s.boxes)-1 {
			mine = n / len(s.boxes)
		}
		n -= mine
		lines = append(lines, rule(" ── ", b.title, "─", s.width-1))
		for _, l := range append(slices.Clone(b.lines), b.machines(mine)...) {
			lines = append(lines, "    "+l)
		}
	}
	return lines
}

// faces draws both groups side by side, an arrow to the one that takes all new connections.
func (s sides) faces(n int) []string {
	var drawn [][]string
	rows := s.least() + n - 1 // but for the lower edge
	for _, b := range s.boxes {
		ls := []string{rule("╭─ ", b.title, "─", s.inner+3) + "╮"}
		for _, l := range append(slices.Clone(b.lines), b.machines(n)...) {
			ls = append(ls, "│ "+view.Pad(view.Cut(l, s.inner), s.inner)+" │")
		}
		for len(ls) < rows {
			ls = append(ls, "│ "+view.Pad("", s.inner)+" │")
		}
		drawn = append(drawn, append(ls, "╰"+strings.Repeat("─", s.inner+2)+"╯"))
	}
	lines := make([]string, len(drawn[0]))
	for i := range lines {
		lines[i] = " " + drawn[0][i]
		for j := 1; j < len(drawn); j++ {
			gap := "  "
			switch {
			case i == 1 && s.boxes[0].arrow:
				gap = "◀ "
			case i == 1 && s.boxes[j].arrow:
				gap = " ▶"
			}
			lines[i] += gap + drawn[j][i]
		}
	}
	return lines
}

// rule draws a title in a line of n columns.
func rule(lead, title, of string, n int) string {
	s := view.Cut(lead+view.OneLine(title), n-2) + " "
	return s + strings.Repeat(of, max(0, n-view.Columns(s)))
}

// machines draws the machines in n lines: each in a line of its own where that does, else in few words, and of too many those that need a look
// first, and the sum of the others.
func (b box) machines(n int) []string {
	if n <= 0 || len(b.rows) == 0 {
		return nil
	}
	var lines []string
	if len(b.rows) <= n {
		for _, r := range b.rows {
			lines = append(lines, r.long)
		}
		return lines
	}
	rows, cells := slices.Clone(b.rows), []string(nil)
	room, rest := n*b.columns, 0
	if len(rows) > room {
		room -= min(1, b.columns-1) // for the words of the sum
		slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(x.rank, y.rank) })
		for _, r := range rows[room-1:] {
			rest += r.sessions
		}
		rows = rows[:room-1]
	}
	for _, r := range rows {
		cells = append(cells, r.short)
	}
	if more := len(b.rows) - len(rows); more > 0 {
		cells = append(cells, fmt.Sprintf("and %d more with %s", more, view.Number(rest)))
	}
	for line := range slices.Chunk(cells, b.columns) {
		lines = append(lines, strings.Join(line, "   "))
	}
	return lines
}
