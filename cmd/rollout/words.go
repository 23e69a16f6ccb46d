package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// mayBeEmpty marks a flag whose empty value has a meaning.
const mayBeEmpty = "may-be-empty"

// given refuses a flag that was given without a value, as a script does whose variable is not set: --ref "$TAG" must not come to a rollout
// that brings no release.
func given(flags *pflag.FlagSet) error {
	var empty []error
	flags.Visit(func(f *pflag.Flag) {
		_, may := f.Annotations[mayBeEmpty]
		nothing := f.Value.Type() == "string" && f.Value.String() == "" || f.Value.Type() == "stringSlice" && f.Value.String() == "[]"
		if nothing && !may {
			empty = append(empty, usagef("--%s is given and empty: give it a value or leave it out", f.Name))
		}
	})
	if len(empty) == 0 {
		return nil
	}
	return usageError{errors.Join(empty...)}
}

// wrongValue says in our words what pflag says in strconv's.
func wrongValue(err error) error {
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return usageError{err}
	}
	want := map[string]string{"int": "a whole number", "bool": "true or false", "duration": "a duration such as 6s"}[bad.GetFlag().Value.Type()]
	if want == "" {
		return usageError{err}
	}
	return usagef("--%s %s is not %s", bad.GetFlag().Name, word(bad.GetValue()), want)
}

// word shows a word of the command line in a message, cut to a readable length.
func word(s string) string {
	if len(s) > 60 {
		s = s[:57] + "..."
	}
	return strconv.Quote(s)
}

var (
	runWord = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)
	refWord = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+@:/=~^-]{0,127}$`)
)

// checkRun refuses what cannot be the id of a run. It becomes the name of a directory.
func checkRun(flag, id string) error {
	if id != "" && !runWord.MatchString(id) {
		return usagef("%s %s is not the id of a run: it has up to 64 letters, digits and . _ - and begins with none of . and -; `rollout history` lists them", flag, word(id))
	}
	return nil
}

// checkRef refuses what cannot be a release: a tag, a branch, a commit, an image. The deploy line passes it on to other programs, which must not
// take it for a flag or leave their directory by it.
func checkRef(flag, ref string) error {
	if ref != "" && (!refWord.MatchString(ref) || strings.Contains(ref, "..")) {
		return usagef("%s %s is not a release: it has up to 128 letters, digits and . _ + - @ : / = ~ ^, begins with a letter, a digit or _, and has no .. in it", flag, word(ref))
	}
	return nil
}
