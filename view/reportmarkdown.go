package view

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// What of the log a Markdown report keeps: GitHub refuses a step summary of more than 1 MiB, and shows nobody that much.
const (
	markdownLines = 500
	markdownWide  = 400
)

// ReportMarkdown draws a report in Markdown, as GitHub's step summary and GitLab's comments show it.
func ReportMarkdown(w io.Writer, d ReportDoc) error {
	b, l := bytes.Buffer{}, d.lang
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("## %s %s\n\n", glyphOf(plans.State{Phase: d.Phase}), Marked(d.Outcome))
	p("| %s | %s |\n| --- | --- |\n", l.Say("run", "运行编号"), Marked(d.Run))
	for _, f := range d.facts() {
		p("| %s | %s |\n", Marked(f.Label), Marked(f.Text))
	}
	for i, plan := range d.Plans {
		p("\n### %s\n\n| %s | | %s | |\n| --- | --- | ---: | --- |\n", l.heading(i), l.Say("step", "步骤"), l.Say("took", "用时"))
		for _, s := range plan.Steps {
			p("| %s | %s %s | %s | %s |\n", Marked(s.title(l)), glyph(s.Status), l.status(s.Status), s.took(l), Marked(s.said(l)))
		}
		for _, s := range plan.Steps {
			for _, f := range s.Faults {
				p("\n%s\n", Marked(l.clauses([]string{s.title(l), f.said(l)})))
				if f.Output != "" {
					p("\n%s\n", Fenced(f.tail()))
				}
			}
		}
	}
	if cs := d.curves(); len(cs) > 0 {
		p("\n### %s\n\n%s\n", l.Say("Sessions left", "剩余长连接"), Fenced(l.sketch(cs)))
	}
	if len(d.Turns) > 0 {
		p("\n### %s\n\n| %s | | |\n| --- | --- | --- |\n", l.Say("Besides", "其他事件"), l.Say("when", "时间"))
	}
	for _, t := range d.Turns {
		p("| %s | %s | %s |\n", clock(t.At), l.turn(t.Kind), Marked(t.Text))
	}
	p("\n### %s\n\n| %s | | %s |\n| --- | --- | --- |\n", l.Say("Groups at the end", "最后的各组"), l.Say("group", "组"), l.Say("machines", "机器"))
	for _, g := range d.Groups {
		p("| %s | %s | %s |\n", Marked(g.Name), Marked(g.said(l)), Marked(g.starts(l)))
	}
	log := slices.Clone(d.Log[max(0, len(d.Log)-markdownLines):])
	for i := range log {
		log[i] = cut(log[i], markdownWide)
	}
	if len(log) > 0 {
		p("\n<details><summary>%s</summary>\n\n%s\n\n</details>\n", l.Say("Log", "过程"), Fenced(strings.Join(log, "\n")))
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// Marked gives text as Markdown that shows it as it is, in a cell of a table too.
func Marked(s string) string {
	var b strings.Builder
	for _, r := range oneLine(s) {
		if strings.ContainsRune("\\`*_{}[]<>#|~!&@$", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Fenced gives lines as a block of code, whose fence is longer than any in it.
func Fenced(text string) string {
	text, fence := Clean(text), "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "text\n" + text + "\n" + fence
}

// heading stands above the steps of a run's plan i.
func (l Lang) heading(i int) string {
	if i > 0 {
		return l.Say("The way back", "退回")
	}
	return l.Say("Steps", "步骤")
}

// sketch draws the drains of a run as text.
func (l Lang) sketch(cs []curves) string {
	var ls []string
	for _, c := range cs {
		wide := 0
		for _, line := range c.lines(l) {
			wide = max(wide, columns(line.Label))
		}
		for _, line := range c.lines(l) {
			ls = append(ls, pad(line.Label, wide)+"  "+line.Text)
		}
	}
	return strings.Join(ls, "\n")
}
