package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// watching is how a run of another process is shown.
type watching struct {
	hear func(plans.State, string) bool // the state after an event and its line; false: nobody watches any more
	know func(view.StatusOptions)
	left <-chan struct{} // closed when nobody watches any more; may be nil
}

// watch shows the run until its process has ended, then one that follows it in the same process, or until the person who watched leaves. It gives
// the state it is in then, and whether its process lives.
func (s *site) watch(ctx context.Context, st plans.State) (plans.State, bool, error) {
	for {
		left, err := s.watchOne(ctx, st)
		if err != nil {
			return st, false, err
		}
		next, alive, err := s.underWay()
		if err != nil || !alive || left || ctx.Err() != nil {
			return next, alive, err
		}
		st = next
	}
}

// watchOne shows one run until nobody carries it out any more. It is true where nobody watches any more.
func (s *site) watchOne(ctx context.Context, st plans.State) (bool, error) {
	e, o := s.env, s.options(true, s.past(st.Plan.ID))
	if !e.lively() {
		if err := view.Status(e.stdout, st, time.Now(), o); err != nil {
			return false, err
		}
		return s.follow(ctx, st, o, watching{know: func(view.StatusOptions) {}, hear: func(now plans.State, line string) bool {
			if line == "" || now.Seq <= st.Seq {
				return true
			}
			_, err := fmt.Fprintln(e.stdout, line)
			return err == nil
		}})
	}
	v, end := s.open(st, o, "leave it running")
	defer end()
	return s.follow(ctx, st, o, watching{know: v.Know, left: v.Done(), hear: func(now plans.State, line string) bool {
		if now.Seq < st.Seq { // it is beyond that already
			return v.Say(line)
		}
		return v.Hear(now, line)
	}})
}

// follow tells what has happened in a run and what happens, until its process has ended or ctx ends. It is true where nobody watches any more.
func (s *site) follow(ctx context.Context, st plans.State, o view.StatusOptions, w watching) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	left := false
	beside.Go(func() {
		defer cancel()
		left = s.lives(ctx, st.Plan.ID, w.left)
	})
	defer beside.Wait()
	defer cancel()
	var now plans.State
	lines := view.Lines{Flags: o.Flags}
	hear := func(e plans.Event) bool {
		now = now.Apply(e)
		line, _ := lines.Next(now, e)
		return w.hear(now, line)
	}
	for e, err := range journal.Follow(ctx, s.dir, st.Plan.ID, 0) {
		if err != nil {
			return false, err
		}
		if !hear(e) {
			return true, nil
		}
	}
	beside.Wait()
	if left {
		return true, nil
	}
	es, err := journal.Read(s.dir, st.Plan.ID) // what came between the last look and the end
	for _, e := range es {
		if e.Seq > now.Seq {
			hear(e)
		}
	}
	alive, _ := s.alive(st.Plan.ID)
	w.know(s.options(alive, o.Past))
	return false, err
}

// lives waits until nobody carries a run out any more, or ctx ends. It is true where left was closed first.
func (s *site) lives(ctx context.Context, run string, left <-chan struct{}) bool {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-left:
			return true
		case <-tick.C:
		}
		if alive, err := s.alive(run); err == nil && !alive {
			return false
		}
	}
}
