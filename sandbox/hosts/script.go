package hosts

import (
	_ "embed" // game.sh
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

//go:embed game.sh
var gameScript string

// furnish writes the machine's directory. What a former world left of logs and pid files is kept, apart from acts.log and
// the faults: a new world starts with a clean record and nothing broken.
func furnish(m Machine, all []Machine, o Options, lease string) error {
	for _, dir := range []string{m.game("run"), m.game("log")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("machine %s: %w", m.Name, err)
		}
	}
	faults := filepath.Join(m.Dir, "faults")
	if err := os.RemoveAll(faults); err != nil {
		return fmt.Errorf("machine %s: %w", m.Name, err)
	}
	if err := os.Mkdir(faults, 0o700); err != nil {
		return fmt.Errorf("machine %s: %w", m.Name, err)
	}
	for _, file := range []struct {
		name, text string
		mode       os.FileMode
	}{
		{"game.sh", gameScript, 0o700},
		{"game.conf", gameConf(m, o, lease), 0o600},
		{"RELEASE", o.Release + "\n", 0o600},
		{"peers", strings.Join(peers(all, m.Group), "\n") + "\n", 0o600},
		{filepath.Join("log", "acts.log"), "", 0o600},
	} {
		if err := os.WriteFile(m.game(file.name), []byte(file.text), file.mode); err != nil {
			return fmt.Errorf("machine %s: %w", m.Name, err)
		}
	}
	return nil
}

// gameConf is what game.sh reads first: assignments, and how to become the game's program.
func gameConf(m Machine, o Options, lease string) string {
	var b strings.Builder
	split := "0"
	if o.Split {
		split = "1"
	}
	for _, v := range [][2]string{
		{"MACHINE", m.Name}, {"GROUP", m.Group}, {"HOST", m.Host},
		{"GATES", joinPorts(m.Gates)}, {"CONNECTORS", joinPorts(m.Connectors)}, {"SPLIT", split},
		{"RUN", m.run()}, {"LEASE", lease},
		{"START_WITHIN", seconds(o.StartWithin, 10*time.Second)}, {"KILL_AFTER", seconds(o.KillAfter, 5*time.Second)},
	} {
		fmt.Fprintf(&b, "%s=%s\n", v[0], quote(v[1]))
	}
	words := []string{quote(o.Binary)}
	for _, arg := range o.Args {
		words = append(words, quote(arg))
	}
	fmt.Fprintf(&b, "program() { exec nohup %s \"$@\"; }\n", strings.Join(words, " "))
	return b.String()
}

// seconds is d in whole seconds, rounded up: sh counts no smaller ones.
func seconds(d, otherwise time.Duration) string {
	if d <= 0 {
		d = otherwise
	}
	return fmt.Sprint(int(math.Ceil(d.Seconds())))
}

// quote makes one word of any text for a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
