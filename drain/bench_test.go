package drain

import (
	"net"
	"syscall"
	"testing"
	"time"
)

func BenchmarkCountOfManySockets(b *testing.B) {
	many := 10_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < 2*uint64(many)+100 {
		many = max(int(limit.Cur)/2-100, 1)
	}
	l, err := net.Listen("tcp4", "127.0.77.91:0")
	if err != nil {
		b.Skip(err)
	}
	defer l.Close()
	for range many {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		s, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
	}
	w := Sockets(newLocal("sh"), []Target{{Host: "m", Ports: []int{l.Addr().(*net.TCPAddr).Port}}}, Options{})
	w.Start(b.Context())
	defer w.Close()
	var cost time.Duration
	for b.Loop() {
		r, err := w.Count(b.Context())
		if err != nil || r.Total != many {
			b.Fatalf("got %+v, %v", r, err)
		}
		w.mu.Lock()
		cost += w.channels[0].count.cost
		w.mu.Unlock()
	}
	b.ReportMetric(float64(cost.Milliseconds())/float64(b.N), "cpu-ms/count")
	b.ReportMetric(float64(many), "sockets")
}
