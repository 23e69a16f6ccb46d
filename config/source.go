package config

import (
	"regexp"
	"strings"
	"unicode"
)

// source is the file as people see it: lines, without secrets.
type source []string

func linesOf(text string) source {
	// The same line ends as YAML's, or the numbers would not agree.
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
}

// mostColumns of a line are shown, around the place.
const mostColumns = 100

// show gives a line with its secrets hidden, and how many columns stand before
// the character col, which counts from 1.
func (s source) show(line, col int) (string, int) {
	if line < 1 || line > len(s) {
		return "", 0
	}
	text, at := hideSecrets([]rune(s[line-1]), max(0, col-1))
	at = min(at, len(text))
	from := 0
	if at > mostColumns-20 {
		from = at - (mostColumns - 20)
	}
	text, at = text[from:], at-from
	if len(text) > mostColumns {
		text = text[:mostColumns]
	}
	caret := 0
	for i, r := range text {
		if !unicode.IsPrint(r) {
			// A tab as well: what the terminal makes of it moves the caret.
			text[i], r = ' ', ' '
		}
		if i < at {
			caret += columns(r)
		}
	}
	return strings.TrimRight(string(text), " "), caret
}

// columns is how wide a terminal draws a character; Chinese takes two.
func columns(r rune) int {
	switch {
	case unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
		r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

var keyAndColon = regexp.MustCompile(`["']?([A-Za-z0-9_.-]+)["']?[ \t]*:[ \t]*`)

// hideSecrets puts [secret] in place of what follows a key that may hold one,
// and says where the place at has moved to. It works on the text and not on
// the parsed file, since it must also serve where parsing failed or the key is
// misspelt. Rather too much is hidden than too little.
func hideSecrets(line []rune, at int) ([]rune, int) {
	text := string(line)
	var out []rune
	done, moved := 0, at // done: bytes of text that are in out
	for _, m := range keyAndColon.FindAllStringSubmatchIndex(text, -1) {
		key, start := text[m[2]:m[3]], m[1]
		if start < done || !sensitive(key) {
			continue
		}
		end := start + valueEnd(text[start:], strings.Contains(text[:m[0]], "{"))
		if value := text[start:end]; value == "" || onlyVariable.MatchString(value) {
			continue
		}
		out = append(out, []rune(text[done:start])...)
		first, last := len([]rune(text[:start])), len([]rune(text[:end]))
		switch {
		case at >= last:
			moved += len(hidden) - (last - first)
		case at > first:
			moved = len(out)
		}
		out = append(out, []rune(hidden)...)
		done = end
	}
	return append(out, []rune(text[done:])...), moved
}

var onlyVariable = regexp.MustCompile(`^["']?\$\{[^{}"']*\}["']?$|^\*[A-Za-z0-9_-]+$`)

func sensitive(key string) bool {
	k := strings.ToLower(key)
	for _, part := range []string{"pass", "secret", "token", "credential", "apikey", "api_key", "private"} {
		if strings.Contains(k, part) {
			return true
		}
	}
	return k == "url" || nearest(k, []string{"password", "secret"}) != ""
}

// valueEnd is how far a value on one line reaches.
func valueEnd(rest string, flow bool) int {
	line := strings.TrimRight(rest, " \t")
	if line == "" {
		return 0
	}
	switch line[0] {
	case '"':
		for i := 1; i < len(line); i++ {
			switch line[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return len(line)
	case '\'':
		for i := 1; i < len(line); i++ {
			if line[i] != '\'' {
				continue
			}
			if i+1 < len(line) && line[i+1] == '\'' {
				i++
				continue
			}
			return i + 1
		}
		return len(line)
	case '[', '{', '&', '!':
		return len(line)
	}
	if i := strings.IndexAny(line, ",}"); flow && i >= 0 {
		return i
	}
	return len(line)
}
