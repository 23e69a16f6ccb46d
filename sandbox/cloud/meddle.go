package cloud

import (
	"maps"
	"slices"
	"time"
)

// meddle lets someone else act on a backend: the one the fault names, or one
// drawn by lot.
func (c *Cloud) meddle(f Fault) {
	defer func() { _ = c.steer() }() // runs when the state is free again; an error is kept for Close
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	id := f.Value
	if id == "" {
		ids := slices.Sorted(maps.Keys(c.state.backends))
		if len(ids) == 0 {
			return
		}
		id = ids[c.state.lot.IntN(len(ids))]
	}
	b := c.state.backends[id]
	if b == nil {
		return
	}
	switch f.Kind {
	case "flip":
		c.state.change(b, true, true, func(is *Backend) { is.Enabled = !is.Enabled })
	case "recreate":
		// As terraform replaces an attachment: enabled, weight 1, another id.
		again := b.real.last().Backend
		again.ID, again.Enabled, again.Weight = "", true, 1
		again.Status = b.status.last()
		c.state.release(b, true, true)
		if !c.o.KeepRemoved {
			b.links.cut()
		}
		c.watch(c.state.join(b.of, again, time.Now()))
	}
}
