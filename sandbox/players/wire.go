package players

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"
)

// Protocol is how the players speak.
type Protocol int

const (
	// Lines is the pretend world's own: one JSON object a line, over TCP. It carries thousands of players.
	Lines Protocol = iota
	// Pomelo is what real Pomelo's hybridconnector speaks over websocket, for a few hundred players. The app has to have the
	// routes gate.gateHandler.queryEntry {"uid":N}, answered with {"code":200,"host":"10.77.0.11","port":6203},
	// connector.entryHandler.enter {"uid":N}, answered with {"code":200,"release":"v1","machine":"m1","group":"group1"}, and
	// connector.entryHandler.bye {}, answered with {"code":200}.
	Pomelo
)

// wire is how one player speaks. It has one connection at a time.
type wire interface {
	// direct asks the gate behind the balancer for a connector: its host:port.
	direct(ctx context.Context, front string) (string, *incident)
	// enter begins a session of the given length at the connector.
	enter(ctx context.Context, addr string, length time.Duration) (welcome, seat, *incident)
}

// seat is a session that has begun.
type seat interface {
	// play keeps the session alive until end: nil. An error says what ended it before, ctx included; the connection is still
	// the caller's to end then.
	play(ctx context.Context, end time.Time) error
	// farewell ends the session, hears the connector say so too, and closes the connection. Without that answer nobody knows
	// that the session was still there at the end: what closed it just before may not have been seen yet.
	farewell(ctx context.Context) error
	// leave says goodbye, does not stay for the answer, and closes the connection.
	leave()
	// drop closes the connection.
	drop()
}

// direction is a gate's answer.
type direction struct {
	Code int    `json:"code"`
	Host string `json:"host"`
	Port int    `json:"port"`
}

// addr is where it points; false when it points nowhere.
func (d direction) addr() (string, bool) {
	return net.JoinHostPort(d.Host, strconv.Itoa(d.Port)), d.Host != "" && d.Port > 0 && d.Port < 65536
}

// welcome is what a connector says of itself when a session begins.
type welcome struct {
	OK      bool   `json:"ok"`
	Code    int    `json:"code"`
	Release string `json:"release"`
	Machine string `json:"machine"`
	Group   string `json:"group"`
}

var errSilent = errors.New("three heartbeats without an answer")

// incident is an error with the place where it happened.
type incident struct {
	where Where
	addr  string
	err   error
}

func (o *Options) dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: o.Timeout, KeepAlive: -1}
	return dialer.DialContext(ctx, "tcp", addr)
}

// wakeAtEnd makes a blocked read return when ctx ends, unless what it returns is called before.
func wakeAtEnd(ctx context.Context, conn net.Conn) func() bool {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}
