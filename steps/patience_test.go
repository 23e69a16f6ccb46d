package steps_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// slow is a world in which a count takes a minute.
type slow struct{ *world }

func (s slow) Counter(group string, watch []plans.Ports) drain.Counter {
	return slowCounter{s.world.Counter(group, watch)}
}

type slowCounter struct{ drain.Counter }

func (c slowCounter) Count(ctx context.Context) (drain.Reading, error) {
	t := time.NewTimer(time.Minute)
	defer t.Stop()
	select {
	case <-t.C:
		return c.Counter.Count(ctx)
	case <-ctx.Done():
		return drain.Reading{}, ctx.Err()
	}
}

// timely is a journal by which things are asked for at moments, the earliest first.
type timely struct {
	*book
	asks []ask
}

type ask struct {
	at   time.Time
	what plans.Request
}

func (y *timely) Requests(ctx context.Context) ([]plans.Event, error) {
	if len(y.asks) > 0 && !time.Now().Before(y.asks[0].at) {
		y.ask, y.asks = y.asks[0].what, y.asks[1:]
	}
	return y.book.Requests(ctx)
}

// TestWhileACountTakesLongTheRunHearsAndSees: a count that hangs delays neither an abort nor the opening of a group whose other one is hurt.
func TestWhileACountTakesLongTheRunHearsAndSees(t *testing.T) {
	for _, tc := range []struct {
		name   string
		happen func(*world)
		abort  bool
		want   string
	}{
		{"an abort", func(*world) {}, true, "asked by wang@ops"},
		{"a machine of the other group dies", func(w *world) { w.up["10.9.0.2"] = false }, false, "which serves, is hurt"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				b := begin(w)
				tools := w.tools()
				tools.Sessions = slow{w}
				time.AfterFunc(20*time.Second, func() { w.mu.Lock(); defer w.mu.Unlock(); tc.happen(w) })
				began := time.Now()
				j := &timely{book: b}
				if tc.abort {
					j.asks = []ask{{began.Add(20 * time.Second), plans.AskAbort}}
				}
				_, err := steps.Run(t.Context(), b.state(), j, tools)
				if !errors.Is(err, steps.ErrAborted) {
					t.Fatalf("got %v, want it put back", err)
				}
				for _, e := range b.es {
					if e.What != plans.Planned || e.Note == "" {
						continue
					}
					if took := e.At.Sub(began) - 20*time.Second; took > 10*time.Second || !strings.Contains(e.Note, tc.want) {
						t.Errorf("the way back began after %s since %q, want within 10 s and %q", took, e.Note, tc.want)
					}
				}
			})
		})
	}
}

// frontFunc connects through the load balancer.
type frontFunc func() map[string]int

func (f frontFunc) Try(context.Context, int) (map[string]int, error) { return f(), nil }

func TestALoadBalancerThatStillSendsPlayersIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(func(o *plans.Options) { o.Try = 20 })
		b := begin(w)
		tools := w.tools()
		tools.Front = frontFunc(func() map[string]int { return map[string]int{"10.9.0.1": 19, "10.9.0.5": 1} })
		_, err := steps.Run(t.Context(), b.state(), b, tools)
		var held *steps.HeldError
		want := "the load balancer says that game-5 is off and still sends players there: 1 of 20 connections"
		if !errors.As(err, &held) || !strings.Contains(err.Error(), want) || len(w.stops) > 0 {
			t.Fatalf("got %v and %d stops, want it held and none: %s", err, len(w.stops), want)
		}
	})
}
