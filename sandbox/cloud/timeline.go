package cloud

import "time"

// timeline is a value's history, oldest first. Its first moment is the zero
// time when the value was there from the start.
type timeline[T any] []moment[T]

type moment[T any] struct {
	at time.Time
	is T
}

// since begins a timeline.
func since[T any](at time.Time, is T) timeline[T] { return timeline[T]{{at, is}} }

// last returns the newest value.
func (t timeline[T]) last() T { return t[len(t)-1].is }

// asOf returns the value that held at a time, false when there was none yet.
func (t timeline[T]) asOf(when time.Time) (T, bool) {
	for i := len(t) - 1; i >= 0; i-- {
		if !t[i].at.After(when) {
			return t[i].is, true
		}
	}
	var none T
	return none, false
}

// after returns when the first change after a time comes, false when none does.
func (t timeline[T]) after(when time.Time) (time.Time, bool) {
	var next time.Time
	for i := len(t) - 1; i >= 0 && t[i].at.After(when); i-- {
		next = t[i].at
	}
	return next, !next.IsZero()
}

// add appends a value and forgets what no look back of at most memory can see.
func (t *timeline[T]) add(at time.Time, is T, memory time.Duration) {
	edge := at.Add(-memory)
	first := 0
	for i, m := range *t {
		if m.at.After(edge) {
			break
		}
		first = i
	}
	if first > 0 {
		*t = append((*t)[:0], (*t)[first:]...)
	}
	*t = append(*t, moment[T]{at, is})
}
