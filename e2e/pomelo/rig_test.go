//go:build e2e

package pomelo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/lan"
	"github.com/seed59ee9cdc/rollout/sandbox/rig"
	"github.com/seed59ee9cdc/rollout/schema/proof"
)

// built is the environment variable by which a test is told the program under test; atOnce says how many tests run at the same time, 3 where it
// is not set: they mostly wait.
const (
	built  = "ROLLOUT_E2E_BINARY"
	atOnce = "ROLLOUT_E2E_AT_ONCE"
)

// TestMain runs each test in a process of its own, as the operator of namespaces of its own: so that several can run at the same time, and
// none meets what another has left.
func TestMain(m *testing.M) {
	lan.Boot()
	flag.Parse()
	switch {
	case lan.Inside(), flag.Lookup("test.list").Value.String() != "":
		os.Exit(m.Run())
	case os.Getenv(built) != "":
		code, err := lan.Enter(os.Args[1:], nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}
	if err := each(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// each builds the program and runs every test that is asked for.
func each() error {
	if _, err := os.Stat(filepath.Join(modules(), "pomelo")); err != nil {
		return fmt.Errorf("pomelo is needed: make pomelo-world: %w", err)
	}
	if err := lan.Possible(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rollout-e2e-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "rollout")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/rollout").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	if err := os.Setenv(built, binary); err != nil {
		return err
	}
	pattern := flag.Lookup("test.run").Value.String()
	if pattern == "" {
		pattern = "."
	}
	names, err := exec.Command(os.Args[0], "-test.list", pattern).Output()
	if err != nil {
		return fmt.Errorf("list of tests: %w", err)
	}
	n, err := strconv.Atoi(os.Getenv(atOnce))
	if err != nil || n < 1 {
		n = 3
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var faults []error
	turns := make(chan struct{}, n)
	for _, name := range strings.Fields(string(names)) {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(a string) bool { return strings.HasPrefix(a, "-test.testlogfile") })
			out, err := exec.Command(os.Args[0], append(args, "-test.run=^"+name+"$")...).CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", name, err))
			}
			if err != nil || testing.Verbose() {
				_, _ = os.Stdout.Write(out)
			}
		})
	}
	all.Wait()
	return errors.Join(faults...)
}

// modules is where npm has put pomelo.
func modules() string {
	if module := os.Getenv("ROLLOUT_POMELO"); module != "" {
		return filepath.Dir(module)
	}
	dir, _ := filepath.Abs("../../.pomelo/node_modules")
	return dir
}

// world is a rig and the program that is tried on it.
type world struct {
	*rig.Rig
	t      testing.TB
	config string
	env    []string
}

// bring brings a rig up and lets everybody come into a game.
func bring(t testing.TB, o rig.Options) *world {
	t.Helper()
	o.NodeModules = modules()
	dir, err := os.MkdirTemp("", "rig") // that of a test has its name in it, which is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o.Dir = dir
	began := time.Now()
	r, err := rig.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Rig: r, t: t, config: r.Config, env: os.Environ()}
	for until := time.Now().Add(time.Minute); o.Players > 0 && r.Crowd.Stats().Playing < o.Players && time.Now().Before(until); {
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("up after %s", time.Since(began).Round(100*time.Millisecond))
	return w
}

// command is the program, not yet begun.
func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Getenv(built), append([]string{"-c", w.config}, args...)...)
	cmd.Env = w.env
	return cmd
}

// run runs the program and gives its exit code and what it printed.
func (w *world) run(args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	cmd := w.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	w.t.Logf("rollout %s: exit %d after %s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), time.Since(began).Round(100*time.Millisecond))
	if out.Len() > 0 && slices.Contains(args, "json") {
		if names, err := proof.Output(out.Bytes()); err != nil {
			w.t.Errorf("rollout %s: %q: %v", strings.Join(args, " "), names, err)
		}
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// must runs the program and demands an exit code and some texts in what it prints.
func (w *world) must(code int, args []string, texts ...string) string {
	w.t.Helper()
	got, out, errs := w.run(args...)
	if got != code {
		w.t.Fatalf("exit %d, want %d\n%s\n%s", got, code, out, errs)
	}
	for _, text := range texts {
		if !strings.Contains(out+errs, text) {
			w.t.Errorf("%q is not in\n%s\n%s", text, out, errs)
		}
	}
	return out
}

// result is what start and resume say for programs.
type result struct {
	Result   string `json:"result"`
	Sessions struct{ Moved, Cut int }
	Error    string `json:"error"`
}

// update runs start and demands that it is done.
func (w *world) update(args ...string) result {
	w.t.Helper()
	return w.ended(0, append([]string{"start", "--yes", "-o", "json"}, args...)...)
}

// ended runs a command that carries a run on, and demands its exit code.
func (w *world) ended(code int, args ...string) result {
	w.t.Helper()
	got, out, errs := w.run(args...)
	if got != code {
		w.t.Fatalf("exit %d, want %d\n%s\n%s", got, code, out, errs)
	}
	w.t.Log(errs)
	var r result
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&r); err != nil {
		w.t.Fatalf("%v in %s\n%s", err, out, errs)
	}
	return r
}

// truths asks what every machine really runs.
func (w *world) truths() map[string]rig.Truth {
	w.t.Helper()
	all, err := w.Truths(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// whole demands that every process is new and of a release, and that each machine has as many as it should.
func (w *world) whole(before map[string]rig.Truth, release string) {
	w.t.Helper()
	for name, is := range w.truths() {
		if len(is.Processes) != w.Wanted(name) || !is.New(before[name]) || is.String() != release {
			w.t.Errorf("%s: %d processes (want %d), all new: %v, release %s (want %s)", name, len(is.Processes), w.Wanted(name), is.New(before[name]), is, release)
		}
	}
}

// unnoticed demands that no player was cut and none found the way barred.
func (w *world) unnoticed() {
	w.t.Helper()
	time.Sleep(2 * time.Second) // who would be cut by what came last is seen now
	s := w.Crowd.Stats()
	w.t.Logf("%d games finished, %d cut, %d failed; wait p50 %s p99 %s", s.Finished, s.Cut, s.Failed.Total(), s.WaitP50.Round(time.Millisecond), s.WaitP99.Round(time.Millisecond))
	if s.Finished == 0 || s.Cut != 0 || s.Failed.Total() != 0 {
		w.t.Errorf("%d finished, %d cut, failed %+v: %v", s.Finished, s.Cut, s.Failed, s.Incidents)
	}
}
