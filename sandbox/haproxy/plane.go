package haproxy

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
)

var _ cloud.Plane = (*Proxy)(nil)

// order is a command that a server needs, and what it must be afterwards.
type order struct {
	name   string
	ready  bool
	weight int // 0 is as it is
}

// Apply brings a listener's servers to what its backends are: state ready and
// the weight where Enabled, state drain where not, which leaves open
// connections and checks alone. Nothing is sent to a server that is so already.
// Those that take connections come first, so that a turn of all of them never
// leaves none. It is an error when HAProxy afterwards says another thing, and
// when the backends are others than those of Start, or elsewhere: nothing is
// changed then.
func (p *Proxy) Apply(ctx context.Context, listenerID string, backends []cloud.Backend) error {
	before, err := p.servers(ctx, listenerID)
	if err != nil {
		return err
	}
	orders, err := ordered(before, backends)
	if err != nil {
		return err
	}
	for _, ready := range []bool{true, false} {
		for _, o := range orders {
			if o.ready != ready {
				continue
			}
			if err := p.order(ctx, listenerID+"/"+o.name, before[o.name], o); err != nil {
				return err
			}
		}
	}
	return p.obeyed(ctx, listenerID, orders)
}

// ordered says what every server must be.
func ordered(servers map[string]server, backends []cloud.Backend) ([]order, error) {
	var orders []order
	var wrong []error
	named := map[string]bool{}
	for _, b := range backends {
		named[b.ID] = true
		s, ok := servers[b.ID]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("backend %s: HAProxy has no such server and gets none while it runs; start it with all of them", b.ID))
		case s.addr != b.Addr():
			wrong = append(wrong, fmt.Errorf("backend %s: HAProxy has it at %s, not at %s, and does not move it while it runs", b.ID, s.addr, b.Addr()))
		case b.Enabled && (b.Weight < 1 || b.Weight > 256):
			wrong = append(wrong, fmt.Errorf("backend %s: weight %d is not between 1 and 256", b.ID, b.Weight))
		case b.Enabled:
			orders = append(orders, order{b.ID, true, b.Weight})
		default:
			orders = append(orders, order{b.ID, false, 0})
		}
	}
	for name := range servers {
		if !named[name] {
			wrong = append(wrong, fmt.Errorf("server %s: it is none of the backends, and HAProxy does not lose it while it runs; start it without", name))
		}
	}
	return orders, errors.Join(wrong...)
}

// order sends what a server needs: the weight first, so that it never takes
// connections with an old one.
func (p *Proxy) order(ctx context.Context, at string, is server, o order) error {
	if o.weight != 0 && is.weight != o.weight {
		if err := p.tell(ctx, fmt.Sprintf("set server %s weight %d", at, o.weight)); err != nil {
			return err
		}
	}
	switch {
	case o.ready == is.ready:
		return nil
	case o.ready:
		return p.tell(ctx, "set server "+at+" state ready")
	default:
		return p.tell(ctx, "set server "+at+" state drain")
	}
}

// obeyed looks whether the servers are what they were ordered to be.
func (p *Proxy) obeyed(ctx context.Context, listenerID string, orders []order) error {
	after, err := p.servers(ctx, listenerID)
	if err != nil {
		return err
	}
	var wrong []error
	for _, o := range orders {
		is := after[o.name]
		if is.ready != o.ready || o.weight != 0 && is.weight != o.weight {
			wrong = append(wrong, fmt.Errorf("server %s: is ready %v with weight %d after it was told ready %v, weight %d",
				o.name, is.ready, is.weight, o.ready, o.weight))
		}
	}
	return errors.Join(wrong...)
}

// Healthy says by backend id what HAProxy's checks find. A server that no check
// has reached yet counts as healthy, as HAProxy takes it.
func (p *Proxy) Healthy(ctx context.Context, listenerID string) (map[string]bool, error) {
	servers, err := p.servers(ctx, listenerID)
	if err != nil {
		return nil, err
	}
	healthy := map[string]bool{}
	for name, s := range servers {
		healthy[name] = s.up
	}
	return healthy, nil
}
