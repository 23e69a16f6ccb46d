package main

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/view"
)

// marks are the workflow commands of GitHub Actions: groups that fold, and annotations, which are shown beside the commit and the job. Nil draws none.
type marks struct {
	lines     *guard // the stream that has the lines of a run; nil where there are none
	errs      *guard
	workspace string // the checked-out repository: a file in it is told relative to it
	open      bool   // a group is
}

// most is how many annotations of one kind GitHub shows of a step. The log has the others.
const most = 10

// group begins a part of the log that folds. GitHub has no groups within groups.
func (m *marks) group(title string) {
	if m == nil || m.lines == nil {
		return
	}
	m.end()
	m.lines.command("::group::" + escape(view.Clean(title)))
	m.open = true
}

// opened says whether a group is open, or needs to be none.
func (m *marks) opened() bool { return m == nil || m.lines == nil || m.open }

// end ends the group that is open.
func (m *marks) end() {
	if m != nil && m.open {
		m.lines.command("::endgroup::")
		m.open = false
	}
}

// note annotates: level is error, warning or notice.
func (m *marks) note(level, title, text string) { m.mark(level, "title="+property(title), text) }

// fault annotates a line of a configuration.
func (m *marks) fault(f config.Fault) {
	if m == nil {
		return
	}
	where := "file=" + property(m.relative(f.File))
	if f.Line > 0 {
		where += ",line=" + strconv.Itoa(f.Line) + ",col=" + strconv.Itoa(max(1, f.Col))
	}
	title := f.Key
	if title == "" {
		title = filepath.Base(f.File)
	}
	text := f.Message
	if f.Hint != "" {
		text += ", " + f.Hint
	}
	m.mark("error", where+",title="+property(title), text)
}

func (m *marks) mark(level, where, text string) {
	if m != nil {
		m.errs.command("::" + level + " " + where + "::" + escape(view.Clean(text)))
	}
}

// finding annotates what a look at everything has found.
func (m *marks) finding(level string, f finding) {
	title, text := f.Name, f.Text
	if f.Where != "" {
		title += " " + f.Where
	}
	if f.Fix != "" {
		text += "\n→ " + f.Fix
	}
	m.note(level, title, text)
}

// relative gives a file's path from the root of the repository; as it is, where it is not in there.
func (m *marks) relative(file string) string {
	whole, err := filepath.Abs(file)
	if err != nil || m.workspace == "" {
		return file
	}
	if rel, err := filepath.Rel(m.workspace, whole); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// escape writes the text of a workflow command: whatever would end the line.
func escape(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// property writes a property of one: also what would end the property.
func property(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escape(view.Clean(s)))
}
