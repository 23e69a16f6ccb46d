package main

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode"
)

// guard is a stream that a runner of GitHub Actions reads. The runner obeys a line that begins with :: after any blanks, and one that has ##[ anywhere
// in it (its Runner.Common/ActionCommand.cs), on both streams. What a machine has printed is shown and must not be obeyed, so every line that goes through
// Write is disarmed, whoever wrote it; command is the only way to be obeyed. A line is written whole, at its end.
type guard struct {
	mu   sync.Mutex
	out  io.Writer
	rest []byte // of a line that has not ended
}

// Write takes p in and writes the lines that are complete. A carriage return ends a line for the runner, so it does here.
func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rest = append(g.rest, p...)
	var b bytes.Buffer
	for {
		i := bytes.IndexAny(g.rest, "\r\n")
		if i < 0 {
			break
		}
		b.WriteString(disarm(string(g.rest[:i])))
		b.WriteByte(g.rest[i])
		g.rest = g.rest[i+1:]
	}
	if b.Len() > 0 {
		if _, err := g.out.Write(b.Bytes()); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// alters says whether Write would change a text.
func (g *guard) alters(text []byte) bool {
	for line := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if disarm(line) != line {
			return true
		}
	}
	return false
}

// command writes a line that the runner is to obey, and nothing in it.
func (g *guard) command(line string) {
	g.flush()
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = io.WriteString(g.out, strings.ReplaceAll(line, "##[", "## [")+"\n")
}

// flush ends a line that has not been ended.
func (g *guard) flush() {
	g.mu.Lock()
	half := len(g.rest) > 0
	g.mu.Unlock()
	if half {
		_, _ = g.Write([]byte("\n"))
	}
}

// disarm changes a line that a runner would take for a command, as little as needed for a person to read it still.
func disarm(line string) string {
	line = strings.ReplaceAll(line, "##[", "## [")
	text := strings.TrimLeftFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
	if rest, ok := strings.CutPrefix(text, "::"); ok {
		return line[:len(line)-len(text)] + ": :" + rest
	}
	return line
}
