package drain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// decays are the shapes a drain takes; each starts at 1 and falls.
func decays() []struct {
	name  string
	until int
	start float64
	at    func(share float64) float64 // share of sessions left after that share of the whole time
	half  float64                     // where half are left
} {
	type row = struct {
		name  string
		until int
		start float64
		at    func(float64) float64
		half  float64
	}
	decay := func(name string, until int, start float64) row {
		k := math.Log(start / (float64(until) + 0.5))
		return row{name, until, start, func(x float64) float64 { return math.Exp(-k * x) }, math.Ln2 / k}
	}
	line := func(x float64) float64 { return max(1-x, 0) }
	return []row{
		{"a line to none", 0, 1200, line, 0.5},
		{"a line of few", 0, 120, line, 0.5},
		decay("a decay to none", 0, 1200),
		decay("a decay to ten", 10, 1200),
		decay("a decay to a tenth", 120, 1200),
	}
}

func TestAtHalfTheForecastIsWithinAFifth(t *testing.T) {
	const whole = 170 * time.Second
	for _, d := range decays() {
		for _, noise := range []float64{0, 0.01, 0.02} {
			t.Run(fmt.Sprintf("%s, noise %g", d.name, noise), func(t *testing.T) {
				good := 0
				const seeds = 200
				for seed := range uint64(seeds) {
					rnd := rand.New(rand.NewPCG(seed, 77))
					var c Curve
					step := time.Duration(float64(whole) * d.half / 60)
					now := time.Duration(0)
					for ; now <= time.Duration(float64(whole)*d.half); now += step {
						n := d.start * d.at(now.Seconds()/whole.Seconds()) * (1 + noise*rnd.NormFloat64())
						c.Add(now, int(math.Round(n)))
					}
					got, want := c.Forecast(d.until), whole-(now-step)
					if got.Sure && math.Abs(float64(got.Empty-want)) <= 0.2*float64(want) {
						good++
					}
				}
				if good*10 < seeds*9 {
					t.Errorf("%d of %d seeds within a fifth, want 9 in 10", good, seeds)
				}
			})
		}
	}
}

func TestForecastSaysNothingItCannotKnow(t *testing.T) {
	tests := []struct {
		name   string
		until  int
		counts []int // one a second
		want   Forecast
	}{
		{"no count", 0, nil, Forecast{}},
		{"too few counts", 0, []int{100, 80, 60, 40}, Forecast{}},
		{"nobody leaves", 0, []int{50, 50, 50, 50, 50, 50, 50, 50}, Forecast{}},
		{"more and more come", 0, []int{10, 20, 30, 40, 50, 60, 70, 80}, Forecast{}},
		{"the rest stay", 0, []int{100, 90, 80, 70, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60}, Forecast{}},
		{"already there", 5, []int{100, 5}, Forecast{Sure: true}},
		{"already at none", 0, []int{0}, Forecast{Sure: true}},
		{"a straight line", 0, []int{100, 90, 80, 70, 60, 50}, Forecast{Empty: 5 * time.Second, Sure: true}},
		{"a line after a long stay", 0, []int{100, 100, 100, 100, 100, 90, 80, 70, 60, 50}, Forecast{Empty: 5 * time.Second, Sure: true}},
		{"a line to ten", 10, []int{100, 90, 80, 70, 60, 50}, Forecast{Empty: 4 * time.Second, Sure: true}},
		{"one wrong count", 0, []int{200, 190, 180, 170, 20, 150, 140, 130, 120, 110, 100}, Forecast{Empty: 10 * time.Second, Sure: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Curve
			for i, n := range tt.counts {
				c.Add(time.Duration(i)*time.Second, n)
			}
			got := c.Forecast(tt.until)
			got.Empty = got.Empty.Round(100 * time.Millisecond)
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestALongDrainIsStillForetold(t *testing.T) {
	var c Curve
	for i := range 5000 {
		c.Add(time.Duration(i)*time.Second, 10000-i)
	}
	got := c.Forecast(0)
	if want := 5001 * time.Second; !got.Sure || (got.Empty-want).Abs() > 10*time.Second {
		t.Errorf("got %+v, want about %s", got, want)
	}
	if len(c.points) > curvePoints {
		t.Errorf("got %d points kept, want at most %d", len(c.points), curvePoints)
	}
}

func FuzzForecastIsNeverNegative(f *testing.F) {
	f.Add([]byte{100, 90, 80, 70, 60, 50}, 0)
	f.Add([]byte{0, 0, 255, 0, 1, 1, 1, 0, 7}, -3)
	f.Fuzz(func(t *testing.T, counts []byte, until int) {
		var c Curve
		for i, n := range counts {
			c.Add(time.Duration(i)*time.Second, int(n))
			got := c.Forecast(until)
			if got.Empty < 0 || !got.Sure && got.Empty != 0 || got.Empty > farthest {
				t.Fatalf("got %+v", got)
			}
		}
	})
}
