package main

import (
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
)

// TestAShiftHasTimeForEachStepOfItsRamp: it waits for settle after each, and whatever time it has without one is for other things.
func TestAShiftHasTimeForEachStepOfItsRamp(t *testing.T) {
	const settle = 15 * time.Second
	u := config.ULB{Late: 30 * time.Second}
	without := shiftWithin(u, settle, 6)
	for percent := 98; percent > 0; percent -= 7 {
		u.Ramp = append(u.Ramp, percent)
	}
	if got, want := shiftWithin(u, settle, 6), without+time.Duration(len(u.Ramp))*settle; got < want {
		t.Errorf("%d steps: got %s, want %s at least, %s being for a shift without any", len(u.Ramp), got, want, without)
	}
}
