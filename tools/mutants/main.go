package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// run tries every mutant, two at a time, and reports those that live.
func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	faults := make([]error, len(mutants))
	turns := make(chan struct{}, 2)
	var all sync.WaitGroup
	for i, m := range mutants {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			began := time.Now()
			faults[i] = m.try(ctx, filepath.Join(dir, fmt.Sprint(i)))
			word := "killed"
			if faults[i] != nil {
				word = "ALIVE "
			}
			fmt.Printf("%s %5.1fs  %-18s %s\n", word, time.Since(began).Seconds(), m.file, m.bug)
		})
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	fmt.Printf("%d bugs seeded, %d noticed\n", len(mutants), len(mutants))
	return nil
}

// mutant is one bug: old, which is in the file exactly once, becomes young.
type mutant struct {
	bug, file, old, young string
}

// try lays the bug over its file and runs the tests of the code that decides. The error says that they did not notice it, or could not be run.
func (m mutant) try(ctx context.Context, dir string) error {
	code, err := os.ReadFile(m.file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(code), m.old); n != 1 {
		return fmt.Errorf("%s: %s: the place is there %d times: write it anew in tools/mutants", m.file, m.bug, n)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	path, err := filepath.Abs(m.file)
	if err != nil {
		return err
	}
	over, list := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: over}})
	if err != nil {
		return err
	}
	if err := errors.Join(os.WriteFile(over, []byte(strings.Replace(string(code), m.old, m.young, 1)), 0o600), os.WriteFile(list, overlay, 0o600)); err != nil { //nolint:gosec // G703: a directory that was made for this
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "test", "-overlay", list, "-count=1", "-timeout=4m", "-skip=Artifact|Deploy|Release", "./plans", "./steps").CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return fmt.Errorf("%s: %s: no test notices it", m.file, m.bug)
	case !errors.As(err, &exit), strings.Contains(string(out), "[build failed]"), strings.Contains(string(out), "[setup failed]"):
		return fmt.Errorf("%s: %s: %w\n%s", m.file, m.bug, err, out)
	}
	return nil
}
