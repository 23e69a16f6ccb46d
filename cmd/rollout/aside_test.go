package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestWhatIsSaidWhileAViewHasTheTerminalIsSaidAgain: to the view at once, on the terminal when the view has ended, and nothing twice.
func TestWhatIsSaidWhileAViewHasTheTerminalIsSaidAgain(t *testing.T) {
	var out strings.Builder
	var seen []string
	a := &aside{out: &out}
	fmt.Fprintln(a, "before")
	shown := true
	a.lend(func(line string) bool {
		if shown {
			seen = append(seen, line)
		}
		return shown
	})
	fmt.Fprintln(a, "a warning")
	if got := out.String(); got != "before\n" || len(seen) != 1 || seen[0] != "a warning" {
		t.Errorf("while a view is open: %q on the terminal, %q in the view", got, seen)
	}
	shown = false // the person who watched has left it
	fmt.Fprintln(a, "later")
	a.lend(nil)
	fmt.Fprintln(a, "after")
	if got, want := out.String(), "before\na warning\nlater\nafter\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	(*aside)(nil).lend(nil) // standard error is no terminal
}

func TestTheSecondCtrlCGivesTheTerminalBackFirst(t *testing.T) {
	i := &interrupts{}
	i.giveBack() // no view has it
	n := 0
	i.before(func() { n++ })
	i.giveBack()
	i.before(nil)
	i.giveBack()
	if n != 1 {
		t.Errorf("given back %d times, want once", n)
	}
}

// TestOnlyATerminalThatCanBeDrawnOnIsTakenWhole: what is shown elsewhere are plain lines.
func TestOnlyATerminalThatCanBeDrawnOnIsTakenWhole(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		set  func(*env)
		want bool
	}{
		{"a terminal", map[string]string{"TERM": "xterm"}, func(*env) {}, true},
		{"an empty CI", map[string]string{"TERM": "xterm", "CI": ""}, func(*env) {}, true},
		{"CI", map[string]string{"TERM": "xterm", "CI": "true"}, func(*env) {}, false},
		{"a dumb one", map[string]string{"TERM": "dumb"}, func(*env) {}, false},
		{"a pipe", map[string]string{"TERM": "xterm"}, func(e *env) { e.terminal = false }, false},
		{"-o json", map[string]string{"TERM": "xterm"}, func(e *env) { e.flags.output = "json" }, false},
		{"-q", map[string]string{"TERM": "xterm"}, func(e *env) { e.flags.quiet = true }, false},
		{"-v into a file", map[string]string{"TERM": "xterm"}, func(e *env) { e.flags.verbose = true }, true},
		{"-v onto the terminal", map[string]string{"TERM": "xterm"}, func(e *env) { e.flags.verbose, e.aside = true, &aside{} }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &env{terminal: true, flags: globals{output: "text"}, lookup: func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }}
			tt.set(e)
			if got := e.drawable(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
