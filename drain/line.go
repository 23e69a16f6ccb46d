package drain

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// told is one line of the counting script, see count.sh.
type told struct {
	what  string        // full, gate, none
	at    time.Duration // since the machine's boot: when the count began, or the line was written
	full  full          // of a full line
	cause string        // of a none line
}

// full is a full count on one machine.
type full struct {
	sessions  int           // sockets that are sessions
	sockets   int           // sockets that are established
	listening int           // watched ports that are listening; -1: not known
	cost      time.Duration // processor time it took
	next      time.Duration // when the next one is due, at the latest
	paired    bool          // sessions were told from mere sockets
	by        string        // ss, proc
}

// most is more than a machine can have or wait for, so that sums and products
// of what a machine says cannot overflow.
const most = 1 << 40

// parseLine reads a line of the counting script. Anything else is an error: a
// login's greeting, or half a line.
func parseLine(line string) (told, error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	fields := strings.Fields(rest)
	switch word {
	case "none":
		if len(fields) == 0 {
			return told{}, errors.New("none without a reason")
		}
		return told{what: word, cause: clip(strings.Join(fields, " "))}, nil
	case "gate":
		n, err := numbers(fields, 3)
		if err != nil {
			return told{}, err
		}
		return told{what: word, at: time.Duration(n[2]) * time.Millisecond}, nil
	case "full":
		return parseFull(fields)
	}
	return told{}, fmt.Errorf("not a line of the count: %q", clip(line))
}

// parseFull reads: seq sessions sockets listening cost next at mode tool.
func parseFull(fields []string) (told, error) {
	if len(fields) != 9 {
		return told{}, fmt.Errorf("full with %d fields instead of 9", len(fields))
	}
	n, err := numbers(fields[:7], 7)
	if err != nil {
		return told{}, err
	}
	f := full{
		sessions:  int(n[1]),
		sockets:   int(n[2]),
		listening: int(n[3]),
		cost:      time.Duration(n[4]) * time.Millisecond,
		next:      min(time.Duration(n[5])*time.Millisecond, time.Hour),
		paired:    fields[7] == "paired",
		by:        fields[8],
	}
	if !f.paired && fields[7] != "plain" {
		return told{}, fmt.Errorf("full neither paired nor plain but %q", clip(fields[7]))
	}
	if f.sessions < 0 || f.sessions > f.sockets || f.listening < -1 || f.cost < 0 || f.next < 0 {
		return told{}, errors.New("full with numbers that cannot be")
	}
	return told{what: "full", at: time.Duration(n[6]) * time.Millisecond, full: f}, nil
}

// numbers reads exactly want whole numbers, each small enough to reckon with.
func numbers(fields []string, want int) ([]int64, error) {
	if len(fields) != want {
		return nil, fmt.Errorf("%d numbers instead of %d", len(fields), want)
	}
	n := make([]int64, want)
	for i, f := range fields {
		v, err := strconv.ParseInt(f, 10, 64)
		if err != nil || v > most || v < -most {
			return nil, fmt.Errorf("not a number: %q", clip(f))
		}
		n[i] = v
	}
	return n, nil
}

// clip makes what a machine said short enough to show.
func clip(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "?")
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
