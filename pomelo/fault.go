package pomelo

import (
	"errors"
	"fmt"
	"slices"
)

// ErrThrows is inside the Fault of what makes Pomelo itself throw while it
// reads its configuration: nothing would start, and `pomelo start -D` would
// still exit 0.
var ErrThrows = errors.New("pomelo throws at its start")

// Fault is one thing wrong with a group's configuration, and where. Read and
// Check join them: errors.As finds one, the Unwrap() []error of the joined
// error lists them all.
type Fault struct {
	// File is the path below the application's directory: config/servers.json.
	File string
	// Line and Column of the field, or of the entry that lacks it; from 1, the
	// column in bytes. 0 is the whole file.
	Line, Column int
	// Field is the key at fault, "" where it is no single one.
	Field string
	// Err is a sentence without the place.
	Err error
}

// Error is "file:line:column: field: sentence".
func (f *Fault) Error() string {
	s := f.File
	if f.Line > 0 {
		s += fmt.Sprintf(":%d:%d", f.Line, f.Column)
	}
	if f.Field != "" {
		s += ": " + f.Field
	}
	return s + ": " + f.Err.Error()
}

// Unwrap gives errors.Is the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Advice is an error whose sentence ends in what mends it.
type Advice struct {
	What string // what is wrong, and where
	Fix  string // what to type or to change there
}

// Error is both.
func (a *Advice) Error() string { return a.What + ": " + a.Fix }

// advise makes an Advice of a sentence that ends in ": " and what mends it.
func advise(fix, format string, args ...any) error {
	return &Advice{fmt.Sprintf(format, args...), fix}
}

// Warning is a sentence worth reading that need not stop a rollout.
type Warning struct{ Err error }

// Error is the sentence.
func (w *Warning) Error() string { return w.Err.Error() }

// Unwrap gives errors.Is the cause.
func (w *Warning) Unwrap() error { return w.Err }

// faults collects what is wrong, the first fault of each field only: the eight
// clones of one entry make the same mistake eight times.
type faults struct {
	all  []error
	seen map[Fault]bool
}

func (fs *faults) add(file string, at place, field, format string, args ...any) {
	key := Fault{File: file, Line: at.line, Column: at.column, Field: field}
	if file != "" && at.line > 0 && fs.seen[key] {
		return
	}
	if fs.seen == nil {
		fs.seen = map[Fault]bool{}
	}
	fs.seen[key] = true
	f := key
	f.Err = fmt.Errorf(format, args...)
	fs.all = append(fs.all, &f)
}

func (fs *faults) join() error { return errors.Join(fs.all...) }

// Differs is something that should be alike on all machines and is not.
type Differs struct {
	// What it is: "code" and "packages" are what a deploy brings, and with it the
	// "directory" of a release; the rest is not.
	What string
	Err  error
}

// Error is the sentence.
func (d *Differs) Error() string { return d.What + ": " + d.Err.Error() }

// Unwrap gives errors.Is the cause.
func (d *Differs) Unwrap() error { return d.Err }

// Tolerate turns what differs and what a deploy makes alike into a Warning.
func Tolerate(err error) error {
	var all []error
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	for _, e := range joined.Unwrap() {
		if d, ok := errors.AsType[*Differs](e); ok && slices.Contains([]string{"code", "packages", "directory"}, d.What) {
			e = &Warning{e}
		}
		all = append(all, e)
	}
	return errors.Join(all...)
}
