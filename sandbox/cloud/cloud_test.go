package cloud

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// quiet are options of a cloud without probes, so that nothing happens by itself.
func quiet() Options {
	return Options{PublicKey: "pub", PrivateKey: "priv", Region: "cn-bj2", ProjectID: "org-1", HealthEvery: -1, Seed: 1}
}

func start(t testing.TB, o Options, balancers ...Balancer) *Cloud {
	t.Helper()
	c, err := Start(t.Context(), o, balancers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// clb is one CLB with one listener.
func clb(l Listener) Balancer {
	if l.ID == "" {
		l.ID = "vserver-1"
	}
	return Balancer{ID: "ulb-1", Name: "gates", Listeners: []Listener{l}}
}

// gate is a backend that answers every line with its name and the line.
type gate struct {
	Backend
	ln    net.Listener
	conns atomic.Int64
}

func newGate(t testing.TB, id string) *gate {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{ln: ln}
	at := ln.Addr().(*net.TCPAddr)
	g.Backend = Backend{ID: id, ResourceID: "uhost-" + id, Name: id, Host: "127.0.0.1", Port: at.Port, Enabled: true, Weight: 1}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			g.conns.Add(1)
			all.Go(func() {
				defer conn.Close()
				lines := bufio.NewScanner(conn)
				for lines.Scan() {
					fmt.Fprintf(conn, "%s %s\n", id, lines.Text())
				}
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
	return g
}

// player is a connection through a front.
type player struct {
	net.Conn
	lines *bufio.Reader
}

func connect(t testing.TB, addr string) *player {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &player{conn, bufio.NewReader(conn)}
}

// ask returns the name of the backend that answers, "" when none does.
func (p *player) ask() string {
	if _, err := fmt.Fprintln(p, "who"); err != nil {
		return ""
	}
	line, err := p.lines.ReadString('\n')
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(line, " ")
	return name
}

// visit connects, asks and leaves.
func visit(t testing.TB, addr string) string {
	t.Helper()
	p := connect(t, addr)
	defer p.Close()
	return p.ask()
}

// visits counts the answers to n visits.
func visits(t testing.TB, addr string, n int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for range n {
		seen[visit(t, addr)]++
	}
	return seen
}

// eventually waits for a state of the world, which must come within seconds.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(8 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}

// form signs a request as every client of UCloud does.
func form(action string, pairs ...string) url.Values {
	f := url.Values{"Action": {action}, "PublicKey": {"pub"}, "Region": {"cn-bj2"}, "ProjectId": {"org-1"}}
	for i := 0; i < len(pairs); i += 2 {
		if f.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			f.Del(pairs[i])
		}
	}
	all := map[string]any{}
	for name := range f {
		all[name] = f.Get(name)
	}
	f.Set("Signature", signature(all, "priv"))
	return f
}

var plain = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	Timeout:       5 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func post(t testing.TB, c *Cloud, f url.Values) []byte {
	t.Helper()
	resp, err := plain.PostForm(c.URL(), f)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// answer is what a call answers, as JSON reads without types.
type answer map[string]any

func call1(t testing.TB, c *Cloud, action string, pairs ...string) answer {
	t.Helper()
	return decode(t, post(t, c, form(action, pairs...)))
}

func decode(t testing.TB, body []byte) answer {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var a answer
	if err := d.Decode(&a); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return a
}

func (a answer) code() string { return fmt.Sprint(a["RetCode"]) }

// at follows a path of names and indices.
func (a answer) at(path ...any) any {
	var value any = map[string]any(a)
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := value.(map[string]any)
			value = m[p]
		case int:
			l, _ := value.([]any)
			if p >= len(l) {
				return nil
			}
			value = l[p]
		}
	}
	return value
}

// field returns a field of backend n of the first VServer as text.
func field(t testing.TB, c *Cloud, n int, name string) string {
	t.Helper()
	a := call1(t, c, "DescribeVServer", "ULBId", "ulb-1")
	return fmt.Sprint(a.at("DataSet", 0, "BackendSet", n, name))
}

// truth returns a backend as the data plane has it.
func truth(t testing.TB, c *Cloud, id string) Backend {
	t.Helper()
	for _, b := range c.Snapshot() {
		for _, l := range b.Listeners {
			for _, backend := range l.Backends {
				if backend.ID == id {
					return backend
				}
			}
		}
	}
	t.Fatalf("backend %s is not in the snapshot", id)
	return Backend{}
}

func TestNothingOfTheCloudOutlivesClose(t *testing.T) {
	a := newGate(t, "a")
	before := runtime.NumGoroutine()
	o := quiet()
	o.HealthEvery, o.IdleTimeout = time.Millisecond, time.Hour
	c, err := Start(t.Context(), o, []Balancer{clb(Listener{Backends: []Backend{a.Backend}})})
	if err != nil {
		t.Fatal(err)
	}
	players := []*player{connect(t, c.Front("vserver-1")), connect(t, c.Front("vserver-1"))}
	for _, p := range players {
		if got := p.ask(); got != "a" {
			t.Fatalf("answered by %q, want a", got)
		}
	}
	for _, f := range []Fault{{Kind: "late", Delay: time.Hour}, {Kind: "hang"}, {Kind: "flip", Delay: time.Hour}} {
		if err := c.Break(f); err != nil {
			t.Fatal(err)
		}
	}
	hung := make(chan error, 1)
	go func() {
		_, err := plain.PostForm(c.URL(), form("DescribeULB"))
		hung <- err
	}()
	eventually(t, "the hanging call has arrived", func() bool { return len(c.Requests()) == 1 })
	c.Mend("hang")
	call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Enabled", "0")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-hung; err == nil {
		t.Error("the hanging call was answered, want its connection closed")
	}
	for _, p := range players {
		if got := p.ask(); got != "" {
			t.Errorf("a connection still answers after Close: %q", got)
		}
	}
	// The gate's and the client's own goroutines end a moment after theirs.
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
	if got := truth(t, c, "a").Enabled; !got {
		t.Error("a late write came after Close")
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestStartRefusesWhatCannotBe(t *testing.T) {
	busy := newGate(t, "busy").Addr()
	tests := []struct {
		name      string
		o         func(*Options)
		balancers []Balancer
		want      string
	}{
		{"no key and no region", func(o *Options) { o.PublicKey, o.Region = "", "" }, nil, "PublicKey is empty\ncloud options: Region"},
		{"a word for weight 0 that is none", func(o *Options) { o.ZeroWeight = "maybe" }, nil, "ZeroWeight maybe"},
		{"a family that is none", nil, []Balancer{{Kind: "elb"}}, `kind "elb"`},
		{"a front beyond loopback", nil, []Balancer{clb(Listener{Front: "192.0.2.1:6150"})}, "192.0.2.1:6150 is not a loopback address"},
		{"a front without an address", nil, []Balancer{clb(Listener{Front: "6150"})}, `front "6150"`},
		{"a port in use", nil, []Balancer{clb(Listener{Front: busy})}, "address already in use"},
		{"a listener twice", nil, []Balancer{clb(Listener{}), {ID: "ulb-2", Listeners: []Listener{{ID: "vserver-1"}}}}, "used twice"},
		{"a backend twice", nil, []Balancer{clb(Listener{Backends: []Backend{{ID: "b"}, {ID: "b"}}})}, "backend id b is used twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := quiet()
			if tt.o != nil {
				tt.o(&o)
			}
			c, err := Start(t.Context(), o, tt.balancers)
			if err == nil {
				c.Close()
				t.Fatalf("started, want an error with %q", tt.want)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to hold %q", err, tt.want)
			}
		})
	}
}

func TestNothingButLoopbackIsDialled(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:80", "[2001:db8::1]:80", "example.com:80", "0.0.0.0:80", ""} {
		if conn, err := dial(t.Context(), addr, time.Second); err == nil {
			conn.Close()
			t.Errorf("dialled %q", addr)
		}
	}
	if a, err := netip.ParseAddrPort(newGate(t, "g").Addr()); err != nil || !a.Addr().IsLoopback() {
		t.Fatalf("the test's own gate is at %s, %v", a, err)
	}
}

func TestAForeignHandIsSeenByTheAPIAndTheDataPlane(t *testing.T) {
	a, b := newGate(t, "a"), newGate(t, "b")
	c := start(t, quiet(), clb(Listener{Backends: []Backend{a.Backend, b.Backend}}))
	if err := c.Set("a", func(is *Backend) { is.Enabled, is.ID = false, "other" }); err != nil {
		t.Fatal(err)
	}
	if got := visits(t, c.Front("vserver-1"), 20); got["b"] != 20 {
		t.Errorf("visits went to %v, want all to b", got)
	}
	if got := field(t, c, 0, "Enabled"); got != "0" {
		t.Errorf("the API tells Enabled %s, want 0", got)
	}
	if got := field(t, c, 0, "BackendId"); got != "a" {
		t.Errorf("the id became %s, want a", got)
	}
	if err := c.Set("nobody", func(*Backend) {}); err == nil {
		t.Error("no error for a backend there is not")
	}
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }

func asTimeout(err error, as *interface{ Timeout() bool }) bool {
	return errors.As(err, as) && (*as).Timeout()
}
