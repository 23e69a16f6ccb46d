package drain

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// machine is a pretend machine: what it says at each login.
type machine struct {
	logins int
	run    func(ctx context.Context, login int, say sayFunc) error
}

// sayFunc writes a line, in which NOW is the machine's clock.
type sayFunc func(format string, args ...any) error

// machines is a Shell to pretend machines, which booted when it was made.
type machines struct {
	boot time.Time
	by   map[string]*machine
}

func (s machines) Stream(ctx context.Context, host, _ string, line func(string) error) error {
	m := s.by[host]
	m.logins++
	return m.run(ctx, m.logins, func(format string, args ...any) error {
		now := fmt.Sprint(time.Since(s.boot).Milliseconds())
		return line(strings.ReplaceAll(fmt.Sprintf(format, args...), "NOW", now))
	})
}

// beat says a count of sessions each second, times times.
func beat(ctx context.Context, say sayFunc, times, sessions int) error {
	for range times {
		if err := say("full 1 %d %d 8 10 1000 NOW paired ss", sessions, sessions); err != nil {
			return err
		}
		if err := rest(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	if (Wall{}).Wait(ctx, d) != nil {
		return ctx.Err()
	}
	return nil
}

const forEver = 1 << 30

// watching hands do a started Watch of a, as the test has it, and b with three
// sessions.
func watching(t *testing.T, a func(ctx context.Context, login int, say sayFunc) error, do func(*testing.T, *Watch)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := func(ctx context.Context, _ int, say sayFunc) error { return beat(ctx, say, forEver, 3) }
		shell := machines{time.Now().Add(-time.Hour), map[string]*machine{"a": {run: a}, "b": {run: b}}}
		w := Sockets(shell, []Target{{Host: "a", Ports: []int{6200}}, {Host: "b", Ports: []int{6200}}}, Options{})
		w.Start(t.Context())
		defer w.Close()
		do(t, w)
	})
}

// count looks once, and wants it to end within d.
func count(t *testing.T, w *Watch, d time.Duration) Reading {
	t.Helper()
	began := time.Now()
	r, err := w.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > d {
		t.Errorf("the count took %s, want at most %s", took, d)
	}
	return r
}

func TestCountAddsUpTheMachines(t *testing.T) {
	watching(t, func(ctx context.Context, _ int, say sayFunc) error { return beat(ctx, say, forEver, 4) },
		func(t *testing.T, w *Watch) {
			if err := rest(t.Context(), 10500*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			asked := time.Now()
			got := count(t, w, time.Second)
			if !got.Full || !got.Known() || got.Total != 7 || !reflect.DeepEqual(got.ByHost, map[string]int{"a": 4, "b": 3}) {
				t.Errorf("got %+v, want 4 and 3, in full", got)
			}
			if got.At.Before(asked) {
				t.Errorf("got a count of %s before it was asked for", asked.Sub(got.At))
			}
			if len(got.Silent) != 0 {
				t.Errorf("got %v silent, want none", got.Silent)
			}
		})
}

func TestAMachineThatCannotBeReadIsUnreadAndComesBack(t *testing.T) {
	tests := []struct {
		name  string
		first func(ctx context.Context, say sayFunc) error // the first login; later ones count
		why   string
	}{
		{"login refused", func(context.Context, sayFunc) error {
			return errors.New("dial tcp 10.0.0.4:22: connection refused")
		}, "the channel ended: dial tcp 10.0.0.4:22: connection refused"},
		{"nothing to count with", func(_ context.Context, say sayFunc) error {
			return say("none there is no awk on this machine")
		}, "there is no awk on this machine"},
		{"the script is no script there", func(_ context.Context, say sayFunc) error {
			return say("sh: syntax error")
		}, `the counting script ended; it said "sh: syntax error"`},
		{"the script was killed", func(_ context.Context, say sayFunc) error {
			return errors.Join(say("gate 0 0 NOW"), errors.New("signal: killed"))
		}, "the channel ended: signal: killed"},
		{"the login hangs", func(ctx context.Context, _ sayFunc) error {
			return rest(ctx, time.Hour)
		}, "no word of the count in time: 30s are given to the login, then 6s"},
		{"the login greets for ever", func(ctx context.Context, say sayFunc) error {
			for {
				if err := errors.Join(say("Welcome!"), rest(ctx, time.Second)); err != nil {
					return err
				}
			}
		}, "no word of the count in time: 30s are given to the login, then 6s"},
		{"the channel falls silent", func(ctx context.Context, say sayFunc) error {
			return errors.Join(say("full 1 0 0 8 10 1000 1 paired ss"), rest(ctx, time.Hour))
		}, "no word of the count in time: 30s are given to the login, then 6s"},
		{"heartbeats but no count", func(ctx context.Context, say sayFunc) error {
			if err := say("full 1 0 0 8 10 1000 NOW paired ss"); err != nil {
				return err
			}
			for {
				if err := errors.Join(rest(ctx, time.Second), say("gate 1 5 NOW")); err != nil {
					return err
				}
			}
		}, "the machine answers, but a full count is overdue"},
		{"counts that were long under way", func(ctx context.Context, say sayFunc) error {
			return errors.Join(say("gate 0 0 3600000"), rest(ctx, time.Second), say("full 1 0 0 8 10 1000 3580000 paired ss"))
		}, "counts come 21s late"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			watching(t, func(ctx context.Context, login int, say sayFunc) error {
				if login == 1 {
					return tt.first(ctx, say)
				}
				return beat(ctx, say, forEver, 4)
			}, func(t *testing.T, w *Watch) {
				var got Reading
				for range 40 {
					if got = count(t, w, 31*time.Second); !got.Known() {
						break
					}
					if err := rest(t.Context(), time.Second); err != nil {
						t.Fatal(err)
					}
				}
				if got.Known() || got.Full || got.Unread["a"] != tt.why {
					t.Fatalf("got %+v, want a unread: %s", got, tt.why)
				}
				if got.Total != 3 {
					t.Errorf("got %d sessions on what can be read, want 3", got.Total)
				}
				if err := rest(t.Context(), 5*time.Second); err != nil {
					t.Fatal(err)
				}
				if got := count(t, w, 2*time.Second); !got.Full || got.Total != 7 {
					t.Errorf("got %+v after it came back, want 7 in full", got)
				}
			})
		})
	}
}

