//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/schema/proof"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) {
	for _, name := range []string{"CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "ROLLOUT_DOTENV"} { // these tests may be a job themselves
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "rollout-e2e-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "rollout")
		if out, err := exec.Command("go", "build", "-o", binary, "../cmd/rollout").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// sshd is the real OpenSSH server the machines run.
func sshd(t *testing.T) string {
	t.Helper()
	for _, p := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	t.Fatal("no sshd: install Debian's openssh-server")
	return ""
}

// world is a `sandbox serve` in a process of its own.
type world struct {
	t     testing.TB
	dir   string
	cmd   *exec.Cmd
	lines chan string
	state string
	env   []string // of its commands, beside the test's own
}

// serve brings a world of six machines with two gates and two connectors each up; real OpenSSH serves them.
func serve(t *testing.T, args ...string) *world {
	t.Helper()
	t.Parallel()
	return alone(t, args...)
}

// alone is serve for a test that has the machine to itself: it watches something come and go, or is heavy.
func alone(t *testing.T, args ...string) *world {
	t.Helper()
	return bring(t, append([]string{"--sshd", sshd(t), "--ports", "2", "--players", "40", "--game", "4s"}, args...)...)
}

// bring starts a world and waits until it is up.
func bring(t testing.TB, args ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), lines: make(chan string, 100), state: t.TempDir()}
	if err := os.Chmod(w.state, 0o700); err != nil {
		t.Fatal(err)
	}
	w.cmd = exec.Command(binary, append([]string{"sandbox", "serve", "--dir", w.dir}, args...)...)
	w.cmd.Stderr = os.Stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			w.lines <- s.Text()
		}
		close(w.lines)
	}()
	t.Cleanup(func() { w.end() })
	w.await("ready:", 3*time.Minute)
	return w
}

// await waits for a line of the world that holds a text.
func (w *world) await(text string, within time.Duration) string {
	w.t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		select {
		case l, ok := <-w.lines:
			if !ok {
				w.t.Fatalf("the world ended before it said %q", text)
			}
			if strings.Contains(l, text) {
				return l
			}
		case <-timer.C:
			w.t.Fatalf("the world did not say %q within %s", text, within)
		}
	}
}

var counted = regexp.MustCompile(`players: (\d+) games? finished, (\d+) sessions? cut, (\d+) connects? failed`)

// end closes the world and gives what its players counted.
func (w *world) end() (finished, cut, failed int) {
	if w.cmd.ProcessState != nil {
		return 0, 0, 0
	}
	_ = w.cmd.Process.Signal(syscall.SIGINT)
	for l := range w.lines {
		if m := counted.FindStringSubmatch(l); m != nil {
			finished, _ = strconv.Atoi(m[1])
			cut, _ = strconv.Atoi(m[2])
			failed, _ = strconv.Atoi(m[3])
		}
	}
	_ = w.cmd.Wait()
	return finished, cut, failed
}

// nobodyNoticed demands that no player was cut or turned away, and that they did play.
func (w *world) nobodyNoticed() {
	w.t.Helper()
	if finished, cut, failed := w.end(); finished == 0 || cut != 0 || failed != 0 {
		w.t.Errorf("%d games finished, %d sessions cut, %d connects failed; want some, 0, 0", finished, cut, failed)
	}
}

// output is how a command ended.
type output struct {
	code           int
	stdout, stderr string
}

func (o output) String() string {
	return fmt.Sprintf("exit %d\n--- stdout\n%s--- stderr\n%s", o.code, o.stdout, o.stderr)
}

// command is `rollout -c world/rollout.yaml …`, not yet started.
func (w *world) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	w.t.Cleanup(cancel)
	if w.dir != "" {
		args = append([]string{"-c", filepath.Join(w.dir, "rollout.yaml"), "--state-dir", w.state}, args...)
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), w.env...)
	return cmd
}

