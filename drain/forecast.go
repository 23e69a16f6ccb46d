package drain

import (
	"math"
	"slices"
	"time"
)

// Forecast is when a drain will be over, going by how the number of sessions
// has fallen so far.
type Forecast struct {
	// Empty is the time from the last reading until few enough sessions are
	// left. Never negative; 0 where Sure is false and nothing can be said.
	Empty time.Duration
	// Sure is false while the numbers do not fall, or are too few to tell.
	Sure bool
}

// Curve is the number of sessions over time. The zero value is an empty one.
type Curve struct {
	points []point // in order of time
}

// point is one count: seconds since some start, and sessions.
type point struct{ at, n float64 }

const (
	curvePoints  = 512  // above this every other point is forgotten
	fewestPoints = 5    // below this nothing is foretold
	nearTop      = 0.97 // of the highest count: the fall begins where it was last so high
	leastFall    = 0.05 // of the highest count: less is no fall
	stillFalling = 0.25 // of the foretold fall must be seen lately
	farthest     = 24 * time.Hour
)

// Add takes in that n sessions were counted at a time since some fixed start.
// A count that is not later than the one before is left out.
func (c *Curve) Add(at time.Duration, n int) {
	p := point{at.Seconds(), float64(n)}
	if last := len(c.points) - 1; n < 0 || last >= 0 && p.at <= c.points[last].at {
		return
	}
	c.points = append(c.points, p)
	if len(c.points) > curvePoints {
		thinned := c.points[:0]
		for i, p := range c.points {
			if (len(c.points)-1-i)%2 == 0 {
				thinned = append(thinned, p)
			}
		}
		c.points = thinned
	}
}

// Forecast says when no more than until sessions will be left. It takes the
// better of two shapes: a straight line, as games of one length end, and a
// decay by the same share in the same time, as people leave.
func (c *Curve) Forecast(until int) Forecast {
	if len(c.points) == 0 {
		return Forecast{}
	}
	last := c.points[len(c.points)-1]
	if last.n <= float64(until) {
		return Forecast{Sure: true}
	}
	window := c.fall()
	best, ok := fit(window)
	if !ok {
		return Forecast{}
	}
	best, ok = fit(best.without(window))
	if !ok || !best.stillTrue(window) {
		return Forecast{}
	}
	left := best.reaches(float64(until)) - last.at
	if math.IsNaN(left) || left > farthest.Seconds() {
		return Forecast{}
	}
	return Forecast{Empty: time.Duration(max(left, 0) * float64(time.Second)), Sure: true}
}

// fall is the part of the curve since it was last near its highest: before
// that the numbers rose or stood.
func (c *Curve) fall() []point {
	top := 0.0
	for _, p := range c.points {
		top = max(top, p.n)
	}
	from := 0
	for i, p := range c.points {
		if p.n >= nearTop*top {
			from = i
		}
	}
	return c.points[from:]
}

// shape is a fitted curve: a + b·t, or e^(a + b·t).
type shape struct {
	a, b  float64
	decay bool
}

func (s shape) value(t float64) float64 {
	v := s.a + s.b*t
	if s.decay {
		return math.Exp(v)
	}
	return v
}

// reaches is when the shape comes down to n. A decay never comes down to
// nothing, so what rounds to n will do.
func (s shape) reaches(n float64) float64 {
	if s.decay {
		n = math.Log(n + 0.5)
	}
	return (n - s.a) / s.b
}

// fit is the shape nearest to points. It is false where they are too few or do
// not fall.
func fit(points []point) (shape, bool) {
	if len(points) < fewestPoints {
		return shape{}, false
	}
	line := regress(points, false)
	decay := regress(points, true)
	best := line
	if line.b >= 0 || decay.b < 0 && decay.missed(points) < line.missed(points) {
		best = decay
	}
	first, last := points[0], points[len(points)-1]
	fallen := best.value(first.at) - best.value(last.at)
	return best, best.b < 0 && fallen >= max(leastFall*best.value(first.at), 2)
}

// regress is weighted least squares. What is recent weighs up to four times
// what is old. For a decay it works on logarithms, each weighed by the square
// of its count so that the distances are those between counts.
func regress(points []point, decay bool) shape {
	first, last := points[0].at, points[len(points)-1].at
	var w, wx, wy, wxx, wxy float64
	for _, p := range points {
		weight := 0.25 + 0.75*(p.at-first)/(last-first)
		y := p.n
		if decay {
			if y <= 0 {
				continue
			}
			weight *= y * y
			y = math.Log(y)
		}
		w += weight
		wx += weight * p.at
		wy += weight * y
		wxx += weight * p.at * p.at
		wxy += weight * p.at * y
	}
	b := (w*wxy - wx*wy) / (w*wxx - wx*wx)
	return shape{a: (wy - b*wx) / w, b: b, decay: decay}
}

// missed is the sum of squares by which s misses points.
func (s shape) missed(points []point) float64 {
	sum := 0.0
	for _, p := range points {
		d := p.n - s.value(p.at)
		sum += d * d
	}
	return sum
}

// without leaves out the points that lie far off s, as a single wrong count
// does: farther than four times what the middle one misses by.
func (s shape) without(points []point) []point {
	miss := make([]float64, len(points))
	for i, p := range points {
		miss[i] = math.Abs(p.n - s.value(p.at))
	}
	sorted := slices.Sorted(slices.Values(miss))
	limit := 4*1.5*sorted[len(sorted)/2] + 1
	var near []point
	for i, p := range points {
		if miss[i] <= limit {
			near = append(near, p)
		}
	}
	return near
}

// stillTrue says whether the last third of points falls as s says: when all
// who are left stay, there is nothing to foretell.
func (s shape) stillTrue(points []point) bool {
	recent := points[len(points)-max(len(points)/3, 4):]
	from, to := recent[0].at, recent[len(recent)-1].at
	seen := regress(recent, false).b * (to - from)
	return seen <= stillFalling*(s.value(to)-s.value(from))
}
