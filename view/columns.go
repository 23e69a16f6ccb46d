package view

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// columns gives the columns of a terminal that s takes. s is one line and clean. Ambiguous characters, such as → and ·, take one, as terminals draw
// them unless told otherwise.
func columns(s string) int { return ansi.StringWidthWc(s) }

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
		if taken += columns(string(r)); taken > n {
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
