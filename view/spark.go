package view

import "strings"

// sparkWide is how many columns a curve takes in a line.
const sparkWide = 40

// levels are the heights a column of a curve can have; a count of 0 has its own sign, which is never that of a few.
var levels = []rune("▁▂▃▄▅▆▇█")

// spark draws a curve in one line: n columns are as long as a drain of the given seconds, and the whole height is top. It ends where the
// curve does.
func spark(curve []PointDoc, lasts float64, top, n int) string {
	if len(curve) == 0 || top <= 0 {
		return ""
	}
	var b strings.Builder
	half, i := lasts/float64(2*max(n-1, 1)), 0
	for c := range n {
		at := 2 * half * float64(c)
		if at-half > curve[len(curve)-1].AtS {
			break
		}
		for i+1 < len(curve) && curve[i+1].AtS <= at+half {
			i++
		}
		if curve[i].Left <= 0 {
			b.WriteRune('·')
			continue
		}
		b.WriteRune(levels[min((curve[i].Left*len(levels)-1)/top, len(levels)-1)])
	}
	return b.String()
}

// curves is a drain's curve and that of the last run, to one scale.
type curves struct {
	Group     string
	Now, Last []PointDoc
	Lasts     float64 // seconds: the longer of the two
	Top       int     // sessions: the most of both
	Deadline  float64 // seconds; 0: it has none
}

// curves gives the drains of a report that were counted.
func (d ReportDoc) curves() []curves {
	var all []curves
	for _, p := range d.Plans {
		for _, s := range p.Steps {
			if len(s.Curve) == 0 {
				continue
			}
			c := curves{Group: oneLine(s.Group), Now: s.Curve, Last: s.LastCurve, Lasts: 1, Deadline: s.WithinS}
			for _, q := range append(append([]PointDoc{}, c.Now...), c.Last...) {
				c.Lasts, c.Top = max(c.Lasts, q.AtS), max(c.Top, q.Left)
			}
			all = append(all, c)
		}
	}
	return all
}

// lines draws both curves as text: the first count, the curve, and the last count with its time.
func (c curves) lines(l Lang) []fact {
	one := func(name string, ps []PointDoc) fact {
		last := ps[len(ps)-1]
		return fact{name, number(ps[0].Left) + " " + spark(ps, c.Lasts, c.Top, sparkWide) + " " + l.Say("%s after %s", "%[2]s后剩 %[1]s", number(last.Left), l.lasting(last.AtS))}
	}
	ls := []fact{one(c.Group, c.Now)}
	if len(c.Last) > 0 {
		ls = append(ls, one(l.Say("last run", "上次"), c.Last))
	}
	return ls
}
