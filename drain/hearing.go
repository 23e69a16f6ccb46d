package drain

import (
	"errors"
	"fmt"
	"time"
)

// hearing makes sense of the lines of one stream.
type hearing struct {
	opened   time.Time
	patience time.Duration // how long a line, or a count that is due, may be late
	login    time.Duration // how long the first of each may be

	heard bool          // a line of the script has come
	shift time.Duration // from the machine's clock to the time since opened
	due   time.Duration // since opened: when a full count must have come
	noise string        // the last line that was none of the script's
	fault error         // why the stream must end
}

// hear takes in a line, and returns it if the script wrote it.
func (h *hearing) hear(line string) told {
	if line == "" {
		return told{} // the script trying whether anyone listens
	}
	said, err := parseLine(line)
	if err != nil {
		h.noise = clip(line)
		return told{}
	}
	if said.what == "none" {
		h.fault = errors.New(said.cause)
		return said
	}
	now := time.Since(h.opened)
	// No line is older than it looks to the quickest line so far, so a count
	// that was long under way is known to be old.
	if shift := now - said.at; !h.heard || shift < h.shift {
		h.shift = shift
	}
	if !h.heard {
		h.heard = true
		h.due = now + h.login
	}
	if said.what == "full" {
		h.due = now + said.full.next + h.patience
		if age := now - said.at - h.shift; age > said.full.next+h.patience {
			h.fault = fmt.Errorf("counts come %s late", age.Round(time.Second))
		}
		return said
	}
	if now > h.due {
		h.fault = errors.New("the machine answers, but a full count is overdue")
	}
	return said
}

// here is a moment of the machine's clock by the clock of this process. It is
// late by the time the quickest line was under way.
func (h *hearing) here(at time.Duration) time.Time { return h.opened.Add(at + h.shift) }
