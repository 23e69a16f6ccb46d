package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryBugHasItsPlace demands that each mutant's place is in its file exactly once: code that is written anew takes its mutants along.
func TestEveryBugHasItsPlace(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.bug] {
			t.Errorf("%q is there twice", m.bug)
		}
		names[m.bug] = true
		code, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(code), m.old); n != 1 {
			t.Errorf("%s: %s: the place is there %d times", m.file, m.bug, n)
		}
	}
}
