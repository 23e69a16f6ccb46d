package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// leastFree is the room without which no run should begin: a run of 300 machines writes a few MiB.
const leastFree = 16 << 20

// leastFiles is how many more files the filesystem must take: a run makes one for each machine and a few of its own.
const leastFiles = 1000

// Flaw is something that makes a state directory, or a file in it, a poor place for a journal.
type Flaw struct {
	What  string // what is wrong, and where
	Fix   string // what to type, or which setting to change
	Fatal bool   // no run may begin there
}

// Error is both.
func (f *Flaw) Error() string { return f.What + "; " + f.Fix }

// Flaws gives what is wrong with dir, and makes nothing; dir need not exist yet. Fatal are what Lock refuses (a symbolic link, another
// owner, what others may write or put another in the place of, what cannot be made) and a filesystem with less than 16 MiB or 1000 files left; the rest is a network
// filesystem, or one in memory. On systems other than Linux nothing is known of the filesystem.
func Flaws(dir string) []*Flaw {
	var fs []*Flaw
	for _, err := range []error{guardDir(dir), guardFile(filepath.Join(dir, "lock"))} {
		var f *Flaw
		if errors.As(err, &f) {
			fs = append(fs, f)
		}
	}
	if len(fs) > 0 {
		return fs
	}
	at := there(dir)
	if err := writable(at); err != nil {
		return []*Flaw{{What: fmt.Sprintf("state directory %s: nothing can be made in %s: %v", dir, at, err), Fix: "use --state-dir with a directory of your own", Fatal: true}}
	}
	return misgivings(at)
}

// there gives dir, or where it does not exist the nearest directory above it that does.
func there(dir string) string {
	for {
		_, err := os.Stat(dir)
		up := filepath.Dir(dir)
		if err == nil || up == dir {
			return dir
		}
		dir = up
	}
}

// unusable is the flaw of a state directory that cannot be made or read.
func unusable(dir string, err error) error {
	return &Flaw{What: fmt.Sprintf("state directory %s: %v", dir, err), Fix: "use --state-dir with a directory of your own", Fatal: true}
}

// guardDir refuses a state directory that is not one, that others could change, or in whose place others could put another. One that does not
// exist is fine.
func guardDir(dir string) error {
	flaw := func(what, fix string) error {
		return &Flaw{What: fmt.Sprintf("state directory %s: %s", dir, what), Fix: fix, Fatal: true}
	}
	if err := guardAbove(dir); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unusable(dir, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return flaw("it is a symbolic link", "use --state-dir with the directory itself")
	case !info.IsDir():
		return flaw("it is not a directory", "use --state-dir with another one")
	}
	return guard("state directory "+dir, dir, info)
}

// guardFile refuses a file of the state directory that is a link, or that others could change. One that does not exist is fine.
func guardFile(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil: // told when it is opened, if that is not possible then
		return nil
	case !info.Mode().IsRegular():
		return &Flaw{What: path + ": it is no plain file", Fix: "rm " + path + ", after looking at what it is and who made it", Fatal: true}
	}
	return guard(path, path, info)
}
