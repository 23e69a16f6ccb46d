package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// hear marks an event in the log, and brings up to date what the next job is told.
func (c *ci) hear(s plans.State, e plans.Event) {
	c.tell(s)
	switch e.What {
	case plans.Planned, plans.Resumed:
		c.marks.end()
	case plans.Began:
		c.marks.group(stepTitle(s))
	case plans.Ended:
		c.marks.end()
	case plans.Failed:
		c.marks.end()
		c.marks.note("error", stepName(s, e.Step), e.Error)
	case plans.Alarmed:
		if e.Error != "" {
			c.marks.note("warning", "ALARM: "+e.Group+", which serves, is hurt", e.Error)
		}
	case plans.Paused, plans.Held, plans.Interrupted, plans.Done, plans.Aborted:
		c.marks.end()
		c.ending(s, e)
	default:
		if !c.marks.opened() && e.Step >= 0 && e.Step == s.Step && s.Phase == plans.PhaseRunning { // another process began the step
			c.marks.group(stepTitle(s))
		}
		return // the page waits for the next event that changes what it says
	}
	c.draw(s)
}

// stepTitle names the step under way, and how far that is.
func stepTitle(s plans.State) string {
	return fmt.Sprintf("%d of %d  %s", s.Step+1, len(s.Plan.Steps), stepName(s, s.Step))
}

// stepName names a step in a title.
func stepName(s plans.State, i int) string {
	if i < 0 || i >= len(s.Plan.Steps) {
		return s.Plan.Service
	}
	return strings.TrimSpace(string(s.Plan.Steps[i].Kind) + " " + s.Plan.Steps[i].Group)
}

// ending marks how a run has stopped, unless nobody needs to look.
func (c *ci) ending(s plans.State, e plans.Event) {
	text := view.Traffic(s)
	for i, a := range view.Next(s) {
		text += []string{"; next: ", " or "}[min(i, 1)] + a.With(c.again())
	}
	if e.Note != "" && (e.What == plans.Paused || e.What == plans.Interrupted) { // why; elsewhere it says again where traffic is
		text = e.Note + ": " + text
	}
	switch {
	case e.What == plans.Held && s.Safe:
		c.marks.note("error", "Held, safe", text)
	case e.What == plans.Held:
		c.marks.note("error", "Held, NOT PROVEN SAFE", text)
	case e.What == plans.Aborted && c.command == "abort":
		c.marks.note("notice", "Aborted, as asked", text)
	case e.What == plans.Aborted:
		c.marks.note("error", "Aborted", text)
	case e.What == plans.Paused:
		c.marks.note("warning", "Paused", text)
	case e.What == plans.Interrupted:
		c.marks.note("warning", "Interrupted", text)
	case s.Cut() > 0:
		c.marks.note("warning", plural(int64(s.Cut()), "session")+" cut", text)
	}
}

// stopped tells a run that has stopped, also one that another process has carried out.
func (c *ci) stopped(s plans.State) {
	if c.active() {
		c.tell(s)
		c.draw(s)
	}
}

// tell brings the outcome up to date. A run that goes on is told as interrupted: so it is, if this process is killed before its next event.
func (c *ci) tell(s plans.State) {
	o := c.told
	o.run, o.result = s.Plan.ID, string(plans.PhaseInterrupted)
	if !moving(s) {
		o.result = view.ResultOf(s).Result
	}
	c.cut[s.Plan.ID] = s.Cut()
	all := 0
	for _, n := range c.cut {
		all += n
	}
	o.cut = strconv.Itoa(all)
	c.write(o)
}

func moving(s plans.State) bool {
	return s.Phase == plans.PhaseRunning || s.Phase == plans.PhasePlanned
}

// draw puts a run on the job's page, each run in a section of its own.
func (c *ci) draw(s plans.State) {
	if c.page == nil {
		return
	}
	if c.run != s.Plan.ID {
		c.page.keep()
		c.run = s.Plan.ID
	}
	c.failed(c.page.put(c.runPage(s)))
}

// again gives the flags by which another command is about the same service.
func (c *ci) again() string {
	if c.site == nil {
		return ""
	}
	return c.site.env.again
}

// runPage is a run in Markdown: where it is, or, once it has stopped, its report.
func (c *ci) runPage(s plans.State) string {
	var b bytes.Buffer
	if moving(s) {
		_ = view.Status(&b, s, s.Last.At, view.StatusOptions{Alive: true, Flags: c.again(), Width: 100})
		return section("rollout of "+s.Plan.Service, "This was written while the run went on. If the job has ended, it was killed at that point: `rollout resume` goes on from there.", b.String())
	}
	if c.site != nil {
		if d, damage, err := c.site.report(s.Plan.ID, view.English); damage == nil && err == nil && view.ReportMarkdown(&b, d) == nil {
			return b.String() + "\n"
		}
	}
	_ = view.Summary(&b, s, c.again())
	return section("rollout of "+s.Plan.Service, "", b.String())
}

// section is a part of a job's page: a title, a sentence that is Markdown, and a text that is shown as it is.
func section(title, says, text string) string {
	b := "## " + view.Marked(title) + "\n\n"
	if says != "" {
		b += says + "\n\n"
	}
	return b + view.Fenced(strings.TrimRight(text, "\n")) + "\n\n"
}
