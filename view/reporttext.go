package view

import (
	"io"
	"strconv"
)

// ReportText draws a report for a terminal or a log, width columns wide; 0 is 80.
func ReportText(w io.Writer, d ReportDoc, width int) error {
	pg, l := newPage(width), d.lang
	pg.sides(d.Outcome, l.Say("run %s", "运行编号 %s", d.Run))
	pg.line("")
	for _, f := range d.facts() {
		pg.labelled(f.Label, f.Text)
	}
	for i, p := range d.Plans {
		pg.line("")
		if i > 0 {
			pg.line("%s", l.Say("  The way back", "  退回"))
		}
		for _, s := range p.Steps {
			row(pg, strconv.Itoa(s.Index+1), l.Kind(s.Kind), glyph(s.Status)+" "+s.said(l), s.took(l))
			for _, f := range s.Faults {
				pg.text(blank(labelled+4), f.said(l))
			}
		}
	}
	for _, c := range d.curves() {
		pg.line("")
		for _, line := range c.lines(l) {
			pg.line("%s", pad("  "+cut(line.Label, pg.width/2), labelled)+line.Text)
		}
	}
	if len(d.Turns) > 0 {
		pg.line("")
	}
	for _, t := range d.Turns {
		pg.text("  "+clock(t.At)+" "+pad(l.turn(t.Kind), 11)+" ", t.Text)
	}
	pg.line("")
	for _, g := range d.Groups {
		pg.labelled(g.Name, g.said(l)+l.Say("; ", "；")+g.starts(l))
	}
	return pg.print(w)
}
