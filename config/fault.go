package config

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one mistake in the file, and where it is.
type Fault struct {
	// File is the path as it was given.
	File string
	// Line and Col count from 1, Col in characters.
	Line, Col int
	// Key is the path of the key, e.g. "groups[0].machines[2].host"; "" is the
	// whole file.
	Key string
	// Message says what is wrong.
	Message string
	// Hint says what to write instead, e.g. "did you mean deadline?"; "" where
	// nothing can be guessed.
	Hint string
	// Source is the line of the file, with secrets hidden and Caret characters
	// before the place.
	Source string
	// Caret is how many columns of Source stand before the place.
	Caret int
}

// Error is the mistake in one line, as compilers write it.
func (f Fault) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", f.File, f.Line, f.Col)
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Message)
	if f.Hint != "" {
		b.WriteString(", " + f.Hint)
	}
	return b.String()
}

// String is Error, the source line and a caret under the place.
func (f Fault) String() string {
	if f.Source == "" {
		return f.Error()
	}
	number := fmt.Sprintf("%4d", f.Line)
	return fmt.Sprintf("%s\n%s | %s\n%s | %s^", f.Error(), number, f.Source,
		strings.Repeat(" ", len(number)), strings.Repeat(" ", f.Caret))
}

// Faults is everything wrong with one file, in the order of the file.
type Faults struct {
	// All holds one or more.
	All []Fault
}

// mostShown keeps a wholly wrong file from scrolling everything else away.
const mostShown = 100

// Error is every fault with its source line and a caret.
func (f *Faults) Error() string {
	var b strings.Builder
	for i, fault := range f.All {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == mostShown {
			fmt.Fprintf(&b, "and %d more", len(f.All)-i)
			break
		}
		b.WriteString(fault.String())
	}
	return b.String()
}

// Unwrap lists the faults for errors.As.
func (f *Faults) Unwrap() []error {
	errs := make([]error, len(f.All))
	for i, fault := range f.All {
		errs[i] = fault
	}
	return errs
}

// sorted puts faults in the order of the file and drops those said twice, as
// happens where an anchor is used in two places.
func sorted(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	type saying struct {
		line, col int
		message   string
	}
	seen := map[saying]bool{}
	return slices.DeleteFunc(faults, func(f Fault) bool {
		s := saying{f.Line, f.Col, f.Message}
		twice := seen[s]
		seen[s] = true
		return twice
	})
}
