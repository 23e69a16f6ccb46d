package view

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// eventful tells a run in which everything happens that a report has a place for, and that is done in the end.
func eventful(t *testing.T) *tale {
	t.Helper()
	w := begin(t, usualSetting().plan())
	w.step(plans.Event{What: plans.Began})
	w.look(w.s.Plan.Weights())
	ids := slices.Sorted(maps.Keys(w.s.Plan.Steps[0].Weights))
	todo := map[string]int{ids[24]: 0, ids[25]: 0}
	for _, outcomes := range [][]plans.Outcome{{plans.Refused, plans.Unknown}, {plans.Accepted, plans.Accepted}} {
		w.step(plans.Event{What: plans.Writing, Weights: todo})
		w.wait(time.Second)
		w.step(plans.Event{What: plans.Wrote, Answers: []plans.Answer{{Backend: ids[24], Outcome: outcomes[0], Again: true, Error: "RetCode 153: throttled"}, {Backend: ids[25], Outcome: outcomes[1]}}})
	}
	foreign := w.s.Plan.Weights()
	foreign[ids[0]] = 77
	w.look(foreign)
	w.step(plans.Event{What: plans.Failed, Error: "shift group2: backend " + ids[0] + " (10.9.0.1:6150) was found with weight 1 and now has 77, which this run did not set"})
	w.tell(plans.Event{What: plans.Held, Step: -1, Safe: true, Note: "both groups take new connections and are healthy"})
	w.wait(10 * time.Minute)
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: "wang@desk", PID: 77})
	w.tell(plans.Event{What: plans.Adopted, Step: -1, Weights: map[string]int{ids[0]: 77}, By: "wang@desk"})
	w.look(foreign)
	w.through(3)
	w.restartBegins(2)
	w.commands(plans.DoStart, map[string]string{"game-5": "booting\nError: listen EADDRINUSE: 0.0.0.0:6203\n"})
	w.step(plans.Event{What: plans.Alarmed, Group: "group1", Error: "backend backend-1-6150 (10.9.0.1:6150) is reported unhealthy"})
	w.wait(4 * time.Second)
	w.step(plans.Event{What: plans.Alarmed, Group: "group1", Note: "group1 is whole again"})
	w.commands(plans.DoStart, nil)
	w.step(plans.Event{What: plans.Ended, Note: "3 machines"})
	w.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskPause, By: "wang@desk"})
	w.tell(plans.Event{What: plans.Paused, Step: -1, Safe: true, Note: "asked by wang@desk"})
	w.wait(time.Minute)
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: "liu@ci-31", PID: 4413})
	w.through(len(w.s.Plan.Steps))
	w.tell(plans.Event{What: plans.Done, Step: -1})
	return w
}

// reported gives the documents that reports are drawn of in tests: those of every scene, an eventful one, and one with a damaged journal.
func reported(t *testing.T) map[string]ReportDoc {
	t.Helper()
	past := find(t, "done").tale.s
	past.Plan.ID = "6e29"
	docs := map[string]ReportDoc{"eventful": ReportOf(eventful(t).events, ReportOptions{Past: past}), "poisoned": ReportOf(poisoned(t).events, ReportOptions{Damage: evil, Past: past})}
	for _, sc := range scenes(t) {
		docs[sc.name] = ReportOf(sc.tale.events, ReportOptions{Alive: sc.alive, Past: past})
	}
	broken := find(t, "draining").tale.events
	docs["chinese"] = ReportOf(eventful(t).events, ReportOptions{Past: past, Lang: Chinese})
	docs["damaged"] = ReportOf(broken[:len(broken)-1], ReportOptions{Damage: "journal runs/7f3a/journal.jsonl: line 12, at byte 3456, is damaged: it is too short for a record"})
	return docs
}

// forms are all forms of a report but JSON.
var forms = map[string]func(io.Writer, ReportDoc) error{
	"txt": func(w io.Writer, d ReportDoc) error { return ReportText(w, d, 100) },
	"md":  ReportMarkdown, "html": ReportHTML, "xml": ReportJUnit,
}

func drawn(t *testing.T, form string, d ReportDoc) string {
	t.Helper()
	var b bytes.Buffer
	if err := forms[form](&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAReportTellsTheWholeRun(t *testing.T) {
	docs := reported(t)
	for _, name := range []string{"eventful", "done", "held", "aborted", "draining", "damaged"} {
		for _, form := range []string{"txt", "md", "xml"} {
			golden(t, "report-"+name+"."+form, drawn(t, form, docs[name]))
		}
	}
	golden(t, "report-eventful.html", drawn(t, "html", docs["eventful"]))
	for _, form := range []string{"txt", "md", "html"} {
		golden(t, "report-chinese."+form, drawn(t, form, docs["chinese"]))
	}
}

func TestAReportOfEveryBeginningOfARunCanBeDrawn(t *testing.T) {
	for name, w := range map[string]*tale{"eventful": eventful(t), "aborted": find(t, "aborted").tale} {
		for i := range w.events {
			if i > 60 && i%23 != 0 && i < len(w.events)-60 { // the many counts of a drain look alike
				continue
			}
			for _, alive := range []bool{true, false} {
				d := ReportOf(w.events[:i+1], ReportOptions{Alive: alive})
				for form := range forms {
					drawn(t, form, d)
				}
				wellFormed(t, fmt.Sprintf("%s, %d events", name, i+1), drawn(t, "xml", d))
			}
		}
	}
	ReportOf(nil, ReportOptions{}) // of a journal whose first line is damaged
}

func TestAReportIsNoWiderThanAskedAndHasNoControlCharacter(t *testing.T) {
	for name, d := range reported(t) {
		for _, width := range []int{1, 20, 37, 60, 80, 100, 300} {
			var b bytes.Buffer
			if err := ReportText(&b, d, width); err != nil {
				t.Fatal(err)
			}
			fits(t, name, b.String(), max(width, least))
		}
		for form := range forms {
			if bad := harmless(drawn(t, form, d)); bad != "" {
				t.Errorf("%s.%s: %s", name, form, bad)
			}
		}
		decoded(t, d)
	}
}

// element is what a page holds of one.
type element struct {
	name  string
	attrs map[string]string
}

// wellFormed demands that a text is XML, as a page of ours is too, and gives its elements.
func wellFormed(t *testing.T, what, text string) []element {
	t.Helper()
	var all []element
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", what, err, text)
		}
		if s, ok := tok.(xml.StartElement); ok {
			e := element{strings.ToLower(s.Name.Local), map[string]string{}}
			for _, a := range s.Attr {
				e.attrs[strings.ToLower(a.Name.Local)] = a.Value
			}
			all = append(all, e)
		}
	}
}

func TestAPageNeedsNothingBesideItself(t *testing.T) {
	outside := regexp.MustCompile(`(?i)url\(|@import|javascript:|//[a-z]`)
	for name, d := range reported(t) {
		text := drawn(t, "html", d)
		for _, e := range wellFormed(t, name, text) {
			if slices.Contains([]string{"script", "link", "iframe", "object", "embed", "img", "image", "use", "form", "base", "a"}, e.name) {
				t.Errorf("%s: a page has an element %s", name, e.name)
			}
			for a, v := range e.attrs {
				if strings.HasPrefix(a, "on") || slices.Contains([]string{"src", "href", "srcset", "action", "style", "background", "data"}, a) {
					t.Errorf("%s: %s has %s=%q", name, e.name, a, v)
				}
			}
		}
		style, _, _ := strings.Cut(text, "</style>")
		if m := outside.FindString(style); m != "" {
			t.Errorf("%s: the style has %s", name, m)
		}
		if n := strings.Count(text, "<pre"); n == 0 || strings.Count(text, "<script") > 0 {
			t.Errorf("%s: %d blocks of text", name, n)
		}
	}
}

func TestAPageShowsMarkupAsText(t *testing.T) {
	const nasty = `</pre></style><script>alert(1)</script><img src=x onerror=alert(1)>"'`
	w := poisoned(t)
	p := w.s.Plan
	p.Service, p.ID, p.Release, p.Machines[0].Name = nasty, nasty, nasty, nasty
	w.events[0].Plan = &p
	for i := range w.events {
		e := &w.events[i]
		e.Error, e.Note, e.By, e.Output = strings.ReplaceAll(e.Error, evil, nasty), strings.ReplaceAll(e.Note, evil, nasty), strings.ReplaceAll(e.By, evil, nasty), strings.ReplaceAll(e.Output, evil, nasty)
	}
	text := drawn(t, "html", ReportOf(w.events, ReportOptions{Damage: nasty}))
	for _, e := range wellFormed(t, "nasty", text) {
		if e.name == "script" || e.name == "img" {
			t.Errorf("a text has become an element %s", e.name)
		}
	}
	if n := strings.Count(text, "&lt;script&gt;"); n < 6 {
		t.Errorf("the text is shown %d times: the test proves nothing", n)
	}
}

func TestATableOfMarkdownKeepsItsColumns(t *testing.T) {
	bar := regexp.MustCompile(`(^|[^\\])(\\\\)*\|`)
	for name, d := range reported(t) {
		fence, want := "", 0
		for l := range strings.Lines(drawn(t, "md", d)) {
			l = strings.TrimSuffix(l, "\n")
			switch {
			case fence == "" && strings.HasPrefix(l, "```"):
				fence = strings.TrimSuffix(l, "text")
			case l == fence:
				fence = ""
			case fence != "":
			case !strings.HasPrefix(l, "|"):
				want = 0
			default:
				n := len(bar.FindAllString(l, -1))
				if want == 0 {
					want = n
				}
				if n != want {
					t.Errorf("%s: a row has %d bars and those above it %d: %s", name, n, want, l)
				}
			}
		}
		if fence != "" {
			t.Errorf("%s: a block of code has no end", name)
		}
	}
	for _, text := range []string{"a|b", `a\`, "`x`", "<b>", "[x](y)", "*x*", "#1"} {
		if got := Marked(text); regexp.MustCompile(`\\(.)`).ReplaceAllString(got, "$1") != text || got == text {
			t.Errorf("%q is marked %q", text, got)
		}
	}
	if got := Fenced("a\n````\nb"); !strings.HasPrefix(got, "`````text\n") || !strings.HasSuffix(got, "\n`````") {
		t.Errorf("the fence is not longer than what it holds: %q", got)
	}
}

// linter is the environment variable by which the machine that must have xmllint says so.
const linter = "ROLLOUT_XMLLINT"

func TestAJUnitReportIsValid(t *testing.T) {
	xmllint := os.Getenv(linter)
	if found, err := exec.LookPath("xmllint"); xmllint == "" && err != nil {
		t.Skipf("no xmllint (Debian: libxml2-utils); with %s set this fails", linter)
	} else if xmllint == "" {
		xmllint = found
	}
	lint := func(text string) (string, error) {
		cmd := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", "../schema/junit.xsd", "-")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	docs := reported(t)
	for name, d := range docs {
		if out, err := lint(drawn(t, "xml", d)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	good := drawn(t, "xml", docs["held"])
	for what, change := range map[string][2]string{
		"an unknown attribute": {"<testcase ", `<testcase more="1" `}, "a time in words": {`time="`, `time="about `}, "two cases of one name": {`name="2 drain group2"`, `name="1 shift group2"`},
		"an unknown element": {"<skipped", "<omitted></omitted><skipped"}, "no name": {` name="1 shift group2"`, ""},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if _, err := lint(bad); err == nil || bad == good {
			t.Errorf("%s passes", what)
		}
	}
}

func TestJUnitSaysWhatFailed(t *testing.T) {
	docs := reported(t)
	for name, want := range map[string]string{
		"done": "11 0 0 0", "held": "11 1 0 7", "unsafe": "11 1 0 7", "draining": "11 0 0 10", "killed": "11 0 1 9", "damaged": "11 0 1 9", "paused": "11 0 0 10", "planned": "11 0 0 11",
		"aborted": "13 1 0 10", "eventful": "11 0 0 0",
	} {
		var got junitSuites
		if err := xml.Unmarshal([]byte(drawn(t, "xml", docs[name])), &got); err != nil {
			t.Fatal(err)
		}
		s := got.Suite
		if counts := fmt.Sprint(s.Tests, s.Failures, s.Errors, s.Skipped); counts != want || len(s.Cases) != s.Tests || got.Tests != s.Tests {
			t.Errorf("%s: %s of tests, failures, errors and skipped, want %s", name, counts, want)
		}
		for _, c := range s.Cases {
			for _, f := range []*junitFlaw{c.Failure, c.Error, c.Skipped} {
				if f != nil && (strings.TrimSpace(f.Text) == "" || f.Message == "" || strings.TrimSpace(f.Message) != f.Message) {
					t.Errorf("%s, %s: GitLab shows the text, Jenkins the message too, and got %+v", name, c.Name, f)
				}
			}
		}
	}
	var held junitSuites
	if err := xml.Unmarshal([]byte(drawn(t, "xml", docs["held"])), &held); err != nil {
		t.Fatal(err)
	}
	c := held.Suite.Cases[3]
	if c.Name != "4 restart group2" || c.Failure == nil || !strings.Contains(c.Failure.Message, "EADDRINUSE") || !strings.Contains(c.Failure.Text, "start on game-5: exit 1\nbooting\nError: listen") {
		t.Errorf("got %+v, %+v", c, c.Failure)
	}
}

func TestASparkFallsAsItsCurve(t *testing.T) {
	for _, tt := range []struct {
		name  string
		curve []PointDoc
		lasts float64
		want  string
	}{
		{"a fall", []PointDoc{{0, 80}, {1, 70}, {2, 60}, {3, 50}, {4, 40}, {5, 30}, {6, 20}, {7, 10}}, 7, "█▇▆▅▄▃▂▁"},
		{"half as long as the other", []PointDoc{{0, 80}, {3, 0}}, 7, "███·"},
		{"one count", []PointDoc{{0, 80}}, 7, "█"},
		{"few are not none", []PointDoc{{0, 80}, {7, 1}}, 7, "███████▁"},
		{"none", nil, 7, ""},
	} {
		if got := spark(tt.curve, tt.lasts, 80, 8); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAnOutputThatTakesNoReportIsTold(t *testing.T) {
	for form, write := range forms {
		if err := write(broken{}, ReportOf(find(t, "held").tale.events, ReportOptions{})); !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want what the output said", form, err)
		}
	}
}
