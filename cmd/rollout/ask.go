package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// confirm asks a question whose default is no. Without a terminal it is an error that names the flag.
func (e *env) confirm(question string) error {
	if err := e.askable(question); err != nil || e.flags.yes {
		return err
	}
	_, _ = fmt.Fprintf(e.stderr, "%s [y/N] ", question)
	answer, err := bufio.NewReader(e.stdin).ReadString('\n')
	if err != nil {
		return refusedf("not confirmed: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return refusedf("not confirmed; nothing was touched")
}

// askable refuses a question that nobody can be asked, and that is not answered by --yes.
func (e *env) askable(question string) error {
	if e.flags.yes || e.terminal && !e.flags.noInput {
		return nil
	}
	return usagef("there is no terminal to ask %q on: answer it with --yes", question)
}

// passphrase gives the question for the passphrase of a key; nil where nobody can answer it.
func (e *env) passphrase() func(string) ([]byte, error) {
	if !e.terminal || e.flags.noInput {
		return nil
	}
	return func(file string) ([]byte, error) {
		f, ok := e.stdin.(*os.File)
		if !ok {
			return nil, errors.New("standard input is no terminal")
		}
		_, _ = fmt.Fprintf(e.stderr, "Passphrase of %s: ", file)
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(e.stderr)
		return b, err
	}
}
