package players

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestAPercentileIsNeverTooLowAndEightPercentTooHighAtMost(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for _, top := range []time.Duration{time.Millisecond, time.Second, 10 * time.Minute} {
		var w waits
		var all []time.Duration
		for range 999 {
			d := finest + time.Duration(chance.Int64N(int64(top)))
			w.add(d)
			all = append(all, d)
		}
		slices.Sort(all)
		for q, exact := range map[float64]time.Duration{0.5: all[499], 0.99: all[989], 1: all[998]} {
			got := w.quantile(q)
			if got < exact-time.Nanosecond || float64(got) > 1.0801*float64(exact) {
				t.Errorf("up to %s, quantile %v: got %s, want %s to 8%% more", top, q, got, exact)
			}
		}
	}
	var none waits
	if got := none.quantile(0.5); got != 0 {
		t.Errorf("of nothing: got %s", got)
	}
	var long waits
	long.add(24 * time.Hour)
	if got := long.quantile(0.5); got != 24*time.Hour {
		t.Errorf("beyond the last bucket: got %s", got)
	}
}
