package hosts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Fault is the name of a file in a machine's faults directory. While the file is there, the machine's game.sh has the fault;
// its text is the fault's detail. Any of them can be planted from outside by creating the file.
// For those that need no detail, the text "once" means: only the next time.
type Fault string

// What game.sh gets wrong.
const (
	StartFails       Fault = "start-fails"        // start: exit 1, nothing started
	StartHangs       Fault = "start-hangs"        // start: never returns, nothing started
	StartNoop        Fault = "start-noop"         // start: exit 0, nothing started
	StartKeepsOutput Fault = "start-keeps-output" // start: the processes keep the caller's stdout open, as a careless daemon does
	StopFails        Fault = "stop-fails"         // stop: exit 1, nothing stopped
	StopHangs        Fault = "stop-hangs"         // stop: never returns, nothing stopped
	StopNoop         Fault = "stop-noop"          // stop: exit 0, nothing stopped
)

// What the processes get wrong that are started while the file is there.
const (
	SlowStart        Fault = "slow-start"         // they wait before they listen; text: how long, default 3s
	OldRelease       Fault = "old-release"        // they run the release that is the text, whatever RELEASE says
	Crash            Fault = "crash"              // they die at once
	CrashAfter       Fault = "crash-after"        // they die some time after they are ready; text: how long, default 2s
	HangBeforeListen Fault = "hang-before-listen" // they never listen
	Half             Fault = "half"               // they listen on the first half of their ports only, and believe it is all
	Mute             Fault = "mute"               // they accept and never answer
	IgnoreTerm       Fault = "ignore-term"        // they do not end on SIGTERM
)

// Path is what commands over the embedded ssh server, and at the console, find: the text is their PATH, instead of this process' own.
const Path Fault = "path"

// Plant gives the machine a fault; text is its detail and may be empty.
func (h *Hosts) Plant(machine string, f Fault, text string) error {
	m, err := h.machine(machine)
	if err != nil {
		return err
	}
	//nolint:gosec // G703: only the text may be of the environment, not the path
	if err := os.WriteFile(filepath.Join(m.Dir, "faults", string(f)), []byte(text+"\n"), 0o600); err != nil {
		return fmt.Errorf("fault %s on %s: %w", f, machine, err)
	}
	return nil
}

// Clear takes the fault away; taking away what is not there is fine.
func (h *Hosts) Clear(machine string, f Fault) error {
	m, err := h.machine(machine)
	if err != nil {
		return err
	}
	err = os.Remove(filepath.Join(m.Dir, "faults", string(f)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("fault %s on %s: %w", f, machine, err)
	}
	return nil
}

// Spoil lets a tool of the machine, such as awk, fail for every command that is begun from now on over the embedded ssh server: its Path begins
// with a directory that has another one of that name.
func (h *Hosts) Spoil(machine, tool string) error {
	m, err := h.machine(machine)
	if err != nil {
		return err
	}
	bin, text := filepath.Join(m.Dir, "bin"), "#!/bin/sh\necho '"+tool+": spoilt: a planted fault' >&2\nexit 1\n"
	if err = os.MkdirAll(bin, 0o700); err == nil {
		err = os.WriteFile(filepath.Join(bin, tool), []byte(text), 0o700) //nolint:gosec // G306: it must be one that can be run
	}
	if err != nil {
		return fmt.Errorf("tool %s of %s: %w", tool, machine, err)
	}
	return h.Plant(machine, Path, bin+":"+os.Getenv("PATH"))
}
