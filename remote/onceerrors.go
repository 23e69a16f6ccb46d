package remote

import (
	"fmt"
	"strings"
	"time"
)

// FencedError means that the machine has been commanded with a higher token
// meanwhile, and begins nothing for this one.
type FencedError struct {
	Host  string
	Token int64  // the one refused
	Seen  int64  // the highest
	By    string // the ID that came with it
	Begun bool   // the very same ID has begun, earlier
}

func (e *FencedError) Error() string {
	s := fmt.Sprintf("%s: refused: somebody newer has taken over: token %d by %s, ours is %d", e.Host, e.Seen, printable(e.By), e.Token)
	if e.Begun {
		s += "; this command had begun before that"
	}
	return s
}

// ReusedError means that the ID had begun with another line or directory.
type ReusedError struct{ Host, ID string }

func (e *ReusedError) Error() string {
	return fmt.Sprintf("%s: %s has begun there with another command: an id stands for one command", e.Host, e.ID)
}

// StaleError means that the command had not begun when Once.Fresh was over.
type StaleError struct {
	Host, Line string
	After      time.Duration
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s: not begun within %s, and then no more%s", e.Host, e.After.Round(time.Millisecond), ran(e.Line))
}

// LostOnMachineError means that the command began, and nobody will ever know how
// it ended.
type LostOnMachineError struct {
	Host, Line string
	Why        string // "rebooted" or "died"
}

func (e *LostOnMachineError) Error() string {
	how := "what watched over the command was killed"
	if e.Why == "rebooted" {
		how = "the machine was rebooted while the command ran"
	}
	return e.Host + ": " + how + "; its outcome will never be known" + ran(e.Line)
}

// MissingToolError means that the machine lacks what Once needs there.
type MissingToolError struct {
	Host  string
	Tools []string
}

func (e *MissingToolError) Error() string {
	s := fmt.Sprintf("%s: missing there: %s", e.Host, strings.Join(e.Tools, ", "))
	for _, tool := range e.Tools {
		if tool == "flock" || tool == "setsid" {
			return s + " (flock and setsid are of the package util-linux)"
		}
	}
	return s
}

// UnsafeDirError means that a directory on the machine is not the user's alone.
type UnsafeDirError struct{ Host, Path, Why string }

func (e *UnsafeDirError) Error() string {
	hint := map[string]string{
		"symlink": "it is a symbolic link: remove it",
		"owner":   "it belongs to somebody else: remove it",
		"mode":    "others may get into it: chmod 700 it",
		"closed":  "it cannot be entered",
	}[e.Why]
	return fmt.Sprintf("%s: %s: %s", e.Host, e.Path, or(hint, e.Why))
}

// AnswerError means that the machine answered something else than it should.
type AnswerError struct{ Host, Said string }

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s: no sense in what it answers: %s", e.Host, short(e.Said, 200))
}

// refusal returns the error of an answer that says why nothing was begun or
// could be seen; nil for any other.
func (o Once) refusal(host string, a onceAnswer) error {
	switch a.word {
	case "missing":
		return &MissingToolError{host, strings.Fields(printable(a.text))}
	case "unsafe":
		why, path, _ := strings.Cut(a.text, " ")
		return &UnsafeDirError{host, short(path, 300), short(why, 20)}
	case "failed":
		return fmt.Errorf("%s: cannot begin: %s%s", host, short(a.text, 300), ran(o.Line))
	case "fenced":
		return &FencedError{host, o.Token, a.seen, a.by, a.begun}
	case "reused":
		return &ReusedError{host, o.ID}
	case "stale":
		return &StaleError{host, o.Line, o.Fresh}
	}
	return nil
}
