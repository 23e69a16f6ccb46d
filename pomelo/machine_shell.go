package pomelo

import "strings"

// quote returns s as one word of a POSIX shell. A NUL, which no shell can hold,
// is refused where the line is sent.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// squeeze takes comments and indents out of a script: every process of a plan
// has such a line.
func squeeze(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		if line = strings.TrimLeft(line, "\t"); line != "\n" && !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// short is the beginning of a line that is not as expected.
func short(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
