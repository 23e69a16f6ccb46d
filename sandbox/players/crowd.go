package players

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Options is who plays, and how.
type Options struct {
	Front     func() string // the balancer's host:port, asked anew for each connection; required
	Protocol  Protocol      // Lines or Pomelo
	Players   int           // with the user ids 1 to Players; required
	Game      time.Duration // how long a game lasts, ±10 % at random; required
	Walk      time.Duration // the pause between the gate's answer and the connection to the connector; 0: none
	Arrive    time.Duration // over how long the players come in; 0: half a game, 3 s at most
	Heartbeat time.Duration // how often a player speaks during a game in Lines; 0: never. A Pomelo connector says itself how often. One that owes three answers counts as a cut
	Timeout   time.Duration // for each connection and each answer; 0: 5 s
	Retry     time.Duration // the pause after the first failure, doubled up to 2 s after further ones, ±50 %; 0: 100 ms
	Seed      uint64        // of all that is random
}

// Crowd is people playing.
type Crowd struct {
	book   *book
	frosts []*frost // by user
	leave  context.CancelFunc
	wg     sync.WaitGroup
}

// Start lets the players in, one after another over o.Arrive. The first game of each is already under way (a random part of a
// whole one), so that games end evenly from the beginning. They play until Stop or until ctx ends.
func Start(ctx context.Context, o Options) *Crowd {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Retry == 0 {
		o.Retry = 100 * time.Millisecond
	}
	if o.Arrive == 0 {
		o.Arrive = min(o.Game/2, 3*time.Second)
	}
	ctx, leave := context.WithCancel(ctx)
	c := &Crowd{book: newBook(o.Players), leave: leave}
	for i := range o.Players {
		p := player{Options: &o, book: c.book, user: i + 1, chance: rand.New(rand.NewPCG(o.Seed, uint64(i))), frost: &frost{}}
		if o.Protocol == Pomelo {
			p.wire = &pomelo{Options: &o, user: p.user, frost: p.frost}
		} else {
			p.wire = &line{Options: &o, user: p.user, frost: p.frost}
		}
		c.frosts = append(c.frosts, p.frost)
		arrive := o.Arrive * time.Duration(i) / time.Duration(o.Players)
		c.wg.Go(func() {
			if pause(ctx, arrive) {
				p.play(ctx)
			}
		})
	}
	return c
}

// Stop lets all players leave and waits until they have. The games that it ends are neither finished nor cut.
func (c *Crowd) Stop() {
	c.leave()
	c.wg.Wait()
}

// Wait returns when all players have left: after Stop, or after the end of the context that Start was given.
func (c *Crowd) Wait() { c.wg.Wait() }

// Stats is what has happened so far; all its numbers are of the same moment.
func (c *Crowd) Stats() Stats { return c.book.stats() }

// pause waits for d and is false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
