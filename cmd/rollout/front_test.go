package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
)

// frontSite is a service of four machines in two groups, and the plan of a run of it.
func frontSite(ask string, at ...string) (*site, plans.Plan) {
	s := &site{cfg: config.Config{
		ULB: config.ULB{Probe: 20, Address: at, Ask: ask}, SSH: config.SSH{Timeout: 10 * time.Second},
		Groups: []config.Group{
			{Name: "group2", Machines: []config.Machine{{Name: "game-1", Host: "one.example", Address: "10.9.0.1"}, {Name: "game-2", Host: "10.9.0.2"}}},
			{Name: "group1", Machines: []config.Machine{{Name: "game-12", Host: "10.9.0.12", Public: "203.0.113.9"}, {Name: "game-3", Host: "10.9.0.20", Public: "203.0.113.9"}}},
		},
	}}
	return s, plans.Plan{Machines: []plans.Machine{
		{Name: "game-1", Host: "one.example", Group: "group2"}, {Name: "game-2", Host: "10.9.0.2", Group: "group2"},
		{Name: "game-12", Host: "10.9.0.12", Group: "group1"}, {Name: "game-3", Host: "10.9.0.20", Group: "group1"},
	}}
}

// service answers each connection by a function, and closes it.
func service(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				answer(c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

// says answers a line with a text.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, text)
	}
}

func TestWhoAnswersIsTheMachineTheAnswerNames(t *testing.T) {
	for _, tc := range []struct{ name, answer, want string }{
		{"name", "I am game-1.\n", "one.example"},
		{"address", "served by 10.9.0.1:6150\n", "one.example"},
		{"host", "one.example\n", "one.example"},
		{"a name that begins like another", "game-12\n", "10.9.0.12"},
		{"an address that begins like another", "10.9.0.20\n", "10.9.0.20"},
		{"without an end of line", `{"machine":"game-2"}`, "10.9.0.2"},
		{"two of one group", `{"host":"10.9.0.2","machine":"game-1"}` + "\n", "10.9.0.2"},
		{"a page", "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\ngame-12\n", "10.9.0.12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, p := frontSite("who", service(t, says(tc.answer)))
			got, err := s.front(p, nil).Try(t.Context(), 3)
			if err != nil || len(got) != 1 || got[tc.want] != 3 {
				t.Errorf("got %v, %v; want 3 from %s", got, err, tc.want)
			}
		})
	}
}

func TestAnAnswerThatTellsNobodyIsNoProof(t *testing.T) {
	for _, tc := range []struct{ name, answer, want string }{
		{"a machine of no group", "game-7 at 10.9.0.7\n", `names no machine`},
		{"part of a name", "game-1x, xgame-2, 110.9.0.2\n", "names no machine"},
		{"an address that players are told for two machines", "203.0.113.9\n", "names no machine"},
		{"machines of both groups", "game-1 and game-12\n", "machines of both groups"},
		{"nothing", "", "closed without an answer"},
		{"without an end", strings.Repeat("x", mostAsked) + "\ngame-1\n", "names no machine"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := service(t, says(tc.answer))
			s, p := frontSite("who", at)
			got, err := s.front(p, nil).Try(t.Context(), 2)
			if got != nil || err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "2 of 2 connections through the load balancer") ||
				!strings.Contains(err.Error(), at) {
				t.Errorf("got %v, %v; want an error with %q", got, err, tc.want)
			}
		})
	}
}

func TestOneConnectionOfManyThatIsNotAnsweredMakesAllUnknown(t *testing.T) {
	closed := service(t, func(net.Conn) {})
	s, p := frontSite("who", service(t, says("game-1\n")), closed)
	got, err := s.front(p, nil).Try(t.Context(), 30)
	if got != nil || err == nil || !strings.Contains(err.Error(), "10 of 20 connections") {
		t.Errorf("got %v, %v; want that half of the first 20 are not known", got, err)
	}
}

func TestARefusedConnectionIsNotKnown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s, p := frontSite("who", at)
	if got, err := s.front(p, nil).Try(t.Context(), 1); got != nil || err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v, %v; want that it was refused", got, err)
	}
}

func TestASlowAnswerEndsWithItsTimeAndALeavingRunAtOnce(t *testing.T) {
	s, p := frontSite("who", service(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }))
	s.cfg.SSH.Timeout = 50 * time.Millisecond
	if got, err := s.front(p, nil).Try(t.Context(), 5); got != nil || err == nil || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("got %v, %v; want that the time is over", got, err)
	}
	s.cfg.SSH.Timeout = time.Hour
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("leaving"))
	if got, err := s.front(p, nil).Try(ctx, 5); got != nil || err == nil || !strings.Contains(err.Error(), "leaving") {
		t.Errorf("got %v, %v; want the reason", got, err)
	}
}

func TestAServiceThatSpeaksFirstIsNotAsked(t *testing.T) {
	s, p := frontSite("", service(t, func(c net.Conn) {
		if _, err := io.WriteString(c, "welcome to game-2\n"); err != nil {
			t.Error(err)
		}
		if said, err := io.ReadAll(c); err != nil || len(said) > 0 {
			t.Errorf("heard %q, %v; want nothing and a FIN", said, err)
		}
	}))
	if got, err := s.front(p, nil).Try(t.Context(), 1); err != nil || got["10.9.0.2"] != 1 {
		t.Errorf("got %v, %v; want game-2", got, err)
	}
}

