package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
)

// outcome is what the next job is told of a command: how it ended, or, while it runs, how it will have ended if it is killed now.
type outcome struct{ result, run, cut, code string }

// pairs are the names that GitHub's outputs have; a dotenv file has them as ROLLOUT_RUN_ID and so on.
func (o outcome) pairs() [][2]string {
	return [][2]string{{"result", o.result}, {"run-id", o.run}, {"sessions-cut", o.cut}, {"exit-code", o.code}}
}

// outlet is a file that has an outcome. It is written whenever the outcome changes, since nobody can write it once this process has been killed.
type outlet func(was, is outcome) error

// githubOutput adds what has changed to the file $GITHUB_OUTPUT: the last value of a name counts, and what others have put there stays. A value stands
// between two lines that nobody can guess, so that none can end early and begin another name.
func githubOutput(path string) outlet {
	return func(was, is outcome) error {
		old := was.pairs()
		var b bytes.Buffer
		for i, p := range is.pairs() {
			if p != old[i] {
				end := "rollout_" + rand.Text()
				fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", p[0], end, p[1], end)
			}
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(b.Bytes())
		return errors.Join(err, f.Close())
	}
}

// dotenv writes a dotenv file as GitLab reads one: NAME=value, without quotes, comments or empty lines. A reader finds the old file or the new one.
func dotenv(path string) outlet {
	return func(_, is outcome) error {
		var b bytes.Buffer
		for _, p := range is.pairs() {
			if p[1] != "" {
				fmt.Fprintf(&b, "ROLLOUT_%s=%s\n", strings.ReplaceAll(strings.ToUpper(p[0]), "-", "_"), strings.Join(strings.Fields(p[1]), "_"))
			}
		}
		return replaceFile(path, b.Bytes())
	}
}
