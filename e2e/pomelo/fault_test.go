//go:build e2e

package pomelo

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/app"
	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

// small is a rig for faults: two machines in each group, short games.
func small(o rig.Options) rig.Options {
	o.Machines, o.Gates, o.Players, o.Quiet = 2, 1, 16, 3*time.Second
	if o.Game == 0 {
		o.Game = 3 * time.Second
	}
	return o
}

// The first group that is updated is group2: its machines are m3, with the master, and m4.

func TestFaultAMasterThatWasKilledLeavesNoTwins(t *testing.T) {
	w := bring(t, small(rig.Options{}))
	before := w.truths()
	for _, machine := range []string{"m1", "m3"} {
		w.kill(machine, "master")
	}
	w.must(0, []string{"check"}, "the master on 10.77.0.13 does not answer")
	if r := w.update("--ref", "v1.1.0"); r.Sessions.Cut != 0 {
		t.Errorf("%d cut", r.Sessions.Cut)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
}

// kill ends a process of the game by its pid.
func (w *world) kill(machine, id string) {
	w.t.Helper()
	ps, err := w.Processes(context.Background(), machine)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range ps {
		if p.ID == id {
			if err := w.LAN.Command(context.Background(), machine, "kill", "-9", strconv.Itoa(p.PID)).Run(); err != nil {
				w.t.Fatal(err)
			}
			return
		}
	}
	w.t.Fatalf("no %s on %s: %v", id, machine, ps)
}

func TestFaultAMachineThatIsOffIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	w := bring(t, small(rig.Options{Game: time.Minute}))
	if err := w.LAN.Off(t.Context(), "m4"); err != nil {
		t.Fatal(err)
	}
	w.must(3, []string{"start", "--yes", "--ref", "v1.1.0"}, "10.77.0.14")
	if err := w.LAN.On(t.Context(), "m4"); err != nil {
		t.Fatal(err)
	}
}

func TestFaultAMachineUnpluggedDuringTheRestartIsNotForgotten(t *testing.T) {
	w := bring(t, small(rig.Options{}))
	before := w.truths()
	done := w.background("start", "--yes", "-o", "json", "--ref", "v1.1.0")
	w.until("restart of group2", func() bool {
		return strings.Contains(w.status(), "RESTARTING")
	})
	if err := w.LAN.Unplug(t.Context(), "m4"); err != nil {
		t.Fatal(err)
	}
	code, out := done()
	if code != 6 || !strings.Contains(out, "10.77.0.14") {
		t.Fatalf("exit %d, want 6 and the machine named: %s", code, out)
	}
	w.unnoticed()
	if err := w.LAN.Plug(t.Context(), "m4"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // its old processes come back to their master
	if r := w.ended(0, "resume", "-o", "json"); r.Result != "done" || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it done with 0 cut", r)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
}

func TestFaultAMachineThatComesBackWithOldProcessesIsNamed(t *testing.T) {
	w := bring(t, small(rig.Options{}))
	done := w.background("start", "--yes", "-o", "json", "--ref", "v1.1.0")
	w.until("drain of group1", func() bool {
		out := w.status()
		return strings.Contains(out, "group1") && strings.Contains(out, "DRAINING") && strings.Contains(out, "group2  v1.1.0")
	})
	// Somebody starts a process of the group that is done once more, as a slave that had been cut off would bring it back.
	ps, err := w.Processes(t.Context(), "m4")
	if err != nil || len(ps) == 0 {
		t.Fatal(err)
	}
	twin := w.LAN.Command(context.Background(), "m4", "sh", "-c", "cd "+rig.Game+" && exec setsid node "+rig.Game+
		"/app.js env=production id=cluster-server-connector-1 host=10.77.0.14 port=6190 clientHost=10.77.0.14 clientPort=6290 frontend=true serverType=connector >/dev/null 2>&1")
	if err := twin.Start(); err != nil {
		t.Fatal(err)
	}
	code, out := done()
	if code != 6 || !strings.Contains(out, "cluster-server-connector-1 runs 2 times on 10.77.0.14") {
		t.Fatalf("exit %d, want 6 and the twin named: %s", code, out)
	}
	if s := w.Crowd.Stats(); s.Cut != 0 { // the stranger takes players in before it listens, which is what it is named for
		t.Errorf("%d cut: %v", s.Cut, s.Incidents)
	}
	if err := twin.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = twin.Wait()
	w.kill2nd("m4", "cluster-server-connector-1")
	if r := w.ended(0, "resume", "-o", "json"); r.Result != "done" || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it done with 0 cut", r)
	}
}

