package steps_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// deafening is a herd of which the connection breaks at the first start of group2, which takes effect.
type deafening struct {
	*herd
	broke bool
}

func (d *deafening) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	res, err := d.herd.Run(ctx, c, within)
	if c.Do == plans.DoStart && !d.broke {
		d.broke = true
		return steps.Result{}, errors.New("ssh: connection lost")
	}
	return res, err
}

// broken gives a run of a herd that is held at the end of group2's start, which nobody has told.
func broken(t *testing.T) (*herd, *book, steps.Tools) {
	t.Helper()
	h := newHerd()
	b := begin(h.world)
	tools := h.tools()
	tools.Shell = &deafening{herd: h}
	var held *steps.HeldError
	if _, err := steps.Run(t.Context(), b.state(), b, tools); !errors.As(err, &held) {
		t.Fatalf("got %v, want it held", err)
	}
	return h, b, tools
}

// TestAGroupOfWhichAMachineIsDarkForAWhileIsNotStartedTwice: whenever in the roll calls that machine is back.
func TestAGroupOfWhichAMachineIsDarkForAWhileIsNotStartedTwice(t *testing.T) {
	for n := range 16 {
		t.Run(fmt.Sprintf("for %d calls", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, b, tools := broken(t)
				calls := 0
				tools.Roll = rollFunc(func(ctx context.Context, group string, master bool) ([]plans.Found, error) {
					if calls++; group == "group2" && calls <= n {
						return nil, errors.New("game-6: ssh: connection lost")
					}
					return h.Call(ctx, group, master)
				})
				for range 2 { // the first may be held, since nobody knows
					if _, err := steps.Run(t.Context(), b.state(), b, tools); err == nil {
						break
					}
				}
				if s := b.state(); s.Phase != plans.PhaseDone || h.starts["10.9.0.4"] != 1 {
					t.Errorf("%s, and group2 was started %d times, want it done, and once", s.Phase, h.starts["10.9.0.4"])
				}
			})
		})
	}
}

// TestAGroupWhoseMasterIsMuteIsStartedAgainByAPersonsWord: each of its machines answers.
func TestAGroupWhoseMasterIsMuteIsStartedAgainByAPersonsWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, b, tools := broken(t)
		tools.Roll = rollFunc(func(ctx context.Context, group string, master bool) ([]plans.Found, error) {
			if group == "group2" && master && h.starts["10.9.0.4"] == 1 {
				return nil, errors.New("the master does not answer")
			}
			return h.Call(ctx, group, master)
		})
		if _, err := steps.Run(t.Context(), b.state(), b, tools); err != nil {
			t.Fatal(err)
		}
		if h.starts["10.9.0.4"] != 2 {
			t.Errorf("group2 was started %d times, want twice", h.starts["10.9.0.4"])
		}
		h.complete(t)
	})
}
