package drain

import (
	"context"
	"time"
)

// Policy says when a drain is over.
type Policy struct {
	// Until is the number of sessions that counts as none. Usually 0.
	Until int
	// StableFor is how long the number must have stayed there. Someone may
	// hold a gate's answer and still be on the way to a connector, so that
	// zero once is not drained. There are always two counts at the least.
	StableFor time.Duration
	// Within is the deadline, from the call of Wait. 0: there is none.
	Within time.Duration
	// Interval is the time from one look to the next. 0: one second.
	Interval time.Duration
	// Clock is the time it all goes by. nil: Wall.
	Clock Clock
}

// Ended is how a drain ended.
type Ended string

const (
	// Zero is a drain at whose end no more than Policy.Until sessions were left.
	Zero Ended = "zero"
	// Deadline is a drain that was given no more time. Outcome.Last tells what
	// is left, and what is not known.
	Deadline Ended = "deadline"
)

// Outcome is the end of a drain.
type Outcome struct {
	// Ended is empty where the wait was cancelled.
	Ended Ended
	// Last is the last reading. At the deadline its Unread may be set: what is
	// on those hosts nobody knows, and the caller decides what that means.
	Last Reading
	// Took is the time since the call of Wait.
	Took time.Duration
}

// Wait waits until c counts no more than p.Until sessions for p.StableFor, or
// until p.Within has passed, and says which. After each look it calls note,
// which may be nil, on its own goroutine. Only the monotonic clock counts: a
// machine put to sleep, or a clock set, makes a drain longer and never shorter.
// The error is ctx's, and comes at once when ctx ends.
func Wait(ctx context.Context, c Counter, p Policy, note func(Reading, Forecast)) (Outcome, error) {
	if p.Interval <= 0 {
		p.Interval = time.Second
	}
	clock := p.Clock
	if clock == nil {
		clock = Wall{}
	}
	began := clock.Now()
	counting := ctx
	if p.Within > 0 {
		var cancel context.CancelFunc
		counting, cancel = clock.Within(ctx, p.Within, context.DeadlineExceeded)
		defer cancel()
	}

	calm := streak{began: began}
	var curve Curve
	var last Reading
	end := func(how Ended) Outcome { return Outcome{Ended: how, Last: last, Took: clock.Now().Sub(began)} }
	for {
		looked := clock.Now()
		found, err := c.Count(counting)
		if ctx.Err() != nil {
			return end(""), ctx.Err()
		}
		if err != nil && counting.Err() != nil {
			last = cutOff(found, last, looked)
			return end(Deadline), nil
		}
		if err != nil {
			found = unreadable(last, looked, err.Error())
		}
		if found.At.IsZero() {
			found.At = looked
		}
		last = found

		var forecast Forecast
		if found.Known() {
			curve.Add(found.At.Sub(began), found.Total)
			forecast = curve.Forecast(p.Until)
		}
		if note != nil {
			note(found, forecast)
		}
		if calm.add(found, p) {
			return end(Zero), nil
		}
		if clock.Wait(counting, looked.Add(p.Interval).Sub(clock.Now())) != nil {
			if ctx.Err() != nil {
				return end(""), ctx.Err()
			}
			return end(Deadline), nil
		}
	}
}

// cutOff is the last reading of a drain whose deadline came while c counted:
// what the counter knew by then, or else the reading before.
func cutOff(found, before Reading, looked time.Time) Reading {
	if len(found.ByHost)+len(found.Unread) > 0 {
		if found.At.IsZero() {
			found.At = looked
		}
		return found
	}
	if before.At.IsZero() {
		return unreadable(before, looked, "no count came before the deadline")
	}
	return before
}

// streak is the run of readings, up to now, that found few enough sessions.
type streak struct {
	began       time.Time // of the drain: what was counted before says nothing about it
	first, last time.Time
	reads       int
}

// add takes a reading in, and is true when the streak is long enough. The time
// it spans is that between the counts themselves, not between their arrivals.
func (s *streak) add(r Reading, p Policy) bool {
	if !r.Known() || r.Total < 0 || r.Total > p.Until {
		*s = streak{began: s.began}
		return false
	}
	if !r.Full || r.At.Before(s.began) || s.reads > 0 && !r.At.After(s.last) {
		return false
	}
	if s.reads == 0 {
		s.first = r.At
	}
	s.last = r.At
	s.reads++
	return s.reads >= 2 && s.last.Sub(s.first) >= p.StableFor
}
