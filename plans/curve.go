package plans

import (
	"math"
	"slices"
	"time"
)

// Point is one count of a drain: so long after it began, so many sessions were left.
type Point struct {
	At   Seconds `json:"at"`
	Left int     `json:"left"`
}

// curvePoints is how many points a curve has at most: a drain may wait for days, and its curve is drawn on a screen.
const curvePoints = 240

// lengthened gives a curve with one more point. Where there are too many, each second one goes: what is longest ago is drawn coarsest.
func lengthened(c []Point, p Point) []Point {
	c = append(slices.Clone(c), p)
	if len(c) <= curvePoints {
		return c
	}
	var kept []Point
	for i, q := range c {
		if i%2 == 0 || i == len(c)-1 {
			kept = append(kept, q)
		}
	}
	return kept
}

// rateOver is how much of the past a rate tells of.
const rateOver = 10 * time.Second

// rated gives how fast a count changes, in sessions a second, given the count before it and its rate.
func rated(before, now Count) float64 {
	d := aged(before.At, now.At).Duration()
	switch {
	case before.At.At.IsZero() || !before.Known() || !now.Known():
		return 0
	case d <= 0:
		return before.Rate
	}
	weight := 1 - math.Exp(-d.Seconds()/rateOver.Seconds())
	rate := before.Rate*(1-weight) + weight*float64(now.Total-before.Total)/d.Seconds()
	return math.Round(rate*100) / 100
}
