package live

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

var update = flag.Bool("update", false, "rewrite the files of testdata")

func foot(width int) string {
	return keys(Config{Leaves: "leave it running", Ask: func(plans.Request) error { return nil }}, width)
}

func TestAFrameShowsTheRunInEverySize(t *testing.T) {
	for _, m := range moments(t) {
		t.Run(m.name, func(t *testing.T) {
			var all strings.Builder
			for _, size := range [][2]int{{120, 40}, {80, 24}, {50, 12}} {
				fmt.Fprintf(&all, "%s %d columns, %d lines\n", strings.Repeat("=", 20), size[0], size[1])
				all.WriteString(text(frame(m.scene, m.now(), size[0], size[1], foot(size[0]))))
			}
			golden(t, m.name+".txt", all.String())
		})
	}
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, want)
	}
}

func TestNoPictureIsLargerThanItsTerminalNorHasAControlCharacter(t *testing.T) {
	for _, m := range moments(t) {
		for width := 1; width <= 160; width += 1 + width/5 {
			if m.name == "many" && width%4 > 0 { // it takes longer
				continue
			}
			for _, height := range []int{1, 2, 4, 9, 13, 24, 50} {
				cfg := Config{Leaves: "leave it running", Ask: func(plans.Request) error { return nil }}
				log, _ := logPage(m.scene, height/2, width, height)
				for name, lines := range map[string][]string{"frame": frame(m.scene, m.now(), width, height, foot(width)), "log": log, "keys": keysPage(cfg, width, height)} {
					what := fmt.Sprintf("%s of %s at %d x %d", name, m.name, width, height)
					if len(lines) > height {
						t.Fatalf("%s has %d lines:\n%s", what, len(lines), text(lines))
					}
					for _, l := range lines {
						if n := view.Columns(l); n > width {
							t.Fatalf("%s has a line of %d columns: %q", what, n, l)
						}
						if strings.ContainsFunc(l, func(r rune) bool { return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) }) {
							t.Fatalf("%s has a control character: %q", what, l)
						}
					}
				}
			}
		}
	}
}

// TestWhatMattersStaysWhereThereIsLittleRoom: which group takes traffic, what is left until when, the cut, the ETA, and what follows a failure.
func TestWhatMattersStaysWhereThereIsLittleRoom(t *testing.T) {
	for _, m := range moments(t) {
		if m.name != "draining" && m.name != "chinese" && m.name != "many" {
			continue
		}
		for _, size := range [][2]int{{120, 40}, {120, 16}, {80, 24}, {80, 16}, {60, 22}, {50, 12}, {80, 7}, {40, 12}} {
			got := text(frame(m.scene, m.now(), size[0], size[1], foot(size[0])))
			for _, want := range []string{"group1", "left", "cut 0", "ETA", "fails now", "q leave"} {
				if want == "left" && strings.Contains(got, "deadline in 1m49s") {
					continue
				}
				if !strings.Contains(got, want) {
					t.Errorf("%s at %v: no %q in\n%s", m.name, size, want, got)
				}
			}
		}
	}
}

// TestLowTerminalsLoseTheCurveFirst: then events, then machines.
func TestLowTerminalsLoseTheCurveFirst(t *testing.T) {
	m := moments(t)[1]
	curve, events, machines := -1, -1, -1
	for height := 60; height > 0; height-- {
		got := text(frame(m.scene, m.now(), 120, height, foot(120)))
		if !strings.Contains(got, "┼") && curve < 0 {
			curve = height
		}
		if !strings.Contains(got, "14:32:04Z") && events < 0 {
			events = height
		}
		if !strings.Contains(got, "game-4") && machines < 0 {
			machines = height
		}
	}
	if curve <= events || events <= machines || machines <= 0 {
		t.Errorf("the curve is gone at %d lines, events at %d, machines at %d", curve, events, machines)
	}
}

func TestColoursChangeNoCharacter(t *testing.T) {
	for _, m := range moments(t) {
		plain := strings.Join(frame(m.scene, m.now(), 120, 40, foot(120)), "\n")
		painted := paint(plain)
		if ansi.Strip(painted) != plain {
			t.Errorf("%s: painting has changed the text:\n%s", m.name, ansi.Strip(painted))
		}
		if m.name == "draining" && !strings.Contains(painted, "\x1b[") {
			t.Error("nothing is painted")
		}
	}
}

