package cloud

// Traffic counts the connections of one listener since Start. A [Plane]'s
// connections do not come past here: with one, all counts stay 0.
type Traffic struct {
	Accepted   int64 // all that came
	Refused    int64 // closed at once: no backend eligible, or none could be dialled
	DialFailed int64 // tries to reach a chosen backend that failed
	Backends   map[string]Connections
}

// Connections counts the connections a backend got, health probes not counted.
type Connections struct {
	Opened int64 // since Start
	Open   int   // now
}

// Traffic returns the counts of a listener, released backends included. A
// listener there is not has none.
func (c *Cloud) Traffic(listenerID string) Traffic {
	l := c.state.listenerNamed(listenerID)
	if l == nil {
		return Traffic{}
	}
	t := Traffic{
		Accepted: l.counts.accepted.Load(), Refused: l.counts.refused.Load(), DialFailed: l.counts.dialFailed.Load(),
		Backends: map[string]Connections{},
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	for _, b := range l.backends {
		t.Backends[b.id] = b.links.count()
	}
	return t
}
