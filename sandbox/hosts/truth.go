package hosts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Truth is what a machine really does, read from the machine itself.
type Truth struct {
	Machine  string
	Group    string
	Running  []int    // pids of the game's processes, ascending
	Serving  []string // the releases they run, each once; more than one after a botched restart
	Release  string   // the release on disk
	Acts     []Act    // every start and stop since the world began, oldest first; the first start is the world's own
	Restarts int      // starts after that first one
}

// Act is one start or stop that somebody began on a machine.
type Act struct {
	At   time.Time // UTC, whole seconds
	Verb string    // start or stop
	Exit int       // the exit code; -1 while it runs, and for one that was killed
}

// Truth reads it of all machines, in their order.
func (h *Hosts) Truth() ([]Truth, error) {
	truths := make([]Truth, len(h.Machines))
	for i, m := range h.Machines {
		t, err := truth(m)
		if err != nil {
			return nil, fmt.Errorf("machine %s: %w", m.Name, err)
		}
		truths[i] = t
	}
	return truths, nil
}

func truth(m Machine) (Truth, error) {
	t := Truth{Machine: m.Name, Group: m.Group}
	release, err := os.ReadFile(m.game("RELEASE"))
	if err != nil {
		return t, err
	}
	t.Release = strings.TrimSpace(string(release))
	if t.Running, err = running(m); err != nil {
		return t, err
	}
	for _, pid := range t.Running {
		t.Serving = append(t.Serving, serving(m, pid)...)
	}
	slices.Sort(t.Serving)
	t.Serving = slices.Compact(t.Serving)
	if t.Acts, err = acts(m); err != nil {
		return t, err
	}
	for _, a := range t.Acts {
		if a.Verb == "start" {
			t.Restarts++
		}
	}
	t.Restarts = max(0, t.Restarts-1)
	return t, nil
}

// Acts reads every start and stop of one machine since the world began, oldest first; the first start is the world's own.
func (h *Hosts) Acts(machine string) ([]Act, error) {
	m, err := h.machine(machine)
	if err != nil {
		return nil, err
	}
	return acts(m)
}

func acts(m Machine) ([]Act, error) {
	log, err := os.ReadFile(m.game("log", "acts.log"))
	if err != nil {
		return nil, err
	}
	return parseActs(string(log)), nil
}

// serving is the release that the process said it runs when it was ready.
func serving(m Machine, pid int) []string {
	files, _ := filepath.Glob(filepath.Join(m.run(), "*."+strconv.Itoa(pid)+".ready")) // errs only for a bad pattern
	var releases []string
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			releases = append(releases, strings.TrimSpace(string(text)))
		}
	}
	return releases
}

// running is the live processes of the machine by its pid files.
func running(m Machine) ([]int, error) {
	files, err := os.ReadDir(m.run())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var pids []int
	for _, file := range files {
		if filepath.Ext(file.Name()) != ".pid" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.run(), file.Name()))
		if err != nil { // game.sh has just removed it
			continue
		}
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil && runs(pid, m.run()) {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// endProcesses kills what runs on the given machines, or on all when none is given, and waits until it is gone.
func (h *Hosts) endProcesses(ctx context.Context, machines ...Machine) error {
	if len(machines) == 0 {
		machines = h.Machines
	}
	for {
		var left []int
		for _, m := range machines {
			pids, err := running(m)
			if err != nil {
				return fmt.Errorf("machine %s: %w", m.Name, err)
			}
			left = append(left, pids...)
		}
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			killHard(pid)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("processes %v still run: %w", left, err)
		}
	}
}

// parseActs reads acts.log: "<time> <verb> <pid of game.sh> begun", and "exit <code>" in place of begun when it ended.
// Lines that say something else are skipped: an operator may write there too.
func parseActs(text string) []Act {
	var acts []Act
	open := map[string]int{} // verb and pid of game.sh → index in acts
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || words[1] != "start" && words[1] != "stop" {
			continue
		}
		at, err := time.Parse(time.RFC3339, words[0])
		if err != nil {
			continue
		}
		key := words[1] + " " + words[2]
		switch {
		case words[3] == "begun":
			open[key] = len(acts)
			acts = append(acts, Act{At: at.UTC(), Verb: words[1], Exit: -1})
		case words[3] == "exit" && len(words) == 5:
			i, begun := open[key]
			if code, err := strconv.Atoi(words[4]); err == nil && begun {
				acts[i].Exit = code
				delete(open, key)
			}
		}
	}
	return acts
}
