//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// BenchmarkMemoryOf300Machines is a whole update of 300 machines by a process of its own; read max-RSS-MB. The machines all are this one
// machine, so their sessions are counted by a command: 300 counting loops would measure this machine and not rollout.
func BenchmarkMemoryOf300Machines(b *testing.B) {
	w := bring(b, "--machines", "150", "--ports", "1", "--players", "0")
	yaml := filepath.Join(w.dir, "rollout.yaml")
	text, err := os.ReadFile(yaml)
	if err != nil {
		b.Fatal(err)
	}
	changed := strings.Replace(string(text), "drain:\n", "drain:\n  count: command\n  run: echo 0\n", 1)
	if err := os.WriteFile(yaml, []byte(changed), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := w.start("start", "--yes", "--ref", "v1.1.0", "-q")
		if o := s.wait(); o.code != 0 {
			b.Fatal(o)
		}
		use, ok := s.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			b.Fatal("the system does not tell what a process used")
		}
		b.ReportMetric(float64(use.Maxrss)/1024, "max-RSS-MB")
		b.ReportMetric(s.ProcessState.UserTime().Seconds()+s.ProcessState.SystemTime().Seconds(), "cpu-s")
	}
}
