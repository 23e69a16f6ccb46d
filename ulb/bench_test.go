package ulb_test

import (
	"fmt"
	"testing"
	"time"

	sandbox "github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// BenchmarkShift closes and opens backends through the sandbox's API, which answers in 50 ms: one request for each, eight at once, or
// batches of 20.
func BenchmarkShift(b *testing.B) {
	for _, n := range []int{48, 480, 4800} {
		for _, batch := range []bool{false, true} {
			b.Run(fmt.Sprintf("backends=%d/batch=%v", n, batch), func(b *testing.B) {
				if testing.Short() && n > 1000 {
					b.Skip("half a minute")
				}
				balancer := pretend(b, n, batch)
				r, err := balancer.Read(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				for i := 0; b.Loop(); i++ {
					var cs []ulb.Change
					for _, be := range r.Backends {
						cs = append(cs, ulb.Change{Backend: be, Weight: i % 2})
					}
					for _, o := range balancer.Write(b.Context(), cs) {
						if o.State != ulb.Done {
							b.Fatalf("%s: %v", o.ID, o.Err)
						}
					}
				}
				b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "backends/s")
			})
		}
	}
}

func pretend(b *testing.B, n int, batch bool) *ulb.Balancer {
	b.Helper()
	var bs []sandbox.Backend
	for i := range n {
		bs = append(bs, sandbox.Backend{Host: fmt.Sprintf("10.9.%d.%d", i/250, 1+i%250), Port: 6150, Enabled: true, Weight: 1})
	}
	c, err := sandbox.Start(b.Context(), sandbox.Options{PublicKey: "pub", PrivateKey: "priv", Region: "cn-bj2", ProjectID: "org-x", Latency: 50 * time.Millisecond, HealthEvery: -1},
		[]sandbox.Balancer{{ID: "ulb-bench", Listeners: []sandbox.Listener{{Backends: bs}}}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	balancer, err := ulb.New(ulb.Config{ID: "ulb-bench", Batch: batch, Settings: ulb.Settings{
		Credentials: ulb.Credentials{PublicKey: "pub", PrivateKey: "priv"}, Region: "cn-bj2", ProjectID: "org-x", BaseURL: c.URL()}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return balancer
}
