package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
	"github.com/seed59ee9cdc/rollout/ulb"
)

func TestEachEndHasItsExitCode(t *testing.T) {
	why := errors.New("why")
	for _, tc := range []struct {
		name string
		err  error
		sig  syscall.Signal
		want int
	}{
		{"done", nil, 0, 0},
		{"unexpected", why, 0, 1},
		{"the journal cannot be written", fmt.Errorf("%w: %w", steps.ErrJournal, why), syscall.SIGINT, 1},
		{"wrong flags", usagef("x"), 0, 2},
		{"wrong rollout.yaml", &config.Faults{}, 0, 2},
		{"a check", refusedf("x"), 0, 3},
		{"a gate before anything was touched", &steps.RefusedError{Err: why}, 0, 3},
		{"API key refused", refusedError{fmt.Errorf("balancer: %w", &ulb.AuthError{Err: why})}, 0, 4},
		{"ssh key refused", refusedError{errors.Join(why, &remote.AuthError{})}, 0, 4},
		{"ssh key unusable", refusedError{&remote.KeyError{Err: why}}, 0, 4},
		{"unknown host", &remote.UnknownHostError{}, 0, 4},
		{"locked", fmt.Errorf("x: %w", &journal.LockedError{}), 0, 5},
		{"held, safe", toldError{&steps.HeldError{Safe: true, Err: why}}, 0, 6},
		{"held for a key that was refused", toldError{&steps.HeldError{Safe: true, Err: &ulb.AuthError{Err: why}}}, 0, 6},
		{"paused", toldError{steps.ErrPaused}, 0, 6},
		{"interrupted after something was touched", errors.Join(errTouched, steps.ErrInterrupted), syscall.SIGTERM, 6},
		{"aborted", steps.ErrAborted, 0, 7},
		{"not finished", codeError(8), 0, 8},
		{"held, not proven safe", &steps.HeldError{Err: why}, 0, 9},
		{"interrupted before", steps.ErrInterrupted, syscall.SIGINT, 130},
		{"terminated before", why, syscall.SIGTERM, 143},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := exitCode(tc.err, tc.sig); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestTheDocsShowTheQuestionThatNobodyAnsweredAsItIsSaid(t *testing.T) {
	code, _, said := newDesk(t).types("start", "--ref", "v1.8.2")
	for _, path := range []string{"../../docs/exit-codes.md", "../../docs/zh-CN/exit-codes.md"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "2   $ rollout start --ref v1.8.2 < /dev/null\n    "+said) || code != 2 {
			t.Errorf("%s does not show what is said with exit %d: %s", path, code, said)
		}
	}
}

func TestHelpAndDocsNameTheSameCodes(t *testing.T) {
	b, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	var help, docs []string
	for _, m := range regexp.MustCompile(`(?m)^ +(\d+)  `).FindAllStringSubmatch(exitCodes, -1) {
		help = append(help, m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(string(b), -1) {
		docs = append(docs, m[1])
	}
	if got, want := strings.Join(help, " "), strings.Join(docs, " "); got != want || len(help) != 11 {
		t.Errorf("help has %s, docs have %s", got, want)
	}
}
