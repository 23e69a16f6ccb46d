package ulb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// Balancer is one load balancer of UCloud. It is safe for concurrent use and keeps nothing but its name and connections.
type Balancer struct {
	id       string
	only     []string
	parallel int
	overall  time.Duration
	family   family
	most     int                    // changes in one request
	lump     func(Change) string    // what the changes of one request must have in common
	name     atomic.Pointer[string] // asked for once
}

// family is what differs between CLB, ALB and NLB.
type family interface {
	// name asks for the balancer itself. Its error is a *NotFoundError where there is none.
	name(ctx context.Context) (string, error)
	// read asks for all listeners with their backends, Weight and Heeds not yet filled in.
	read(ctx context.Context) ([]Listener, []Backend, error)
	// write sends one request, and returns an error or nil for each of its changes, in their order.
	write(ctx context.Context, cs []Change) []error
}

// perRequest is the most backends any request may name: ALB documents 20, UCloud's own Kubernetes controller broke on more.
const perRequest = 20

// New makes a Balancer. It opens no connection and starts nothing. A nil log is none.
func New(c Config, log *slog.Logger) (*Balancer, error) {
	c = c.withDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	b := &Balancer{id: c.ID, only: c.VServers, parallel: c.Parallel, overall: c.Overall, most: perRequest}
	b.lump = func(c Change) string { return c.Backend.Listener }
	switch kind, w := c.kind(), newWire(c, log); kind {
	case "ulb":
		b.family = clb{id: c.ID, wire: w}
		b.lump = func(Change) string { return "" }
		if !c.Batch {
			b.most = 1
		}
	case "alb":
		b.family = alb{id: c.ID, wire: w}
	case "nlb":
		b.family = nlb{id: c.ID, wire: w}
	}
	return b, nil
}

// Read asks UCloud for the balancer, its listeners and their backends, in UCloud's order. Each request is repeated while that
// may help, all within Config.Overall. An answer that is not whole (a page missing, a backend without Enabled, an id twice) is
// an error: what is not known to be off is not off. An unknown balancer, or one of Config.VServers that it has not, is a
// *NotFoundError; refused credentials are an *AuthError.
func (b *Balancer) Read(ctx context.Context) (Reading, error) {
	ctx, cancel := context.WithTimeout(ctx, b.overall)
	defer cancel()
	r, err := b.read(ctx)
	var gone *NotFoundError
	if errors.As(err, &gone) && ctx.Err() == nil {
		// RetCode 4103 means "not found" and "get failed" alike; one more look tells them apart well enough.
		r, err = b.read(ctx)
	}
	if err != nil {
		return Reading{}, fmt.Errorf("%s: %w", b.id, err)
	}
	return r, nil
}

func (b *Balancer) read(ctx context.Context) (Reading, error) {
	if b.name.Load() == nil {
		if err := b.find(ctx); err != nil {
			return Reading{}, err
		}
	}
	listeners, backends, err := b.family.read(ctx)
	if err == nil && len(listeners) == 0 {
		err = b.find(ctx) // no listeners is what a deleted balancer shows too
	}
	if err != nil {
		return Reading{}, err
	}
	return b.reading(listeners, backends)
}

// find makes sure that the balancer exists.
func (b *Balancer) find(ctx context.Context) error {
	name, err := b.family.name(ctx)
	if err != nil {
		return err
	}
	b.name.Store(&name)
	return nil
}

// reading puts a Reading together, of the listeners asked for, and refuses one that contradicts itself.
func (b *Balancer) reading(listeners []Listener, backends []Backend) (Reading, error) {
	r := Reading{ID: b.id, Name: *b.name.Load()}
	heeds := map[string]bool{}
	for _, l := range listeners {
		heeds[l.ID] = l.heeds()
		if b.sees(l.ID) {
			r.Listeners = append(r.Listeners, l)
		}
	}
	for _, id := range b.only {
		if _, there := heeds[id]; !there {
			return Reading{}, &NotFoundError{What: "listener " + id}
		}
	}
	seen := map[string]bool{}
	for _, k := range backends {
		if seen[k.ID] || k.ID == "" {
			return Reading{}, fmt.Errorf("answer has backend %q twice, or one without an id", k.ID)
		}
		seen[k.ID] = true
		if b.sees(k.Listener) {
			k.Heeds = heeds[k.Listener]
			r.Backends = append(r.Backends, k.weigh())
		}
	}
	return r, nil
}

// sees tells whether a listener is among those we were given.
func (b *Balancer) sees(listener string) bool {
	return len(b.only) == 0 || slices.Contains(b.only, listener)
}
