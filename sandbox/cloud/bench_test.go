package cloud

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkConnectionThroughTheProxy is one short visit: connect, ask, answer,
// leave, with 48 backends of which one machine's worth is real.
func BenchmarkConnectionThroughTheProxy(b *testing.B) {
	var backends []Backend
	for i := range 48 {
		g := newGate(b, fmt.Sprint("g", i)).Backend
		g.Weight = 1 + i%3
		backends = append(backends, g)
	}
	for _, method := range []string{"Roundrobin", "WeightRoundrobin", "Leastconn"} {
		for _, idle := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s idle %v", method, idle), func(b *testing.B) {
				o := quiet()
				if idle {
					o.IdleTimeout = Documented().IdleTimeout
				}
				c := start(b, o, clb(Listener{Method: method, Backends: backends}))
				addr := c.Front(front)
				b.RunParallel(func(pb *testing.PB) {
					line := make([]byte, 64)
					for pb.Next() {
						conn, err := net.Dial("tcp", addr)
						if err != nil {
							b.Error(err)
							return
						}
						_, _ = conn.Write([]byte("who\n"))
						if _, err := conn.Read(line); err != nil {
							b.Error(err)
						}
						// A reset, so that the benchmark does not fill the ports with TIME_WAIT.
						_ = conn.(*net.TCPConn).SetLinger(0)
						conn.Close()
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conns/s")
			})
		}
	}
}

// BenchmarkChoose is the choice of a backend alone.
func BenchmarkChoose(b *testing.B) {
	for _, n := range []int{6, 48, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := start(b, quiet(), clb(Listener{Method: "WeightRoundrobin", Backends: pretend(n)}))
			l := c.state.listenerNamed(front).lanes[0]
			client := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}
			for b.Loop() {
				chosen, ok := l.choose(client.AddrPort(), nil)
				if !ok {
					b.Fatal("none chosen")
				}
				l.done(chosen.b)
			}
		})
	}
}

func pretend(n int) []Backend {
	var backends []Backend
	for i := range n {
		backends = append(backends, Backend{ID: fmt.Sprint("b", i), Host: "127.0.0.1", Port: 1 + i, Enabled: true, Weight: 1 + i%5})
	}
	return backends
}

// BenchmarkUpdateBackendAttribute is one signed write over a kept connection.
func BenchmarkUpdateBackendAttribute(b *testing.B) {
	for _, n := range []int{48, 4800} {
		b.Run(fmt.Sprint(n, " backends"), func(b *testing.B) {
			o := quiet()
			o.Quota = 0
			c := start(b, o, clb(Listener{Backends: pretend(n)}))
			keep := &http.Transport{MaxIdleConnsPerHost: 16}
			b.Cleanup(keep.CloseIdleConnections)
			client := &http.Client{Transport: keep}
			bodies := []string{
				form("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "b7", "Enabled", "0").Encode(),
				form("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "b7", "Enabled", "1").Encode(),
			}
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					resp, err := client.Post(c.URL(), "application/x-www-form-urlencoded", strings.NewReader(bodies[i%2]))
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
		})
	}
}

// BenchmarkDescribeVServer is one read of a listener of n backends.
func BenchmarkDescribeVServer(b *testing.B) {
	for _, n := range []int{48, 4800} {
		b.Run(fmt.Sprint(n, " backends"), func(b *testing.B) {
			c := start(b, quiet(), clb(Listener{Backends: pretend(n)}))
			f := form("DescribeVServer", "ULBId", "ulb-1")
			for b.Loop() {
				post(b, c, f)
			}
		})
	}
}
