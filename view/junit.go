package view

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// The elements of a JUnit report that GitLab and Jenkins both read; schema/junit.xsd has the same.
type (
	junitSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Time     string     `xml:"time,attr"`
		Suite    junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitFlaw `xml:"failure"`
		Error   *junitFlaw `xml:"error"`
		Skipped *junitFlaw `xml:"skipped"`
		Out     string     `xml:"system-out,omitempty"`
	}
	junitFlaw struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// ReportJUnit writes a report as JUnit XML, one test case a step: a step that failed is a failure, one that a gone process or a damaged journal has left
// open is an error, and one that was not reached is skipped.
func ReportJUnit(w io.Writer, d ReportDoc) error {
	suite := junitSuite{Name: oneLine("rollout " + d.Service), Time: junitTime(d.DurationS), Properties: d.properties(), Out: strings.Join(d.Log, "\n")}
	if d.Started != nil {
		suite.Timestamp = d.Started.Format("2006-01-02T15:04:05")
	}
	for i, p := range d.Plans {
		lead := ""
		if i > 0 {
			lead = "back "
		}
		for _, s := range p.Steps {
			suite.Cases = append(suite.Cases, d.junitCase(s, lead))
		}
	}
	if c, worth := d.whole(suite.Cases); worth {
		suite.Cases = append(suite.Cases, c)
	}
	for _, c := range suite.Cases {
		suite.Tests++
		suite.Failures += one(c.Failure != nil)
		suite.Errors += one(c.Error != nil)
		suite.Skipped += one(c.Skipped != nil)
	}
	doc := junitSuites{Name: suite.Name, Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Time: suite.Time, Suite: suite}
	out, err := xml.MarshalIndent(doc, "", "  ")
	if err == nil {
		_, err = w.Write(append([]byte(xml.Header), append(out, '\n')...))
	}
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// properties are what there is to know of the run as a whole.
func (d ReportDoc) properties() []junitProperty {
	var ps []junitProperty
	add := func(name, value string) { ps = append(ps, junitProperty{name, oneLine(value)}) }
	add("run", d.Run)
	add("service", d.Service)
	add("phase", string(d.Phase))
	add("release.from", d.Releases.From)
	add("release.to", d.Releases.To)
	add("sessions.moved", strconv.Itoa(d.Sessions.Moved))
	add("sessions.cut", strconv.Itoa(d.Sessions.Cut))
	add("traffic", d.Traffic)
	add("by", d.By)
	return ps
}

func (d ReportDoc) junitCase(s ReportStepDoc, lead string) junitCase {
	c := junitCase{Class: oneLine(d.Service), Name: lead + s.title(English), Time: junitTime(0)}
	if s.DurationS != nil {
		c.Time = junitTime(*s.DurationS)
	}
	var faults []string
	for _, f := range s.Faults {
		faults = append(faults, strings.TrimSpace(f.said(d.lang)+"\n"+f.tail()))
	}
	output := strings.Join(faults, "\n\n")
	switch s.Status {
	case plans.StepFailed:
		c.Failure = &junitFlaw{Message: oneLine(s.Error), Type: string(s.Kind), Text: "\n" + strings.TrimSpace(s.Error+"\n\n"+output) + "\n"}
	case plans.UnderWay:
		switch {
		case d.Damage != "":
			c.Error = flaw(d.Damage)
		case d.Phase == plans.PhaseRunning, d.Phase == plans.PhasePaused:
			c.Skipped = flaw(strings.TrimSpace(string(d.Phase) + " " + d.Why))
		default:
			c.Error = flaw(d.Outcome)
		}
	case plans.StepDone:
		c.Out = output
	default:
		c.Skipped = flaw(s.state(d.lang))
	}
	return c
}

// whole is a case for a run that did not end well though none of its steps says so: it was held between two of them, or was put back because somebody
// asked. One that goes on or is paused is no failure.
func (d ReportDoc) whole(cases []junitCase) (junitCase, bool) {
	for _, c := range cases {
		if c.Failure != nil || c.Error != nil {
			return junitCase{}, false
		}
	}
	c := junitCase{Class: oneLine(d.Service), Name: "run " + oneLine(d.Run), Time: junitTime(0)}
	switch {
	case d.Damage != "":
		c.Error = flaw(d.Damage)
	case d.Phase == plans.PhaseHeld, d.Phase == plans.PhaseAborted, d.Phase == plans.PhaseInterrupted:
		c.Failure = &junitFlaw{Message: d.Outcome, Type: string(d.Phase), Text: cmp.Or(d.Why, d.Outcome)}
	default:
		return c, false
	}
	return c, true
}

// flaw says the same twice: Jenkins shows the attribute, GitLab the text alone.
func flaw(message string) *junitFlaw {
	message = oneLine(message)
	return &junitFlaw{Message: message, Text: message}
}

func junitTime(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }
