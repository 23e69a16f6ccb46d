package view

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed59ee9cdc/rollout/plans"
)

// said is every sentence about one state, each after what it is.
func said(l Lang, s plans.State, now time.Time) []string {
	all := []string{"phase: " + l.Phase(s.Phase), "traffic: " + l.Traffic(s), "if it fails: " + l.IfFails(s)}
	if what, until, ok := l.Doing(s); ok {
		all = append(all, "doing: "+what)
		if !until.IsZero() {
			all = append(all, "until: "+l.Span(until.Sub(now)))
		}
	}
	for _, a := range l.Next(s) {
		all = append(all, "next: "+a.Command+": "+a.Why)
	}
	for _, g := range []string{s.Plan.First, s.Plan.Second} {
		all = append(all, g+": "+l.Role(s, g))
	}
	for i, st := range s.Plan.Steps {
		all = append(all, fmt.Sprintf("step %d: %s: %s", i+1, l.Step(st), l.does(s.Plan, i, PlanOptions{})))
	}
	return all
}

// told gives the lines of a tale.
func told(l Lang, w *tale) []string {
	var all []string
	ls := Lines{Lang: l}
	for i, e := range w.events {
		if line, ok := ls.Next(w.states[i], e); ok {
			all = append(all, line)
		}
	}
	return all
}

// odd tells of all that hardly ever happens.
func odd(t *testing.T) *tale {
	o := usualSetting()
	o.onFail = "rollback"
	p := o.plan()
	p.Steps[0].Ramp = []int{50, 10}
	p.Steps[4].Want = []plans.Process{{ID: "connector-1", Host: "10.9.0.4"}, {ID: "connector-2", Host: "10.9.0.5"}}
	p.Steps[4].Gates = &plans.Gates{To: []string{"10.9.0.4:6200"}}
	w := begin(t, p)
	w.step(plans.Event{What: plans.Began})
	w.look(w.s.Plan.Weights())
	w.tell(plans.Event{What: plans.Noted, Step: -1, Note: "the clock was set"})
	w.step(plans.Event{What: plans.Adopted, By: "wang@desk", Weights: map[string]int{"backend-1-6150": 3}})
	w.step(plans.Event{What: plans.Overruled, By: "wang@desk", Weights: map[string]int{"backend-4-6150": 7}})
	w.step(plans.Event{What: plans.Tried, Hits: map[string]int{"10.9.0.1": 17, "10.9.0.4": 3}})
	w.step(plans.Event{What: plans.Ended})
	w.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskPause, By: "wang@desk"})
	w.tell(plans.Event{What: plans.Asked, Step: -1, Request: plans.AskResume, By: "wang@desk"})
	w.step(plans.Event{What: plans.Began})
	w.count("group2", 0, 401, -1, -1)
	w.step(plans.Event{What: plans.Alarmed, Group: "group1", Error: "backend-1-6150 is reported unhealthy"})
	w.step(plans.Event{What: plans.Alarmed, Group: "group1"})
	w.tell(plans.Event{What: plans.Interrupted, Step: -1, Note: "a signal ended the process that ran it"})
	w.tell(plans.Event{What: plans.Resumed, Step: -1, By: "wang@desk", PID: 7})
	w.wait(4 * time.Minute)
	w.count("group2", 0, 1, 0, 0)
	w.step(plans.Event{What: plans.Ended, EndedBy: "deadline"})
	w.deploy()
	w.step(plans.Event{What: plans.Began})
	stop := plans.Command{Host: "10.9.0.5", Do: plans.DoStop}
	w.step(plans.Event{What: plans.Running, Command: &stop})
	w.step(plans.Event{What: plans.Ran, Command: &stop, Error: "ssh: reset"})
	w.step(plans.Event{What: plans.Ended})
	w.step(plans.Event{What: plans.Began})
	w.step(plans.Event{What: plans.Called, Found: []plans.Found{
		{Process: plans.Process{Host: "10.9.0.4", ID: "connector-1"}, Age: plans.Seconds(40 * time.Second), Memory: 61.6}, {Process: plans.Process{Host: "10.9.0.5", ID: "connector-2"}, Age: plans.Seconds(45 * time.Second)}}})
	w.step(plans.Event{What: plans.Called})
	w.tell(plans.Event{What: plans.Held, Step: -1, Error: "it lies", Safe: true})
	return w
}

