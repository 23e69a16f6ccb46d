package ulb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Write sends the changes and returns one Outcome for each, in their order. No request is ever repeated in here; each has
// Config.PerAttempt, and up to Config.Parallel run at once, in no particular order. Cancelling sends nothing more: what was
// under way is Unknown, what was not sent is Refused. Once UCloud has refused the credentials the rest is not sent either.
//
// Done says that UCloud accepted the write, not that it shows: Read until it does.
func (b *Balancer) Write(ctx context.Context, changes []Change) []Outcome {
	out := make([]Outcome, len(changes))
	var refused atomic.Pointer[AuthError]
	var group errgroup.Group
	group.SetLimit(b.parallel)
	for _, lot := range b.lots(changes, out) {
		group.Go(func() error {
			cs := make([]Change, len(lot))
			for i, at := range lot {
				cs[i] = changes[at]
			}
			var errs []error
			if auth := refused.Load(); auth != nil {
				errs = same(len(cs), &RefusedError{Err: fmt.Errorf("not sent: %w", auth)})
			} else {
				errs = b.family.write(ctx, cs)
			}
			for i, at := range lot {
				out[at] = outcome(cs[i].Backend.ID, errs[i])
				var auth *AuthError
				if errors.As(errs[i], &auth) {
					refused.Store(auth)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // never an error: they are in out
	return out
}

// lots divides the indices of changes into requests. Changes that must not be sent get their Outcome at once.
func (b *Balancer) lots(changes []Change, out []Outcome) [][]int {
	var lots [][]int
	times := map[string]int{}
	for _, c := range changes {
		times[c.Backend.ID]++
	}
	open := map[string]int{} // by what a request has in common: its lot that may still have room
	for i, c := range changes {
		err := c.check()
		switch {
		case err != nil:
		case times[c.Backend.ID] > 1:
			err = fmt.Errorf("backend %s: named %d times in one write: which comes last would be chance", c.Backend.ID, times[c.Backend.ID])
		case !b.sees(c.Backend.Listener):
			err = fmt.Errorf("backend %s: its listener %s is not among those to be touched", c.Backend.ID, c.Backend.Listener)
		}
		if err != nil {
			out[i] = outcome(c.Backend.ID, &RefusedError{Err: err})
			continue
		}
		common := b.lump(c)
		at, there := open[common]
		if !there || len(lots[at]) == b.most {
			at = len(lots)
			open[common] = at
			lots = append(lots, nil)
		}
		lots[at] = append(lots[at], i)
	}
	return lots
}

// same is one error for all changes of a request.
func same(n int, err error) []error { return slices.Repeat([]error{err}, n) }
