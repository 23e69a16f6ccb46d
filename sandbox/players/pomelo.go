package players

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// pomelo is a wire and the seat on it.
type pomelo struct {
	*Options
	user  int
	frost *frost
	link  *link // during a game
}

func (p *pomelo) direct(ctx context.Context, front string) (string, *incident) {
	raw, err := p.dial(ctx, front)
	if err != nil {
		return "", &incident{ToBalancer, front, err}
	}
	l, err := open(ctx, raw, p.frost, p.Timeout)
	if err != nil {
		return "", &incident{AtGate, front, err}
	}
	said, err := l.ask(ctx, "gate.gateHandler.queryEntry", p.uid())
	if err != nil {
		l.drop()
		return "", &incident{AtGate, front, err}
	}
	l.close(p.Timeout)
	var to direction
	err = json.Unmarshal(said, &to)
	addr, ok := to.addr()
	if err != nil || !ok || to.Code != http.StatusOK {
		return "", &incident{Answer, front, fmt.Errorf("%.100q names no connector", said)}
	}
	return addr, nil
}

// enter has no use for the length: the connector learns of the game's end when it comes.
func (p *pomelo) enter(ctx context.Context, addr string, _ time.Duration) (w welcome, s seat, in *incident) {
	raw, err := p.dial(ctx, addr)
	if err != nil {
		return w, nil, &incident{ToConnector, addr, err}
	}
	l, err := open(ctx, raw, p.frost, p.Timeout)
	if err != nil {
		return w, nil, &incident{AtConnector, addr, err}
	}
	said, err := l.ask(ctx, "connector.entryHandler.enter", p.uid())
	if err == nil && (json.Unmarshal(said, &w) != nil || w.Code != http.StatusOK) {
		err = fmt.Errorf("%.100q is no welcome", said)
	}
	if err != nil {
		l.drop()
		return w, nil, &incident{AtConnector, addr, err}
	}
	p.link = l
	return w, p, nil
}

func (p *pomelo) uid() string { return `{"uid":` + strconv.Itoa(p.user) + "}" }

func (p *pomelo) play(ctx context.Context, end time.Time) error {
	l := p.link
	l.listen()
	over := time.NewTimer(time.Until(end))
	defer over.Stop()
	var beats <-chan time.Time // none, where the connector wants none
	if l.beat > 0 {
		ticker := time.NewTicker(l.beat)
		defer ticker.Stop()
		beats = ticker.C
	}
	for owed := 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over.C:
			return ctx.Err()
		case heard := <-l.heard:
			owed = 0
			if _, err := heard.answer(0); err != nil {
				return err
			}
		case <-beats:
			if p.frost.wait(ctx); ctx.Err() != nil {
				return ctx.Err()
			}
			if owed++; owed > 3 {
				return errSilent
			}
			_ = l.raw.SetWriteDeadline(time.Now().Add(p.Timeout))
			if err := l.send(heartbeatKind, nil); err != nil {
				return err
			}
		}
	}
}

func (p *pomelo) farewell(ctx context.Context) error {
	l := p.link
	stop := wakeAtEnd(ctx, l.raw)
	defer stop()
	l.allow()
	if ctx.Err() != nil {
		p.drop()
		return ctx.Err()
	}
	id, err := l.request("connector.entryHandler.bye", "{}")
	var said []byte
	for err == nil && said == nil {
		said, err = (<-l.heard).answer(id)
	}
	if err != nil {
		p.drop()
		return err
	}
	l.close(p.Timeout)
	var to direction
	if json.Unmarshal(said, &to) != nil || to.Code != http.StatusOK {
		return fmt.Errorf("%.100q is no answer to bye", said)
	}
	return nil
}

func (p *pomelo) leave() { p.link.close(100 * time.Millisecond) }

func (p *pomelo) drop() { p.link.drop() }

// Visit begins a game at the Pomelo connector at addr and leaves it at once, and gives the release that the connector runs.
func Visit(ctx context.Context, addr string) (string, error) {
	p := pomelo{Options: &Options{Timeout: 5 * time.Second}, frost: &frost{}}
	w, _, in := p.enter(ctx, addr, 0)
	if in != nil {
		return "", fmt.Errorf("%s: %w", addr, in.err)
	}
	p.link.listen()
	return w.Release, p.farewell(ctx)
}
