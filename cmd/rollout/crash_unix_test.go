//go:build unix

package main

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestAProcessThatCrashesDoesNotSayThatNothingWasTouched: exit 2 does.
func TestAProcessThatCrashesDoesNotSayThatNothingWasTouched(t *testing.T) {
	cmd := exec.Command("crash") // this very test binary: see TestMain
	out, err := cmd.CombinedOutput()
	st, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if err == nil || !ok || !st.Signaled() || st.Signal() != syscall.SIGABRT || st.CoreDump() || !strings.Contains(string(out), "index out of range") {
		t.Errorf("got %v, want it ended by SIGABRT without a core, and the place told:\n%s", err, out)
	}
}
