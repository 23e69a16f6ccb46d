package players

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"time"
)

// What is said on the wire, one JSON object a line: to the gate {"user":N}, which answers with a direction; to the connector
// {"user":N,"game_ms":M}, which answers with a welcome; then heartbeats and at last bye, all of which it echoes.
type (
	direction struct {
		Host string `json:"host"`
		Port int    `json:"port"`
	}
	welcome struct {
		OK      bool   `json:"ok"`
		Release string `json:"release"`
		Machine string `json:"machine"`
		Group   string `json:"group"`
	}
)

var (
	heartbeat = []byte("{\"beat\":1}\n")
	bye       = []byte("{\"bye\":true}\n")

	errTooLong = errors.New("a line of more than 1 KiB")
	errSilent  = errors.New("three heartbeats without an answer")
)

// player is one of them. It needs one goroutine, also while it plays: the deadline of its read is its clock.
type player struct {
	*Options
	book   *book
	user   int
	chance *rand.Rand
	buf    [1024]byte
}

// incident is an error with the place where it happened.
type incident struct {
	where Where
	addr  string
	err   error
}

// play goes from game to game until ctx ends.
func (p *player) play(ctx context.Context) {
	length := time.Duration(float64(p.Game) * p.chance.Float64()) // what is left of the first
	var over time.Time
	for ctx.Err() == nil {
		s, ok := p.enter(ctx, length)
		if !ok {
			return
		}
		wait := time.Duration(-1)
		if !over.IsZero() {
			wait = time.Since(over)
		}
		p.book.begun(s.welcome, wait)
		finished, in := p.session(ctx, s, length)
		over = time.Now()
		p.book.over(s.welcome, finished, in)
		length = time.Duration(float64(p.Game) * (0.9 + 0.2*p.chance.Float64()))
	}
}

// seat is a session that has begun.
type seat struct {
	welcome
	conn net.Conn
	addr string
}

// enter finds a way into a game, however often it must try; false when ctx ended first.
func (p *player) enter(ctx context.Context, length time.Duration) (seat, bool) {
	for rest := p.Retry; ; rest = min(2*rest, max(p.Retry, 2*time.Second)) {
		s, in := p.try(ctx, length)
		if ctx.Err() != nil {
			if s.conn != nil {
				p.leave(s.conn)
			}
			return s, false
		}
		if in == nil {
			return s, true
		}
		p.book.failed(Incident{At: time.Now(), User: p.user, Where: in.where, Addr: in.addr, Error: in.err.Error()})
		if !pause(ctx, time.Duration(float64(rest)*(0.5+p.chance.Float64()))) {
			return s, false
		}
	}
}

// try goes the way once: balancer, gate, connector.
func (p *player) try(ctx context.Context, length time.Duration) (seat, *incident) {
	front := p.Front()
	conn, err := p.dial(ctx, front)
	if err != nil {
		return seat{}, &incident{ToBalancer, front, err}
	}
	line, err := p.ask(ctx, conn, `{"user":`+strconv.Itoa(p.user)+"}\n")
	_ = conn.Close()
	if err != nil {
		return seat{}, &incident{AtGate, front, err}
	}
	var to direction
	if err := json.Unmarshal(line, &to); err != nil || to.Host == "" || to.Port < 1 || to.Port > 65535 {
		return seat{}, &incident{Answer, front, fmt.Errorf("%.100q names no connector", line)}
	}
	if !pause(ctx, p.Walk) {
		return seat{}, &incident{ToConnector, "", ctx.Err()}
	}
	addr := net.JoinHostPort(to.Host, strconv.Itoa(to.Port))
	if conn, err = p.dial(ctx, addr); err != nil {
		return seat{}, &incident{ToConnector, addr, err}
	}
	line, err = p.ask(ctx, conn, `{"user":`+strconv.Itoa(p.user)+`,"game_ms":`+strconv.FormatInt(length.Milliseconds(), 10)+"}\n")
	var w welcome
	if err == nil {
		if json.Unmarshal(line, &w) != nil || !w.OK {
			err = fmt.Errorf("%.100q is no welcome", line)
		}
	}
	if err != nil {
		_ = conn.Close()
		return seat{}, &incident{AtConnector, addr, err}
	}
	return seat{w, conn, addr}, nil
}

func (p *player) dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: p.Timeout, KeepAlive: -1}
	return dialer.DialContext(ctx, "tcp", addr)
}

// ask says one line and returns the one that comes back, in p.buf.
func (p *player) ask(ctx context.Context, conn net.Conn, line string) ([]byte, error) {
	stop := wakeAtEnd(ctx, conn)
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(p.Timeout)); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if _, err := conn.Write(append(p.buf[:0], line...)); err != nil {
		return nil, err
	}
	for n := 0; n < len(p.buf); {
		more, err := conn.Read(p.buf[n:])
		n += more
		if end := bytes.IndexByte(p.buf[:n], '\n'); end >= 0 {
			return p.buf[:end], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errTooLong
}

// session plays until the game's end, which is the player's own: true; or until something else ends it, which is a cut: the
// incident. Neither when the player leaves with the crowd.
func (p *player) session(ctx context.Context, s seat, length time.Duration) (bool, *Incident) {
	stop := wakeAtEnd(ctx, s.conn)
	defer stop()
	now := time.Now()
	end, owed := now.Add(length), 0
	for {
		wake := end
		if p.Heartbeat > 0 && now.Add(p.Heartbeat).Before(end) {
			wake = now.Add(p.Heartbeat)
		}
		err := s.conn.SetDeadline(wake)
		if ctx.Err() != nil { // looked at after the deadline is set, lest it replace the one that wakes us at the end
			p.leave(s.conn)
			return false, nil
		}
		if err == nil {
			_, err = s.conn.Read(p.buf[:])
		}
		now = time.Now()
		switch {
		case ctx.Err() != nil:
			p.leave(s.conn)
			return false, nil
		case err == nil:
			owed = 0
			continue
		case errors.Is(err, os.ErrDeadlineExceeded) && !now.Before(end):
			if err = p.farewell(ctx, s.conn); err == nil || ctx.Err() != nil {
				_ = s.conn.Close()
				return err == nil, nil
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			if owed++; owed > 3 {
				err = errSilent
				break
			}
			_ = s.conn.SetWriteDeadline(now.Add(p.Heartbeat))
			if _, err = s.conn.Write(heartbeat); err == nil {
				continue
			}
		}
		_ = s.conn.Close()
		return false, &Incident{At: now, User: p.user, Where: Game, Addr: s.addr, Error: err.Error()}
	}
}

// farewell ends the game and hears the connector say so too. Without its answer nobody knows that the session was still
// there at the end: a deadline that has passed hides a connection that was closed just before.
func (p *player) farewell(ctx context.Context, conn net.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(p.Timeout))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, err := conn.Write(bye); err != nil {
		return err
	}
	for n := 0; ; n = copy(p.buf[:], p.buf[max(0, n-len(bye)):n]) { // heartbeats may still come before it
		more, err := conn.Read(p.buf[n:])
		n += more
		if bytes.HasSuffix(p.buf[:n], bye) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// leave says goodbye and does not stay for the answer.
func (p *player) leave(conn net.Conn) {
	_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = conn.Write(bye)
	_ = conn.Close()
}

// wakeAtEnd makes a blocked read return when ctx ends, unless what it returns is called before.
func wakeAtEnd(ctx context.Context, conn net.Conn) func() bool {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}
