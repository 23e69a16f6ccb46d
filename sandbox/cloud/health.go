package cloud

import (
	"context"
	"time"
)

// watch starts the probes of a backend, one goroutine per worker, each at its
// own moment within the interval, so that they do not come in bursts. The
// caller holds state.mu.
func (c *Cloud) watch(b *backend) {
	if c.o.HealthEvery < 0 {
		return
	}
	stopped := make(chan struct{})
	b.stop = func() { close(stopped) }
	for worker := range c.o.Workers {
		offset := time.Duration(c.state.lot.Int64N(int64(c.o.HealthEvery)))
		c.spawn(func(ctx context.Context) { c.probe(ctx, b, worker, offset, stopped) })
	}
}

// probe dials a backend again and again, as one worker does. To the backend
// each probe is a connection that says nothing and closes.
func (c *Cloud) probe(ctx context.Context, b *backend, worker int, offset time.Duration, stopped <-chan struct{}) {
	streak := 0 // successes in a row above 0, failures in a row below
	next := time.NewTimer(offset)
	defer next.Stop()
	for {
		select {
		case <-next.C:
		case <-stopped:
			return
		case <-ctx.Done():
			return
		}
		next.Reset(c.o.HealthEvery)
		c.state.mu.Lock()
		is := b.real.last()
		c.state.mu.Unlock()
		if c.o.SkipDisabled && !is.Enabled {
			continue
		}
		up := c.answers(ctx, is.Addr())
		if ctx.Err() != nil {
			return
		}
		streak = lengthened(streak, up)
		switch {
		case streak >= c.o.Rise:
			c.judge(b, worker, false)
		case -streak >= c.o.Fall:
			c.judge(b, worker, true)
		}
	}
}

// answers reports whether an address accepts a connection.
func (c *Cloud) answers(ctx context.Context, addr string) bool {
	conn, err := dial(ctx, addr, min(c.o.DialTimeout, max(c.o.HealthEvery, 100*time.Millisecond)))
	if err != nil {
		return false
	}
	_ = conn.CloseWrite() // a FIN also where the backend has greeted and we have not read
	_ = conn.Close()
	return true
}

// judge records one worker's verdict and publishes a new Status when it
// changes: healthy is what all workers find healthy.
func (c *Cloud) judge(b *backend, worker int, down bool) {
	if b.down[worker].Swap(down) == down {
		return
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	status := 0
	for i := range b.down {
		if b.down[i].Load() {
			status = 1
		}
	}
	c.state.publish(b, status, time.Now())
}

// publish records a Status when it is another one. The caller holds mu.
func (s *state) publish(b *backend, status int, at time.Time) {
	if status != b.status.last() {
		b.status.add(at, status, s.o.memory())
	}
}

// lengthened continues a streak, or begins the opposite one.
func lengthened(streak int, up bool) int {
	switch {
	case up && streak >= 0:
		return streak + 1
	case up:
		return 1
	case streak <= 0:
		return streak - 1
	default:
		return -1
	}
}
