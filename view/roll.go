package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// called says that the processes of a group are all there.
func called(_ plans.State, e plans.Event) string { return e.Group + ": " + rolled(e.Found) }

// rolled sums processes up: how many, how long the youngest and the oldest have run, and their memory.
func rolled(found []plans.Found) string {
	if len(found) == 0 {
		return "no process"
	}
	young, old, memory := found[0].Age, found[0].Age, 0.0
	for _, f := range found {
		young, old, memory = min(young, f.Age), max(old, f.Age), memory+f.Memory
	}
	s := fmt.Sprintf("%s, up %s", plural(len(found), "process"), span(old.Duration().Round(time.Second)))
	if d := old.Duration() - young.Duration(); d >= time.Second {
		s = fmt.Sprintf("%s, up %s to %s", plural(len(found), "process"), span(young.Duration().Round(time.Second)), span(old.Duration().Round(time.Second)))
	}
	if memory > 0 {
		s += fmt.Sprintf(", %s MB", number(int(memory+0.5)))
	}
	return s
}

// Processes draws every process of a group: its machine, id, pid, how long it has run, its memory, and what is odd about it.
func Processes(w io.Writer, p plans.Plan, group string, found []plans.Found, odd []string, width int) error {
	pg := newPage(width)
	pg.items("", []string{group, rolled(found)}, "  ")
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
