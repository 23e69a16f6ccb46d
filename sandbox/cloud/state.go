package cloud

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// state is everything the API tells and the data plane acts on. mu guards the
// timelines, the lists of backends and the lot; what is written once at the
// start is read without it.
type state struct {
	o Options

	mu        sync.Mutex
	lot       *rand.Rand
	balancers []*balancer
	backends  map[string]*backend // by id, the living ones
}

type balancer struct {
	id, name, kind string
	listeners      []*listener
}

type listener struct {
	id       string
	of       *balancer
	front    string // the address listened on
	port     int    // the port the API tells
	settings timeline[Listener]
	backends []*backend    // in order of creation, released ones too
	version  atomic.Uint64 // moves with every change, so that lanes know when to look
	lanes    []*lane       // one per worker
	stick    stickiness
	counts   counters
}

// standing is what a backend is at one moment.
type standing struct {
	Backend
	gone bool // released
}

type backend struct {
	id   string
	of   *listener
	told timeline[standing] // what describe answers show
	real timeline[standing] // what the workers act on
	// status is the published health; the workers each go by their own down.
	status timeline[int]
	down   []atomic.Bool // by worker
	stop   func()        // ends its probes
	links  links
}

// newState lays the balancers out; every id that is empty is drawn.
func newState(o Options, balancers []Balancer) (*state, error) {
	s := &state{o: o, lot: rand.New(rand.NewPCG(o.Seed, 1)), backends: map[string]*backend{}}
	seen := map[string]bool{}
	for _, given := range balancers {
		kind, err := kindOf(given)
		if err != nil {
			return nil, err
		}
		forBalancer, forListener, _ := prefixes(kind)
		b := &balancer{id: s.named(given.ID, forBalancer), name: given.Name, kind: kind}
		for _, l := range given.Listeners {
			id := s.named(l.ID, forListener)
			if seen[b.id] || seen[id] {
				return nil, fmt.Errorf("balancer %s, listener %s: the id is used twice", b.id, id)
			}
			seen[id] = true
			if err := s.layOut(b, id, l); err != nil {
				return nil, err
			}
		}
		seen[b.id] = true
		s.balancers = append(s.balancers, b)
	}
	return s, nil
}

func (s *state) layOut(of *balancer, id string, given Listener) error {
	l := &listener{id: id, of: of, front: given.Front, port: given.Port}
	settings := given.normal(of.kind)
	settings.ID, settings.Backends = id, nil
	l.settings = since(time.Time{}, settings)
	for worker := range s.o.Workers {
		l.lanes = append(l.lanes, newLane(s, l, worker))
	}
	for _, b := range given.Backends {
		if s.backends[b.ID] != nil {
			return fmt.Errorf("listener %s: backend id %s is used twice", id, b.ID)
		}
		s.join(l, b, time.Time{})
	}
	of.listeners = append(of.listeners, l)
	return nil
}

// named returns id, or a new one when it is empty.
func (s *state) named(id, prefix string) string {
	if id != "" {
		return id
	}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	name := make([]byte, 8)
	for i := range name {
		name[i] = letters[s.lot.IntN(len(letters))]
	}
	return prefix + string(name)
}

// join adds a backend to a listener from a moment on. The caller holds mu, or
// is the only one yet.
func (s *state) join(l *listener, given Backend, at time.Time) *backend {
	_, _, prefix := prefixes(l.of.kind)
	given.ID = s.named(given.ID, prefix)
	given.ResourceID = s.named(given.ResourceID, "uhost-")
	now := standing{Backend: given}
	b := &backend{
		id: given.ID, of: l, told: since(at, now), real: since(at, now),
		status: since(time.Time{}, given.Status), down: make([]atomic.Bool, s.o.Workers), stop: func() {},
	}
	for i := range b.down {
		b.down[i].Store(given.Status != 0)
	}
	l.backends = append(l.backends, b)
	s.backends[b.id] = b
	l.version.Add(1)
	return b
}

// change writes a backend's next moment into what is told, into what is real,
// or into both. Its id never changes. The caller holds mu.
func (s *state) change(b *backend, told, real bool, f func(*Backend)) {
	write := func(t *timeline[standing]) {
		next := t.last()
		f(&next.Backend)
		next.ID = b.id
		t.add(time.Now(), next, s.o.memory())
	}
	if told {
		write(&b.told)
	}
	if real {
		write(&b.real)
		b.of.version.Add(1)
	}
}

// release takes a backend out of its listener. Its connections are the
// caller's to cut. The caller holds mu.
func (s *state) release(b *backend, told, real bool) {
	leave := func(t *timeline[standing]) {
		next := t.last()
		next.gone = true
		t.add(time.Now(), next, s.o.memory())
	}
	if told {
		leave(&b.told)
		delete(s.backends, b.id)
	}
	if real {
		leave(&b.real)
		b.stop()
		b.of.version.Add(1)
	}
}

// configure writes a listener's next moment. The caller holds mu.
func (s *state) configure(l *listener, f func(*Listener)) {
	next := l.settings.last()
	f(&next)
	l.settings.add(time.Now(), next, s.o.memory())
	l.version.Add(1)
}

// toldBackends returns a listener's backends as the API shows them at a
// moment, with the health published by then. The caller holds mu.
func (s *state) toldBackends(l *listener, view time.Time) []Backend {
	shown := []Backend{}
	for _, b := range l.backends {
		is, there := b.told.asOf(view)
		if !there || is.gone {
			continue
		}
		is.Status, _ = b.status.asOf(view.Add(-s.o.StatusLag))
		shown = append(shown, is.Backend)
	}
	return shown
}

// balancer finds a balancer of a family by its id, nil when there is none.
func (s *state) balancer(kind, id string) *balancer {
	i := slices.IndexFunc(s.balancers, func(b *balancer) bool { return b.kind == kind && b.id == id })
	if i < 0 {
		return nil
	}
	return s.balancers[i]
}

// listener finds one of a balancer's listeners by its id, nil when there is none.
func (b *balancer) listener(id string) *listener {
	i := slices.IndexFunc(b.listeners, func(l *listener) bool { return l.id == id })
	if i < 0 {
		return nil
	}
	return b.listeners[i]
}

// backendOf finds a living backend of a balancer by its id, nil when there is
// none. The caller holds mu.
func (s *state) backendOf(of *balancer, id string) *backend {
	b := s.backends[id]
	if b == nil || b.of.of != of {
		return nil
	}
	return b
}

// listenerNamed finds a listener of any family.
func (s *state) listenerNamed(id string) *listener {
	for _, b := range s.balancers {
		if l := b.listener(id); l != nil {
			return l
		}
	}
	return nil
}
