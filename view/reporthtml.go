package view

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

//go:embed report.html
var reportPage string

// What the page shows, as words and numbers that need only be put in their places.
type (
	htmlReport struct {
		Service, Run, Outcome, Glyph, Log string
		Status                            plans.Status
		Words                             htmlWords
		Facts                             []fact
		Plans                             []htmlPlan
		Curves                            []htmlCurve
		Turns                             []htmlTurn
		Groups                            []htmlGroup
	}
	htmlWords struct {
		Lang                                                                                                  Lang
		Run, Step, State, What, When, Took, Kind, Group, Traffic, Machines, Left, Besides, Groups, Log, Lines string
	}
	htmlPlan struct {
		Title string
		Steps []htmlStep
	}
	htmlStep struct {
		Title, Glyph, State, Said, Took, Span string
		Status                                plans.Status
		From, Wide                            string // thousandths of the run
		Faults                                []htmlFault
	}
	htmlFault struct{ Said, Tail string }
	htmlCurve struct{ Says, Top, Lasts, Now, Last, Deadline string }
	htmlTurn  struct{ Date, Clock, Kind, Step, Text string }
	htmlGroup struct{ Name, Said, Starts string }
)

// ReportHTML writes a report as one page that needs nothing beside itself: no script, no network. Everything in it that came from elsewhere is text.
func ReportHTML(w io.Writer, d ReportDoc) error {
	t, err := template.New("report").Parse(reportPage)
	var b bytes.Buffer
	if err == nil {
		err = t.Execute(&b, d.page())
	}
	if err == nil {
		_, err = w.Write(b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

func (d ReportDoc) page() htmlReport {
	l := d.lang
	h := htmlReport{Service: oneLine(d.Service), Run: oneLine(d.Run), Outcome: d.Outcome, Glyph: glyphOf(plans.State{Phase: d.Phase}), Words: d.words(), Facts: d.facts(),
		Log: strings.Join(d.Log, "\n")}
	h.Status = map[plans.Phase]plans.Status{plans.PhaseDone: plans.StepDone, plans.PhaseHeld: plans.StepFailed}[d.Phase]
	for i, p := range d.Plans {
		hp := htmlPlan{Title: l.heading(i)}
		for _, s := range p.Steps {
			hp.Steps = append(hp.Steps, d.htmlStep(s))
		}
		h.Plans = append(h.Plans, hp)
	}
	for _, c := range d.curves() {
		h.Curves = append(h.Curves, l.htmlCurve(c))
	}
	for _, t := range d.Turns {
		h.Turns = append(h.Turns, htmlTurn{t.At.Format(time.RFC3339), clock(t.At), l.turn(t.Kind), t.Step, t.Text})
	}
	for _, g := range d.Groups {
		h.Groups = append(h.Groups, htmlGroup{oneLine(g.Name), g.said(l), g.starts(l)})
	}
	return h
}

// words are those of the page itself.
func (d ReportDoc) words() htmlWords {
	l := d.lang
	w := htmlWords{
		Lang: l, Run: oneLine(l.Say("%s, run %s", "%s，运行编号 %s", d.Service, d.Run)), Step: l.Say("step", "步骤"), State: l.Say("state", "状态"), What: l.Say("what", "内容"),
		When: l.Say("when", "时间"), Took: l.Say("took", "用时"), Kind: l.Say("event", "事件"), Group: l.Say("group", "组"), Traffic: l.Say("traffic", "流量"),
		Machines: l.Say("machines", "机器"), Left: l.Say("Sessions left", "剩余长连接"), Besides: l.Say("Besides", "其他事件"), Groups: l.Say("Groups at the end", "最后的各组"),
		Log: l.Say("Log", "过程"), Lines: l.Say("%s lines", "%s 行", number(len(d.Log))),
	}
	if l == "" {
		w.Lang = English
	}
	return w
}

func (d ReportDoc) htmlStep(s ReportStepDoc) htmlStep {
	l := d.lang
	h := htmlStep{Title: s.title(l), Glyph: glyph(s.Status), Status: s.Status, State: l.status(s.Status), Said: s.said(l), Took: s.took(l)}
	if s.Began != nil && s.DurationS != nil && d.Started != nil {
		whole := max(d.DurationS, *s.DurationS, 0.001)
		from := min(max(s.Began.Sub(*d.Started).Seconds(), 0), whole)
		h.From, h.Wide = tenth(1000*from/whole), tenth(max(1000**s.DurationS/whole, 2))
		h.Span = l.Say("from %s, for %s", "从 %s 起，用时 %s", clock(*s.Began), h.Took)
	}
	for _, f := range s.Faults {
		h.Faults = append(h.Faults, htmlFault{f.said(l), f.tail()})
	}
	return h
}

// htmlCurve gives a drain as lines in a picture whose axes go from 60 to 700 and from 190 up to 20.
func (l Lang) htmlCurve(c curves) htmlCurve {
	lasts := max(c.Lasts, c.Deadline)
	x := func(at float64) string { return tenth(60 + 640*at/lasts) }
	line := func(ps []PointDoc) string {
		var at []string
		for _, p := range ps {
			at = append(at, x(p.AtS)+","+tenth(190-170*float64(p.Left)/float64(max(c.Top, 1))))
		}
		return strings.Join(at, " ")
	}
	says := func(ps []PointDoc) string {
		end := ps[len(ps)-1]
		return l.Say("%s, %s after %s", "%[1]s，%[3]s后剩 %[2]s", l.plural(ps[0].Left, "session"), number(end.Left), l.lasting(end.AtS))
	}
	h := htmlCurve{Top: number(c.Top), Lasts: l.lasting(lasts), Now: line(c.Now), Last: line(c.Last), Says: l.Say("%s: %s", "%s：%s", c.Group, says(c.Now))}
	if len(c.Last) > 0 {
		h.Says += l.Say("; dashed: the last run, %s", "；虚线：上次，%s", says(c.Last))
	}
	if c.Deadline > 0 {
		h.Deadline = x(c.Deadline)
		h.Says += l.Say("; dotted: the deadline of %s", "；点线：截止时间 %s", l.lasting(c.Deadline))
	}
	return h
}

func tenth(f float64) string { return fmt.Sprintf("%.1f", f) }
