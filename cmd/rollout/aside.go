package main

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// aside is standard error where that is the terminal. While a view has the terminal, what is said goes to the view, and is said again when it ends.
type aside struct {
	out io.Writer

	mu   sync.Mutex
	say  func(string) bool // false: the view has ended
	kept bytes.Buffer
}

// keptAside is how much is said again: warnings of a run, not those of days.
const keptAside = 64 << 10

func (a *aside) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.say != nil && a.say(strings.TrimRight(string(b), "\n")) {
		if a.kept.Len() < keptAside {
			a.kept.Write(b)
		}
		return len(b), nil
	}
	a.flush()
	return a.out.Write(b)
}

// lend gives what is said to a view; nil takes it back. A nil aside does nothing.
func (a *aside) lend(say func(string) bool) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.say = say; say == nil {
		a.flush()
	}
}

func (a *aside) flush() {
	_, _ = a.out.Write(a.kept.Bytes())
	a.kept.Reset()
}
