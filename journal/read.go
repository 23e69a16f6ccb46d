package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/seed59ee9cdc/rollout/plans"
)

// CorruptError says that a journal is not as it was written. Nothing may be done on the strength of it; see docs/journal.md.
type CorruptError struct {
	Path   string
	Line   int   // 1 is the first
	Offset int64 // of the line's first byte; every byte before it is good
	Reason string
}

// Error names the first line that is not as it was written.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("journal %s: line %d, at byte %d, is damaged: %s", e.Path, e.Line, e.Offset, e.Reason)
}

// VersionError says that a journal was written by a newer rollout.
type VersionError struct {
	Path    string
	Version int
}

// Error names the version that is needed.
func (e *VersionError) Error() string {
	return fmt.Sprintf("journal %s: it has format version %d and this rollout reads up to %d; use the rollout that wrote it, or a newer one",
		e.Path, e.Version, plans.Version)
}

// Read gives the events of a run, oldest first. It needs no lock and may be called while the run goes on; a last line that is not
// whole yet is left out. At the first damage it stops with a [*CorruptError], or a [*VersionError] where a newer rollout has
// written, and gives the events before it as well. An error that wraps fs.ErrNotExist: there is no such run.
func Read(dir, id string) ([]plans.Event, error) {
	f, c, err := look(dir, id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []plans.Event
	err = c.readAll(f, func(e plans.Event) bool {
		events = append(events, e)
		return true
	})
	return events, err
}

// look opens the journal of a run for reading.
func look(dir, id string) (*os.File, chain, error) {
	if err := checkName("run", id); err != nil {
		return nil, chain{}, err
	}
	path := journalPath(dir, id)
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, chain{}, fmt.Errorf("run %s: %w", id, err)
	}
	return f, start(path), nil
}

// readAll is read, and looks at what the last line without a newline is.
func (c *chain) readAll(f io.ReaderAt, yield func(plans.Event) bool) error {
	tail, err := c.read(f, yield)
	if err != nil {
		return err
	}
	if c.line == 0 { // a run is moved into place with its first event: it has been there
		return c.corrupt("its first line is gone, or a part of it")
	}
	if len(tail) == 0 {
		return nil
	}
	// A write that broke off leaves a part of a record. A whole record and one byte more is a record whose newline was changed,
	// and it may have been acknowledged.
	after := *c
	if _, err := after.take(tail[:len(tail)-1]); err == nil {
		return c.corrupt("its newline is damaged")
	}
	return nil
}

// read yields the events of the whole lines from c on and leaves c behind the last one yielded. It gives the bytes after the last
// newline: a record being written, or one whose writing broke off.
func (c *chain) read(f io.ReaderAt, yield func(plans.Event) bool) ([]byte, error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, c.off, math.MaxInt64-c.off), 1<<16)
	for {
		line, err := nextLine(r)
		switch {
		case errors.Is(err, io.EOF):
			return line, nil
		case errors.Is(err, bufio.ErrTooLong):
			return nil, c.corrupt(fmt.Sprintf("it is longer than %d bytes", longest))
		case err != nil:
			return nil, fmt.Errorf("journal: %w", err)
		}
		e, err := c.take(line[:len(line)-1])
		if err != nil {
			return nil, err
		}
		if !yield(e) {
			return nil, nil
		}
	}
}

// nextLine gives a line with its newline; with io.EOF, what there is after the last one. It never keeps more than longest bytes.
func nextLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > longest {
			return nil, bufio.ErrTooLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
