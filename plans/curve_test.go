package plans

import (
	"testing"
	"time"
)

func TestACurveKeepsItsEndsAndIsNeverLongerThanAScreen(t *testing.T) {
	var c []Point
	for i := range 5000 {
		c = lengthened(c, Point{At: Seconds(i) * Seconds(time.Second), Left: 5000 - i})
		if len(c) > curvePoints {
			t.Fatalf("got %d points", len(c))
		}
	}
	if c[0].Left != 5000 || c[len(c)-1].Left != 1 {
		t.Errorf("it goes from %d to %d, want from 5000 to 1", c[0].Left, c[len(c)-1].Left)
	}
	for i := 1; i < len(c); i++ {
		if c[i].At <= c[i-1].At {
			t.Fatalf("point %d is not after the one before", i)
		}
	}
}

func TestARateFollowsTheCountsAndSaysNothingOfWhatIsNotKnown(t *testing.T) {
	at := func(sec, total int) Count {
		return Count{Sessions: Sessions{Total: total}, At: Stamp{At: time.Unix(int64(1000+sec), 0)}}
	}
	c := at(0, 1000)
	for sec := 1; sec <= 60; sec++ {
		next := at(sec, 1000-9*sec)
		next.Rate = rated(c, next)
		c = next
	}
	if c.Rate > -8.9 || c.Rate < -9.1 {
		t.Errorf("got %g sessions a second, want -9", c.Rate)
	}
	unread := at(61, 3)
	unread.Unread = map[string]string{"10.9.0.5": "no answer"}
	if r := rated(c, unread); r != 0 {
		t.Errorf("a count without a machine gives %g", r)
	}
	if r := rated(Count{}, c); r != 0 {
		t.Errorf("the first count gives %g", r)
	}
}
