package remote

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

// What begin-at-most-once costs over a plain Run, for a command that does
// nothing, on connections that stand. Read the ratio.
func BenchmarkOnceAgainstRun(b *testing.B) {
	p, _, _ := openPair(b)
	if err := p.Login(soon(b), []string{"m"}); err != nil {
		b.Fatal(err)
	}
	const rounds = 40
	var run, once []time.Duration
	n := 0
	for b.Loop() {
		for range rounds {
			began := time.Now()
			if _, err := p.Run(soon(b), "m", Command{Line: "true"}); err != nil {
				b.Fatal(err)
			}
			run = append(run, time.Since(began))
			n++
			began = time.Now()
			if _, err := p.Once(soon(b), "m", Once{Command: Command{Line: "true", Within: time.Minute}, ID: strconv.Itoa(n), Space: "bench"}); err != nil {
				b.Fatal(err)
			}
			once = append(once, time.Since(began))
		}
	}
	slices.Sort(run)
	slices.Sort(once)
	b.ReportMetric(float64(run[len(run)/2].Microseconds())/1000, "run-p50-ms")
	b.ReportMetric(float64(once[len(once)/2].Microseconds())/1000, "once-p50-ms")
	b.ReportMetric(float64(once[len(once)/2])/float64(run[len(run)/2]), "once/run")
}
