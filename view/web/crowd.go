package web

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
)

// mostConns is how many connections are open at once: the streams, and as many again. Anybody on this machine can open one, and each takes a descriptor
// of a process that may be the one that carries the run out.
const mostConns = 2 * mostStreams

// crowd keeps the connections few. The one that was open longest makes room for a new one, since one that waited to be taken would leave whoever has the
// token outside for as long as somebody without it fills the place. Whoever has shown the token is not sent away before the answer.
type crowd struct {
	mu   sync.Mutex
	open []net.Conn // in the order they came
	kept map[net.Conn]bool
}

// state is called by the server before it reads from a new connection, and after the end of one.
func (c *crowd) state(conn net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateNew:
		c.open = append(c.open, conn)
		if len(c.open) <= mostConns {
			return
		}
		i := slices.IndexFunc(c.open, func(o net.Conn) bool { return !c.kept[o] }) // the new one at the latest
		_ = c.open[i].Close()
		c.open = slices.Delete(c.open, i, i+1)
	case http.StateClosed, http.StateHijacked:
		c.open = slices.DeleteFunc(c.open, func(o net.Conn) bool { return o == conn })
	}
}

// keep keeps the connection of a request, until the function it gives is called.
func (c *crowd) keep(r *http.Request) func() {
	conn, _ := r.Context().Value(connection{}).(net.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[conn] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.kept, conn)
	}
}

// connection is the key of the connection in the context of a request.
type connection struct{}

// named lets a request know its connection.
func named(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connection{}, conn)
}
