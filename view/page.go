package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

const (
	usual    = 80 // columns, where nobody says
	narrow   = 60 // below, a status is three lines
	least    = 20 // no page is narrower: a word and its number
	labelled = 12 // columns of a label and the margin before it
)

// page collects lines of clean text, none wider than width.
type page struct {
	width int
	b     bytes.Buffer
}

// newPage gives an empty page. A width of 0 is the usual one.
func newPage(width int) *page {
	if width <= 0 {
		width = usual
	}
	return &page{width: max(width, least)}
}

// line adds one line; what does not fit is left out and marked.
func (p *page) line(format string, args ...any) {
	s := format
	if len(args) > 0 {
		s = fmt.Sprintf(format, args...)
	}
	p.b.WriteString(strings.TrimRight(cut(oneLine(s), p.width), " "))
	p.b.WriteByte('\n')
}

// sides adds left and, at the right edge, right. Where both do not fit, right comes under left.
func (p *page) sides(left, right string) {
	left, right = oneLine(left), oneLine(right)
	if gap := p.width - columns(left) - columns(right); right != "" && gap >= 2 {
		p.line("%s", left+blank(gap)+right)
		return
	}
	p.text("", left)
	if right != "" {
		p.text("  ", right)
	}
}

// text adds s, broken at spaces, with lead before the first line and as many blanks before the others.
func (p *page) text(lead, s string) { p.items(lead, strings.Fields(oneLine(s)), " ") }

// items adds the items, sep between two of one line, with lead before the first line and as many blanks before the others.
func (p *page) items(lead string, items []string, sep string) {
	lead = oneLine(lead)
	clean := make([]string, len(items))
	for i, it := range items {
		clean[i] = oneLine(it)
	}
	room := p.width - columns(lead)
	if room < least/2 { // a lead that leaves no room has a line to itself
		p.line("%s", lead)
		lead, room = "  ", p.width-2
	}
	for _, l := range flow(clean, sep, room) {
		p.line("%s", lead+l)
		lead = blank(columns(lead))
	}
}

// labelled adds a label and what there is to say under it.
func (p *page) labelled(label, s string) {
	p.text(pad("  "+cut(oneLine(label), p.width/2), labelled), s)
}

// print writes the page to w.
func (p *page) print(w io.Writer) error {
	if _, err := w.Write(p.b.Bytes()); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}
