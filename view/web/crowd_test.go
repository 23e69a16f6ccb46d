package web

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener that needs no network, so that its connections live in fake time.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial gives the client's end of a new connection.
func (p pipes) dial() net.Conn {
	client, server := net.Pipe()
	p <- server
	return client
}

// TestNobodyKeepsAConnectionByDoingNothing: whatever a client without the token leaves out, it is sent away, and when.
func TestNobodyKeepsAConnectionByDoingNothing(t *testing.T) {
	const login = "POST /api/login HTTP/1.1\r\nHost: 127.0.0.1:8742\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
	for name, c := range map[string]struct {
		sent   string
		reads  bool // the client takes the answer
		within time.Duration
	}{
		"says nothing":             {"", true, headerWithin},
		"stops within its header":  {login[:40], true, headerWithin},
		"stops within its body":    {login + `{"token":`, true, bodyWithin},
		"asks for nothing more":    {"GET / HTTP/1.1\r\nHost: 127.0.0.1:8742\r\n\r\n", true, bodyWithin},
		"does not take its answer": {"GET / HTTP/1.1\r\nHost: 127.0.0.1:8742\r\n\r\n", false, answerWithin},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, p := New((&shelf{}).config(), 8742), make(pipes)
				s := d.server()
				go func() { _ = s.Serve(p) }()
				defer s.Close()
				defer close(p)
				began, client := time.Now(), p.dial()
				defer client.Close()
				if _, err := io.WriteString(client, c.sent); err != nil {
					t.Fatal(err)
				}
				if !c.reads {
					time.Sleep(c.within + time.Second)
				}
				_ = client.SetReadDeadline(began.Add(time.Hour))
				if _, err := io.Copy(io.Discard, client); err != nil {
					t.Fatalf("after an hour the connection is open: %v", err)
				}
				if took := time.Since(began); took > c.within+time.Second {
					t.Errorf("it was sent away after %v, want %v", took, c.within)
				}
			})
		})
	}
}

// TestACrowdTakesNoMoreThanItsPlaceAndKeepsNobodyOut: the first of too many connections are closed, the page is answered, and a stream goes on.
func TestACrowdTakesNoMoreThanItsPlaceAndKeepsNobodyOut(t *testing.T) {
	s := &shelf{}
	es := story(t, fleet(t, "7f3a", 1, 1), 5)
	s.add("7f3a", es...)
	d, err := Listen(t.Context(), "127.0.0.1:0", s.config())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- d.Serve(t.Context()) }()
	t.Cleanup(func() { <-served })
	in, address := opened(t, d, "7f3a"), d.listener.Addr().String()
	var idle []net.Conn
	for range 2 * mostConns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	page, err := http.Get("http://" + address + "/") // taken after all of them
	if err != nil || page.StatusCode != http.StatusOK {
		t.Fatalf("the page is not answered: %v", err)
	}
	_ = page.Body.Close()
	d.crowd.mu.Lock()
	open, kept := len(d.crowd.open), len(d.crowd.kept)
	d.crowd.mu.Unlock()
	if open == 0 || open > mostConns || kept != 1 {
		t.Errorf("%d connections are open, %d are kept; want %d at most, and the stream", open, kept, mostConns)
	}
	for i, c := range idle[:mostConns] {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("connection %d: %v, want it closed", i, err)
		}
	}
	s.add("7f3a", end(es))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream was cut: %v", err)
		}
		if strings.Contains(line, `"phase":"done"`) {
			return
		}
	}
}
