package plans_test

import (
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// TestTheAgeOfARunIsNotSetWithTheClock: by it a process is told from one that ran before the restart, also after this computer was started anew.
func TestTheAgeOfARunIsNotSetWithTheClock(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	sec := func(n int) plans.Seconds { return plans.Seconds(time.Duration(n) * time.Second) }
	var s plans.State
	for i, e := range []struct {
		name string
		at   time.Duration
		boot string
		up   int
		want int
	}{
		{"the first event", 0, "a", 100, 0},
		{"ten seconds on", 10 * time.Second, "a", 110, 10},
		{"the clock is set back by an hour", -time.Hour, "a", 120, 20},
		{"the clock is set forward by two", time.Hour, "a", 125, 25},
		{"this computer was started anew, a minute later by the wall", time.Hour + time.Minute, "b", 30, 85},
		{"and again, with its clock set back", -time.Hour, "c", 7, 92},
		{"a boot that nobody can tell", -time.Hour + 3*time.Second, "", 0, 95},
	} {
		s = s.Apply(plans.Event{Seq: int64(i + 1), What: plans.Noted, Step: -1, Stamp: plans.Stamp{At: noon.Add(e.at), Boot: e.boot, Up: sec(e.up)}})
		if s.Age != sec(e.want) {
			t.Errorf("%s: the run is %s old, want %ds", e.name, s.Age, e.want)
		}
	}
}
