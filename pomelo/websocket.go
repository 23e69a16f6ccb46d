package pomelo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// ErrNoPomelo means that something answers, and that it is not a gate or a
// connector of Pomelo that takes websockets.
var ErrNoPomelo = errors.New("no Pomelo answers there")

// RefusedError is what a gate or connector answers to the handshake of a client
// it does not want: it is Pomelo, and it runs.
type RefusedError struct {
	// Code is 501 where the app's checkClient refused type or version, 500
	// where its own handshake function did.
	Code int
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("handshake refused with code %d (500: by the app's handshake function, 501: by its checkClient)", e.Code)
}

const (
	// messageLimit is how long a websocket message may be. The handshake's holds
	// the dictionary and the protos.
	messageLimit = 4 << 20
	// headLimit is how long the head of the answer to the upgrade may be.
	headLimit = 64 << 10
	codeOK    = 200
)

// hello is what Pomelo's own client for the web says. rsa must be there for
// connectors with useCrypto.
const hello = `{"sys":{"type":"js-websocket","version":"0.0.1","rsa":{}},"user":{}}`

// Greet does at conn, fresh from the dial, what a user does: the upgrade to a
// websocket, Pomelo's handshake, and a goodbye. nil means that code 200 was
// answered. It ends in FIN: a RST before the first byte ends a gate or connector
// whose app has no uncaughtException handler, so a probe must not send one. TLS
// is not spoken here.
//
// conn is closed in any case, at the latest a second after the end of ctx.
// Errors: ErrNoPomelo, a *RefusedError, the cause of ctx's end, or what happened
// to the connection; one that is closed without an answer is not ErrNoPomelo,
// since a process about to end does so too.
func Greet(ctx context.Context, conn net.Conn) error {
	return visit(ctx, conn, func(*client) error { return nil })
}

// visit shakes hands, lets do have the connection, and leaves politely.
func visit(ctx context.Context, conn net.Conn, do func(*client) error) error {
	unbind := bound(ctx, conn)
	c, err := enter(conn)
	if err == nil {
		err = do(c)
	}
	err = cause(ctx, err)
	c.leave()
	unbind()
	part(conn, farewell)
	return err
}

// client is one user's connection.
type client struct {
	ws    *websocket.Conn
	sys   system
	queue []parcel // received and not looked at
	beat  *time.Timer
	beats sync.WaitGroup
}

// system is what the handshake's answer says of the connection.
type system struct {
	Heartbeat float64 // seconds, 0 for none
	Dict      map[string]float64
	Protos    json.RawMessage
}

// enter makes a client of conn. With an error there may be one too, to leave.
func enter(conn net.Conn) (*client, error) {
	c := &client{}
	up := &upgrade{conn: conn}
	// The time is conn's deadline: a context that ends would make the library
	// close conn while bytes lie unread.
	ws, _, err := websocket.Dial(context.Background(), "ws://localhost/", &websocket.DialOptions{ //nolint:bodyclose // an upgraded connection has none
		HTTPClient: &http.Client{Transport: up, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		HTTPHeader: http.Header{"User-Agent": {"rollout"}},
	})
	switch {
	case up.err != nil:
		return c, fmt.Errorf("websocket: %w", up.err)
	case err != nil && up.status != http.StatusSwitchingProtocols:
		return c, fmt.Errorf("%w: HTTP status %d to a websocket's upgrade", ErrNoPomelo, up.status)
	case err != nil:
		return c, fmt.Errorf("%w: the upgrade's answer is no websocket's", ErrNoPomelo)
	}
	up.socket.open = true
	c.ws = ws
	ws.SetReadLimit(messageLimit)
	if err := c.send(packageHandshake, []byte(hello)); err != nil {
		return c, fmt.Errorf("handshake: %w", err)
	}
	if err := c.welcome(); err != nil {
		return c, fmt.Errorf("handshake: %w", err)
	}
	if err := c.send(packageAck, nil); err != nil {
		return c, fmt.Errorf("handshake: %w", err)
	}
	return c, nil
}

// welcome reads the answer to the handshake.
func (c *client) welcome() error {
	p, err := c.receive()
	var closed websocket.CloseError
	switch {
	case err != nil && unspoken(err):
		return err
	case errors.As(err, &closed):
		return fmt.Errorf("%w: a websocket that closes with status %d", ErrNoPomelo, closed.Code)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNoPomelo, err)
	case p.kind != packageHandshake:
		return fmt.Errorf("%w: a package of type %d", ErrNoPomelo, p.kind)
	}
	var said struct {
		Code float64
		Sys  json.RawMessage
	}
	if err := json.Unmarshal(p.body, &said); err != nil || said.Code != math.Trunc(said.Code) || said.Code < 1 || said.Code > 999 {
		return fmt.Errorf("%w: %s", ErrNoPomelo, shown(string(p.body)))
	}
	if said.Code != codeOK {
		return &RefusedError{int(said.Code)}
	}
	if err := json.Unmarshal(said.Sys, &c.sys); err != nil {
		return fmt.Errorf("%w: %s", ErrNoPomelo, shown(string(p.body)))
	}
	return nil
}

