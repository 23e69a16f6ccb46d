//go:build e2e

package pomelo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/sandbox/lan"
	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

// built is the environment variable by which the tests inside the operator's namespaces are told the program under test.
const built = "ROLLOUT_E2E_BINARY"

// TestMain builds the program, and runs the tests as the operator of namespaces of their own.
func TestMain(m *testing.M) {
	lan.Boot()
	if lan.Inside() {
		os.Exit(m.Run())
	}
	os.Exit(outside())
}

func outside() int {
	fail := func(format string, args ...any) int {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
		return 1
	}
	if os.Getenv("ROLLOUT_POMELO") == "" {
		return fail("pomelo is needed: make pomelo-world, and ROLLOUT_POMELO=$PWD/.pomelo/node_modules/pomelo")
	}
	if err := lan.Possible(); err != nil {
		return fail("%v", err)
	}
	dir, err := os.MkdirTemp("", "rollout-e2e-")
	if err != nil {
		return fail("%v", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "rollout")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/rollout").CombinedOutput(); err != nil {
		return fail("build: %v\n%s", err, out)
	}
	code, err := lan.Enter(os.Args[1:], []string{built + "=" + binary})
	if err != nil {
		return fail("%v", err)
	}
	return code
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
	o.NodeModules = filepath.Dir(os.Getenv("ROLLOUT_POMELO"))
	o.Dir = t.TempDir()
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

// run runs the program and gives its exit code and what it printed.
func (w *world) run(args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	cmd := exec.Command(os.Getenv(built), append([]string{"-c", w.config}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, w.env
	began := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	w.t.Logf("rollout %s: exit %d after %s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), time.Since(began).Round(100*time.Millisecond))
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
	var r result
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&r); err != nil {
		w.t.Fatalf("%v in %s\n%s", err, out, errs)
	}
	return r
}

// change writes rollout.yaml anew, changed.
func (w *world) change(do func(*config.Config)) {
	w.t.Helper()
	c := w.Configuration()
	do(&c)
	b, err := c.Marshal()
	if err == nil {
		err = os.WriteFile(w.config, b, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
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