// spoken are the tales of all scenes, and of what hardly ever happens.
func spoken(t *testing.T) map[string]*tale {
	all := map[string]*tale{"odd": odd(t)}
	for _, sc := range scenes(t) {
		all[sc.name] = sc.tale
	}
	return all
}

// some gives the numbers of the states of a tale that are worth a look: the many counts of a drain look alike.
func some(w *tale) []int {
	var is []int
	for i := range w.states {
		if i < 40 || i%29 == 0 || i > len(w.states)-20 {
			is = append(is, i)
		}
	}
	return is
}

func TestARunIsToldInChinese(t *testing.T) {
	for name, w := range spoken(t) {
		t.Run(name, func(t *testing.T) {
			text := strings.Join(said(Chinese, w.s, w.now()), "\n") + "\n\n" + strings.Join(told(Chinese, w), "\n") + "\n"
			golden(t, "zh-"+name+".txt", text)
		})
	}
}

func TestWhoSaysNoLanguageHearsEnglish(t *testing.T) {
	for name, w := range spoken(t) {
		zero := append(said("", w.s, w.now()), told("", w)...)
		if english := append(said(English, w.s, w.now()), told(English, w)...); !slices.Equal(zero, english) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(zero, "\n"), strings.Join(english, "\n"))
		}
	}
}

// kept are the English words that stay in a Chinese sentence: commands, the keys and values of rollout.yaml, what is not translated, and units.
var kept = []string{"rollout", "start", "check", "resume", "abort", "rollback", "overwrite", "adopt", "cut_budget", "on_failure", "hold", "gate", "connector", "MB"}

