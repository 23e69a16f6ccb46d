package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

var (
	// ErrClosed means that the pool was closed.
	ErrClosed = errors.New("connections are closed")
	// ErrForwarding means that sshd there forbids TCP forwarding.
	ErrForwarding = errors.New("sshd forbids forwarding (AllowTcpForwarding, PermitOpen)")
	// ErrProxyCommand means that ssh_config wants a ProxyCommand for the machine.
	ErrProxyCommand = errors.New("ssh_config sets ProxyCommand, which is never run here: use ProxyJump, or ssh.proxy")
	// ErrExitMissing means that a command ended and sshd did not say how.
	ErrExitMissing = errors.New("ended without an exit status")
)

// During is what was under way when the time was over.
type During string

// What can take too long.
const (
	Dialing     During = "dial"
	Handshaking During = "handshake"
	Opening     During = "session"
	Running     During = "command"
)

// TimeoutError says what took too long, where. It is a
// context.DeadlineExceeded.
type TimeoutError struct {
	Host, Addr string // Addr is host:port, empty for During Running
	During     During
	Line       string        // of the command, when there is one
	After      time.Duration // how long it was given
	Left       bool          // the command's processes may still be there
}

func (e *TimeoutError) Error() string {
	where := e.Host
	if e.Addr != "" && !strings.HasPrefix(e.Addr, e.Host+":") {
		where += " (" + e.Addr + ")"
	}
	return fmt.Sprintf("%s: %s timed out after %s%s%s", where, e.During, e.After.Round(time.Millisecond), ran(e.Line), left(e.Left))
}

// Unwrap makes a TimeoutError a context.DeadlineExceeded.
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// StoppedError means that the caller gave the command up while it ran.
type StoppedError struct {
	Host, Line string
	Left       bool  // the command's processes may still be there
	Cause      error // usually context.Canceled
	Begun      bool  // it is a Once that has begun and is left running
}

func (e *StoppedError) Error() string {
	if e.Begun {
		return fmt.Sprintf("%s: no longer waited for: %v; the command runs on%s", e.Host, e.Cause, ran(e.Line))
	}
	return fmt.Sprintf("%s: command stopped: %v%s%s", e.Host, e.Cause, ran(e.Line), left(e.Left))
}

// Unwrap returns Cause.
func (e *StoppedError) Unwrap() error { return e.Cause }

// LostError means that the connection ended while the command ran. The command
// probably ran on, so nothing is known of its outcome.
type LostError struct {
	Host, Line string
	Err        error // what kept Once from asking again; else nil
}

func (e *LostError) Error() string {
	s := fmt.Sprintf("%s: connection lost while the command ran; it may have run to its end%s", e.Host, ran(e.Line))
	if e.Err != nil {
		s += "; since then: " + e.Err.Error()
	}
	return s
}

// Unwrap returns Err.
func (e *LostError) Unwrap() error { return e.Err }

// ExitError means that the command ended, and not well.
type ExitError struct {
	Host, Line string
	Code       int    // -1 when there was none
	Signal     string // the signal that ended the shell, as "KILL", else empty
	Tail       string // the last 4 KiB of stderr, of stdout if that was empty
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit %d", e.Code)
	switch {
	case e.Signal != "":
		how = "killed by SIG" + printable(e.Signal)
	case e.Code < 0:
		how = ErrExitMissing.Error()
	case e.Code > 128 && e.Code < 128+65:
		how += fmt.Sprintf(" (signal %d)", e.Code-128)
	}
	if last := lastLine(e.Tail); last != "" {
		how += ": " + last
	}
	return e.Host + ": " + how + ran(e.Line)
}

// Unwrap returns ErrExitMissing where there was neither code nor signal.
func (e *ExitError) Unwrap() error {
	if e.Code < 0 && e.Signal == "" {
		return ErrExitMissing
	}
	return nil
}

