package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run tries every mutant, two at a time, and reports those that live. A word in MUTANT tries only those that have it.
func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	faults := make([]error, len(mutants))
	turns := make(chan struct{}, 2)
	var all sync.WaitGroup
	tried := 0
	for i, m := range mutants {
		if !strings.Contains(m.file+m.bug, os.Getenv("MUTANT")) {
			continue
		}
		tried++
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			began := time.Now()
			by, err := m.try(ctx, filepath.Join(dir, fmt.Sprint(i)))
			word := "killed"
			if faults[i] = err; err != nil {
				word = "ALIVE "
			}
			fmt.Printf("%s %5.1fs  %-18s %s: %s\n", word, time.Since(began).Seconds(), m.file, m.bug, by)
		})
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	fmt.Printf("%d bugs seeded, %d noticed\n", tried, tried)
	return nil
}

// mutant is one bug: old, which is in the file exactly once, becomes young.
type mutant struct {
	bug, file, old, young string
}

// try lays the bug over its file and runs the tests of the code that decides, at first as they are and then with more worlds and more crashes. It
// gives the test that noticed it. The error says that none did, or that they could not be run.
func (m mutant) try(ctx context.Context, dir string) (string, error) {
	code, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(code), m.old); n != 1 {
		return "", fmt.Errorf("%s: %s: the place is there %d times: write it anew in tools/mutants", m.file, m.bug, n)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	path, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	over, list := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: over}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(over, []byte(strings.Replace(string(code), m.old, m.young, 1)), 0o600), os.WriteFile(list, overlay, 0o600)); err != nil { //nolint:gosec // G703: a directory that was made for this
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for _, round := range [][]string{
		{"ROLLOUT_SIM_SEEDS=300", "ROLLOUT_SIM_BAD=1", "ROLLOUT_SIM_GRID=9"},
		{"ROLLOUT_SIM_SEEDS=10000", "ROLLOUT_SIM_BAD=1", "ROLLOUT_SIM_GRID=1", "ROLLOUT_SIM_STRIDE=41"},
	} {
		by, err := noticed(ctx, list, round)
		if by != "" || err != nil {
			return by, err
		}
	}
	return "", fmt.Errorf("%s: %s: no test notices it", m.file, m.bug)
}

// failure is how go test tells a test that fails, and seed how the simulation tells its world.
var (
	failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)|^panic: (.+)`)
	seed    = regexp.MustCompile(`make sim SEED=\d+`)
)

// noticed runs the tests over an overlay and gives the first that fails; empty where none does.
func noticed(ctx context.Context, overlay string, env []string) (string, error) {
	c := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-count=1", "-failfast", "-timeout=8m", "-skip=Artifact|Deploy|Release|ASeedIsOneWorld", "./plans", "./steps")
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case !errors.As(err, &exit), strings.Contains(string(out), "[build failed]"), strings.Contains(string(out), "[setup failed]"):
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	by := "a test"
	if found := failure.FindSubmatch(out); found != nil {
		by = string(found[1]) + string(found[2])
	}
	if world := seed.Find(out); world != nil {
		by += ", " + string(world)
	}
	return by, nil
}
