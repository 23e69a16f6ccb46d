package steps

import (
	"context"
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
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// crew calls do for 0 to n-1, all at once. In the calling goroutine it calls ended for each that has returned, and meanwhile every second.
// Where ctx ends they are given the runner's Leave, and then the context they were handed ends too.
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
	ends := make(chan int, n)
	for i := range n {
		go func() {
			do(patient, i)
			ends <- i
		}()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	gone, over := ctx.Done(), (<-chan time.Time)(nil)
	for left := n; left > 0; {
		select {
		case i := <-ends:
			ended(i)
			left--
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
}

// sleep waits for d or until the context ends.
func (r *runner) sleep(ctx context.Context, d time.Duration) error { return r.t.Clock.Wait(ctx, d) }

// since gives the time from an earlier moment until now.
func (r *runner) since(earlier time.Time) time.Duration { return r.t.Clock.Now().Sub(earlier) }