// UnknownHostError means that no known_hosts file has a key for the machine.
type UnknownHostError struct {
	Host, Addr        string // Addr as host:port
	Type, Fingerprint string // of the key it showed: "ssh-ed25519", "SHA256:…"
	Hint              string // the command to type
}

func (e *UnknownHostError) Error() string {
	return fmt.Sprintf("%s: host key of %s is unknown: %s %s (to trust it: %s)", e.Host, e.Addr, e.Type, e.Fingerprint, e.Hint)
}

// ChangedHostError means that the machine showed another key than the known one.
type ChangedHostError struct {
	Host, Addr        string
	Type, Fingerprint string   // of the key it showed
	Known             []string // file:line of the keys expected
	Hint              string
}

func (e *ChangedHostError) Error() string {
	return fmt.Sprintf("%s: host key of %s has CHANGED: it shows %s %s, not the key at %s: somebody may be listening (%s)",
		e.Host, e.Addr, e.Type, e.Fingerprint, strings.Join(e.Known, ", "), e.Hint)
}

// RevokedHostError means that the key shown is marked @revoked.
type RevokedHostError struct {
	Host, Addr        string
	Type, Fingerprint string
	Known             string // file:line of the mark
}

func (e *RevokedHostError) Error() string {
	return fmt.Sprintf("%s: host key of %s is revoked: %s %s, at %s", e.Host, e.Addr, e.Type, e.Fingerprint, e.Known)
}

// AuthError means that the machine let none of our keys in.
type AuthError struct {
	Host, User string
	Tried      []string // each key, with what kept it from being used if so
	Err        error    // of the ssh library
}

func (e *AuthError) Error() string {
	tried := "there was no key to offer"
	if len(e.Tried) > 0 {
		tried = "tried " + strings.Join(e.Tried, ", ")
	}
	s := fmt.Sprintf("%s: login as %s refused: %s", e.Host, e.User, tried)
	if e.Err != nil && !strings.Contains(e.Err.Error(), "unable to authenticate") {
		s += ": " + printable(e.Err.Error())
	}
	return s
}

// Unwrap returns Err.
func (e *AuthError) Unwrap() error { return e.Err }

// ClosedPortError means that a machine has tried one of the ports that it
// reaches, and was refused. Nothing else means it: a login that is refused says
// nothing of the port.
type ClosedPortError struct {
	Host, Addr string // Addr as seen from Host
	Said       string // by sshd there
}

func (e *ClosedPortError) Error() string {
	return fmt.Sprintf("%s: dial %s from there: %s", e.Host, e.Addr, e.Said)
}

// MayHaveRun reports whether the command behind err, an error of Run or Once,
// can have begun. False is certain: it was never sent, or refused. True may mean
// that it still runs.
func MayHaveRun(err error) bool {
	var exit *ExitError
	var lost *LostError
	var stopped *StoppedError
	var timeout *TimeoutError
	var outcome *LostOnMachineError
	var answer *AnswerError
	var fenced *FencedError
	return errors.As(err, &exit) || errors.As(err, &lost) || errors.As(err, &stopped) ||
		errors.As(err, &outcome) || errors.As(err, &answer) ||
		errors.As(err, &timeout) && timeout.During == Running ||
		errors.As(err, &fenced) && fenced.Begun
}

func ran(line string) string {
	if line == "" {
		return ""
	}
	return " (ran: " + short(line, 120) + ")"
}

func left(is bool) string {
	if is {
		return "; its processes may still be there"
	}
	return ""
}

// lastLine returns the last line of s that says anything, at most 200
// characters of it.
func lastLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		if last := strings.TrimSpace(printable(lines[i])); last != "" {
			return short(last, 200)
		}
	}
	return ""
}

// short returns the first n characters of s, fit for one line.
func short(s string, n int) string {
	r := []rune(strings.TrimSpace(printable(s)))
	if len(r) <= n {
		return string(r)
	}
	return string(r[:n]) + "…"
}

// printable makes text of a machine safe to show on a terminal: no control
// characters, which could move the cursor or hide what came before.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}
