package cloud

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// pick chooses among the eligible rows by the listener's method. Backups count
// only when no other row is eligible. The caller holds the lane.
func (l *lane) pick(client netip.AddrPort, tried []*backend) (row, bool) {
	eligible := l.eligible(false, tried)
	if len(eligible) == 0 {
		eligible = l.eligible(true, tried)
	}
	if len(eligible) == 0 {
		return row{}, false
	}
	switch l.table.method {
	case "weightroundrobin":
		return l.byWeight(eligible)
	case "leastconn":
		return l.leastOpen(eligible, false)
	case "weightleastconn":
		return l.leastOpen(eligible, true)
	case "source":
		return eligible[hash(client.Addr().String())%uint64(len(eligible))], true
	case "sourceport":
		return eligible[hash(client.String())%uint64(len(eligible))], true
	case "consistenthash":
		return highest(eligible, client.Addr().String()), true
	case "consistenthashport":
		return highest(eligible, client.String()), true
	default:
		l.turn++
		return eligible[l.turn%len(eligible)], true
	}
}

// eligible returns the rows that may take a new connection: enabled (the table
// holds no others), healthy in this worker's eyes, not tried before. They are good until the next call.
func (l *lane) eligible(backups bool, tried []*backend) []row {
	rows := l.scratch[:0]
	for _, r := range l.table.rows {
		if r.isBackup == backups && !r.b.down[l.worker].Load() && !contains(tried, r.b) {
			rows = append(rows, r)
		}
	}
	l.scratch = rows
	return rows
}

// byWeight draws a row with a probability in proportion to its weight, as
// UCloud describes its weighted round robin; weights of 0 take none.
func (l *lane) byWeight(rows []row) (row, bool) {
	total := 0
	for _, r := range rows {
		total += r.weight
	}
	if total <= 0 {
		return row{}, false
	}
	at := l.lot.IntN(total)
	for _, r := range rows {
		if at -= r.weight; at < 0 {
			return r, true
		}
	}
	return row{}, false
}

// leastOpen returns the row with the fewest connections of this worker, in
// proportion to the weights if weighted; among equals the turn decides.
func (l *lane) leastOpen(rows []row, weighted bool) (row, bool) {
	l.turn++
	best, found := row{}, false
	for i := range rows {
		r := rows[(l.turn+i)%len(rows)]
		if !weighted {
			r.weight = 1
		}
		if r.weight <= 0 {
			continue
		}
		if !found || l.open[r.b]*best.weight < l.open[best.b]*r.weight {
			best, found = r, true
		}
	}
	return best, found
}

// highest is rendezvous hashing: a backend that leaves moves only its own clients.
func highest(rows []row, client string) row {
	return slices.MaxFunc(rows, func(a, b row) int {
		x, y := hash(client+a.b.id), hash(client+b.b.id)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	// FNV's low bits of short strings that differ in the last byte are alike.
	sum := h.Sum64()
	return (sum ^ sum>>29) * 0x9e3779b97f4a7c15 >> 16
}

func contains(tried []*backend, b *backend) bool { return slices.Contains(tried, b) }

// stickiness binds client addresses to backends for a while.
type stickiness struct {
	mu    sync.Mutex
	bound map[netip.Addr]binding
}

type binding struct {
	to    *backend
	until time.Time
}

// of returns the backend an address is bound to, nil when it is not.
func (s *stickiness) of(client netip.Addr, now time.Time) *backend {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.bound[client]
	if !ok || !now.Before(b.until) {
		delete(s.bound, client)
		return nil
	}
	return b.to
}

// keep binds an address to a backend until a moment.
func (s *stickiness) keep(client netip.Addr, to *backend, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bound == nil {
		s.bound = map[netip.Addr]binding{}
	}
	s.bound[client] = binding{to, until}
}
