//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// settle waits until the world's reads show what was written: they are a little old.
func settle(t *testing.T) {
	t.Helper()
	time.Sleep(time.Second)
}

func TestTheWholeWayOfAUser(t *testing.T) {
	w := serve(t)
	contains(t, w.must(0, "check"), "is ready")
	contains(t, w.must(0, "plan", "--ref", "v1.1.0"), "1  shift", "11 shift", "nothing has been touched yet")
	w.must(8, "plan", "--exit-code")
	p := filepath.Join(t.TempDir(), "p.json")
	w.must(0, "plan", "--ref", "v1.1.0", "--out", p)
	run := w.start("start", "--plan", p, "--yes")
	s, text := w.until("a drain", draining)
	for name, ok := range map[string]bool{
		"schema": s.Schema == "rollout.status/v1", "waiting_for": strings.Contains(s.WaitingFor, "session"), "deadline": s.Deadline != "",
		"groups":   s.Groups[0].Name == "group1" && s.Groups[0].Backends.On == 6 && s.Groups[1].Backends.On == 0 && s.Groups[1].Backends.Wanted == 0,
		"backends": len(s.Backends) == 12,
	} {
		if !ok {
			t.Errorf("status: %s is not told: %s", name, text)
		}
	}
	w.must(8, "status", "--exit-code")
	contains(t, w.must(0, "report"), "Running, so far", "drain")
	if o := run.wait(); o.code != 0 || strings.Contains(o.stdout+o.stderr, "\x1b") {
		t.Fatalf("start: %s", o)
	}
	if s, text := w.status(); s.Phase != "done" || s.Sessions.Cut != 0 {
		t.Errorf("status afterwards: %s", text)
	}
	contains(t, w.must(0, "status"), "DONE")
	contains(t, w.must(0, "report", "-o", "json"), `"phase": "done"`, `"starts": 1`)
	contains(t, w.must(0, "report", "--format", "html"), "<polyline class=\"now\"", "11 shift group")
	w.restartedOnce()
	contains(t, w.must(0, "plan"), "v1.1.0")
	w.nobodyNoticed()
}

func TestAKilledRunIsResumedInTheDrain(t *testing.T) {
	w := serve(t, "--deadline", "30s")
	run := w.start("start", "--yes", "--ref", "v1.1.0")
	before, _ := w.until("a drain", draining)
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	run.wait()
	contains(t, w.must(6, "status", "--exit-code"), "INTERRUPTED")
	o := w.must(3, "start", "--yes")
	contains(t, o, "is unfinished", w.state+" resume")
	again := w.start("resume", "--yes")
	after, _ := w.until("the drain again", draining)
	if before.Deadline != after.Deadline {
		t.Errorf("the deadline was %s and is %s after the resume, want the same: one boot proves it", before.Deadline, after.Deadline)
	}
	if o := again.wait(); o.code != 0 {
		t.Fatalf("resume: %s", o)
	}
	w.restartedOnce()
	w.nobodyNoticed()
}

func TestASecondStartNamesTheFirst(t *testing.T) {
	w := serve(t)
	run := w.start("start", "--yes")
	w.until("a drain", draining)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	contains(t, w.must(5, "start", "--yes"), "the lock is held by", host, "since 20", "rollout status")
	contains(t, w.must(0, "lock", "status"), "is held by", "rollout start")
	w.must(0, "pause")
	if o := run.wait(); o.code != 6 || !strings.Contains(o.stdout, w.state+" resume or rollout -c ") {
		t.Fatalf("a paused run: want exit 6 and what to type, got %s", o)
	}
	w.must(0, "pause")
	run = w.start("resume")
	w.until("the next drain", func(s status) bool { return draining(s) && s.Step.Index > 1 })
	w.must(0, "abort", "--yes")
	if o := run.wait(); o.code != 7 {
		t.Fatalf("an aborted run: want exit 7, got %s", o)
	}
	for _, b := range w.backends() {
		if !b.Enabled {
			t.Errorf("backend %s is off after the abort", b.ID)
		}
	}
	w.must(7, "status", "--exit-code")
	contains(t, w.must(0, "abort", "--yes"), "nothing to abort")
	w.nobodyNoticed()
}

