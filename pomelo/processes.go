package pomelo

import (
	_ "embed"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed processes.sh
var processesScript string

//go:embed status.sh
var statusScript string

// Running is a process of the application that was found on a machine.
type Running struct {
	PID int
	// Age is since it was started, by its machine's own clock; a hundredth of a
	// second is the finest.
	Age time.Duration
	// User is whose it is: a name, or a number that has none there.
	User string
	// State is the kernel's letter: S and R as a rule, T stopped, D stuck.
	State string
	// ID is its id at the master, and for the master that of master.json. A
	// `pomelo start -i ID` that has not ended yet is "start:ID".
	ID string
	// Type is its server type, master for the master, start for a `pomelo
	// start` of one id or type.
	Type string
	// Script is the path of its app.js as it was started with: it tells the
	// release.
	Script string
}

// where is what tells the application's processes from all others.
type where struct {
	dir, root string
	master    string // the id that the master is shown with
}

// settings are the first lines of a script that looks for processes; only is a
// word of the shell.
func (w where) settings(only string, grace time.Duration) string {
	dir, root := path.Clean(w.dir), ""
	rest := ""
	if w.root != "" {
		root, rest = path.Clean(w.root), inRelease(dir, w.root)
	}
	return fmt.Sprintf("dir=%s\nroot=%s\nrest=%s\nmaster=%s\nonly=%s\ngrace=%d\n",
		quote(dir), quote(root), quote(rest), quote(w.master), only, int((grace+time.Second-1)/time.Second))
}

// inRelease is the part of dir below a release or below current, with its
// slash: "/game-server", "" for the release itself. "/" stands for one that only
// the machine knows, by its links.
func inRelease(dir, root string) string {
	below, ok := strings.CutPrefix(dir+"/", path.Clean(root)+"/")
	if !ok {
		return "/"
	}
	below = strings.TrimPrefix(below, "releases/")
	_, rest, _ := strings.Cut(strings.TrimSuffix(below, "/"), "/")
	if rest == "" {
		return ""
	}
	return "/" + rest
}

// table is the line that prints the application's processes on a machine, for
// ParseProcesses. It exits 0 while there are any, 1 for none, and 2 with a
// sentence on stderr where that cannot be told.
func (w where) table() string {
	return "# the processes of the Pomelo application on this machine\n" + w.settings("", 0) + squeeze(processesScript+statusScript)
}

// ErrCutShort is inside the error about output that is not all there.
var ErrCutShort = errors.New("the output is not complete")

// ParseProcesses reads what the status line of a Recipe prints on one machine.
// The error is for output that is not such a table, or not a whole one.
func ParseProcesses(out string) ([]Running, error) {
	var all []Running
	ended := false
	for line := range strings.Lines(out) {
		line, whole := strings.CutSuffix(line, "\n")
		f := strings.Split(line, "\t")
		switch {
		case ended || !whole:
			return nil, fmt.Errorf("process table: %q: %w", short(line), ErrCutShort)
		case f[0] == "process" && len(f) == 8:
			pid, err := strconv.Atoi(f[1])
			age, err2 := strconv.ParseInt(f[2], 10, 43)
			if err != nil || err2 != nil || pid < 1 || age < 0 {
				return nil, fmt.Errorf("process table: %q: no pid and age", short(line))
			}
			all = append(all, Running{PID: pid, Age: time.Duration(age) * time.Millisecond,
				User: f[3], State: f[4], ID: f[5], Type: f[6], Script: f[7]})
		case f[0] == "end" && len(f) == 2:
			if f[1] != strconv.Itoa(len(all)) {
				return nil, fmt.Errorf("process table: %d processes of %q: %w", len(all), short(f[1]), ErrCutShort)
			}
			ended = true
		default:
			return nil, fmt.Errorf("process table: %q is no line of it", short(line))
		}
	}
	if !ended {
		return nil, fmt.Errorf("process table: no end: %w", ErrCutShort)
	}
	return all, nil
}
