package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seed59ee9cdc/rollout/view"
)

// finding is one thing that was looked at before a rollout, and how it was found.
type finding struct {
	Name  string `json:"name"`            // what was looked at: ssh, balancer, …
	Where string `json:"where,omitempty"` // a machine or a backend
	Level string `json:"level"`           // ok, warn, fail
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // what to type, or where to change what; each warn and fail has it
	err   error
}

func (v *survey) ok(name, where, format string, args ...any) {
	v.findings = append(v.findings, finding{Name: name, Where: where, Level: "ok", Text: view.Clean(fmt.Sprintf(format, args...))})
}

func (v *survey) warn(name, where, fix, format string, args ...any) {
	v.findings = append(v.findings, finding{Name: name, Where: where, Level: "warn", Text: view.Clean(fmt.Sprintf(format, args...)), Fix: fix})
}

// fail takes an error in. Where that knows itself what mends it, fix is not heeded.
func (v *survey) fail(name, where, fix string, err error) {
	text, own := unfold(err)
	if own != "" {
		fix = own
	}
	v.findings = append(v.findings, finding{Name: name, Where: where, Level: "fail", Text: view.Clean(text), Fix: view.Clean(fix), err: err})
}

// each adds every error that is joined in err: a warning of pomelo as a warning. Fix is for those that do not know it themselves.
func (v *survey) each(name, fix string, err error) {
	for _, e := range apart(err) {
		v.fail(name, "", fix, e)
		if isWarning(e) {
			v.findings[len(v.findings)-1].Level = "warn"
		}
	}
}

// failed says whether something of that name did.
func (v *survey) failed(name string) bool {
	for _, f := range v.findings {
		if f.Name == name && f.Level == "fail" {
			return true
		}
	}
	return false
}

// err gives everything that failed as one refusal; nil where nothing did.
func (v *survey) err() error {
	var all []error
	for _, f := range v.findings {
		if f.Level == "fail" {
			all = append(all, failure{f})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return refusedError{errors.Join(all...)}
}

// failure is a finding that failed, as an error of two lines.
type failure struct{ finding }

// Error is what is wrong, and below it what mends it.
func (f failure) Error() string {
	s := f.Name
	if f.Where != "" && !strings.HasPrefix(f.Text, f.Where) {
		s += " " + f.Where
	}
	s += ": " + f.Text
	if f.Fix != "" {
		s += "\n  → " + f.Fix
	}
	return s
}

// Unwrap gives what decides the exit code.
func (f failure) Unwrap() error { return f.err }
