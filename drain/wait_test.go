package drain

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// tally is a Counter that answers by the time since it was made.
type tally struct {
	began time.Time
	at    func(since time.Duration) (Reading, error)
}

func (c tally) Count(context.Context) (Reading, error) {
	r, err := c.at(time.Since(c.began))
	r.At = time.Now()
	return r, err
}

func left(n int) (Reading, error) { return Reading{Total: n, Full: true}, nil }

func unread(n int) (Reading, error) {
	return Reading{Total: n, Unread: map[string]string{"10.0.0.4": "the channel ended"}}, nil
}

var errSource = errors.New("the page answers 503")

func TestWaitEndsAtZeroOrAtTheDeadline(t *testing.T) {
	seconds := func(at, n time.Duration) bool { return at >= n*time.Second }
	threeMinutes := Policy{StableFor: 10 * time.Second, Within: 3 * time.Minute, Interval: time.Second}
	tests := []struct {
		name   string
		policy Policy
		at     func(since time.Duration) (Reading, error)
		ended  Ended
		took   time.Duration
		total  int
		known  bool
	}{
		{"all leave", threeMinutes, func(at time.Duration) (Reading, error) {
			return left(max(0, 100-int(at/time.Second)))
		}, Zero, 110 * time.Second, 0, true},
		{"nobody was there", threeMinutes, func(time.Duration) (Reading, error) {
			return left(0)
		}, Zero, 10 * time.Second, 0, true},
		{"zero needs two counts", Policy{Within: time.Minute, Interval: time.Second}, func(time.Duration) (Reading, error) {
			return left(0)
		}, Zero, time.Second, 0, true},
		{"some stay", threeMinutes, func(time.Duration) (Reading, error) {
			return left(7)
		}, Deadline, 3 * time.Minute, 7, true},
		{"few enough stay", Policy{Until: 7, Within: time.Minute}, func(time.Duration) (Reading, error) {
			return left(7)
		}, Zero, time.Second, 7, true},
		{"a late session starts the calm anew", threeMinutes, func(at time.Duration) (Reading, error) {
			if seconds(at, 8) && !seconds(at, 30) {
				return left(1)
			}
			return left(0)
		}, Zero, 40 * time.Second, 0, true},
		{"a host that is unread once starts the calm anew", threeMinutes, func(at time.Duration) (Reading, error) {
			if seconds(at, 5) && !seconds(at, 6) {
				return unread(0)
			}
			return left(0)
		}, Zero, 16 * time.Second, 0, true},
		{"an error once starts the calm anew", threeMinutes, func(at time.Duration) (Reading, error) {
			if seconds(at, 5) && !seconds(at, 6) {
				return Reading{}, errSource
			}
			return left(0)
		}, Zero, 16 * time.Second, 0, true},
		{"a count never read is not zero", threeMinutes, func(time.Duration) (Reading, error) {
			return Reading{}, errSource
		}, Deadline, 3 * time.Minute, 0, false},
		{"a host never read is not empty", threeMinutes, func(time.Duration) (Reading, error) {
			return unread(0)
		}, Deadline, 3 * time.Minute, 0, false},
		{"a count that is not full confirms nothing", threeMinutes, func(time.Duration) (Reading, error) {
			return Reading{}, nil
		}, Deadline, 3 * time.Minute, 0, true},
		{"a negative count is not zero", threeMinutes, func(time.Duration) (Reading, error) {
			return left(-1)
		}, Deadline, 3 * time.Minute, -1, true},
		{"the calm is too short before the deadline", threeMinutes, func(at time.Duration) (Reading, error) {
			if seconds(at, 175) {
				return left(0)
			}
			return left(3)
		}, Deadline, 3 * time.Minute, 0, true},
		{"without a deadline it waits for hours", Policy{}, func(at time.Duration) (Reading, error) {
			if seconds(at, 7200) {
				return left(0)
			}
			return left(3)
		}, Zero, 7201 * time.Second, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := Wait(t.Context(), tally{time.Now(), tt.at}, tt.policy, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got.Ended != tt.ended || got.Took != tt.took {
					t.Errorf("got %s after %s, want %s after %s", got.Ended, got.Took, tt.ended, tt.took)
				}
				if got.Last.Total != tt.total || got.Last.Known() != tt.known {
					t.Errorf("got %+v at the end, want %d sessions, known %t", got.Last, tt.total, tt.known)
				}
			})
		})
	}
}

func TestAnUnreadableCountIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Reading
		source := tally{time.Now(), func(at time.Duration) (Reading, error) {
			if at >= 2*time.Second {
				return Reading{}, errSource
			}
			return Reading{Total: 5, ByHost: map[string]int{"10.0.0.4": 2, "10.0.0.5": 3}, Full: true}, nil
		}}
		_, err := Wait(t.Context(), source, Policy{Within: 3500 * time.Millisecond}, func(r Reading, f Forecast) {
			told = append(told, r)
			if f != (Forecast{}) {
				t.Errorf("got forecast %+v from too little, want none", f)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(told) != 4 {
			t.Fatalf("got %d readings told, want 4", len(told))
		}
		got := told[3]
		if got.Known() || got.Total != 0 || got.Unread["10.0.0.4"] != errSource.Error() || got.Unread["10.0.0.5"] != errSource.Error() {
			t.Errorf("got %+v, want both hosts unread with the reason", got)
		}
	})
}

func TestTheForecastComesWithEachReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := tally{time.Now(), func(at time.Duration) (Reading, error) { return left(max(0, 100-int(at/time.Second))) }}
		seen := false
		_, err := Wait(t.Context(), source, Policy{}, func(r Reading, f Forecast) {
			if r.Total == 50 {
				seen = true
				if got := f.Empty.Round(time.Second); !f.Sure || got != 50*time.Second {
					t.Errorf("got %+v at half, want 50s", f)
				}
			}
		})
		if err != nil || !seen {
			t.Errorf("got error %v, half seen %t", err, seen)
		}
	})
}

// stuck is a Counter that answers once and then only when it is stopped.
type stuck struct {
	first  Reading
	after  Reading
	looked *int
}

func (c stuck) Count(ctx context.Context) (Reading, error) {
	*c.looked++
	if *c.looked == 1 {
		return c.first, nil
	}
	<-ctx.Done()
	return c.after, ctx.Err()
}

func TestTheDeadlineComesEvenWhileCounting(t *testing.T) {
	known := Reading{Total: 4, ByHost: map[string]int{"10.0.0.4": 4}, Full: true}
	lost := Reading{Unread: map[string]string{"10.0.0.4": "counts come 9s late"}}
	tests := []struct {
		name  string
		after Reading
		total int
		known bool
	}{
		{"the counter knows nothing newer", Reading{}, 4, true},
		{"the counter knows that it knows nothing", lost, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := Wait(t.Context(), stuck{known, tt.after, new(int)}, Policy{Within: time.Minute}, nil)
				if err != nil || got.Ended != Deadline || got.Took != time.Minute {
					t.Errorf("got %s after %s, %v, want the deadline after 1m", got.Ended, got.Took, err)
				}
				if got.Last.Total != tt.total || got.Last.Known() != tt.known {
					t.Errorf("got %+v, want %d sessions, known %t", got.Last, tt.total, tt.known)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		one := 1
		got, err := Wait(t.Context(), stuck{looked: &one}, Policy{Within: time.Minute}, nil)
		if err != nil || got.Ended != Deadline || got.Last.Known() {
			t.Errorf("got %+v, %v where no count ever came, want the deadline and nothing known", got, err)
		}
	})
}

func TestACountFromBeforeTheDrainEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := Reading{Full: true, At: time.Now().Add(-time.Minute)}
		got, err := Wait(t.Context(), fixed(old), Policy{Within: time.Minute}, nil)
		if err != nil || got.Ended != Deadline {
			t.Errorf("got %+v, %v from an old count, want the deadline", got, err)
		}
		same := Reading{Full: true, At: time.Now()}
		got, err = Wait(t.Context(), fixed(same), Policy{Within: time.Minute}, nil)
		if err != nil || got.Ended != Deadline {
			t.Errorf("got %+v, %v from one count shown twice, want the deadline", got, err)
		}
	})
}

// fixed is a Counter that always shows the same reading.
type fixed Reading

func (c fixed) Count(context.Context) (Reading, error) { return Reading(c), nil }

func TestCancelEndsTheWaitAtOnce(t *testing.T) {
	tests := []struct {
		name string
		c    Counter
	}{
		{"between two looks", tally{time.Now(), func(time.Duration) (Reading, error) { return left(3) }}},
		{"during a look", stuck{first: Reading{Total: 3}, looked: new(int)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(7500*time.Millisecond, cancel)
				got, err := Wait(ctx, tt.c, Policy{Within: time.Hour, Interval: 2 * time.Second}, nil)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v, want the context's", err)
				}
				if got.Ended != "" || got.Took != 7500*time.Millisecond || got.Last.Total != 3 {
					t.Errorf("got %+v, want no end, after 7.5s, with the last reading", got)
				}
			})
		})
	}
}