func TestTheCurveFallsFromItsTopToTheForecast(t *testing.T) {
	f := fall{at: 60, deadline: 180, empty: 120}
	for s := range 61 {
		f.points = append(f.points, view.PointDoc{AtS: float64(s), Left: 1200 - 10*s})
	}
	lines := f.draw(80, 9)
	dots := func(l string) int { // the first column of a line with a dot
		for i, r := range []rune(l) {
			if r > 0x2800 && r <= 0x28ff {
				return i
			}
		}
		return -1
	}
	last := -1
	for i, l := range lines[:8] {
		at := dots(l)
		if at < last || at < 0 {
			t.Errorf("line %d: the first dot is at %d, after %d", i, at, last)
		}
		last = at
	}
	all := text(lines)
	for _, want := range []string{"1,200 ┤", "  600 ┤", "    0 ┼", "now", "deadline ┊"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}

// BenchmarkAFrame folds 20,000 events of 300 machines, and draws the state after them.
func BenchmarkAFrame(b *testing.B) {
	w := begin(b, latin, 150)
	p := w.state.Plan
	events := []plans.Event{{What: plans.Planned, Step: -1, Plan: &p}, {What: plans.Resumed, Step: -1}, {What: plans.Began, Step: 1, Group: "group2"}}
	for len(events) < 20000 {
		n := plans.Sessions{ByHost: map[string]int{}}
		for i, h := range p.Hosts("group2") {
			n.ByHost[h] = max(0, 500-len(events)/40+i)
			n.Total += n.ByHost[h]
		}
		events = append(events, plans.Event{What: plans.Counted, Step: 1, Group: "group2", Sessions: &n})
	}
	for i := range events {
		events[i].Seq, events[i].Stamp = int64(i+1), plans.Stamp{At: noon.Add(time.Duration(i) * 100 * time.Millisecond)}
	}
	b.Run("fold", func(b *testing.B) {
		for b.Loop() {
			var s plans.State
			var lines view.Lines
			for _, e := range events {
				s = s.Apply(e)
				lines.Next(s, e)
			}
			w.state = s
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(events)), "µs/event")
	})
	w.at = 2000 * time.Second
	for _, size := range [][2]int{{120, 40}, {80, 24}, {50, 12}} {
		b.Run(fmt.Sprintf("draw%dx%d", size[0], size[1]), func(b *testing.B) {
			for b.Loop() {
				paint(strings.Join(frame(w.scene, w.now(), size[0], size[1], foot(size[0])), "\n"))
			}
		})
	}
}

// TestABackendThatIsNotHealthyIsSeenInEverySize: of its machine no glyph says that it is well, and the number of those that are not is not cut off.
func TestABackendThatIsNotHealthyIsSeenInEverySize(t *testing.T) {
	for _, m := range moments(t) {
		if m.name != "draining" {
			continue
		}
		b := m.state.Plan.Before
		var sick []string
		for id := range b {
			if b[id].Group == "group1" && len(sick) < 2 && (len(sick) == 0 || b[sick[0]].Host == b[id].Host) {
				sick = append(sick, id)
			}
		}
		name := m.state.Plan.Name(b[sick[0]].Host)
		m.step(plans.Event{What: plans.Looked, Weights: m.state.Weights, Sick: sick})
		for _, width := range []int{160, 120, 110, 100} {
			group, machine := false, false
			for _, line := range strings.Split(text(frame(m.scene, m.now(), width, 40, foot(width))), "\n") {
				group = group || strings.Contains(line, "backends ") && strings.Contains(line, "2 not healthy")
				machine = machine || strings.Contains(line, "✖ "+name) && strings.Contains(line, "2 not healthy")
				if strings.Contains(line, "✔ "+name) {
					t.Errorf("%d columns: %s", width, line)
				}
			}
			if !group || !machine {
				t.Errorf("%d columns: said of the group %v, of the machine %v:\n%s", width, group, machine, text(frame(m.scene, m.now(), width, 40, foot(width))))
			}
		}
	}
}
