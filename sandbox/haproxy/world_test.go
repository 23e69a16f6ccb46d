package haproxy

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
)

// binary finds HAProxy.
func binary(t testing.TB) string {
	t.Helper()
	for _, b := range []string{"haproxy", "/usr/sbin/haproxy"} {
		if found, err := exec.LookPath(b); err == nil {
			return found
		}
	}
	t.Skip("no haproxy here: apt-get install haproxy")
	return ""
}

// short makes a directory with a path short enough for a socket.
func short(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hap")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// gate answers every line with its name.
type gate struct {
	cloud.Backend
	ln  net.Listener
	all sync.WaitGroup
}

func newGate(t testing.TB, id, host string) *gate {
	t.Helper()
	g := &gate{Backend: cloud.Backend{ID: id, Host: host, Enabled: true, Weight: 1}}
	g.open(t)
	t.Cleanup(func() {
		g.ln.Close()
		g.all.Wait()
	})
	return g
}

// open listens, again at the same port after a close.
func (g *gate) open(t testing.TB) {
	t.Helper()
	ln, err := net.Listen("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	g.ln, g.Port = ln, ln.Addr().(*net.TCPAddr).Port
	g.all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			g.all.Go(func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintln(conn, g.ID)
				}
			})
		}
	})
}

// free returns an address nobody listens at. Connections on loopback leave from
// 127.0.0.1, so none takes the port meanwhile.
func free(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// world is a cloud with HAProxy as its plane and one listener.
type world struct {
	*cloud.Cloud
	proxy *Proxy
	front string
	dead  bool // the test has killed HAProxy
}

// family is one of UCloud's three kinds of balancers: ids and calls.
type family struct{ balancer, listener string }

func start(t testing.TB, of family, method string, gates ...*gate) *world {
	t.Helper()
	front := free(t)
	o := Options{Binary: binary(t), Dir: short(t), Every: 50 * time.Millisecond, Fronts: map[string]Front{of.listener: fronted(front, gates...)}}
	ctx := context.WithoutCancel(t.Context()) // which ends before the cleanups, and would end both in any order
	proxy, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	var backends []cloud.Backend
	for _, g := range gates {
		backends = append(backends, g.Backend)
	}
	c, err := cloud.Start(ctx, account(proxy), []cloud.Balancer{{ID: of.balancer, Listeners: []cloud.Listener{
		{ID: of.listener, Front: front, Method: method, Protocol: "TCP", Backends: backends},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{c, proxy, front, false}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), proxy.Close()); err != nil && !w.dead {
			t.Error(err)
		}
	})
	return w
}

func account(p cloud.Plane) cloud.Options {
	return cloud.Options{
		PublicKey: "pub", PrivateKey: "priv", Region: "cn-bj2", ProjectID: "org-1", HealthEvery: 10 * time.Millisecond, Plane: p,
	}
}

func fronted(bind string, gates ...*gate) Front {
	f := Front{Bind: bind}
	for _, g := range gates {
		f.Servers = append(f.Servers, Server{g.ID, g.Addr()})
	}
	return f
}

// call makes a signed call to the API and returns its answer.
func (w *world) call(t testing.TB, action string, pairs ...string) map[string]any {
	t.Helper()
	form := url.Values{"Action": {action}, "PublicKey": {"pub"}, "Region": {"cn-bj2"}, "ProjectId": {"org-1"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	sum := sha1.New()
	for _, name := range slices.Sorted(maps.Keys(form)) {
		io.WriteString(sum, name+form.Get(name))
	}
	io.WriteString(sum, "priv")
	form.Set("Signature", hex.EncodeToString(sum.Sum(nil)))
	resp, err := http.PostForm(w.URL(), form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// must makes a call that is answered with RetCode 0.
func (w *world) must(t testing.TB, action string, pairs ...string) map[string]any {
	t.Helper()
	answer := w.call(t, action, pairs...)
	if answer["RetCode"] != 0.0 {
		t.Fatalf("%s %v: %v", action, pairs, answer)
	}
	return answer
}

// status returns the Status of the CLB's backend as the API tells it.
func (w *world) status(t testing.TB, id string) string {
	t.Helper()
	answer := w.must(t, "DescribeVServer", "ULBId", clb.balancer)
	for _, b := range answer["DataSet"].([]any)[0].(map[string]any)["BackendSet"].([]any) {
		if b := b.(map[string]any); b["BackendId"] == id {
			return strconv.Itoa(int(b["Status"].(float64)))
		}
	}
	t.Fatalf("the API tells of no backend %s", id)
	return ""
}

// player is a connection through the front.
type player struct {
	net.Conn
	lines *bufio.Reader
}

func (w *world) connect(t testing.TB) *player {
	t.Helper()
	conn, err := net.Dial("tcp", w.front)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &player{conn, bufio.NewReader(conn)}
}

// ask returns the name of the gate that answers, "" when none does.
func (p *player) ask() string {
	fmt.Fprintln(p, "who")
	line, _ := p.lines.ReadString('\n')
	return strings.TrimSpace(line)
}

// visits counts who answers n connections, one after the other.
func (w *world) visits(t testing.TB, n int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for range n {
		p := w.connect(t)
		seen[p.ask()]++
		p.Close()
	}
	return seen
}

// eventually waits for a state of the world.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}
