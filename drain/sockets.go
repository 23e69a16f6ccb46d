package drain

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Shell runs a script on a machine for as long as it lasts.
type Shell interface {
	// Stream has a POSIX sh on host run script, hands each line of its output
	// to line, and returns when the script has ended, line has returned an
	// error, or ctx has ended. It must then close the script's output, of
	// which the script dies. line is called for one line at a time, and never
	// after Stream has returned.
	Stream(ctx context.Context, host, script string, line func(string) error) error
}

// Target is what to count on one machine.
type Target struct {
	// Host names the machine to the Shell and in readings.
	Host string
	// Ports are the local ports whose connections are sessions.
	Ports []int
	// Bind, if set, is the local address whose connections alone count:
	// several pretend machines may share one network stack.
	Bind string
}

// Options are the times of a Watch. The zero value is meant for use.
type Options struct {
	// Interval is the longest time between two full counts on a machine, as
	// long as they cost at most 2 % of one of its processors. 0: one second.
	Interval time.Duration
	// Stale is how much later than due a machine may be heard of before it
	// counts as unreadable. 0: five seconds.
	Stale time.Duration
	// Login is how long the first line of a machine may take. 0: 30 s.
	Login time.Duration
	// Backoff is the time before a channel that ended is opened again. It
	// doubles up to 30 times itself while counts do not come. 0: 500 ms.
	Backoff time.Duration
}

// Watch counts the sessions of several machines over one lasting channel to
// each. It implements Counter.
//
// A session is an established connection to one of the watched ports that was
// there at a count at least 0.2 s ago and at each since, so that the short
// connections of a balancer's health checks are none. A machine with more than
// 2000 connections, and the first count of a channel, take every connection
// for a session: too many, never too few.
type Watch struct {
	shell    Shell
	options  Options
	channels []*channel

	stop    context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	news chan struct{} // closed, and made anew, when a channel has changed
}

// Sockets is a Watch of targets through sh. It starts nothing: see Start. A
// target that cannot be watched (no port, a port above 65535, a host named
// twice) is for ever unread, with the reason.
func Sockets(sh Shell, targets []Target, o Options) *Watch {
	w := &Watch{shell: sh, options: o.filled(), news: make(chan struct{})}
	named := map[string]bool{}
	for _, t := range targets {
		c := &channel{target: t, why: "counting has not been started"}
		code, err := script(t, w.options.Interval)
		switch {
		case err != nil:
			c.why = err.Error()
		case named[t.Host]:
			c.why = "the machine is named twice among those to count on"
		default:
			c.script = code
		}
		named[t.Host] = true
		w.channels = append(w.channels, c)
	}
	return w
}

func (o Options) filled() Options {
	if o.Interval <= 0 {
		o.Interval = time.Second
	}
	if o.Stale <= 0 {
		o.Stale = 5 * time.Second
	}
	if o.Login <= 0 {
		o.Login = 30 * time.Second
	}
	if o.Backoff <= 0 {
		o.Backoff = 500 * time.Millisecond
	}
	return o
}

// Start opens the channels, and keeps opening them again, until ctx ends or
// Close is called. It returns at once. It is called once.
func (w *Watch) Start(ctx context.Context) {
	ctx, w.stop = context.WithCancel(ctx)
	for _, c := range w.channels {
		if c.script == "" {
			continue
		}
		w.set(func() { c.why = "" })
		w.running.Go(func() { w.follow(ctx, c) })
	}
}

// Close ends the channels and waits for them. Nothing is left on the machines.
func (w *Watch) Close() {
	if w.stop != nil {
		w.stop()
	}
	w.running.Wait()
}

// Count waits until each machine has made a full count that began after the
// call, or is known to be unreadable. A machine is given what its counts cost
// it: one with 100,000 sessions may take a quarter of a minute. The reading
// beside ctx's error is the latest of each machine.
func (w *Watch) Count(ctx context.Context) (Reading, error) {
	asked := time.Now()
	for {
		w.mu.Lock()
		r, done := w.reading(asked)
		news := w.news
		w.mu.Unlock()
		if done {
			r.Full = r.Known()
			return r, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

// reading is what is known now, and whether no machine is left from which a
// count begun after asked may still come.
func (w *Watch) reading(asked time.Time) (r Reading, done bool) {
	r = Reading{ByHost: map[string]int{}, Unread: map[string]string{}}
	if len(w.channels) == 0 {
		r.Unread[""] = "there is no machine to count on"
	}
	done = true
	for _, c := range w.channels {
		host := c.target.Host
		switch {
		case c.why != "":
			r.Unread[host] = c.why
			continue
		case c.begun.IsZero():
			r.Unread[host] = "not counted yet"
			done = false
			continue
		case c.begun.Before(asked):
			done = false
		}
		r.ByHost[host] = c.count.sessions
		r.Total += c.count.sessions
		if c.count.listening == 0 {
			r.Silent = append(r.Silent, host)
		}
		if r.At.IsZero() || c.begun.Before(r.At) {
			r.At = c.begun
		}
	}
	slices.Sort(r.Silent)
	return r, done
}

// set changes the state of a channel and wakes whoever waits in Count.
func (w *Watch) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
	close(w.news)
	w.news = make(chan struct{})
}
