package hosts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// command is line as a login on the machine runs it: /bin/sh -c, at home in the machine's directory, in a process group of
// its own. An empty line is a shell that reads its commands from stdin.
func command(m Machine, line string, env ...string) *exec.Cmd {
	cmd := exec.Command("/bin/sh")
	if line != "" {
		cmd.Args = append(cmd.Args, "-c", line)
	}
	cmd.Dir = m.Dir
	path := os.Getenv("PATH")
	if text, err := os.ReadFile(filepath.Join(m.Dir, "faults", string(Path))); err == nil {
		path = strings.TrimSpace(string(text))
	}
	cmd.Env = append([]string{
		"HOME=" + m.Dir, "PWD=" + m.Dir, "SANDBOX_MACHINE=" + m.Name,
		"USER=sandbox", "LOGNAME=sandbox", "SHELL=/bin/sh", "PATH=" + path,
	}, env...)
	ownGroup(cmd)
	return cmd
}

// Act runs `game.sh <verb>` (start, stop or status) at the machine's own console, without ssh, and returns what it said on
// stdout and stderr together. An exit code other than 0 is an error that holds the last line of that.
// When ctx ends the script is killed; what it started lives on.
func (h *Hosts) Act(ctx context.Context, machine, verb string) (string, error) {
	m, err := h.machine(machine)
	if err != nil {
		return "", err
	}
	cmd := command(m, "cd game && exec ./game.sh "+quote(verb))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second // a process may keep our pipe open: a planted fault
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("%s on %s: %w", verb, machine, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = signalGroup(cmd.Process.Pid, "KILL") })
	defer stop()
	if err := cmd.Wait(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return said.String(), fmt.Errorf("%s on %s: %w: %s", verb, machine, err, lines[len(lines)-1])
	}
	return said.String(), nil
}
