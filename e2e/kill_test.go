//go:build e2e

package e2e

import (
	"strconv"
	"syscall"
	"testing"
)

// kill ends a process that this test's world has started, by its id.
func kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 1 {
		t.Fatalf("pid %q: %v", pid, err)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
