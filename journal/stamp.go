package journal

import (
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// stamps gives the clock of a store: the wall in milliseconds, and the time since boot where the boot is known.
func stamps() func() plans.Stamp {
	boot := bootID()
	return func() plans.Stamp {
		s := plans.Stamp{At: time.Now().UTC().Truncate(time.Millisecond)}
		if boot != "" {
			s.Boot, s.Up = boot, plans.Seconds(sinceBoot().Truncate(time.Microsecond))
		}
		return s
	}
}
