package live

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/view"
)

// fall is the sessions that a drain has left, over time.
type fall struct {
	points, past []view.PointDoc
	at           float64 // seconds since the drain began
	deadline     float64 // the same; 0: it has none
	empty        float64 // when none will be left; 0: not known
}

// curve draws the drain under way in n lines, the last of them its axis.
func (p picture) curve(n int) []string {
	i := p.doc.Step.Index
	st := p.doc.Steps[i]
	if st.Began == nil || n < leastFall {
		return nil
	}
	f := fall{points: st.Curve, past: st.LastCurve, at: max(0, p.now.Sub(*st.Began).Seconds())}
	if p.doc.Deadline != nil {
		f.deadline = p.doc.Deadline.Sub(*st.Began).Seconds()
	}
	for _, g := range p.doc.Groups {
		if s := g.Sessions; g.Name == st.Group && s != nil && s.EmptyS != nil && s.Total > 0 {
			f.empty = s.At.Sub(*st.Began).Seconds() + *s.EmptyS
		}
	}
	return f.draw(p.width-1, n)
}

// ends gives the seconds that are drawn: to the deadline, unless that is far beyond all that will happen.
func (f fall) ends() float64 {
	last := max(f.at, f.empty)
	if len(f.past) > 0 {
		last = max(last, f.past[len(f.past)-1].AtS)
	}
	if f.deadline > 0 && (f.deadline <= 2*last || f.empty == 0) {
		return max(f.deadline, f.at) * 1.02
	}
	return max(10, last*1.25)
}

// draw draws the counts as a line of dots, the forecast as few of them, the last run as · and the deadline as ┊.
func (f fall) draw(width, n int) []string {
	top, left := 1, 0
	for _, pts := range [][]view.PointDoc{f.points, f.past} {
		for _, pt := range pts {
			top = max(top, pt.Left)
		}
	}
	if len(f.points) > 0 {
		left = f.points[len(f.points)-1].Left
	}
	gutter := len(view.Number(top)) + 1
	g := newGrid(width-gutter-2, n-1, f.ends(), float64(top))
	if f.deadline > 0 && f.deadline <= g.span {
		x := g.column(f.deadline)
		for y := range g.cells {
			g.cells[y][x] = '┊'
		}
	}
	for x := 0; x < g.width; x += 2 {
		if v, ok := at(f.past, g.time(2*x)); ok {
			g.set(x, g.row(v), '·')
		}
	}
	if f.empty > f.at && left > 0 {
		for d := g.dot(f.at) + 2; d < 2*g.width; d += 3 {
			t := g.time(d)
			if t > f.empty {
				break
			}
			g.ink(d, g.level(float64(left)*(f.empty-t)/(f.empty-f.at)))
		}
	}
	g.line(f)
	if y := g.row(float64(left)); !g.label(" now", g.column(f.at), max(0, y-1), false) {
		g.label(" now", g.column(f.at), y, false)
	}
	if f.deadline > 0 && f.deadline <= g.span {
		g.label("deadline ", g.column(f.deadline), g.height-1, true)
	}

	lines := make([]string, 0, n)
	for y := range g.cells {
		mark, edge := "", "│"
		switch y {
		case 0:
			mark, edge = view.Number(top), "┤"
		case g.row(float64(left)):
			if len(f.points) > 0 && left > 0 {
				mark, edge = view.Number(left), "┤"
			}
		}
		lines = append(lines, view.PadLeft(mark, gutter)+" "+edge+string(g.cells[y]))
	}
	return append(lines, view.PadLeft("0", gutter)+" ┼"+g.axis())
}

// at gives the sessions of a curve at a time, between two counts as if they had gone evenly.
func at(pts []view.PointDoc, t float64) (float64, bool) {
	for i := 1; i < len(pts); i++ {
		if a, b := pts[i-1], pts[i]; t >= a.AtS && t <= b.AtS {
			if b.AtS == a.AtS {
				return float64(b.Left), true
			}
			return float64(a.Left) + float64(b.Left-a.Left)*(t-a.AtS)/(b.AtS-a.AtS), true
		}
	}
	return 0, false
}

// grid is a drawing of characters, each of two by four dots where it is drawn in dots.
type grid struct {
	width, height int
	span, top     float64 // seconds and sessions
	cells         [][]rune
}

func newGrid(width, height int, span, top float64) *grid {
	g := &grid{width: max(1, width), height: max(1, height), span: span, top: top}
	for range g.height {
		g.cells = append(g.cells, []rune(strings.Repeat(" ", g.width)))
	}
	return g
}

func (g *grid) dot(t float64) int    { return min(2*g.width-1, max(0, int(t/g.span*float64(2*g.width)))) }
func (g *grid) column(t float64) int { return g.dot(t) / 2 }
func (g *grid) time(dot int) float64 { return (float64(dot) + 0.5) / float64(2*g.width) * g.span }
func (g *grid) row(v float64) int    { return g.level(v) / 4 }
func (g *grid) level(v float64) int {
	return min(4*g.height-1, max(0, int((1-v/g.top)*float64(4*g.height-1)+0.5)))
}
func (g *grid) set(x, y int, r rune) { g.cells[y][x] = r }

// ink draws one dot.
func (g *grid) ink(dot, level int) {
	bits := [2][4]rune{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}
	c := &g.cells[level/4][dot/2]
	if *c < 0x2800 || *c > 0x28ff {
		*c = 0x2800
	}
	*c |= bits[dot%2][level%4]
}

// line draws the counts, joined.
func (g *grid) line(f fall) {
	before := -1
	for d := 0; d <= g.dot(f.at); d++ {
		v, ok := at(f.points, g.time(d))
		if !ok {
			continue
		}
		l := g.level(v)
		from := l
		if before >= 0 && before < l {
			from = before + 1
		}
		for y := min(from, l); y <= l; y++ {
			g.ink(d, y)
		}
		before = l
	}
}

// label writes a word after, or before, a column of a row, where nothing is drawn, and says whether that was so.
func (g *grid) label(s string, x, y int, before bool) bool {
	rs := []rune(s)
	from := x + 1
	if before {
		from = x - len(rs)
	}
	if from < 0 || from+len(rs) > g.width {
		return false
	}
	for i := range rs {
		if c := g.cells[y][from+i]; c != ' ' && c != '·' {
			return false
		}
	}
	copy(g.cells[y][from:], rs)
	return true
}

// axis draws the time below.
func (g *grid) axis() string {
	line := []rune(strings.Repeat("─", g.width))
	each := time.Second
	for _, nice := range []time.Duration{2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400, 604800} {
		if g.span/each.Seconds()*12 <= float64(g.width) {
			break
		}
		each = nice * time.Second
	}
	for t := each; t.Seconds() < g.span; t += each {
		word := []rune(span(t))
		if x := g.column(t.Seconds()); x+1+len(word) <= g.width {
			line[x] = '┬'
			copy(line[x+1:], word)
		}
	}
	return string(line)
}

func span(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return view.Span(d)
}