func TestMistakesAndMissingKeysEndBeforeAnythingIsTouched(t *testing.T) {
	w := serve(t)
	yaml := filepath.Join(w.dir, "rollout.yaml")
	good, err := os.ReadFile(yaml)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(from, to string) {
		t.Helper()
		text := strings.Replace(string(good), from, to, 1)
		if text == string(good) {
			t.Fatalf("rollout.yaml has no %q", from)
		}
		if err := os.WriteFile(yaml, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	edit("drain:\n", "drain:\n  dedline: 3 minutes\n  quiet: 3 minutes\n")
	contains(t, w.must(2, "start", "--yes"), "dedline", "did you mean deadline", "3 minutes")

	other := filepath.Join(w.dir, "keys", "other.json")
	if err := os.WriteFile(other, []byte(`[{"public_key":"sandbox-public-key","private_key":"wrong","profile":"sandbox"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	edit("keys/credential.json", "keys/other.json")
	contains(t, w.must(4, "start", "--yes"), "RetCode 171")

	if err := os.WriteFile(filepath.Join(w.dir, "keys", "empty_known_hosts"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	edit("keys/known_hosts", "keys/empty_known_hosts")
	contains(t, w.must(4, "check"), "host key", "is unknown", "SHA256:", "rollout trust")
	contains(t, w.must(0, "trust", "--yes"), "ssh-ed25519", "SHA256:")
	w.must(0, "check")

	if err := os.WriteFile(yaml, good, 0o600); err != nil {
		t.Fatal(err)
	}
	pid, err := os.ReadFile(filepath.Join(w.dir, "machines", "game-5", "sshd.pid"))
	if err != nil {
		t.Fatal(err)
	}
	kill(t, strings.TrimSpace(string(pid)))
	contains(t, w.must(3, "check"), "✖ ssh", "game-5")
	contains(t, w.must(3, "start", "--yes"), "game-5")
	for name, n := range w.restarts() {
		if n != 0 {
			t.Errorf("%s was restarted %d times, want not at all", name, n)
		}
	}
	w.nobodyNoticed()
}

func TestAFailedRestartIsHeldAndResumed(t *testing.T) {
	w := serve(t)
	w.plant("game-5", "start-fails", "once")
	o := w.must(6, "start", "--yes", "--ref", "v1.1.0")
	contains(t, o, "start on game-5", w.state+" resume", "group1")
	on := map[bool]int{}
	for _, b := range w.backends() {
		on[b.Enabled]++
	}
	if on[true] != 6 || on[false] != 6 {
		t.Errorf("%d backends on and %d off, want 6 and 6", on[true], on[false])
	}
	contains(t, w.must(6, "status", "--exit-code"), "HELD")
	contains(t, w.must(6, "abort", "--yes"), "group2")
	w.must(0, "resume")
	for name, n := range w.restarts() {
		want := 1
		if name == "game-5" { // the start that failed is one of two
			want = 2
		}
		if n != want {
			t.Errorf("%s was started %d times, want %d", name, n, want)
		}
	}
	w.nobodyNoticed()
}

func TestABrokenReleaseIsTakenOverByTheNextOne(t *testing.T) {
	w := serve(t)
	w.plant("game-5", "start-fails", "")
	w.must(6, "start", "--yes", "--ref", "v1.1.0")
	s, _ := w.status()
	contains(t, w.must(3, "start", "--yes", "--ref", "v1.1.1"), "is unfinished", "--take-over "+s.Run)
	w.must(3, "start", "--yes", "--take-over", "nosuch")
	if err := os.Remove(filepath.Join(w.dir, "machines", "game-5", "faults", "start-fails")); err != nil {
		t.Fatal(err)
	}
	w.clockWasAhead(time.Hour)
	w.must(0, "start", "--yes", "--ref", "v1.1.1", "--take-over", s.Run)
	for _, b := range w.backends() {
		if !b.Enabled {
			t.Errorf("backend %s is off, and was on before the run that was taken over", b.ID)
		}
	}
	w.nobodyNoticed()
}

func TestAProcessThatWillNotStopIsFoundAndNothingIsOpened(t *testing.T) {
	w := serve(t)
	w.plant("game-4", "stop-noop", "")
	contains(t, w.must(6, "start", "--yes"), "game-4 port 6150 still answers: the old process is there")
	if n := w.restarts()["game-4"]; n != 0 {
		t.Errorf("game-4 was started %d times beside its old process, want not at all", n)
	}
	w.nobodyNoticed()
}

func TestAFlakyAPIDoesNotStopARun(t *testing.T) {
	w := serve(t, "--fault", "api-flaky")
	contains(t, w.must(0, "start", "--yes"), "0 cut")
	w.restartedOnce()
	w.nobodyNoticed()
}

func TestWritesThatDoNothingStopTheRunBeforeAnyRestart(t *testing.T) {
	w := serve(t, "--fault", "api-silent")
	contains(t, w.must(6, "start", "--yes"), "do not read back as written")
	for name, n := range w.restarts() {
		if n != 0 {
			t.Errorf("%s was restarted %d times, want not at all", name, n)
		}
	}
	contains(t, w.must(0, "abort", "--yes"), "as it was found")
	w.nobodyNoticed()
}

func TestAHealthThatIsToldLateIsNotBelievedAtOnce(t *testing.T) {
	w := serve(t, "--documented-times")
	for _, m := range []string{"game-4", "game-5", "game-6"} {
		w.plant(m, "slow-start", "8s") // long enough for the balancer to notice, too short for it to have said so
	}
	w.must(0, "start", "--yes", "--ref", "v1.1.0")
	w.nobodyNoticed()
}

func TestSIGINTLeavesInSecondsAndResumeGoesOn(t *testing.T) {
	w := serve(t)
	run := w.start("start", "--yes")
	w.until("a drain", draining)
	at := time.Now()
	if err := run.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if o := run.wait(); o.code != 6 || time.Since(at) > 7*time.Second {
		t.Fatalf("after %s: want exit 6 within 7s, got %s", time.Since(at), o)
	}
	w.must(0, "resume")
	w.restartedOnce()
	w.nobodyNoticed()
}

// TestManyPlayersNoticeNothing has the machine to itself, which the other tests share.
func TestManyPlayersNoticeNothing(t *testing.T) {
	nobodyNotices(t, 11, "--players", "2000")
	if os.Getenv("ROLLOUT_E2E_FULL") != "" { // fewer, and longer games: it takes a minute more
		nobodyNotices(t, 11, "--players", "600", "--game", "6s")
	}
}

func TestTheSandboxSaysInOneObjectWhoNoticed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		args  []string
		steps int
	}{
		{"no deploy", []string{"--players", "50", "--game", "2s", "--ref", "", "--ports", "2"}, 9},
		{"ALB", []string{"--players", "50", "--game", "2s", "--kind", "alb", "--ports", "2"}, 11},
		{"NLB", []string{"--players", "50", "--game", "2s", "--kind", "nlb", "--ports", "2"}, 11},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			nobodyNotices(t, tc.steps, tc.args...)
		})
	}
}

// nobodyNotices runs the sandbox as one command and demands that all steps were done and nobody was cut or turned away.
func nobodyNotices(t *testing.T, steps int, args ...string) {
	t.Helper()
	w := &world{t: t}
	cmd := w.command(append([]string{"sandbox", "run", "-o", "json"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	output{stdout: string(out)}.valid(t, cmd.Args)
	var d struct {
		Schema, Result string
		StepsDone      int `json:"steps_done"`
		StepsTotal     int `json:"steps_total"`
		Sessions       struct{ Cut int }
		Connect        struct{ Failed int }
		Games          struct{ Finished int }
		Releases       map[string]struct{ Before, After string }
		Duration       float64 `json:"duration_s"`
	}
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if d.Schema == "" || d.Result != "done" || d.StepsDone != steps || d.StepsTotal != steps || d.Sessions.Cut != 0 || d.Connect.Failed != 0 ||
		d.Games.Finished == 0 || len(d.Releases) != 6 || d.Duration == 0 {
		t.Errorf("got %+v", d)
	}
	for name, r := range d.Releases {
		if r.Before != "v1.0.0" || steps == 11 && r.After != "v1.1.0" || steps == 9 && r.After != "v1.0.0" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
