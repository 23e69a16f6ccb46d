package players

import (
	"context"
	"net"
	"sync"
)

// Freeze makes n players that are in a game stop reading and writing until Thaw or Stop, and says how many: fewer when fewer
// play. Their connections stay open without a word, as those of a phone out of reach. A session of theirs that somebody else
// ends counts in FrozenCut, not in Cut, once they are thawed.
func (c *Crowd) Freeze(n int) int {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	frozen := 0
	for _, f := range c.frosts {
		if frozen < n && f.freeze() {
			frozen++
		}
	}
	c.book.s.Frozen += frozen
	return frozen
}

// Thaw lets all frozen players go on where they stopped.
func (c *Crowd) Thaw() {
	c.book.mu.Lock()
	defer c.book.mu.Unlock()
	for _, f := range c.frosts {
		if f.thaw() {
			c.book.s.Frozen--
		}
	}
}

// frost is whether one player is frozen.
type frost struct {
	mu      sync.Mutex
	playing bool          // only who plays can be frozen
	thawed  chan struct{} // closed when it is; nil: not frozen
	was     bool          // during this game
}

func (f *frost) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.playing, f.was = true, false
}

// end is no more playing. A frozen player comes to it only once thawed or when ctx ends. It says whether the player was frozen
// during the game, and whether it was until now.
func (f *frost) end(ctx context.Context) (was, still bool) {
	for {
		f.wait(ctx)
		f.mu.Lock()
		if still = f.thawed != nil; !still || ctx.Err() != nil {
			break
		}
		f.mu.Unlock() // frozen again just now
	}
	defer f.mu.Unlock()
	if still {
		close(f.thawed)
		f.thawed = nil
	}
	f.playing = false
	return f.was, still
}

// wait returns when the player is not frozen, or when ctx ends.
func (f *frost) wait(ctx context.Context) {
	for {
		f.mu.Lock()
		thawed := f.thawed
		f.mu.Unlock()
		if thawed == nil {
			return
		}
		select {
		case <-thawed:
		case <-ctx.Done():
			return
		}
	}
}

func (f *frost) freeze() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.playing || f.thawed != nil {
		return false
	}
	f.thawed, f.was = make(chan struct{}), true
	return true
}

func (f *frost) thaw() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thawed == nil {
		return false
	}
	close(f.thawed)
	f.thawed = nil
	return true
}

// valve is a connection whose bytes do not get past it while its player is frozen: what reads it would answer by itself.
type valve struct {
	net.Conn
	frost *frost
}

func (v valve) Read(b []byte) (int, error) {
	n, err := v.Conn.Read(b)
	v.frost.wait(context.Background()) // the end of the game thaws too
	return n, err
}
