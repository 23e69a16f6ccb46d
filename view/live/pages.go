package live

import (
	"fmt"
	"strings"

	"github.com/seed59ee9cdc/rollout/view"
)

// keys names the keys in as many words as a line has room for, those that are needed most first.
func keys(c Config, width int) string {
	ks := [][2]string{{"q " + c.Leaves, "q leave"}}
	if c.Ask != nil {
		ks = append(ks, [2]string{"p pause after this step", "p pause"}, [2]string{"a abort", "a abort"})
	}
	ks = append(ks, [2]string{"l log", "l log"}, [2]string{"? keys", "? keys"})
	line := ""
	for words := range 2 {
		line = ""
		for _, k := range ks {
			line += " " + k[words] + "  "
		}
		if line = strings.TrimRight(line, " "); view.Columns(line) <= width {
			break
		}
	}
	return line
}

// keysPage says what each key does.
func keysPage(c Config, width, height int) []string {
	rows := [][2]string{{"q", c.Leaves}}
	if c.Ask != nil {
		rows = append(rows,
			[2]string{"p", "stop after the step under way, as `rollout pause`; once more takes it back"},
			[2]string{"a", "put the traffic back as it was found and stop, as `rollout abort`; it asks first"})
	}
	rows = append(rows,
		[2]string{"l", "the newest events; up, down, PgUp, PgDn, g and End move"},
		[2]string{"?", "these keys"},
		[2]string{"Ctrl-C", "stop at the next safe point; twice: at once. `rollout resume` goes on"})
	lines := []string{" Keys", ""}
	for _, r := range rows {
		lead := view.Pad(" "+r[0], 10)
		for _, l := range view.Wrap(r[1], width-10) {
			lines = append(lines, lead+l)
			lead = view.Pad("", 10)
		}
	}
	return fit(append(lines, "", " ? back"), width, height)
}

// logPage shows the newest lines, but for the last back of them, and gives how far back it could go.
func logPage(s scene, back, width, height int) ([]string, int) {
	var all []string
	for _, l := range s.lines {
		at, said := apart(l)
		lead := " " + at + "  "
		if kind, rest, ok := strings.Cut(said, " "); ok && said != l {
			lead, said = lead+view.Pad(kind, 8)+" ", rest
		}
		for _, part := range view.Wrap(said, width-view.Columns(lead)-1) {
			all = append(all, lead+part)
			lead = view.Pad("", view.Columns(lead))
		}
	}
	room := max(1, height-2)
	back = min(back, max(0, len(all)-room))
	shown := all[max(0, len(all)-back-room) : len(all)-back]
	foot := fmt.Sprintf(" l back   up, down, PgUp, PgDn   %d to %d of %d", len(all)-back-len(shown)+min(1, len(shown)), len(all)-back, len(all))
	lines := append([]string{" Events of run " + view.OneLine(s.state.Plan.ID)}, shown...)
	return fit(append(lines, foot), width, height), back
}

// apart takes a line apart: the time of day, and the rest.
func apart(line string) (at, said string) {
	stamp, said, ok := strings.Cut(line, " ")
	if _, clock, dated := strings.Cut(stamp, "T"); ok && dated && len(stamp) == len("2006-01-02T15:04:05Z") {
		return clock, said
	}
	return view.Pad("", len("15:04:05Z")), line
}

// fit gives lines that are no wider and no more than the screen holds; the last one stays.
func fit(lines []string, width, height int) []string {
	if len(lines) > height && height > 0 {
		lines = append(lines[:height-1:height-1], lines[len(lines)-1])
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(view.Cut(view.OneLine(l), width), " ")
	}
	return lines
}
