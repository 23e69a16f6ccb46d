package players

import (
	"math"
	"time"
)

// waits counts durations in buckets, each 8 % wider than the one before, from 0.1 ms to half an hour: the sum of any number
// of games in one fixed array.
type waits struct {
	counts [220]int64
	total  int64
	max    time.Duration
}

const (
	finest = 100 * time.Microsecond
	growth = 1.08
)

func (w *waits) add(d time.Duration) {
	i := 0
	if d > finest {
		i = int(math.Ceil(math.Log(float64(d)/float64(finest)) / math.Log(growth)))
	}
	w.counts[min(i, len(w.counts)-1)]++
	w.total++
	w.max = max(w.max, d)
}

// quantile is the upper edge of the bucket that the q-th part of all ends in, and no more than the longest.
func (w *waits) quantile(q float64) time.Duration {
	rank := int64(math.Ceil(q * float64(w.total)))
	var seen int64
	for i, n := range w.counts {
		if seen += n; seen >= rank && n > 0 && i < len(w.counts)-1 { // the last bucket has no edge
			return min(w.max, time.Duration(float64(finest)*math.Pow(growth, float64(i))))
		}
	}
	return w.max
}
