package view

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean takes out of s whatever could change the terminal it is shown on or hide part of the text: escape sequences, control
// characters, and the invisible characters that turn the direction of writing. Lines stay lines, a tab becomes a space, bytes
// that are not UTF-8 become U+FFFD. What a remote command printed is shown only after this.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\x1b' || r == '\u009b' || r == '\u009d' || r == '\u0090':
			n = sequence(s[i:])
		case r == '\n', r == '\u2028', r == '\u2029':
			b.WriteByte('\n')
		case r == '\r': // a progress bar draws over its line: each drawing is a line here, and \r\n is one end, not two
			if !strings.HasPrefix(s[i+1:], "\n") {
				b.WriteByte('\n')
			}
		case r == '\t':
			b.WriteByte(' ')
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r):
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

// plain says whether s has nothing to take out.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf || s[i] == 0x7f || s[i] < ' ' && s[i] != '\n' {
			return false
		}
	}
	return true
}

// sequence gives the length of the escape sequence s begins with. One that does not end is only its introducer: what follows
// might be the message somebody needs.
func sequence(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	kind := byte('[')
	switch {
	case r == '\u009d' || r == '\u0090':
		kind = ']'
	case r == '\x1b' && len(s) > 1:
		kind = s[1]
		n = 2
	case r == '\x1b':
		return n
	}
	switch {
	case kind == '[': // parameters, then one final byte
		for i := n; i < len(s) && s[i] >= 0x20 && s[i] < 0x7f; i++ {
			if s[i] >= 0x40 {
				return i + 1
			}
		}
		return n
	case strings.IndexByte("]PX^_", kind) >= 0: // a string, ended by BEL or ST; titles and links are such
		line, _, _ := strings.Cut(s, "\n")
		end := len(line) + 1
		for _, st := range []string{"\a", "\x1b\\", "\u009c"} {
			if i := strings.Index(line[n:], st); i >= 0 {
				end = min(end, n+i+len(st))
			}
		}
		if end > len(line) {
			return n
		}
		return end
	case kind >= 0x20 && kind < 0x30: // a character set, with one more byte
		if len(s) > 2 && s[2] >= 0x30 && s[2] < 0x7f {
			return 3
		}
		return n
	case kind >= 0x30 && kind < 0x7f:
		return n
	}
	return 1 // a lone ESC before something that is no sequence
}

// oneLine is Clean, with the lines of s joined.
func oneLine(s string) string { return strings.ReplaceAll(Clean(s), "\n", " ") }

// lastLine gives the last line of s that says something.
func lastLine(s string) string {
	ls := strings.Split(strings.TrimSpace(Clean(s)), "\n")
	return strings.TrimSpace(ls[len(ls)-1])
}
