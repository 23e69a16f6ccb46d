package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/notify"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
	"github.com/seed59ee9cdc/rollout/ulb"
	"github.com/seed59ee9cdc/rollout/view"
)

// exitCodes is printed in the help of every command that can end so, and in docs/exit-codes.md.
const exitCodes = `Exit codes:
    0  done, or nothing to do
    1  unexpected error; see ` + "`rollout status`" + `
    2  wrong flags or wrong rollout.yaml; nothing was touched
    3  refused by a check; nothing was touched
    4  credentials refused (API key, ssh); nothing was touched
    5  another rollout holds the lock
    6  stopped part-way, safe: a healthy group takes the traffic; resume or abort
    7  put back: the old state serves
    8  not finished (status --exit-code), or changes to come (plan --exit-code)
    9  held part-way, not proven safe: call a person now
  130  interrupted (143: terminated) before anything was touched`

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// refusedError is a check that did not pass, before anything was touched.
type refusedError struct{ error }

func (r refusedError) Unwrap() error { return r.error }

func refusedf(format string, args ...any) error { return refusedError{fmt.Errorf(format, args...)} }

// codeError carries an exit code that is a result and no error: nothing is printed for it.
type codeError int

func (c codeError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// toldError is an error that the summary has told the user already.
type toldError struct{ error }

func (t toldError) Unwrap() error { return t.error }

// errorDoc is an error for programs, on standard error.
type errorDoc struct {
	Error    string `json:"error"`
	ExitCode int    `json:"exit_code"`
	Schema   string `json:"schema"`
}

// exit prints an error that has not been told and gives the exit code. It is the only place that knows the codes.
func (e *env) exit(err error, sig syscall.Signal) int {
	code := exitCode(err, sig)
	var told toldError
	var silent codeError
	if err == nil || errors.As(err, &told) || errors.As(err, &silent) {
		e.ci.leave(err, code, "")
		return code
	}
	text := view.Clean(err.Error()) // a word of the command line, of a file or of a machine may be in it
	said := "rollout: " + text + "\n"
	if h := hint(err, code); h != "" {
		said += "  " + h + "\n"
	}
	if e.flags.json || e.flags.output == "json" || e.flags.output == "jsonl" {
		_ = writeJSON(e.stderr, errorDoc{Schema: "rollout.error/v1", Error: text, ExitCode: code}, "")
	} else {
		_, _ = io.WriteString(e.stderr, said)
	}
	e.ci.leave(err, code, said)
	return code
}

func exitCode(err error, sig syscall.Signal) int {
	var (
		code    codeError
		usage   usageError
		faults  *config.Faults
		locked  *journal.LockedError
		held    *steps.HeldError
		refused *steps.RefusedError
		check   refusedError
		flaw    *journal.Flaw
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage), errors.As(err, &faults):
		return 2
	case errors.As(err, &locked):
		return 5
	case errors.As(err, &held) && held.Safe:
		return 6
	case errors.As(err, &held):
		return 9
	case errors.Is(err, steps.ErrPaused), errors.Is(err, errTouched):
		return 6
	case errors.Is(err, steps.ErrAborted):
		return 7
	case sig != 0 && !errors.Is(err, steps.ErrJournal):
		return 128 + int(sig)
	case credentials(err):
		return 4
	case errors.As(err, &refused), errors.As(err, &check), errors.As(err, &flaw):
		return 3
	}
	return 1
}

// errTouched marks a run that a signal ended after something had been touched.
var errTouched = errors.New("a run can be resumed")

// credentials says whether somebody refused who we are, or we refused who they are.
func credentials(err error) bool {
	var api *ulb.AuthError
	var login *remote.AuthError
	var key *remote.KeyError
	var unknown *remote.UnknownHostError
	var changed *remote.ChangedHostError
	var revoked *remote.RevokedHostError
	var untold *notify.RefusedError
	return errors.As(err, &api) || errors.As(err, &login) || errors.As(err, &key) || errors.As(err, &unknown) || errors.As(err, &changed) || errors.As(err, &revoked) ||
		errors.Is(err, steps.ErrDenied) || errors.As(err, &untold) && untold.Denied
}

// hint gives the command to type next; empty where the error says it, or nobody knows.
func hint(err error, code int) string {
	var missing *ulb.NotFoundError
	var looked failure
	var damaged *journal.CorruptError
	switch {
	case errors.As(err, &looked): // it has its own
	case errors.As(err, &damaged):
		return "nothing was done on the strength of it; docs/journal.md says how to go on, under \"When it is refused\""
	case errors.As(err, &missing):
		return "compare ulb.id, ucloud.region and ucloud.project_id with the console"
	case code == 5:
		return "to watch it: rollout status"
	}
	return ""
}
