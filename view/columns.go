package view

import (
	"strings"
	"unicode"
)

// wide are the characters that take two columns of a terminal: classes W and F of Unicode's East Asian Width, in as few ranges
// as keep its narrow characters out. Ambiguous ones, such as → and ·, take one, as terminals draw them unless told otherwise.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x1100, 0x115f, 1}, {0x231a, 0x231b, 1}, {0x2329, 0x232a, 1}, {0x23e9, 0x23ec, 1}, {0x23f0, 0x23f3, 3},
		{0x25fd, 0x25fe, 1}, {0x2614, 0x2615, 1}, {0x2648, 0x2653, 1}, {0x267f, 0x2693, 20}, {0x26a1, 0x26a1, 1},
		{0x26aa, 0x26ab, 1}, {0x26bd, 0x26be, 1}, {0x26c4, 0x26c5, 1}, {0x26ce, 0x26d4, 6}, {0x26ea, 0x26ea, 1},
		{0x26f2, 0x26f3, 1}, {0x26f5, 0x26fa, 5}, {0x26fd, 0x2705, 8}, {0x270a, 0x270b, 1}, {0x2728, 0x2728, 1},
		{0x274c, 0x274e, 2}, {0x2753, 0x2755, 1}, {0x2757, 0x2757, 1}, {0x2795, 0x2797, 1}, {0x27b0, 0x27bf, 15},
		{0x2b1b, 0x2b1c, 1}, {0x2b50, 0x2b55, 5}, {0x2e80, 0x303e, 1}, {0x3041, 0x4dbf, 1}, {0x4e00, 0xa4cf, 1},
		{0xa960, 0xa97f, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfaff, 1}, {0xfe10, 0xfe19, 1}, {0xfe30, 0xfe6f, 1},
		{0xff01, 0xff60, 1}, {0xffe0, 0xffe6, 1},
	},
	R32: []unicode.Range32{
		{0x16fe0, 0x1b2ff, 1}, {0x1f004, 0x1f004, 1}, {0x1f0cf, 0x1f0cf, 1}, {0x1f18e, 0x1f18e, 1}, {0x1f191, 0x1f19a, 1},
		{0x1f200, 0x1f320, 1}, {0x1f32d, 0x1f335, 1}, {0x1f337, 0x1f37c, 1}, {0x1f37e, 0x1f393, 1}, {0x1f3a0, 0x1f3ca, 1},
		{0x1f3cf, 0x1f3d3, 1}, {0x1f3e0, 0x1f3f0, 1}, {0x1f3f4, 0x1f3f4, 1}, {0x1f3f8, 0x1f43e, 1}, {0x1f440, 0x1f440, 1},
		{0x1f442, 0x1f4fc, 1}, {0x1f4ff, 0x1f53d, 1}, {0x1f54b, 0x1f54e, 1}, {0x1f550, 0x1f567, 1}, {0x1f57a, 0x1f57a, 1},
		{0x1f595, 0x1f596, 1}, {0x1f5a4, 0x1f5a4, 1}, {0x1f5fb, 0x1f64f, 1}, {0x1f680, 0x1f6c5, 1}, {0x1f6cc, 0x1f6cc, 1},
		{0x1f6d0, 0x1f6d2, 1}, {0x1f6d5, 0x1f6df, 1}, {0x1f6eb, 0x1f6ec, 1}, {0x1f6f4, 0x1f6fc, 1}, {0x1f7e0, 0x1f7f0, 1},
		{0x1f90c, 0x1f9ff, 1}, {0x1fa70, 0x1faff, 1}, {0x20000, 0x3fffd, 1},
	},
}

// columns gives the columns of a terminal that s takes. s is one line and clean.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me) || r >= 0x1160 && r <= 0x11ff: // drawn onto the character before
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// pad gives s with spaces after it up to n columns.
func pad(s string, n int) string { return s + blank(n-columns(s)) }

// padLeft gives s with spaces before it up to n columns.
func padLeft(s string, n int) string { return blank(n-columns(s)) + s }

func blank(n int) string { return strings.Repeat(" ", max(0, n)) }

// cut gives s in at most n columns; what is left out is marked with an ellipsis.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	head, _ := split(s, n-1)
	return head + "…"
}

// split gives as much of s as n columns hold, and the rest.
func split(s string, n int) (head, rest string) {
	taken := 0
	for i, r := range s {
		if taken += columnsOf(r); taken > n {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// flow puts the items into lines of at most n columns, sep between two of one line. An item wider than a line is broken.
func flow(items []string, sep string, n int) []string {
	var lines []string
	line, begun := "", false
	for _, it := range items {
		if begun && columns(line)+columns(sep)+columns(it) <= n {
			line += sep + it
			continue
		}
		if begun {
			lines = append(lines, line)
		}
		for columns(it) > n {
			head, rest := split(it, n)
			if head == "" || rest == "" { // not one character fits
				break
			}
			lines, it = append(lines, head), rest
		}
		line, begun = it, true
	}
	if begun {
		lines = append(lines, line)
	}
	return lines
}

// wrap puts the words of s into lines of at most n columns.
func wrap(s string, n int) []string { return flow(strings.Fields(s), " ", n) }