func TestWithoutAProbeThereIsNoFront(t *testing.T) {
	s, p := frontSite("who", "127.0.0.1:1")
	s.cfg.ULB.Probe = 0
	if f := s.front(p, nil); f != nil {
		t.Errorf("got %v, want nil", f)
	}
}

func TestABalancerThatStillSendsToWhatIsOffIsSeen(t *testing.T) {
	var bs []cloud.Backend
	for _, m := range []string{"game-1", "game-12"} {
		host, port, err := net.SplitHostPort(service(t, says(m+"\n")))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		bs = append(bs, cloud.Backend{Name: m, Host: host, Port: n, Enabled: true, Weight: 1})
	}
	c, err := cloud.Start(t.Context(), cloud.Options{PublicKey: "a", PrivateKey: "b", Region: "r", ProjectID: "p", Workers: 1},
		[]cloud.Balancer{{Kind: cloud.CLB, Listeners: []cloud.Listener{{Name: "gate", Front: "127.0.0.1:0", Backends: bs}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	l := c.Snapshot()[0].Listeners[0]
	s, p := frontSite("who", c.Front(l.ID))
	got, err := s.front(p, nil).Try(t.Context(), 40)
	if err != nil || got["one.example"] == 0 || got["10.9.0.12"] == 0 || got["one.example"]+got["10.9.0.12"] != 40 {
		t.Errorf("both on: got %v, %v; want 40 of both", got, err)
	}
	if err := c.Set(l.Backends[0].ID, func(b *cloud.Backend) { b.Enabled = false }); err != nil {
		t.Fatal(err)
	}
	if got, err := s.front(p, nil).Try(t.Context(), 40); err != nil || len(got) != 1 || got["10.9.0.12"] != 40 {
		t.Errorf("one off: got %v, %v; want 40 of the other", got, err)
	}
}

// gate is a gate of Pomelo that names one connector to everybody.
func gate(t *testing.T, connector string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(connector)
	if err != nil {
		t.Fatal(err)
	}
	pack := func(kind byte, body string) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(kind)<<24|uint32(len(body))), body...)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.CloseNow() }()
		for {
			_, b, err := c.Read(r.Context())
			if err != nil {
				return
			}
			switch b[0] {
			case 1: // the handshake
				err = c.Write(r.Context(), websocket.MessageBinary, pack(1, `{"code":200,"sys":{"heartbeat":30}}`))
			case 4: // a request; its id is the byte after its flags, and 4 the flags of an answer
				err = c.Write(r.Context(), websocket.MessageBinary, pack(4, "\x04"+string(b[5])+`{"code":200,"host":"`+host+`","port":`+port+`}`))
			}
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestAGateAnswersForTheGroupOfTheConnectorItNames(t *testing.T) {
	for _, tc := range []struct{ name, connector, want, why string }{
		{"by its host", "10.9.0.2:6200", "10.9.0.2", ""},
		{"by its address", "10.9.0.1:6200", "one.example", ""},
		{"by the port of an address that machines share", "203.0.113.9:6203", "10.9.0.20", ""},
		{"a connector of nobody", "10.9.0.7:6200", "", "names 10.9.0.7:6200, which is no machine of this run"},
		{"a shared address with a port of nobody", "203.0.113.9:6299", "", "no machine of this run"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, p := frontSite("", gate(t, tc.connector))
			s.cfg.Pomelo = &config.Pomelo{Sessions: []string{"connector"}, Gate: &config.Gate{Route: "gate.gateHandler.queryEntry", Field: "uid"}}
			known := herds{"group1": pomelo.Cluster{Servers: []pomelo.Server{
				{ID: "c-1", Type: "connector", Host: "10.9.0.12", ClientHost: "203.0.113.9", ClientPort: 6200, Frontend: true},
				{ID: "c-2", Type: "connector", Host: "10.9.0.20", ClientHost: "203.0.113.9", ClientPort: 6203, Frontend: true},
			}}}
			got, err := s.front(p, known).Try(t.Context(), 4)
			if tc.why == "" && (err != nil || len(got) != 1 || got[tc.want] != 4) {
				t.Errorf("got %v, %v; want 4 from %s", got, err, tc.want)
			}
			if tc.why != "" && (got != nil || err == nil || !strings.Contains(err.Error(), tc.why)) {
				t.Errorf("got %v, %v; want an error with %q", got, err, tc.why)
			}
		})
	}
}

func TestAGateThatIsNoPomeloIsNotKnown(t *testing.T) {
	s, p := frontSite("", service(t, says("game-1\n")))
	s.cfg.Pomelo = &config.Pomelo{Sessions: []string{"connector"}, Gate: &config.Gate{Route: "gate.gateHandler.queryEntry", Field: "uid"}}
	if got, err := s.front(p, nil).Try(t.Context(), 1); got != nil || err == nil {
		t.Errorf("got %v, %v; want an error", got, err)
	}
}
