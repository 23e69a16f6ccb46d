package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"
)

// Dashboard serves one service on one address.
type Dashboard struct {
	c        Config
	listener net.Listener
	port     string
	token    string // of this start: who has it may look
	session  string // what a browser that has shown the token sends from then on, and to other ports too
	key      string // what its page shows beside, to act
	runs     library
	streams  atomic.Int32
	crowd    crowd
	leaving  chan struct{} // closed when the streams are to end
}

// NotLoopbackError says that an address can be reached from other machines. The dashboard speaks without encryption.
type NotLoopbackError struct{ Addr string }

// Error says how to reach the dashboard from another machine.
func (e *NotLoopbackError) Error() string {
	return fmt.Sprintf("dashboard %s: it speaks plain http and listens on loopback only; use 127.0.0.1:8742 and reach it from elsewhere with `ssh -L 8742:127.0.0.1:8742 THIS-HOST`", e.Addr)
}

// CheckAddr refuses an address that [Listen] will never take.
func CheckAddr(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("dashboard %s: it is host:port, like 127.0.0.1:8742", addr)
	}
	if !loopback(host) {
		return &NotLoopbackError{addr}
	}
	return nil
}

// Listen takes an address, host:port. Only a loopback address or localhost will do; port 0 is any free one.
func Listen(ctx context.Context, addr string, c Config) (*Dashboard, error) {
	if err := CheckAddr(addr); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dashboard %s: %w; name another address with --listen or --dashboard", addr, err)
	}
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok || !a.IP.IsLoopback() { // localhost may be anything where somebody has edited /etc/hosts
		return nil, errors.Join(&NotLoopbackError{addr}, l.Close())
	}
	d := New(c, a.Port)
	d.listener = l
	return d, nil
}

// New gives a dashboard whose [Dashboard.Handler] answers for loopback names with this port.
func New(c Config, port int) *Dashboard {
	return &Dashboard{c: c, port: strconv.Itoa(port), token: rand.Text(), session: rand.Text(), key: rand.Text(),
		runs: library{source: c.Source}, crowd: crowd{kept: map[net.Conn]bool{}}, leaving: make(chan struct{})}
}

// loopback says whether a host, as a URL names it, is surely this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Address is where it listens. Whoever has no token finds the figures for Prometheus there, and nothing else of a run.
func (d *Dashboard) Address() string { return "http://" + d.listener.Addr().String() + "/" }

// URL is the address to open. What follows # is the token: a browser sends it to nobody, and the page trades it for a cookie and a key.
func (d *Dashboard) URL() string { return d.Address() + "#" + d.token }

// The limits of a request. A stream has none but those of its writes.
const (
	headerWithin = 5 * time.Second
	bodyWithin   = 10 * time.Second // also between two requests of a connection
	answerWithin = 30 * time.Second
	headerBytes  = 16 << 10
	lastWords    = 700 * time.Millisecond // what the streams have to tell the end of a run
)

// server is made with every limit there is: its clients need no token, and may be anybody on this machine.
func (d *Dashboard) server() *http.Server {
	return &http.Server{Handler: d.Handler(), ReadHeaderTimeout: headerWithin, ReadTimeout: bodyWithin, WriteTimeout: answerWithin,
		MaxHeaderBytes: headerBytes, ConnState: d.crowd.state, ConnContext: named, ErrorLog: slog.NewLogLogger(d.c.Log.Handler(), slog.LevelDebug)}
}

// Serve serves until ctx ends, and gives the streams a moment to tell what was last. It gives nil then.
func (d *Dashboard) Serve(ctx context.Context) error {
	s := d.server()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(d.listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("dashboard: %w", err)
	case <-ctx.Done():
	}
	close(d.leaving)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	err := s.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	if is := <-ended; !errors.Is(is, http.ErrServerClosed) {
		err = errors.Join(err, is)
	}
	return err
}
