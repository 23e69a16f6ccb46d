package steps

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// each calls do for 0 to n-1, all at once, and returns when every call has. What do writes belongs to its own index alone.
func (r *runner) each(n int, do func(i int)) {
	if r.t.Alone {
		for i := range n {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	crashes := make([]*Crash, n)
	for i := range n {
		wg.Go(func() { crashes[i] = caught(func() { do(i) }) })
	}
	wg.Wait()
	for _, c := range crashes {
		c.again()
	}
}

// Crash is a panic of one of several things that were done at once. It is a panic once more where they were waited for, since Go would end the process
// without a word in the journal.
type Crash struct {
	What  any
	Stack []byte // where it was
}

func (c *Crash) Error() string { return fmt.Sprint(c.What) }

// again panics, unless nothing has.
func (c *Crash) again() {
	if c != nil {
		panic(c)
	}
}

// caught gives what do panics with; nil where it does not.
func caught(do func()) (c *Crash) {
	defer func() {
		if p := recover(); p != nil {
			c = &Crash{p, debug.Stack()}
		}
	}()
	do()
	return nil
}

// crew calls do for 0 to n-1, all at once. In the calling goroutine it calls ended for each that has returned, and meanwhile every second.
// Where ctx ends they are given the runner's Leave, and then the context they were handed ends too. One that panics does so in the calling goroutine, once all
// have returned.
func (r *runner) crew(ctx context.Context, n int, do func(ctx context.Context, i int), ended func(i int), meanwhile func(leave context.CancelCauseFunc)) {
	patient, leave := context.WithCancelCause(context.WithoutCancel(ctx))
	defer leave(nil)
	if r.t.Alone {
		for i := range n {
			do(patient, i)
			ended(i)
			meanwhile(leave)
		}
		return
	}
	type end struct {
		i     int
		crash *Crash
	}
	ends := make(chan end, n)
	for i := range n {
		go func() { ends <- end{i, caught(func() { do(patient, i) })} }()
	}
	var crash *Crash
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	gone, over := ctx.Done(), (<-chan time.Time)(nil)
	for left := n; left > 0; {
		select {
		case e := <-ends:
			if left--; e.crash == nil {
				ended(e.i)
			} else if crash == nil {
				crash = e.crash
			}
		case <-tick.C:
			meanwhile(leave)
		case <-gone:
			t := time.NewTimer(r.t.Leave)
			defer t.Stop()
			gone, over = nil, t.C
		case <-over:
			leave(ErrInterrupted)
		}
	}
	crash.again()
}

// sleep waits for d or until the context ends.
func (r *runner) sleep(ctx context.Context, d time.Duration) error { return r.t.Clock.Wait(ctx, d) }

// since gives the time from an earlier moment until now.
func (r *runner) since(earlier time.Time) time.Duration { return r.t.Clock.Now().Sub(earlier) }