// run runs a command to its end.
func (w *world) run(args ...string) output {
	w.t.Helper()
	cmd := w.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	o := output{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
	o.valid(w.t, args)
	return o
}

// valid holds what a command has printed for programs against its schemas. A process that was killed may have printed half a document.
func (o output) valid(t testing.TB, args []string) {
	t.Helper()
	if programs := slices.Contains(args, "json") || slices.Contains(args, "jsonl"); !programs || o.stdout == "" || o.code < 0 {
		return
	}
	if names, err := proof.Output([]byte(o.stdout)); err != nil {
		t.Errorf("rollout %s: %q: %v", strings.Join(args, " "), names, err)
	}
}

// must runs a command and demands its exit code.
func (w *world) must(code int, args ...string) output {
	w.t.Helper()
	o := w.run(args...)
	if o.code != code {
		w.t.Fatalf("rollout %s: want exit %d, got %s", strings.Join(args, " "), code, o)
	}
	return o
}

// started is a command in the background.
type started struct {
	*exec.Cmd
	t         testing.TB
	out, errs bytes.Buffer
}

func (w *world) start(args ...string) *started {
	w.t.Helper()
	s := &started{Cmd: w.command(args...), t: w.t}
	s.Stdout, s.Stderr = &s.out, &s.errs
	if err := s.Start(); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// wait waits for a command's end.
func (s *started) wait() output {
	_ = s.Wait()
	o := output{s.ProcessState.ExitCode(), s.out.String(), s.errs.String()}
	o.valid(s.t, s.Args)
	return o
}

// status is what `status -o json` says, as far as the tests look.
type status struct {
	Schema, Run, Phase string
	Step               struct {
		Index       int
		Kind, Group string
	}
	WaitingFor string `json:"waiting_for"`
	Deadline   string
	Groups     []struct {
		Name     string
		Backends struct{ On, Wanted, Total int }
		Sessions struct{ Total *int }
	}
	Backends []struct {
		ID, Machine, Group     string
		Before, Wanted, Actual int
	}
	Sessions struct{ Cut, Moved int }
}

func (w *world) status() (status, string) {
	w.t.Helper()
	o := w.must(0, "status", "-o", "json")
	var s status
	if err := json.Unmarshal([]byte(o.stdout), &s); err != nil {
		w.t.Fatalf("status: %v in %s", err, o.stdout)
	}
	return s, o.stdout
}

// until polls status until it is so.
func (w *world) until(what string, so func(status) bool) (status, string) {
	w.t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if s, text := w.status(); so(s) {
			return s, text
		}
	}
	_, text := w.status()
	w.t.Fatalf("the run did not reach: %s; it is at %s", what, text)
	return status{}, ""
}

func draining(s status) bool {
	return s.Phase == "running" && s.Step.Kind == "drain" && len(s.Groups) == 2 && s.Groups[1].Sessions.Total != nil
}

// restarts gives how often each machine was started since the world began, by the machines' own log.
func (w *world) restarts() map[string]int {
	w.t.Helper()
	logs, err := filepath.Glob(filepath.Join(w.dir, "machines", "*", "game", "log", "acts.log"))
	if err != nil || len(logs) != 6 {
		w.t.Fatalf("acts.log of %d machines: %v", len(logs), err)
	}
	n := map[string]int{}
	for _, l := range logs {
		b, err := os.ReadFile(l)
		if err != nil {
			w.t.Fatal(err)
		}
		name := strings.Split(strings.TrimPrefix(l, filepath.Join(w.dir, "machines")+"/"), "/")[0]
		n[name] = -1 // the first start is the world's own
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) >= 4 && f[1] == "start" && f[3] == "begun" {
				n[name]++
			}
		}
	}
	return n
}

// restartedOnce demands that each machine was restarted exactly once.
func (w *world) restartedOnce() {
	w.t.Helper()
	for name, n := range w.restarts() {
		if n != 1 {
			w.t.Errorf("%s was restarted %d times, want once", name, n)
		}
	}
}

// plant gives a machine a fault; the machine's own script looks for it.
func (w *world) plant(machine, fault, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "machines", machine, "faults", fault), []byte(text+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// clockWasAhead lets the commands that have begun on the machines have come from a rollout whose clock was ahead, and has been put right since.
func (w *world) clockWasAhead(by time.Duration) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "machines", "*", ".local", "state", "rollout-once", "*", "*", ".seen"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no machine has begun a command: %v", err)
	}
	for _, f := range files {
		if err := os.WriteFile(f, fmt.Appendf(nil, "%d earlier-1\n", time.Now().Add(by).UnixMilli()), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

func contains(t *testing.T, o output, texts ...string) {
	t.Helper()
	for _, x := range texts {
		if !strings.Contains(o.stdout+o.stderr, x) {
			t.Errorf("want %q in:\n%s", x, o)
		}
	}
}