func TestACountThatBeganBeforeTheLookIsNotFresh(t *testing.T) {
	watching(t, func(ctx context.Context, _ int, say sayFunc) error {
		if err := say("gate 0 0 NOW"); err != nil {
			return err
		}
		for n := 9; ; n-- {
			// Each count takes two seconds, or the line that long to arrive.
			began := time.Now()
			if err := rest(ctx, 2*time.Second); err != nil {
				return err
			}
			at := began.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Milliseconds() + 3600000
			if err := say("full 1 %d %d 8 10 1000 %d paired ss", n, n, at); err != nil {
				return err
			}
		}
	}, func(t *testing.T, w *Watch) {
		if err := rest(t.Context(), 3*time.Second); err != nil {
			t.Fatal(err)
		}
		// The second count, of eight, began a second ago; the third is asked for.
		if got := count(t, w, 3*time.Second); got.ByHost["a"] != 7 || !got.Full {
			t.Errorf("got %+v, want the 7 of the next count", got)
		}
	})
}

func TestACostlyMachineIsWaitedFor(t *testing.T) {
	watching(t, func(ctx context.Context, _ int, say sayFunc) error {
		for {
			if err := say("full 1 100000 100000 8 280 14000 NOW plain ss"); err != nil {
				return err
			}
			for range 14 {
				if err := errors.Join(rest(ctx, time.Second), say("gate 1 100000 NOW")); err != nil {
					return err
				}
			}
		}
	}, func(t *testing.T, w *Watch) {
		for range 5 {
			if got := count(t, w, 15*time.Second); !got.Full || got.Total != 100003 {
				t.Errorf("got %+v, want 100003 in full", got)
			}
		}
	})
}

func TestAMachineWithoutAListenerIsSilent(t *testing.T) {
	watching(t, func(ctx context.Context, _ int, say sayFunc) error {
		return errors.Join(say("full 1 0 0 0 10 1000 NOW paired ss"), rest(ctx, time.Hour))
	}, func(t *testing.T, w *Watch) {
		got := count(t, w, time.Second)
		if !reflect.DeepEqual(got.Silent, []string{"a"}) {
			t.Errorf("got %v silent, want a", got.Silent)
		}
	})
}

func TestCountEndsWithItsContext(t *testing.T) {
	watching(t, func(ctx context.Context, _ int, _ sayFunc) error { return rest(ctx, time.Hour) },
		func(t *testing.T, w *Watch) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			got, err := w.Count(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got error %v, want the context's", err)
			}
			if got.Full || got.ByHost["b"] != 3 || got.Unread["a"] != "not counted yet" {
				t.Errorf("got %+v, want what is known so far", got)
			}
		})
}

func TestWhatCannotBeWatchedIsNeverZero(t *testing.T) {
	one := []int{6200}
	tests := []struct {
		name    string
		targets []Target
		host    string
		why     string
	}{
		{"no machine", nil, "", "there is no machine to count on"},
		{"no port", []Target{{Host: "a"}}, "a", "no port to count on is given"},
		{"named twice", []Target{{Host: "b", Ports: one}, {Host: "b", Ports: one}}, "b", "the machine is named twice among those to count on"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := func(ctx context.Context, _ int, say sayFunc) error { return beat(ctx, say, forEver, 0) }
				w := Sockets(machines{time.Now(), map[string]*machine{"b": {run: b}}}, tt.targets, Options{})
				w.Start(t.Context())
				defer w.Close()
				got := count(t, w, time.Minute)
				if got.Known() || got.Full || got.Unread[tt.host] != tt.why {
					t.Errorf("got %+v, want %q unread: %s", got, tt.host, tt.why)
				}
			})
		})
	}
	t.Run("not started", func(t *testing.T) {
		w := Sockets(machines{}, []Target{{Host: "a", Ports: one}}, Options{})
		if got := count(t, w, time.Second); got.Unread["a"] != "counting has not been started" {
			t.Errorf("got %+v, want it unread", got)
		}
		w.Close()
	})
}

func TestAClosedWatchIsUnread(t *testing.T) {
	watching(t, func(ctx context.Context, _ int, say sayFunc) error { return beat(ctx, say, forEver, 0) },
		func(t *testing.T, w *Watch) {
			w.Close()
			if got := count(t, w, 0); len(got.Unread) != 2 {
				t.Errorf("got %+v, want both unread", got)
			}
		})
}