// kill2nd ends the younger of two processes with the same id, if there are two.
func (w *world) kill2nd(machine, id string) {
	w.t.Helper()
	ps, err := w.Processes(context.Background(), machine)
	if err != nil {
		w.t.Fatal(err)
	}
	var of []int
	for _, p := range ps {
		if p.ID == id {
			of = append(of, p.PID)
		}
	}
	if len(of) == 2 {
		if err := w.LAN.Command(context.Background(), machine, "kill", "-9", strconv.Itoa(max(of[0], of[1]))).Run(); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestFaultProcessesThatSshdRefusedAreStartedOneByOne(t *testing.T) {
	o := small(rig.Options{})
	o.Gates = 3
	w := bring(t, o)
	before := w.truths()
	for _, m := range []string{"m2", "m4"} {
		if err := w.LAN.SSHD(t.Context(), m, "2:90:20"); err != nil {
			t.Fatal(err)
		}
	}
	w.must(0, []string{"check"}, "set MaxStartups 100:30:200")
	if r := w.update("--ref", "v1.1.0"); r.Sessions.Cut != 0 {
		t.Errorf("%d cut", r.Sessions.Cut)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
	if n := w.mended(); n == 0 {
		t.Error("no process had to be started alone: sshd refused none")
	}
}

// mended gives how many processes the rollouts started alone.
func (w *world) mended() int {
	n := 0
	_ = filepath.WalkDir(filepath.Join(w.Dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, _ := os.ReadFile(path)
			for line := range strings.Lines(string(b)) {
				if strings.Contains(line, `"what":"running"`) && strings.Contains(line, `"do":"mend"`) {
					n++
				}
			}
		}
		return nil
	})
	return n
}

func TestFaultCodeThatCrashesAtItsStartIsHeldAndNobodyIsCut(t *testing.T) {
	w := bring(t, small(rig.Options{}))
	before := w.truths()
	for _, m := range []string{"m3", "m4"} {
		if err := w.Break(m, app.Crash); err != nil {
			t.Fatal(err)
		}
	}
	r := w.ended(6, "start", "--yes", "-o", "json", "--ref", "v1.1.0")
	if !strings.Contains(r.Error, "no process came up on the machines of group2") || r.Sessions.Cut != 0 {
		t.Errorf("got %+v, want it held because no process came up, 0 cut", r)
	}
	w.unnoticed()
	for _, m := range []string{"m3", "m4"} {
		if err := w.Break(m); err != nil {
			t.Fatal(err)
		}
	}
	if r := w.ended(0, "resume", "-o", "json"); r.Result != "done" {
		t.Errorf("got %+v, want it done", r)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
}

func TestFaultAConnectorThatHangsBeforeItRegisters(t *testing.T) {
	w := bring(t, small(rig.Options{}))
	before := w.truths()
	if err := w.Break("m4", app.Hang("cluster-server-connector-1")); err != nil {
		t.Fatal(err)
	}
	done := w.background("start", "--yes", "-o", "json", "--ref", "v1.1.0")
	w.until("the process ended by pid", func() bool { return w.mended() > 0 || strings.Contains(w.status(), "HELD") })
	if err := w.Break("m4"); err != nil { // it hangs once, or twice
		t.Fatal(err)
	}
	if code, out := done(); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	w.unnoticed()
	w.whole(before, "v1.1.0")
}

func TestFaultHalfOpenPlayersAreLeftToTheDeadlineAndThePolicy(t *testing.T) {
	w := bring(t, small(rig.Options{Deadline: 12 * time.Second}))
	n := w.Crowd.Freeze(4)
	r := w.ended(6, "start", "--yes", "-o", "json", "--ref", "v1.1.0")
	if n == 0 || !strings.Contains(w.status(), "PAUSED") {
		t.Errorf("%d frozen; got %+v, want it paused at the deadline: %s", n, r, w.status())
	}
	w.unnoticed()
	w.ended(0, "abort", "--yes", "-o", "json")
	w.Crowd.Thaw()
}

// status is what a person sees.
func (w *world) status() string {
	out, _ := w.command("status", "--no-watch").Output()
	return string(out)
}

// background starts the program; the function it gives waits for its end.
func (w *world) background(args ...string) func() (int, string) {
	type end struct {
		code int
		out  string
	}
	ended := make(chan end, 1)
	go func() {
		code, out, errs := w.run(args...)
		ended <- end{code, out + errs}
	}()
	return func() (int, string) {
		e := <-ended
		return e.code, e.out
	}
}

// until waits for something to be so.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !is(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("no %s: %s", what, w.status())
		}
	}
}
