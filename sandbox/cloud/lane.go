package cloud

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// lane is one worker's view of one listener: its own copy of the table, its
// own turn, its own counts, as with a process of a load-balancer cluster.
type lane struct {
	s      *state
	of     *listener
	worker int
	delay  time.Duration // how late this worker hears of a change

	mu      sync.Mutex
	lot     *rand.Rand
	turn    int
	open    map[*backend]int // connections this worker holds
	version uint64           // of the listener, when the table was made
	until   time.Time        // when the next change reaches this worker; zero is none on its way
	table   table
	scratch []row
}

// table is what a worker knows of its listener.
type table struct {
	method  string
	rows    []row // enabled backends, in order
	persist time.Duration
	idle    time.Duration
}

type row struct {
	b        *backend
	addr     string
	weight   int
	isBackup bool
}

func newLane(s *state, l *listener, worker int) *lane {
	var delay time.Duration
	if s.o.Workers > 1 {
		delay = s.o.Spread * time.Duration(worker) / time.Duration(s.o.Workers-1)
	}
	return &lane{
		s: s, of: l, worker: worker, delay: delay,
		lot:  rand.New(rand.NewPCG(s.o.Seed, uint64(worker)+2)),
		open: map[*backend]int{},
		// Workers that all began with the first backend would favour it.
		turn: worker * 7,
	}
}

// choice is a backend for one new connection, as this worker sees it.
type choice struct {
	b    *backend
	addr string
	idle time.Duration // close the connection after this long without data; 0 is never
	cuts int           // how often the backend's connections had been cut
}

// choose picks a backend for a new connection of client and counts it as open
// in this worker; done gives it back. tried ones are passed over. False means
// that no backend is eligible.
func (l *lane) choose(client netip.AddrPort, tried []*backend) (choice, bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refresh(now)
	r, ok := l.remembered(client, now, tried)
	if !ok {
		r, ok = l.pick(client, tried)
	}
	if !ok {
		return choice{}, false
	}
	if l.table.persist > 0 {
		l.of.stick.keep(client.Addr(), r.b, now.Add(l.table.persist))
	}
	l.open[r.b]++
	return choice{b: r.b, addr: r.addr, idle: l.table.idle, cuts: r.b.links.generation()}, true
}

// done takes back what choose counted.
func (l *lane) done(b *backend) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[b]--; l.open[b] <= 0 {
		delete(l.open, b)
	}
}

// refresh makes the table anew when the listener changed, or when a change
// that was on its way has reached this worker by now.
func (l *lane) refresh(now time.Time) {
	version := l.of.version.Load()
	if version == l.version && (l.until.IsZero() || now.Before(l.until)) {
		return
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	view := now.Add(-l.delay)
	// The version is read again under the lock: a change in between is in the
	// table already.
	l.version, l.until = l.of.version.Load(), time.Time{}
	settings, _ := l.of.settings.asOf(view)
	l.soon(l.of.settings.after(view))
	l.table = table{method: settings.method(), rows: l.table.rows[:0]}
	if settings.remembers() {
		l.table.persist = settings.ClientTimeout
	}
	if settings.ListenType == RequestProxy {
		l.table.idle = l.s.o.IdleTimeout
		if settings.ClientTimeout > 0 {
			l.table.idle = settings.ClientTimeout
		}
	}
	for _, b := range l.of.backends {
		l.soon(b.real.after(view))
		is, there := b.real.asOf(view)
		if there && !is.gone && is.Enabled {
			l.table.rows = append(l.table.rows, row{b: b, addr: is.Addr(), weight: is.Weight, isBackup: is.IsBackup})
		}
	}
}

// soon notes that a change of the listener at a moment reaches this worker
// delay later.
func (l *lane) soon(at time.Time, comes bool) {
	if !comes {
		return
	}
	at = at.Add(l.delay)
	if l.until.IsZero() || at.Before(l.until) {
		l.until = at
	}
}

// remembered returns the backend this client's address is bound to. A disabled
// one is still used: the documents say nothing, and this is the worse case. A
// released or abnormal one is not.
func (l *lane) remembered(client netip.AddrPort, now time.Time, tried []*backend) (row, bool) {
	if l.table.persist == 0 {
		return row{}, false
	}
	b := l.of.stick.of(client.Addr(), now)
	if b == nil || b.down[l.worker].Load() || contains(tried, b) {
		return row{}, false
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	is, there := b.real.asOf(now.Add(-l.delay))
	return row{b: b, addr: is.Addr(), weight: is.Weight}, there && !is.gone
}
