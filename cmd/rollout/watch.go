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
	var now plans.State
	lines := view.Lines{Flags: o.Flags}
	ended, err := s.listen(ctx, st.Plan.ID, 0, w.left, func(e plans.Event) bool {
		now = now.Apply(e)
		line, _ := lines.Next(now, e)
		return w.hear(now, line)
	})
	if ended {
		alive, _ := s.alive(st.Plan.ID)
		w.know(s.options(alive, o.Past))
	}
	return !ended && err == nil, err
}

// listen gives hear each event of a run after seq, until hear has heard enough, leave is closed, or the run's process or ctx has ended. That last is what is
// told: then what came at the end has been heard, too, as far as it can be read.
func (s *site) listen(ctx context.Context, run string, seq int64, leave <-chan struct{}, hear func(plans.Event) bool) (ended bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	gone := false
	beside.Go(func() {
		defer cancel()
		gone = s.lives(ctx, run, leave)
	})
	defer beside.Wait()
	defer cancel()
	for e, err := range journal.Follow(ctx, s.dir, run, seq) {
		if err != nil {
			return false, err
		}
		seq = e.Seq
		if !hear(e) {
			return false, nil
		}
	}
	beside.Wait()
	if gone {
		return false, nil
	}
	es, err := journal.Read(s.dir, run) // what came between the last look and the end
	for _, e := range es {
		if e.Seq > seq {
			hear(e)
		}
	}
	return true, err
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