// send writes one package.
func (c *client) send(kind byte, body []byte) error {
	b, err := appendParcel(nil, kind, body)
	if err != nil {
		return err
	}
	return innermost(c.ws.Write(context.Background(), websocket.MessageBinary, b))
}

// receive waits for the next package.
func (c *client) receive() (parcel, error) {
	for len(c.queue) == 0 {
		_, b, err := c.ws.Read(context.Background())
		if err != nil {
			return parcel{}, innermost(err)
		}
		if c.queue, err = parcels(b); err != nil {
			return parcel{}, err
		}
	}
	p := c.queue[0]
	c.queue = c.queue[1:]
	return p, nil
}

// next is receive for one who only wants data: it keeps the connection alive.
func (c *client) next() ([]byte, error) {
	for {
		p, err := c.receive()
		if err != nil {
			return nil, err
		}
		switch p.kind {
		case packageData:
			return p.body, nil
		case packageKick:
			return nil, fmt.Errorf("kicked: %s", shown(string(p.body)))
		case packageHeartbeat:
			c.alive()
		}
	}
}

// alive answers a heartbeat, when it is time: Pomelo answers ours at once, so
// the pause between them is for the client to make.
func (c *client) alive() {
	if c.sys.Heartbeat <= 0 {
		return
	}
	c.rest()
	every := time.Duration(min(max(c.sys.Heartbeat, 1), 3600) * float64(time.Second))
	c.beats.Add(1)
	c.beat = time.AfterFunc(every, func() {
		defer c.beats.Done()
		_ = c.send(packageHeartbeat, nil) // a connection that broke is seen by who reads
	})
}

// rest ends the heartbeat.
func (c *client) rest() {
	if c.beat != nil && c.beat.Stop() {
		c.beats.Done()
	}
	c.beats.Wait()
	c.beat = nil
}

// leave says goodbye by the websocket's own close and waits for the answer, a
// few seconds at most. The answer of the handshake counts, not that of the
// goodbye.
func (c *client) leave() {
	c.rest()
	if c.ws != nil {
		_ = c.ws.Close(websocket.StatusNormalClosure, "")
	}
}

// innermost takes the library's words off an error.
func innermost(err error) error {
	for {
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			return closed
		}
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		if wire, ok := err.(net.Error); ok { //nolint:errorlint // it is err's own type that is asked for: a *net.OpError says more than what is in it
			return wire
		}
		err = inner
	}
}

// upgrade sends a request along conn, which is dialled already.
type upgrade struct {
	conn   net.Conn
	status int
	socket *socket // nil without a 101
	err    error   // what went wrong, without the words of net/http
}

// RoundTrip is one request and the head of its answer.
func (u *upgrade) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := u.ask(r)
	if err != nil {
		u.err = err
		return nil, err
	}
	u.status = resp.StatusCode
	return resp, nil
}

func (u *upgrade) ask(r *http.Request) (*http.Response, error) {
	if err := r.Write(u.conn); err != nil {
		return nil, err
	}
	limit := &io.LimitedReader{R: u.conn, N: headLimit}
	in := bufio.NewReader(limit)
	const start = "HTTP/"
	for n := range len(start) { // byte by byte: what is no HTTP need not send five
		b, err := in.Peek(n + 1)
		switch {
		case errors.Is(err, io.EOF):
			return nil, errors.New("closed without an answer")
		case err != nil:
			return nil, err
		case b[n] != start[n]:
			b, _ = in.Peek(min(in.Buffered(), 80))
			return nil, fmt.Errorf("%w: it says %q", ErrNoPomelo, shown(string(b)))
		}
	}
	resp, err := http.ReadResponse(in, r)
	switch {
	case err != nil && limit.N <= 0:
		return nil, fmt.Errorf("%w: HTTP with a head of more than %d bytes", ErrNoPomelo, headLimit)
	case err != nil && unspoken(err):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %s", ErrNoPomelo, shown(err.Error()))
	}
	resp.Body = http.NoBody // of anything else than a websocket it may never end
	if resp.StatusCode == http.StatusSwitchingProtocols {
		limit.N = math.MaxInt64
		u.socket = &socket{in: in, conn: u.conn}
		resp.Body = u.socket
	}
	return resp, nil
}

// socket is the connection after the upgrade.
type socket struct {
	in   io.Reader
	conn net.Conn
	open bool
}

// Read reads from the connection once it is a websocket: of an answer it does
// not like the library would read on for three seconds.
func (s *socket) Read(b []byte) (int, error) {
	if !s.open {
		return 0, io.EOF
	}
	return s.in.Read(b)
}

// Write writes to the connection.
func (s *socket) Write(b []byte) (int, error) { return s.conn.Write(b) }

// Close only ends the waiting: the library would close before all is read.
func (s *socket) Close() error {
	if s.conn.SetDeadline(time.Unix(1, 0)) != nil {
		return s.conn.Close()
	}
	return nil
}
