package players

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// What is said in lines: to the gate {"user":N}, which answers with a direction; to the connector {"user":N,"game_ms":M}, which
// answers with a welcome; then heartbeats and at last bye, all of which it echoes.
var (
	heartbeat = []byte("{\"beat\":1}\n")
	bye       = []byte("{\"bye\":true}\n")

	errTooLong = errors.New("a line of more than 1 KiB")
)

// line is a wire and the seat on it. It needs no goroutine of its own, also during a game: the deadline of its read is its clock.
type line struct {
	*Options
	user  int
	frost *frost
	conn  net.Conn
	buf   [1024]byte
}

func (l *line) direct(ctx context.Context, front string) (string, *incident) {
	conn, err := l.dial(ctx, front)
	if err != nil {
		return "", &incident{ToBalancer, front, err}
	}
	said, err := l.ask(ctx, conn, `{"user":`+strconv.Itoa(l.user)+"}\n")
	_ = conn.Close()
	if err != nil {
		return "", &incident{AtGate, front, err}
	}
	var to direction
	err = json.Unmarshal(said, &to)
	addr, ok := to.addr()
	if err != nil || !ok {
		return "", &incident{Answer, front, fmt.Errorf("%.100q names no connector", said)}
	}
	return addr, nil
}

func (l *line) enter(ctx context.Context, addr string, length time.Duration) (w welcome, s seat, in *incident) {
	conn, err := l.dial(ctx, addr)
	if err != nil {
		return w, nil, &incident{ToConnector, addr, err}
	}
	said, err := l.ask(ctx, conn, `{"user":`+strconv.Itoa(l.user)+`,"game_ms":`+strconv.FormatInt(length.Milliseconds(), 10)+"}\n")
	if err == nil && (json.Unmarshal(said, &w) != nil || !w.OK) {
		err = fmt.Errorf("%.100q is no welcome", said)
	}
	if err != nil {
		_ = conn.Close()
		return w, nil, &incident{AtConnector, addr, err}
	}
	l.conn = conn
	return w, l, nil
}

// ask says one line and returns the one that comes back, in l.buf.
func (l *line) ask(ctx context.Context, conn net.Conn, line string) ([]byte, error) {
	stop := wakeAtEnd(ctx, conn)
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(l.Timeout)); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if _, err := conn.Write(append(l.buf[:0], line...)); err != nil {
		return nil, err
	}
	for n := 0; n < len(l.buf); {
		more, err := conn.Read(l.buf[n:])
		n += more
		if end := bytes.IndexByte(l.buf[:n], '\n'); end >= 0 {
			return l.buf[:end], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errTooLong
}

func (l *line) play(ctx context.Context, end time.Time) error {
	stop := wakeAtEnd(ctx, l.conn)
	defer stop()
	now, owed := time.Now(), 0
	for {
		wake := end
		if l.Heartbeat > 0 && now.Add(l.Heartbeat).Before(end) {
			wake = now.Add(l.Heartbeat)
		}
		err := l.conn.SetDeadline(wake)
		if ctx.Err() != nil { // looked at after the deadline is set, lest it replace the one that wakes us at the end
			return ctx.Err()
		}
		if err == nil {
			_, err = l.conn.Read(l.buf[:])
		}
		l.frost.wait(ctx)
		now = time.Now()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			owed = 0
			continue
		case errors.Is(err, os.ErrDeadlineExceeded) && !now.Before(end):
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			if owed++; owed > 3 {
				return errSilent
			}
			_ = l.conn.SetWriteDeadline(now.Add(l.Timeout)) // a slow machine of the player's own is no cut
			if _, err = l.conn.Write(heartbeat); err == nil {
				continue
			}
		}
		return err
	}
}

func (l *line) farewell(ctx context.Context) error {
	defer l.drop()
	stop := wakeAtEnd(ctx, l.conn)
	defer stop()
	_ = l.conn.SetDeadline(time.Now().Add(l.Timeout))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, err := l.conn.Write(bye); err != nil {
		return err
	}
	for n := 0; ; n = copy(l.buf[:], l.buf[max(0, n-len(bye)):n]) { // heartbeats may still come before it
		more, err := l.conn.Read(l.buf[n:])
		n += more
		if bytes.HasSuffix(l.buf[:n], bye) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (l *line) leave() {
	_ = l.conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = l.conn.Write(bye)
	l.drop()
}

func (l *line) drop() { _ = l.conn.Close() }