// quoted gives every text of a tale that is quoted as it is, the longest first: names, commands, and what steps and machines have said.
func quoted(w *tale) []string {
	p := w.events[0].Plan
	all := []string{p.Service, p.ID, p.Release, p.Was, p.First, p.Second, "Z"}
	for _, m := range p.Machines {
		all = append(all, m.Name, m.Host)
	}
	for id, b := range p.Before {
		all = append(all, id, b.Addr)
	}
	for _, st := range p.Steps {
		for _, c := range st.Run {
			all = append(all, c.Line)
		}
	}
	for _, e := range w.events {
		all = append(all, e.By, e.Note, e.Error, strings.TrimPrefix(e.Note, "waiting for "), lastLine(e.Output))
		_, why, _ := strings.Cut(e.Error, ": ")
		all = append(all, why)
		if e.Sessions != nil {
			all = slices.AppendSeq(all, maps.Values(e.Sessions.Unread))
		}
		for _, a := range e.Answers {
			all = append(all, a.Error)
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}

var english = regexp.MustCompile(`[A-Za-z][A-Za-z_]*`)

func TestNoEnglishWordIsLeftInAChineseSentence(t *testing.T) {
	for name, w := range spoken(t) {
		t.Run(name, func(t *testing.T) {
			names := quoted(w)
			bare := func(s string) string {
				for _, q := range names {
					s = strings.ReplaceAll(s, q, "")
				}
				return s
			}
			lines := told(Chinese, w)
			for i, l := range lines {
				lines[i] = strings.SplitN(l, " ", 2)[1] // without its time
			}
			for _, i := range some(w) {
				for _, s := range said(Chinese, w.states[i], w.events[i].At) {
					_, s, _ = strings.Cut(s, ": ")
					lines = append(lines, s)
				}
			}
			for _, l := range lines {
				for _, word := range english.FindAllString(bare(l), -1) {
					if !slices.Contains(kept, word) {
						t.Errorf("%q in %q", word, l)
					}
				}
			}
		})
	}
}

var digits = regexp.MustCompile(`\d+`)

// numbers gives every number in s, in order of size: both languages must name the same, wherever they stand.
func numbers(s string) []int {
	var ns []int
	for _, d := range digits.FindAllString(s, -1) {
		n, err := strconv.Atoi(d)
		if err != nil {
			n = -1
		}
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

func TestBothLanguagesNameTheSameNumbers(t *testing.T) {
	for name, w := range spoken(t) {
		t.Run(name, func(t *testing.T) {
			en, zh := told(English, w), told(Chinese, w)
			for _, i := range some(w) {
				en, zh = append(en, said(English, w.states[i], w.events[i].At)...), append(zh, said(Chinese, w.states[i], w.events[i].At)...)
			}
			if len(en) != len(zh) {
				t.Fatalf("%d sentences in English and %d in Chinese", len(en), len(zh))
			}
			for i := range en {
				if !slices.Equal(numbers(en[i]), numbers(zh[i])) {
					t.Errorf("%q\nis not\n%q", en[i], zh[i])
				}
			}
		})
	}
}

func TestAChineseSentenceFitsAnyWidth(t *testing.T) {
	all := spoken(t)
	all["poisoned"] = poisoned(t)
	for name, w := range all {
		t.Run(name, func(t *testing.T) {
			sentences := told(Chinese, w)
			for _, i := range some(w) {
				for _, s := range said(Chinese, w.states[i], w.events[i].At) {
					sentences = append(sentences, oneLine(s))
				}
			}
			slices.Sort(sentences)
			for _, s := range slices.Compact(sentences) {
				for _, width := range []int{2, 19, 20, 37, 60, 80, 100} {
					lines := wrap(s, width)
					fits(t, "a sentence", strings.Join(lines, "\n"), width)
					if got, want := strings.Join(lines, ""), strings.Join(strings.Fields(s), ""); strings.ReplaceAll(got, " ", "") != want {
						t.Fatalf("%d columns hold %q, want all of %q", width, got, want)
					}
				}
			}
		})
	}
}

func TestChineseKindsStandInOneColumn(t *testing.T) {
	const column = len("2026-11-22T14:30:52Z ") + 8
	for name, w := range spoken(t) {
		l := Lines{Lang: Chinese}
		for i, e := range w.events {
			again := l
			kind, text, ok := again.Parts(w.states[i], e)
			line, _ := l.Next(w.states[i], e)
			if ok && columns(kind) <= 8 && columns(strings.TrimSuffix(line, " "+text)) != column {
				t.Errorf("%s: the text of %q does not begin at column %d", name, line, column)
			}
		}
	}
}

// verb is one verb of a format: its argument, where one is named, and its letter.
var verb = regexp.MustCompile(`%(\[\d+\])?[+0-9]*([a-z])`)

// verbs gives the letter of each argument that a format uses.
func verbs(format string) map[int]string {
	format = strings.ReplaceAll(format, "%%", "")
	used, next := map[int]string{}, 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[1] != "" {
			next, _ = strconv.Atoi(strings.Trim(m[1], "[]"))
		}
		used[next] = m[2]
		next++
	}
	return used
}

// sayings gives the two formats of every sentence of this package.
func sayings(t *testing.T) [][2]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all [][2]string
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "Say" {
				return true
			}
			var pair [2]string
			for i := range pair {
				lit, ok := call.Args[i].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s: a format that is not written where it is used", file)
					return true
				}
				if pair[i], err = strconv.Unquote(lit.Value); err != nil {
					t.Error(err)
				}
			}
			all = append(all, pair)
			return true
		})
	}
	return all
}

func TestASentenceTakesTheSameArgumentsInBothLanguages(t *testing.T) {
	all := sayings(t)
	if len(all) < 100 {
		t.Fatalf("%d sentences found, want them all", len(all))
	}
	for _, s := range all {
		if !maps.Equal(verbs(s[0]), verbs(s[1])) {
			t.Errorf("%q and %q take different arguments", s[0], s[1])
		}
		words := english.MatchString(verb.ReplaceAllString(s[0], ""))
		if chinese := strings.ContainsFunc(s[1], func(r rune) bool { return unicode.Is(unicode.Han, r) }); words && !chinese && s[1] != "，%s MB" {
			t.Errorf("%q is said as %q", s[0], s[1])
		}
		if strings.ContainsAny(s[1], ",;!?()") {
			t.Errorf("%q has a narrow sign where Chinese has a wide one", s[1])
		}
	}
}

func TestADurationIsWrittenInChinese(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 秒", 2900 * time.Millisecond: "2.9 秒", 25 * time.Second: "25 秒", 153 * time.Second: "2 分 33 秒", 3 * time.Minute: "3 分钟",
		65 * time.Minute: "1 小时 5 分", 2 * time.Hour: "2 小时",
	} {
		if got := Chinese.Span(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
