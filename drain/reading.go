package drain

import (
	"context"
	"time"
)

// Reading is what one look at the machines found.
type Reading struct {
	// Total is the number of sessions on the hosts that could be read.
	Total int
	// ByHost is the number of sessions on each host that could be read.
	ByHost map[string]int
	// Unread holds, for each host whose count is not known now, the reason as
	// a sentence. The host "" stands for all of them, where counting failed
	// before any host was asked.
	Unread map[string]string
	// Silent are the hosts, sorted, on which none of the watched ports is
	// listening. Their count is a count, but a wrong list of ports looks the
	// same. Only Sockets knows it.
	Silent []string
	// At is when the oldest count in it began, by this process's clock with
	// its monotonic part. Zero: when Count was called.
	At time.Time
	// Full says that every host was counted in full, and that each count began
	// after Count was called. Only such a reading can end a drain.
	Full bool
}

// Known reports whether every host could be read. Total is the number of
// sessions only then.
func (r Reading) Known() bool { return len(r.Unread) == 0 }

// Counter counts the sessions that are left.
type Counter interface {
	// Count blocks until each host has been counted in full or is known to be
	// unreadable, and returns soon after ctx ends. A host that cannot be read
	// belongs into Reading.Unread; the error is for what concerns all of them.
	// The reading beside ctx's error is what is known so far, or zero.
	Count(ctx context.Context) (Reading, error)
}

// unreadable is what is known after an error: that none of the hosts of the
// reading before it can be read.
func unreadable(before Reading, at time.Time, why string) Reading {
	r := Reading{Unread: map[string]string{}, At: at}
	for host := range before.ByHost {
		r.Unread[host] = why
	}
	for host := range before.Unread {
		r.Unread[host] = why
	}
	if len(r.Unread) == 0 {
		r.Unread[""] = why
	}
	return r
}
