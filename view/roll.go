package view

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// called says that the processes of a group are all there.
func (l Lang) called(e plans.Event) string {
	return l.Say("%s: %s", "%s：%s", e.Group, l.rolled(e.Found))
}

// rolled sums processes up: how many, how long the youngest and the oldest have run, and their memory.
func (l Lang) rolled(found []plans.Found) string {
	if len(found) == 0 {
		return l.Say("no process", "没有进程")
	}
	young, old, memory := found[0].Age, found[0].Age, 0.0
	for _, f := range found {
		young, old, memory = min(young, f.Age), max(old, f.Age), memory+f.Memory
	}
	n, most := l.plural(len(found), "process"), l.Span(old.Duration().Round(time.Second))
	s := l.Say("%s, up %s", "%s，已运行 %s", n, most)
	if d := old.Duration() - young.Duration(); d >= time.Second {
		s = l.Say("%s, up %s to %s", "%s，已运行 %s到 %s", n, l.Span(young.Duration().Round(time.Second)), most)
	}
	if memory > 0 {
		s += l.Say(", %s MB", "，%s MB", number(int(memory+0.5)))
	}
	return s
}

// Processes draws every process of a group: its machine, id, pid, how long it has run, its memory, and what is odd about it.
func Processes(w io.Writer, p plans.Plan, group string, found []plans.Found, odd []string, width int) error {
	pg := newPage(width)
	pg.items("", []string{group, English.rolled(found)}, "  ")
	found = slices.Clone(found)
	slices.SortStableFunc(found, func(a, b plans.Found) int {
		return cmp.Compare(slices.Index(p.Hosts(group), a.Host), slices.Index(p.Hosts(group), b.Host))
	})
	rows := [][]string{{"machine", "process", "pid", "up", "memory"}}
	for _, f := range found {
		memory := "–"
		if f.Memory > 0 {
			memory = strconv.Itoa(int(f.Memory+0.5)) + " MB"
		}
		rows = append(rows, []string{p.Name(f.Host), f.ID, strconv.Itoa(f.PID), span(f.Age.Duration().Round(time.Second)), memory})
	}
	wide := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			wide[i] = max(wide[i], columns(oneLine(c)))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, c := range r {
			if i < 2 {
				b.WriteString("  " + pad(oneLine(c), wide[i]))
			} else {
				b.WriteString("  " + padLeft(oneLine(c), wide[i]))
			}
		}
		pg.line("%s", b.String())
	}
	for _, o := range odd {
		pg.text("  ! ", o)
	}
	return pg.print(w)
}
