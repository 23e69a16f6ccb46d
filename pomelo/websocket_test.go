package pomelo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// shaker is a websocket server that sends says[0] when it hears a first message,
// says[1] at the second, and so on.
func shaker(t *testing.T, says ...[]byte) net.Conn {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		defer ws.CloseNow()
		for {
			if _, _, err := ws.Read(r.Context()); err != nil {
				return // it answers a close frame by itself
			}
			if len(says) > 0 {
				_ = ws.Write(r.Context(), websocket.MessageBinary, says[0])
				says = says[1:]
			}
		}
	}))
	t.Cleanup(s.Close)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	must(t, err)
	return conn
}

// shake is a handshake's answer.
func shake(text string) []byte {
	b, _ := appendParcel(nil, packageHandshake, []byte(text))
	return b
}

func TestAGreetingWithoutPomelo(t *testing.T) {
	must(t, Greet(soon(t), shaker(t, shake(`{"code":200,"sys":{"heartbeat":3}}`))))
	must(t, Greet(soon(t), shaker(t, append(shake(`{"code":200,"sys":{}}`), packageHeartbeat, 0, 0, 0))))
	for _, code := range []int{500, 501} {
		var refused *RefusedError
		err := Greet(soon(t), shaker(t, shake(fmt.Sprintf(`{"code":%d}`, code))))
		if !errors.As(err, &refused) || refused.Code != code || errors.Is(err, ErrNoPomelo) {
			t.Errorf("got %v, want a refusal with %d", err, code)
		}
	}
}

func TestWebsocketsOfOthersAreNoPomelo(t *testing.T) {
	echo, _ := appendParcel(nil, packageHandshake, []byte(hello))
	for name, says := range map[string][]byte{
		"an echo":           echo,
		"text":              []byte("welcome"),
		"a wrong length":    {packageHandshake, 0, 1, 0, '{', '}'},
		"another package":   {packageData, 0, 0, 0},
		"no JSON":           shake("\x1b[31mno"),
		"no code":           shake(`{"sys":{}}`),
		"a code of letters": shake(`{"code":"200","sys":{}}`),
		"no sys":            shake(`{"code":200}`),
		"too much":          bytes.Repeat([]byte{packageHandshake}, messageLimit+2),
	} {
		conn := shaker(t, says, says)
		if err := Greet(soon(t), conn); !errors.Is(err, ErrNoPomelo) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%s: got %v, want ErrNoPomelo", name, err)
		}
	}
}

func TestWhatIsNoWebsocketIsNoPomeloAndSeesFIN(t *testing.T) {
	page := strings.Repeat("x", 100<<10)
	for name, says := range map[string]string{
		"ssh":                     "SSH-2.0-OpenSSH_9.2p1\r\n",
		"one letter":              "x",
		"Redis":                   "-ERR unknown command\r\n",
		"TLS":                     "\x15\x03\x01\x00\x02\x02\x46",
		"a page":                  "HTTP/1.1 200 OK\r\nContent-Length: 102400\r\n\r\n" + page,
		"a page elsewhere":        "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
		"an error without end":    "HTTP/1.1 404 Not Found\r\n\r\n",
		"an upgrade of its own":   "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tls\r\n\r\n",
		"a websocket's wrong key": "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
		"a broken head":           "HTTP/1.1 abc\r\n\r\n",
		"a head without end":      "HTTP/1.1 200 OK\r\nX: " + page,
	} {
		addr, ends := listen(t, func(conn net.Conn) error {
			_, _ = io.WriteString(conn, says)
			return hearOut(conn)
		})
		conn, err := net.Dial("tcp", addr)
		must(t, err)
		if err := Greet(soon(t), conn); !errors.Is(err, ErrNoPomelo) || strings.Contains(err.Error(), "failed") {
			t.Errorf("%s: got %v, want ErrNoPomelo", name, err)
		}
		if err := <-ends; err != nil {
			t.Errorf("%s: it saw %v, want FIN", name, err)
		}
	}
}

func TestOneThatOnlyClosesMayBePomelo(t *testing.T) {
	addr, _ := listen(t, func(net.Conn) error { return nil })
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	if err := Greet(soon(t), conn); err == nil || errors.Is(err, ErrNoPomelo) {
		t.Errorf("got %v, want an error that is not ErrNoPomelo", err)
	}
}

