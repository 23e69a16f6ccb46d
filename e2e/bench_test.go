//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// BenchmarkMemoryOfARun is a whole update of so many machines by a process of its own; read max-RSS-MB. The machines all are this one
// machine, so their sessions are counted by a command: 300 counting loops would measure this machine and not rollout. For the same reason the
// load balancer of the many has the documented times: one that asks twice a second finds a machine on which 150 restarts begin at once unhealthy.
func BenchmarkMemoryOfARun(b *testing.B) {
	if testing.Short() {
		b.Skip("it takes minutes")
	}
	for _, n := range []int{15, 150} {
		b.Run(fmt.Sprintf("machines=%d", 2*n), func(b *testing.B) { measureRun(b, n) })
	}
}

func measureRun(b *testing.B, machines int) {
	args := []string{"--machines", strconv.Itoa(machines), "--ports", "1", "--players", "0"}
	if machines > 15 {
		args = append(args, "--documented-times")
	}
	w := bring(b, args...)
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
