package players

import (
	"context"
	"math/rand/v2"
	"time"
)

// player is one of them.
type player struct {
	*Options
	book   *book
	user   int
	chance *rand.Rand
	frost  *frost
	wire   wire
}

// play goes from game to game until ctx ends.
func (p *player) play(ctx context.Context) {
	length := time.Duration(float64(p.Game) * p.chance.Float64()) // what is left of the first
	var over time.Time
	for ctx.Err() == nil {
		w, s, addr, ok := p.enter(ctx, length)
		if !ok {
			return
		}
		wait := time.Duration(-1)
		if !over.IsZero() {
			wait = time.Since(over)
		}
		p.frost.begin()
		p.book.begun(w, wait)
		e := p.session(ctx, s, addr, length)
		over = time.Now()
		p.book.over(w, e)
		length = time.Duration(float64(p.Game) * (0.9 + 0.2*p.chance.Float64()))
	}
}

// enter finds a way into a game, however often it must try; false when ctx ended first.
func (p *player) enter(ctx context.Context, length time.Duration) (welcome, seat, string, bool) {
	for rest := p.Retry; ; rest = min(2*rest, max(p.Retry, 2*time.Second)) {
		w, s, addr, in := p.try(ctx, length)
		if ctx.Err() != nil {
			if in == nil {
				s.leave()
			}
			return w, nil, addr, false
		}
		if in == nil {
			return w, s, addr, true
		}
		p.book.failed(Incident{At: time.Now(), User: p.user, Where: in.where, Addr: in.addr, Error: in.err.Error()})
		if !pause(ctx, time.Duration(float64(rest)*(0.5+p.chance.Float64()))) {
			return w, nil, addr, false
		}
	}
}

// try goes the way once: balancer, gate, connector.
func (p *player) try(ctx context.Context, length time.Duration) (welcome, seat, string, *incident) {
	addr, in := p.wire.direct(ctx, p.Front())
	if in != nil {
		return welcome{}, nil, addr, in
	}
	if !pause(ctx, p.Walk) {
		return welcome{}, nil, addr, &incident{ToConnector, addr, ctx.Err()}
	}
	w, s, in := p.wire.enter(ctx, addr, length)
	return w, s, addr, in
}

// ending is how a game ended: finished by its player; cut; or neither when the player left with the crowd.
type ending struct {
	finished bool
	cut      *Incident
	thawed   bool // it was frozen during the game
	frozen   bool // it still is
}

// session plays until the game's end, or until something else ends it.
func (p *player) session(ctx context.Context, s seat, addr string, length time.Duration) (e ending) {
	err := s.play(ctx, time.Now().Add(length))
	e.thawed, e.frozen = p.frost.end(ctx)
	switch {
	case ctx.Err() != nil:
		s.leave()
		return e
	case err == nil:
		if err = s.farewell(ctx); err == nil || ctx.Err() != nil {
			e.finished = err == nil
			return e
		}
	default:
		s.drop()
	}
	e.cut = &Incident{At: time.Now(), User: p.user, Where: Game, Addr: addr, Error: err.Error()}
	return e
}