func TestAGreetingEndsWithItsContext(t *testing.T) {
	endsWith(t, func(ctx context.Context, conn net.Conn) error { return Greet(ctx, conn) })
	// Also after the upgrade.
	ctx, cancel := context.WithCancel(t.Context())
	conn := &onWrite{shaker(t), 2, cancel}
	if err := Greet(ctx, conn); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// onWrite calls do at the n-th write.
type onWrite struct {
	net.Conn
	n  int
	do func()
}

func (o *onWrite) Write(b []byte) (int, error) {
	if o.n--; o.n == 0 {
		o.do()
	}
	return o.Conn.Write(b)
}

// reply is a response as Pomelo encodes it.
func reply(id byte, body string) []byte {
	b, _ := appendParcel(nil, packageData, append([]byte{messageResponse << 1, id}, body...))
	return b
}

func TestRequestsAndTheirAnswers(t *testing.T) {
	push, _ := appendParcel(nil, packageData, append([]byte{messagePush << 1, 3, 'o', 'n', 'X'}, `{}`...))
	ok := shake(`{"code":200,"sys":{}}`)
	// A message is answered by several packages, and news come in between.
	got, err := Ask(soon(t), shaker(t, append(ok, push...), push, append(push, reply(1, `{"a":1}`)...), append(reply(9, `5`), reply(2, `[]`)...)), "a.b.c", []any{1, 2})
	if err != nil || len(got) != 2 || string(got[0]) != `{"a":1}` || string(got[1]) != `[]` {
		t.Errorf("got %s, %v", got, err)
	}
	for name, says := range map[string][]byte{
		"kicked: {}":     {packageKick, 0, 0, 2, '{', '}'},
		"no JSON":        reply(1, `{`),
		"gzipped":        {packageData, 0, 0, 2, messageResponse<<1 | flagGzip, 1},
		"request id":     {packageData, 0, 0, 1, messageResponse << 1},
		"a byte":         {packageData, 0, 0, 0},
		"package type 9": {9, 0, 0, 0},
	} {
		got, err := Ask(soon(t), shaker(t, ok, nil, says), "a.b.c", []any{1})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.HasPrefix(err.Error(), "a.b.c: request 1 of 1: ") {
			t.Errorf("got %s, %v, want %q in it", got, err, name)
		}
	}
	for _, sys := range []string{`{"protos":{"client":{"a.b.c":{}}}}`, `{"dict":{"a.b.c":70000}}`, `{"dict":{"a.b.c":1.5}}`} {
		if got, err := Ask(soon(t), shaker(t, shake(`{"code":200,"sys":`+sys+`}`)), "a.b.c", []any{1}); err == nil || !strings.HasPrefix(err.Error(), "a.b.c: ") {
			t.Errorf("%s: got %s, %v", sys, got, err)
		}
	}
	if got, err := Ask(soon(t), shaker(t, ok), strings.Repeat("x", 256), []any{1}); err == nil {
		t.Errorf("a long route: got %s", got)
	}
}

func TestDirectionsAreCountedByConnector(t *testing.T) {
	ok := shake(`{"code":200,"sys":{}}`)
	got, err := Directions(soon(t), shaker(t, ok, nil, reply(1, `{"host":"h","port":"62"}`), reply(2, `{"code":200,"host":"::1","port":7}`), reply(3, `{"host":"h","port":62}`)), "g", "uid", 3)
	if want := map[string]int{"h:62": 2, "[::1]:7": 1}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, says := range []string{`{"code":500}`, `{}`, `null`, `[]`, `{"host":"","port":1}`, `{"host":"h"}`, `{"host":"h","port":0}`, `{"host":"h","port":65536}`,
		`{"host":"h","port":1.5}`, `{"host":"h","port":-1}`, `{"host":"h\u001b[2J","port":1}`, `{"host":"h","port":1e300}`, `{"code":"x","host":"h","port":1}`} {
		got, err := Directions(soon(t), shaker(t, ok, nil, reply(1, says)), "g", "uid", 1)
		if err == nil || !strings.HasPrefix(err.Error(), "g: uid 0: ") {
			t.Errorf("%s: got %v, %v", says, got, err)
		}
	}
}

func TestARequestIsEncodedAsPomeloDecodesIt(t *testing.T) {
	// Made by pomelo-protocol 0.1.6: Message.encode(id, 0, compressed, route, body).
	for _, c := range []struct {
		id   uint64
		code uint16
		want string
	}{
		{1, 0, "\x00\x01\x03a.b{}"},
		{300, 0, "\x00\xac\x02\x03a.b{}"},
		{127, 258, "\x01\x7f\x01\x02{}"},
		{128, 1, "\x01\x80\x01\x00\x01{}"},
	} {
		got, err := appendRequest(nil, c.id, "a.b", c.code, json.RawMessage(`{}`))
		if err != nil || string(got) != c.want {
			t.Errorf("%d %d: got %q, %v, want %q", c.id, c.code, got, err, c.want)
		}
	}
}

func FuzzPackages(f *testing.F) {
	f.Add(shake(`{"code":200,"sys":{}}`))
	f.Add(append(reply(1, `{}`), packageHeartbeat, 0, 0, 0))
	f.Add([]byte{packageData, 0xff, 0xff, 0xff, 4, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parcels(b)
		var again []byte
		for _, p := range all {
			again, _ = appendParcel(again, p.kind, p.body)
			_, _, _, _ = response(p.body)
		}
		if err == nil && !bytes.Equal(again, b) {
			t.Fatalf("got %q, want %q", again, b)
		}
	})
}
