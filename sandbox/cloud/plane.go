package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Plane is a data plane in the stead of the built-in balancer, such as a real
// HAProxy: the API stays as it is, what is written goes there, and the Status
// it tells is what the plane finds.
//
// With a Plane the cloud listens only for its API and dials nothing, so fronts
// and backends may have any address: who brings the plane sees to it that its
// network is a closed one. The plane is one, not several workers, and hears of
// a change when the first worker would: before the API answers. What it
// refuses is answered with RetCode 150 and the plane's words, stays written,
// and is offered again with the next change and every HealthEvery.
//
// The listeners and backends are those of [Start], with ids the plane knows;
// listeners need a Front. The methods are Roundrobin and WeightRoundrobin.
// Stickiness, timeouts and IsBackup are told by the API and not acted on, nor
// is anything but Enabled and Weight of a backend.
type Plane interface {
	// Apply brings a listener to what all its backends are now. Where Enabled
	// is false no new connection may go, while open ones live on; a Weight of 0
	// under a weighted method comes as that. Weight is 1 to 100, and 1 for all
	// under a method that heeds none. Twice must be harmless.
	Apply(ctx context.Context, listenerID string, backends []Backend) error

	// Healthy says by backend id what the plane's own checks find of a
	// listener's backends. The Status of one it leaves out stays as it is.
	Healthy(ctx context.Context, listenerID string) (map[string]bool, error)
}

// steering is what the cloud knows of its plane.
type steering struct {
	mu      sync.Mutex           // held while the plane is told, so that changes reach it in their order
	applied map[*listener]uint64 // the version of a listener the plane has
	untold  error                // why it does not have the latest
	unheard error                // why its health is not known
}

// err returns what stands between the cloud and its plane now.
func (s *steering) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.untold, s.unheard)
}

// board checks that a plane can carry the listeners and tells it of them.
func (c *Cloud) board() error {
	for _, b := range c.state.balancers {
		for _, l := range b.listeners {
			at, err := netip.ParseAddrPort(l.front)
			switch is := l.settings.last(); {
			case err != nil:
				return fmt.Errorf("listener %s: front %q: a plane listens there, so it must be given: %w", l.id, l.front, err)
			case at.Port() == 0:
				return fmt.Errorf("listener %s: front %s: a plane listens there, so its port must be given", l.id, l.front)
			case !steerable(is.method()):
				return fmt.Errorf("listener %s: method %s: a plane knows Roundrobin and WeightRoundrobin", l.id, is.Method)
			}
			if l.port == 0 {
				l.port = int(at.Port())
			}
		}
	}
	return c.steer()
}

// steerable reports whether a plane knows a method.
func steerable(method string) bool { return method == "roundrobin" || method == "weightroundrobin" }

// steer tells the plane all that it has not been told, or could not be. Without
// a plane it does nothing. The caller does not hold the state.
func (c *Cloud) steer() error {
	if c.o.Plane == nil {
		return nil
	}
	c.steering.mu.Lock()
	defer c.steering.mu.Unlock()
	var failed []error
	for _, b := range c.state.balancers {
		for _, l := range b.listeners {
			backends, version := c.state.steered(l)
			if had, ok := c.steering.applied[l]; ok && had == version {
				continue
			}
			if err := c.within(func(ctx context.Context) error { return c.o.Plane.Apply(ctx, l.id, backends) }); err != nil {
				failed = append(failed, fmt.Errorf("plane: listener %s: %w", l.id, err))
				continue
			}
			c.steering.applied[l] = version
		}
	}
	c.steering.untold = errors.Join(failed...)
	return c.steering.untold
}

// steered returns a listener's backends as a plane wants them, and their version.
func (s *state) steered(l *listener) ([]Backend, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	weighted := strings.HasPrefix(l.settings.last().method(), "weight")
	var all []Backend
	for _, b := range l.backends {
		is := b.real.last().Backend
		switch {
		case !weighted:
			is.Weight = 1
		case is.Weight <= 0:
			is.Enabled, is.Weight = false, 1
		}
		is.Status = b.status.last()
		all = append(all, is)
	}
	return all, l.version.Load()
}

// attend asks the plane for health, and offers it what it refused, until the
// cloud closes.
func (c *Cloud) attend(ctx context.Context) {
	for pause(ctx, c.o.HealthEvery); ctx.Err() == nil; pause(ctx, c.o.HealthEvery) {
		_ = c.steer() // kept in steering
		err := c.hear()
		if ctx.Err() != nil {
			return // the plane may be going as well
		}
		c.steering.mu.Lock()
		c.steering.unheard = err
		c.steering.mu.Unlock()
	}
}

// hear publishes the health that the plane finds.
func (c *Cloud) hear() error {
	var failed []error
	for _, b := range c.state.balancers {
		for _, l := range b.listeners {
			var healthy map[string]bool
			err := c.within(func(ctx context.Context) (err error) {
				healthy, err = c.o.Plane.Healthy(ctx, l.id)
				return err
			})
			if err != nil {
				failed = append(failed, fmt.Errorf("plane: health of listener %s: %w", l.id, err))
				continue
			}
			c.state.found(l, healthy, c.o.SkipDisabled)
		}
	}
	return errors.Join(failed...)
}

// found publishes what a plane finds of a listener's backends.
func (s *state) found(l *listener, healthy map[string]bool, skipDisabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range l.backends {
		up, known := healthy[b.id]
		if known && (!skipDisabled || b.real.last().Enabled) {
			s.publish(b, bit(!up), time.Now())
		}
	}
}

// within gives a call of the plane its time. It does not end with the request
// that caused it: a call that has arrived is carried out.
func (c *Cloud) within(f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.o.DialTimeout)
	defer cancel()
	return f(ctx)
}

// fixed refuses what a plane cannot do while it runs.
func (c *Cloud) fixed(what string) error {
	if c.o.Plane == nil {
		return nil
	}
	return refusal{codeOutsideService, what + " cannot change while a plane runs; start the cloud anew with it"}
}
