package players

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// script is one side of a talk as real Pomelo would not lead it.
type script struct {
	*websocket.Conn
	ctx context.Context
}

func (s script) says(k kind, body string) {
	_ = s.Write(s.ctx, websocket.MessageBinary, appendPackage(nil, k, []byte(body)))
}

// hears reads until a package of the kind, or the end: nil.
func (s script) hears(want kind) []byte {
	for {
		_, frame, err := s.Read(s.ctx)
		if err != nil {
			return nil
		}
		if k, body, _, err := cutPackage(frame); err == nil && k == want {
			return body
		}
	}
}

// greets is the handshake.
func (s script) greets() {
	s.hears(handshakeKind)
	s.says(handshakeKind, `{"code":200,"sys":{"heartbeat":0.02}}`)
	s.hears(handshakeAckKind)
}

// answers answers the next request.
func (s script) answers(body string) {
	m, err := parseMessage(s.hears(dataKind))
	if err == nil {
		s.says(dataKind, string(message{purpose: responsePurpose, id: m.id, body: []byte(body)}.bytes()))
	}
}

// stays reads until the other side ends it.
func (s script) stays() { s.hears(0) }

func scripted(t *testing.T, talk func(script)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.CloseNow() }()
		talk(script{ws, context.WithoutCancel(r.Context())})
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func stranger(timeout time.Duration) *pomelo {
	return &pomelo{Options: &Options{Timeout: timeout}, user: 1, frost: &frost{}}
}

func TestWhatAPomeloGateMaySayInsteadOfAConnector(t *testing.T) {
	for _, c := range []struct {
		name  string
		talk  func(script)
		where Where
		says  string
	}{
		{"an old client", func(s script) { s.hears(handshakeKind); s.says(handshakeKind, `{"code":501}`); s.stays() }, AtGate, "501"},
		{"no handshake", func(s script) { s.says(heartbeatKind, ""); s.stays() }, AtGate, "kind 3"},
		{"nothing after the handshake", func(s script) { s.greets(); s.stays() }, AtGate, ""},
		{"a kick", func(s script) { s.greets(); s.hears(dataKind); s.says(kickKind, `{"reason":"full"}`); s.stays() }, AtGate, "full"},
		{"too much", func(s script) { s.greets(); s.answers(strings.Repeat("x", largestBody)); s.stays() }, AtGate, "more than 65536"},
		{"far too much", func(s script) {
			s.greets()
			_ = s.Write(s.ctx, websocket.MessageBinary, make([]byte, largestFrame+100))
			s.stays()
		}, AtGate, "1048"},
		{"a message in gzip", func(s script) { s.greets(); s.hears(dataKind); s.says(dataKind, "\x14\x01"); s.stays() }, AtGate, "gzip"},
		{"a close", func(s script) { s.greets(); _ = s.Close(websocket.StatusGoingAway, "away") }, AtGate, "away"},
		{"an error", func(s script) { s.greets(); s.answers(`{"code":500}`); s.stays() }, Answer, "500"},
		{"no port", func(s script) { s.greets(); s.answers(`{"code":200,"host":"10.0.0.1"}`); s.stays() }, Answer, "names no connector"},
		{"no JSON", func(s script) { s.greets(); s.answers("hello"); s.stays() }, Answer, "hello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			front := scripted(t, c.talk)
			limit := 20 * time.Second
			if c.says == "" {
				limit = 50 * time.Millisecond
			}
			_, in := stranger(limit).direct(t.Context(), front)
			if in == nil || in.where != c.where || in.addr != front || !strings.Contains(in.err.Error(), c.says) {
				t.Errorf("got %+v, want it %s with %q", in, c.where, c.says)
			}
		})
	}
}

func TestAPlayerFindsItsAnswerAmongOtherPackages(t *testing.T) {
	ended := make(chan error, 1)
	front := scripted(t, func(s script) {
		s.greets()
		m, _ := parseMessage(s.hears(dataKind))
		if m.route != "gate.gateHandler.queryEntry" || string(m.body) != `{"uid":1}` {
			t.Errorf("got %q %s", m.route, m.body)
		}
		frame := appendPackage(nil, heartbeatKind, nil)
		frame = appendPackage(frame, dataKind, message{purpose: pushPurpose, route: "onX", body: []byte(`{"code":500}`)}.bytes())
		frame = appendPackage(frame, dataKind, message{purpose: responsePurpose, id: m.id + 1, body: []byte(`{"code":500}`)}.bytes())
		frame = appendPackage(frame, dataKind, message{purpose: responsePurpose, id: m.id, body: []byte(`{"code":200,"host":"10.0.0.1","port":6203}`)}.bytes())
		_ = s.Write(s.ctx, websocket.MessageBinary, frame)
		_, _, err := s.Read(s.ctx)
		ended <- err
	})
	if addr, in := stranger(20*time.Second).direct(t.Context(), front); in != nil || addr != "10.0.0.1:6203" {
		t.Errorf("got %q, %+v", addr, in)
	}
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("got %v, want a proper close", err)
	}
}

const greeting = `{"code":200,"release":"v1","machine":"m1","group":"group1"}`

func TestHowASessionOfPomeloEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		talk  func(script) // after the welcome
		plays string       // what play says; empty: nothing
		bids  string       // what farewell says then
	}{
		{"kicked", func(s script) { s.says(kickKind, `{"reason":"twice"}`); s.stays() }, "twice", ""},
		{"closed", func(s script) { _ = s.Close(websocket.StatusGoingAway, "away") }, "away", ""},
		{"gone", func(s script) { _ = s.CloseNow() }, "EOF", ""},
		{"silent", script.stays, "three heartbeats", ""},
		{"nonsense", func(s script) { s.says(9, ""); s.stays() }, "unknown kind 9", ""},
		{"no session any more", answersAll(`{"code":500}`), "", "500"},
		{"well", answersAll(`{"code":200}`), "", ""},
		{"no answer", answersAll(""), "", "i/o timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := scripted(t, func(s script) { s.greets(); s.answers(greeting); c.talk(s) })
			p := stranger(20 * time.Second)
			w, seat, in := p.enter(t.Context(), addr, 0)
			if in != nil || w.Machine != "m1" || w.Group != "group1" || w.Release != "v1" {
				t.Fatalf("got %+v, %+v", w, in)
			}
			length := time.Hour
			if c.plays == "" {
				length = 50 * time.Millisecond
			}
			err := seat.play(t.Context(), time.Now().Add(length))
			if c.plays != "" {
				if err == nil || !strings.Contains(err.Error(), c.plays) {
					t.Errorf("got %v, want %q", err, c.plays)
				}
				seat.drop()
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p.link.patience = map[bool]time.Duration{true: 50 * time.Millisecond, false: 20 * time.Second}[c.name == "no answer"]
			switch err = seat.farewell(t.Context()); {
			case c.bids == "" && err != nil, c.bids != "" && (err == nil || !strings.Contains(err.Error(), c.bids)):
				t.Errorf("got %v, want %q", err, c.bids)
			}
		})
	}
}

// answersAll answers heartbeats, and each request with body, if it has one.
func answersAll(body string) func(script) {
	return func(s script) {
		for {
			_, frame, err := s.Read(s.ctx)
			if err != nil {
				return
			}
			k, data, _, _ := cutPackage(frame)
			if k == heartbeatKind {
				s.says(heartbeatKind, "")
			}
			if m, err := parseMessage(data); k == dataKind && err == nil && body != "" {
				s.says(dataKind, string(message{purpose: responsePurpose, id: m.id, body: []byte(body)}.bytes()))
			}
		}
	}
}
