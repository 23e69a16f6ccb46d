package cloud

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// link is one client's connection and the one to its backend, joined.
type link struct {
	client, upstream *net.TCPConn
	idle             time.Duration
	moved            atomic.Int64 // when data last moved, in nanoseconds since begun
	begun            time.Time
}

// carry copies both ways until both sides have ended or one fails. An end of
// one side is passed on as a half-close, so that the other may finish.
func (k *link) carry() {
	k.begun = time.Now()
	back := make(chan struct{})
	go func() {
		defer close(back)
		k.pour(k.client, k.upstream)
	}()
	k.pour(k.upstream, k.client)
	<-back
	k.end()
}

// pour copies src to dst until src ends. Both are closed when either fails.
// io.Copy between TCP connections moves the data inside the kernel on Linux.
func (k *link) pour(dst, src *net.TCPConn) {
	if k.idle > 0 {
		k.pourWatched(dst, src)
		return
	}
	if _, err := io.Copy(dst, src); err != nil {
		k.end()
		return
	}
	_ = dst.CloseWrite() // the peer may have gone already
}

// pourWatched is pour with an eye on the clock: the deadline makes io.Copy come
// up for air, and when neither direction moved anything for the idle time the
// link is closed. It is closed up to a quarter of that late.
func (k *link) pourWatched(dst, src *net.TCPConn) {
	for {
		_ = src.SetReadDeadline(time.Now().Add(k.idle / 4)) // fails only on a closed connection, as the copy then does
		n, err := io.Copy(dst, src)
		if n > 0 {
			k.moved.Store(int64(time.Since(k.begun)))
		}
		switch {
		case err == nil:
			_ = dst.CloseWrite() // the peer may have gone already
			return
		case !errors.Is(err, os.ErrDeadlineExceeded):
			k.end()
			return
		case time.Since(k.begun)-time.Duration(k.moved.Load()) >= k.idle:
			k.end()
			return
		}
	}
}

// end closes both sides; twice is harmless.
func (k *link) end() {
	_ = k.client.Close()
	_ = k.upstream.Close()
}

// cut closes both sides with a reset.
func (k *link) cut() {
	_ = k.client.SetLinger(0)
	_ = k.upstream.SetLinger(0)
	k.end()
}

// links are the connections of one backend.
type links struct {
	mu     sync.Mutex
	open   map[*link]struct{}
	opened int64
	cuts   int // how often they were all cut
}

// add counts a link in. False means that all links have been cut since the
// backend was chosen for this one, when cuts was read.
func (s *links) add(k *link, cuts int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*link]struct{}{}
	}
	s.open[k] = struct{}{}
	s.opened++
	return cuts == s.cuts
}

func (s *links) remove(k *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, k)
}

// cut resets all that are open or on their way. Those chosen later live: a
// worker that has not heard of the release yet still makes them.
func (s *links) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts++
	for k := range s.open {
		k.cut()
	}
}

// generation returns how often the links were cut.
func (s *links) generation() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cuts
}

// count returns how many there have been and how many are open.
func (s *links) count() Connections {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Connections{Opened: s.opened, Open: len(s.open)}
}
