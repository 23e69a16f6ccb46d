package plans

import (
	"encoding/json"
	"fmt"
	"time"
)

// Seconds is a duration that is written in JSON as a number of seconds.
type Seconds time.Duration

// Duration gives the time.Duration of s.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// String gives s as 3m0s.
func (s Seconds) String() string { return time.Duration(s).String() }

// MarshalJSON writes s as a number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(s).Seconds())
}

// UnmarshalJSON reads a number of seconds.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("seconds: %w", err)
	}
	if f < 0 || f > 1e9 {
		return fmt.Errorf("seconds: %g is out of range", f)
	}
	*s = Seconds(time.Duration(f * float64(time.Second)).Round(time.Microsecond))
	return nil
}
