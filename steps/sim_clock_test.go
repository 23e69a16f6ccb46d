package steps_test

import (
	"context"
	"testing"
	"time"
	"unsafe"
)

// happening is something that the world does by itself at a moment.
type happening struct {
	at  time.Duration
	seq int // of two at one moment, the one planned first comes first
	do  func()
}

// ending is a deadline that the code under test waits for.
type ending struct {
	due    time.Duration // by the monotonic clock
	cancel context.CancelCauseFunc
	cause  error
}

// simClock is the time of a simulated world, and the clocks of the computer that rollout runs on. Nothing waits, and no goroutine is begun: time
// passes where the code under test waits or calls, and what the world does meanwhile is done there and then.
type simClock struct {
	now    time.Duration // since the world began
	slept  time.Duration // how long the computer has slept: its monotonic clock stood still
	jumped time.Duration // how far its wall clock has been set
	asleep bool
	seq    int
	queue  []happening // a heap
	ends   []*ending
	each   func() // after each happening
	dying  bool   // the process ends where it next waits or calls
}

// killed is what a process dies of.
type killed struct{}

func (c *simClock) mono() time.Duration { return c.now - c.slept }

// epoch is the wall time at which a world begins, in seconds since 1885 as time.Time keeps them.
const epoch = (2026 - 1885) * 31556952

// Now gives a time whose wall part and monotonic part go their own ways, as after the wall clock was set. No call of package time makes one.
func (c *simClock) Now() time.Time {
	var t time.Time
	wall := epoch*time.Second + c.now + c.jumped
	raw := (*struct {
		wall uint64
		ext  int64
	})(unsafe.Pointer(&t))
	raw.wall = 1<<63 | uint64(wall/time.Second)<<30 | uint64(wall%time.Second)
	raw.ext = int64(c.mono()) + 1
	return t
}

// after plans a happening.
func (c *simClock) after(d time.Duration, do func()) {
	c.seq++
	c.queue = append(c.queue, happening{c.now + max(d, 0), c.seq, do})
	for i := len(c.queue) - 1; i > 0; {
		up := (i - 1) / 2
		if !c.queue[i].before(c.queue[up]) {
			break
		}
		c.queue[i], c.queue[up] = c.queue[up], c.queue[i]
		i = up
	}
}

func (h happening) before(o happening) bool { return h.at < o.at || h.at == o.at && h.seq < o.seq }

func (c *simClock) pop() happening {
	top, last := c.queue[0], len(c.queue)-1
	c.queue[0] = c.queue[last]
	c.queue[last] = happening{}
	c.queue = c.queue[:last]
	for i := 0; ; {
		least := i
		for _, k := range [2]int{2*i + 1, 2*i + 2} {
			if k < last && c.queue[k].before(c.queue[least]) {
				least = k
			}
		}
		if least == i {
			return top
		}
		c.queue[i], c.queue[least] = c.queue[least], c.queue[i]
		i = least
	}
}

// step moves on to the next thing that happens, and to the moment given at the latest.
func (c *simClock) step(to time.Duration) {
	if !c.asleep {
		var first *ending
		for _, e := range c.ends {
			if first == nil || e.due < first.due {
				first = e
			}
		}
		if first != nil && first.due+c.slept <= to && (len(c.queue) == 0 || first.due+c.slept <= c.queue[0].at) {
			c.move(first.due + c.slept)
			c.drop(first)
			first.cancel(first.cause)
			return
		}
	}
	if len(c.queue) > 0 && c.queue[0].at <= to {
		h := c.pop()
		c.move(h.at)
		h.do()
		c.each()
		return
	}
	c.move(to)
}

func (c *simClock) move(to time.Duration) {
	if d := to - c.now; d > 0 {
		c.now = to
		if c.asleep {
			c.slept += d
		}
	}
}

func (c *simClock) drop(e *ending) {
	for i := range c.ends {
		if c.ends[i] == e {
			c.ends = append(c.ends[:i], c.ends[i+1:]...)
			return
		}
	}
}

// pass lets time go by, whoever waits.
func (c *simClock) pass(d time.Duration) {
	for to := c.now + d; c.now < to; {
		c.step(to)
	}
}

// Wait lets time go by for the process, which may die meanwhile.
func (c *simClock) Wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.dying {
		panic(killed{})
	}
	for to := c.mono() + d; c.mono() < to; {
		c.step(to + c.slept)
		if c.dying {
			panic(killed{})
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// Within gives a context that this clock ends.
func (c *simClock) Within(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	e := &ending{c.mono() + d, cancel, cause}
	if d <= 0 {
		cancel(cause)
		return ctx, func() { cancel(nil) }
	}
	c.ends = append(c.ends, e)
	return ctx, func() {
		c.drop(e)
		cancel(nil)
	}
}

// TestTheClockOfTheSimulationTellsTwoTimes demands what the layout of time.Time is relied upon for.
func TestTheClockOfTheSimulationTellsTwoTimes(t *testing.T) {
	c := &simClock{each: func() {}}
	before := c.Now()
	c.pass(3 * time.Second)
	c.jumped = -time.Hour
	after := c.Now()
	if got := after.Sub(before); got != 3*time.Second {
		t.Errorf("got %s by the monotonic clock, want 3s", got)
	}
	if got := after.Round(0).Sub(before.Round(0)); got != 3*time.Second-time.Hour {
		t.Errorf("got %s by the wall, want an hour less 3s", got)
	}
	if before.Year() < 2025 || before.Year() > 2027 {
		t.Errorf("got the year %d", before.Year())
	}
}
