package remote

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// onceAnswer is what once.sh says, after it has said "wait" any number of times.
type onceAnswer struct {
	// Word is absent, going, finished, rebooted, died; seen, where that was
	// asked; or why nothing was begun: missing, unsafe, failed, fenced, reused, stale.
	word string
	// text is what there is to say about it: of missing the tools, of unsafe
	// what and where, of failed the reason. Not fit for a terminal yet.
	text string

	seen  int64  // of fenced and seen: the highest token
	by    string // of fenced and seen: the id that set it
	begun bool   // of fenced: this very id has begun, earlier

	code     int
	timedOut bool
	left     bool // timed out, and processes of its group are left
	took     time.Duration
	out, err onceOutput
}

// onceOutput is the beginning and the end of a stream.
type onceOutput struct {
	total      int64
	head, tail []byte
}

// String is as excerpt's.
func (o onceOutput) String() string {
	e := excerpt{head: o.head, tail: o.tail, size: o.total}
	return e.String()
}

// errAnswer means that an answer is none that once.sh gives.
var errAnswer = errors.New("not an answer")

// maxSeen is the highest token that is believed when a machine tells it: a
// machine may lie, and from a higher one no number of runs could count on.
const maxSeen = 1 << 53

// maxOnceLine is the longest line of an answer, in bytes.
const maxOnceLine = 1 << 10

// parseOnce reads one answer, calling heard when the machine says that the
// command has begun and is waited for. An answer that ends too early is
// io.ErrUnexpectedEOF, or what the reader says; anything else that is wrong is
// errAnswer. It never holds more than 128 KiB.
func parseOnce(r *bufio.Reader, heard func()) (onceAnswer, error) {
	line, err := onceLine(r)
	for err == nil && line == "wait" {
		heard()
		line, err = onceLine(r)
	}
	if err != nil {
		return onceAnswer{}, err
	}
	a, err := parseWord(line)
	if err != nil {
		return a, err
	}
	switch a.word {
	case "going", "finished", "rebooted", "died":
		if a.out, err = onceStream(r, "out"); err != nil {
			return a, err
		}
		if a.err, err = onceStream(r, "err"); err != nil {
			return a, err
		}
	}
	line, err = onceLine(r)
	if err == nil && line != "end" {
		err = fmt.Errorf("%w: %q for an end", errAnswer, line)
	}
	return a, err
}

// parseWord reads the line that says what is the case.
func parseWord(line string) (a onceAnswer, err error) {
	word, rest, _ := strings.Cut(line, " ")
	a.word = word
	f := strings.Split(rest, " ")
	ok := false
	switch word {
	case "absent", "going", "rebooted", "died", "reused", "stale":
		ok = rest == ""
	case "missing", "unsafe", "failed":
		a.text, ok = rest, strings.TrimSpace(rest) != ""
	case "fenced":
		if len(f) == 3 && plainName(f[1]) && (f[2] == "begun" || f[2] == "new") {
			a.by, a.begun = f[1], f[2] == "begun"
			a.seen, ok = number(f[0], 1<<63-1)
		}
	case "seen":
		if len(f) == 2 && plainName(f[1]) {
			a.by = f[1]
			a.seen, ok = number(f[0], maxSeen)
		}
	case "finished":
		if len(f) == 3 && slices.Contains([]string{"no", "gone", "left"}, f[1]) {
			code, fits := number(f[0], 255)
			took, is := number(f[2], int64(100*365*24*time.Hour/(10*time.Millisecond)))
			a.code, a.took, ok = int(code), time.Duration(took)*10*time.Millisecond, fits && is
			a.timedOut, a.left = f[1] != "no", f[1] == "left"
		}
	}
	if !ok {
		return onceAnswer{}, fmt.Errorf("%w: %q", errAnswer, line)
	}
	return a, nil
}

// onceStream reads one stream: "NAME TOTAL HEAD TAIL", and these many bytes.
func onceStream(r *bufio.Reader, name string) (o onceOutput, err error) {
	line, err := onceLine(r)
	if err != nil {
		return o, err
	}
	f := strings.Split(line, " ")
	if len(f) != 4 || f[0] != name {
		return o, fmt.Errorf("%w: %q for a stream", errAnswer, line)
	}
	total, ok := number(f[1], 1<<62)
	head, is := number(f[2], 2*excerptHalf)
	tail, and := number(f[3], excerptHalf)
	if whole := tail == 0 && head == total; !ok || !is || !and || !whole && (head != excerptHalf || tail != excerptHalf || total <= head+tail) {
		return o, fmt.Errorf("%w: %q for a stream", errAnswer, line)
	}
	both := make([]byte, head+tail)
	if _, err := io.ReadFull(r, both); err != nil {
		return o, early(err)
	}
	o = onceOutput{total, both[:head], both[head:]}
	if line, err = onceLine(r); err == nil && line != "" {
		err = fmt.Errorf("%w: %q after a stream", errAnswer, line)
	}
	return o, err
}

// number reads a decimal as a shell prints it, from 0 to most.
func number(s string, most int64) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && n <= most && strconv.FormatInt(n, 10) == s
}

func onceLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		c, err := r.ReadByte()
		if err != nil {
			return string(line), early(err)
		}
		if c == '\n' {
			return string(line), nil
		}
		if line = append(line, c); len(line) > maxOnceLine {
			return "", fmt.Errorf("%w: a line of more than %d bytes", errAnswer, maxOnceLine)
		}
	}
}

func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
