package players

import "time"

// beginningsKept is of each group.
const beginningsKept = 1 << 14

// Begun is how many sessions began on a group after since, by this process's clock; a session begins with the connector's
// welcome. Only the last 16384 of each group are remembered: no more than these are counted.
func (c *Crowd) Begun(group string, since time.Time) int {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	b := c.book.beginnings[group]
	if b == nil {
		return 0
	}
	return b.after(since.Sub(c.book.start))
}

// beginnings is a ring of moments, as time since the book's start, in order.
type beginnings struct {
	at   []time.Duration
	next int // where the oldest is, once all places are taken
}

func (b *beginnings) add(at time.Duration) {
	if len(b.at) < beginningsKept {
		b.at = append(b.at, at)
		return
	}
	b.at[b.next] = at
	b.next = (b.next + 1) % len(b.at)
}

func (b *beginnings) after(since time.Duration) int {
	n := 0
	for n < len(b.at) && b.at[(b.next+len(b.at)-1-n)%len(b.at)] > since {
		n++
	}
	return n
}
