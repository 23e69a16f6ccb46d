package players

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// largestFrame is of one websocket frame, which may carry many packages.
const largestFrame = 1 << 20

const hello = `{"sys":{"type":"go-websocket","version":"0.0.1"},"user":{}}`

// link is one connection to a Pomelo server. Every wait on it is bounded by the deadline of raw, never by a context: the
// websocket would close the connection when that ends.
type link struct {
	raw      net.Conn
	ws       *websocket.Conn
	patience time.Duration
	beat     time.Duration     // how often the server wants to hear a heartbeat; 0: never
	codes    map[string]uint16 // the dictionary of routes
	last     uint32            // id of a request
	rest     []byte            // of the last frame: packages not looked at yet

	heard   chan parcel // what listen reads
	deaf    chan struct{}
	listens sync.WaitGroup
}

// parcel is one package, or the reason why there are no more.
type parcel struct {
	kind kind
	body []byte
	err  error
}

// open says hello over raw as websockets and then as Pomelo do, and closes raw when that fails.
func open(ctx context.Context, raw net.Conn, f *frost, timeout time.Duration) (*link, error) {
	l := &link{raw: raw, patience: timeout}
	stop := wakeAtEnd(ctx, raw)
	defer stop()
	l.allow()
	if ctx.Err() != nil { // looked at after the deadline is set, lest it replace the one that wakes us at the end
		_ = raw.Close()
		return nil, ctx.Err()
	}
	through := &http.Client{Transport: &http.Transport{
		DialContext:            func(context.Context, string, string) (net.Conn, error) { return valve{raw, f}, nil },
		MaxResponseHeaderBytes: 16 << 10,
	}}
	var err error
	//nolint:bodyclose // the websocket closes it
	l.ws, _, err = websocket.Dial(context.WithoutCancel(ctx), "ws://"+raw.RemoteAddr().String(), &websocket.DialOptions{HTTPClient: through})
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	l.ws.SetReadLimit(largestFrame)
	if err = l.handshake(); err != nil {
		l.drop()
		return nil, err
	}
	return l, nil
}

// allow gives what is done next its time.
func (l *link) allow() { _ = l.raw.SetDeadline(time.Now().Add(l.patience)) }

func (l *link) handshake() error {
	if err := l.send(handshakeKind, []byte(hello)); err != nil {
		return err
	}
	p := l.next()
	if p.err != nil {
		return p.err
	}
	var to struct {
		Code int `json:"code"`
		Sys  struct {
			Heartbeat   float64           `json:"heartbeat"` // seconds
			Dict        map[string]uint16 `json:"dict"`
			RouteToCode map[string]uint16 `json:"routeToCode"`
		} `json:"sys"`
	}
	if err := json.Unmarshal(p.body, &to); p.kind != handshakeKind || err != nil || to.Code != http.StatusOK {
		return fmt.Errorf("package of kind %d %.100q is no handshake", p.kind, p.body)
	}
	l.beat = time.Duration(to.Sys.Heartbeat * float64(time.Second))
	if l.codes = to.Sys.RouteToCode; l.codes == nil {
		l.codes = to.Sys.Dict
	}
	return l.send(handshakeAckKind, nil)
}

func (l *link) send(k kind, body []byte) error {
	return l.ws.Write(context.Background(), websocket.MessageBinary, appendPackage(nil, k, body))
}

// request sends body, which is JSON, to a route and returns the id that the answer will have.
func (l *link) request(route, body string) (uint32, error) {
	l.last++
	m := message{purpose: requestPurpose, id: l.last, route: route, code: l.codes[route], body: []byte(body)}
	return l.last, l.send(dataKind, m.bytes())
}

// ask is a request and its answer's body, which must come before the deadline. listen does not run.
func (l *link) ask(ctx context.Context, route, body string) ([]byte, error) {
	stop := wakeAtEnd(ctx, l.raw)
	defer stop()
	l.allow()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	id, err := l.request(route, body)
	for err == nil {
		var answer []byte
		if answer, err = l.next().answer(id); answer != nil {
			return answer, nil
		}
	}
	return nil, err
}

// answer is the body of the answer to a request, not nil then. A kick, or the end of the connection, is an error.
func (p parcel) answer(id uint32) ([]byte, error) {
	switch {
	case p.err != nil:
		return nil, p.err
	case p.kind == kickKind:
		return nil, fmt.Errorf("kicked: %.100q", p.body)
	case p.kind != dataKind:
		return nil, nil
	}
	m, err := parseMessage(p.body)
	if err != nil || m.purpose != responsePurpose || m.id != id {
		return nil, err
	}
	return append([]byte{}, m.body...), nil
}

// next reads one package.
func (l *link) next() (p parcel) {
	for len(l.rest) == 0 {
		if _, l.rest, p.err = l.ws.Read(context.Background()); p.err != nil {
			return p
		}
	}
	p.kind, p.body, l.rest, p.err = cutPackage(l.rest)
	return p
}

// listen reads into l.heard from now on, without a deadline, until the connection ends or it is told to be deaf.
func (l *link) listen() {
	_ = l.raw.SetDeadline(time.Time{})
	l.heard, l.deaf = make(chan parcel), make(chan struct{})
	l.listens.Go(func() {
		for {
			p := l.next()
			select {
			case l.heard <- p:
			case <-l.deaf:
				return
			}
			if p.err != nil {
				return
			}
		}
	})
}

// close says goodbye as websockets do and waits for the other side's, for so long.
func (l *link) close(limit time.Duration) {
	_ = l.raw.SetDeadline(time.Now().Add(limit))
	if l.deaf != nil {
		close(l.deaf)
	}
	_ = l.ws.Close(websocket.StatusNormalClosure, "")
	_ = l.raw.Close()
	l.listens.Wait()
}

// drop closes the connection.
func (l *link) drop() {
	_ = l.raw.Close()
	if l.deaf != nil {
		close(l.deaf)
	}
	_ = l.ws.CloseNow()
	l.listens.Wait()
}
