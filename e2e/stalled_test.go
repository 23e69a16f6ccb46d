//go:build e2e

package e2e

import (
	"syscall"
	"testing"
)

// TestAJobThatTakesNoSignalIsKilledAndGoneOnWithByTheNext: no step of rollout outlives the first signal, but the machine it runs on may stall, as a process
// does that is stopped. Then GitHub goes through all three, and what was told before the last has to do.
func TestAJobThatTakesNoSignalIsKilledAndGoneOnWithByTheNext(t *testing.T) {
	w := serve(t)
	r := w.github()
	job := r.use(r.on(map[string]string{"ref": "v1.1.0"}))
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	w.until("a drain", draining)
	if err := job.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	o, sent := job.cancel(t)
	told := r.outputs()
	if o.code != -1 || len(sent) != 3 || told["result"] != "interrupted" || told["run-id"] == "" || told["exit-code"] != "" {
		t.Errorf("a stalled job: it took %v, outputs %v, %s", sent, told, o)
	}
	o = r.use(r.on(map[string]string{"command": "resume"})).finish(t)
	if got := r.outputs(); o.code != 0 || got["result"] != "done" || got["run-id"] != told["run-id"] || got["sessions-cut"] != "0" {
		t.Errorf("resume: outputs %v, %s", got, o)
	}
	w.all("v1.1.0")
	w.restartedOnce()
	w.nobodyNoticed()
}
