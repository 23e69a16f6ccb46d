package web

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// BenchmarkAFleetOf300MachinesAnd20000Events folds a long run of a large fleet, and draws one message of it.
func BenchmarkAFleetOf300MachinesAnd20000Events(b *testing.B) {
	counts := 20000
	if testing.Short() {
		counts = 2000
	}
	es := story(b, fleet(b, "7f3a", 150, 8), counts)
	s := plans.Fold(slices.Values(es))
	b.Run("fold", func(b *testing.B) {
		for b.Loop() {
			t := newTeller()
			var s plans.State
			for _, e := range es {
				s = s.Apply(e)
				t.tell(s, e)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(es)), "µs/event")
	})
	b.Run("draw", func(b *testing.B) {
		size := 0
		for b.Loop() {
			text, err := json.Marshal(frame{State: stateOf(s, s.Last.At, Holder{Held: true, Run: "7f3a"}, plans.State{})})
			if err != nil {
				b.Fatal(err)
			}
			size = len(text)
		}
		b.ReportMetric(float64(size), "bytes/frame")
	})
}
