package sandbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
)

// look is how often the world looks whether it is time for a fault: less than anything that a fault shall come in the middle of takes.
const look = 20 * time.Millisecond

// trouble gives a way to run what ends with ctx or with calm, and calm, which gives their errors once.
func trouble(ctx context.Context) (spawn func(func(context.Context) error), calm func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var faults []error
	spawn = func(f func(context.Context) error) {
		wg.Go(func() {
			err := f(ctx)
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, err)
		})
	}
	calm = func() error {
		cancel()
		wg.Wait()
		err := errors.Join(faults...)
		faults = nil
		return err
	}
	return spawn, calm
}

// when does act once, a while after the world has come to be as is says. What a rollout believes does not count, nor does it hear of it.
func (w *World) when(is func() (bool, error), after time.Duration, act func(context.Context) error) {
	w.spawn(func(ctx context.Context) error {
		for {
			now, err := is()
			switch {
			case err != nil:
				return err
			case now && pause(ctx, after):
				return act(ctx)
			case !pause(ctx, look):
				return nil
			}
		}
	})
}

// off says whether no backend of a group takes new connections, whatever the API tells.
func (w *World) off(group string) func() (bool, error) {
	hosts := map[string]bool{}
	for _, m := range w.of(group) {
		hosts[m.Host] = true
	}
	return func() (bool, error) {
		for _, b := range w.backends() {
			if hosts[b.Host] && b.Enabled {
				return false, nil
			}
		}
		return true, nil
	}
}

// acted says whether somebody has begun to stop, or to start, the game on a machine since the world began.
func (w *World) acted(machine, verb string) func() (bool, error) {
	own := map[string]int{"start": 1} // the world's
	return func() (bool, error) {
		acts, err := w.Hosts.Acts(machine)
		n := 0
		for _, a := range acts {
			if a.Verb == verb {
				n++
			}
		}
		return n > own[verb], err
	}
}

// backends gives the backends as the balancer acts on them.
func (w *World) backends() []cloud.Backend { return w.Cloud.Snapshot()[0].Listeners[0].Backends }

// amend changes the world's rollout.yaml.
func (w *World) amend(f func(*config.Config)) error {
	w.amended = append(w.amended, f)
	return w.write()
}

// pause waits for d and is false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
