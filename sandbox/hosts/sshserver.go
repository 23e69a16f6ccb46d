package hosts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// SSHConfig describes one machine's ssh server.
type SSHConfig struct {
	Machine        Machine       // it listens on Host:SSHPort (0: a free port) and runs commands in Dir; required
	HostKeys       []ssh.Signer  // required, one of each type at most
	AuthorizedKeys string        // path, read anew at each login: whoever has a key in it may log in, under any user name
	MaxSessions    int           // on one connection; 0: 10, as OpenSSH
	MaxStartups    int           // connections that have not logged in yet; more are closed; 0: 100
	SlowBy         time.Duration // the delay of the SSHSlow fault; 0: 300 ms
}

// SSHServer is a machine's ssh server. It does what OpenSSH does without a terminal: exec and shell, several sessions on a
// connection, exit status and exit signal, signals to the process group, direct-tcpip to loopback, answers to keepalives;
// and a command whose connection breaks is not killed: it runs on with broken pipes.
type SSHServer struct {
	conf SSHConfig

	mu       sync.Mutex
	listener net.Listener
	port     int
	conns    map[*wire]struct{}
	groups   map[int]struct{} // process groups of commands that may still have a process in them
	faults   map[SSHFault]bool
	mended   chan struct{} // closed by Mend
	strange  ssh.Signer    // the host key of SSHStrangeKey
	closed   bool
	startups atomic.Int32
	wg       sync.WaitGroup
}

// NewSSHServer only makes it; Start opens the port.
func NewSSHServer(c SSHConfig) *SSHServer {
	if c.MaxSessions == 0 {
		c.MaxSessions = 10
	}
	if c.MaxStartups == 0 {
		c.MaxStartups = 100
	}
	if c.SlowBy == 0 {
		c.SlowBy = 300 * time.Millisecond
	}
	return &SSHServer{conf: c, port: c.Machine.SSHPort, conns: map[*wire]struct{}{}, groups: map[int]struct{}{},
		faults: map[SSHFault]bool{}, mended: make(chan struct{})}
}

// Start listens and answers until Close.
func (s *SSHServer) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listen(ctx)
}

// listen is called with the lock held.
func (s *SSHServer) listen(ctx context.Context) error {
	if s.closed || s.listener != nil {
		return nil
	}
	addr := net.JoinHostPort(s.conf.Machine.Host, strconv.Itoa(s.port))
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("ssh of %s: %w", s.conf.Machine.Name, err)
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok {
		s.port = tcp.Port
	}
	s.listener = ln
	s.wg.Go(func() { s.accept(ln) }) //nolint:contextcheck // ctx is for the listening; what is served ends with Close
	return nil
}

// Port is where it listens, known after Start.
func (s *SSHServer) Port() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.port
}

// Close breaks all connections, kills all commands and what else is left in their process groups, and waits for them.
func (s *SSHServer) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.powerOff()
	s.wg.Wait()
	return nil
}

// powerOff refuses, breaks every connection, and kills every command.
func (s *SSHServer) powerOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse()
	s.drop()
	for group := range s.groups {
		_ = signalGroup(group, "KILL")
	}
}

func (s *SSHServer) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			_ = pause(context.Background(), 10*time.Millisecond) // too many open files: others will close theirs
			continue
		}
		w := &wire{Conn: conn, server: s, gone: make(chan struct{})}
		s.mu.Lock()
		if s.closed || s.listener != ln {
			_ = conn.Close()
		} else {
			s.conns[w] = struct{}{}
			s.wg.Go(func() { s.connection(w) })
		}
		s.mu.Unlock()
	}
}

// connection serves one client from its handshake to its end.
func (s *SSHServer) connection(w *wire) {
	defer func() {
		_ = w.Close()
		s.mu.Lock()
		delete(s.conns, w)
		s.mu.Unlock()
	}()
	if s.broken(SSHHang) {
		s.untilMended(w)
		return
	}
	if s.startups.Add(1) > int32(s.conf.MaxStartups) {
		s.startups.Add(-1)
		return
	}
	_ = w.SetDeadline(time.Now().Add(30 * time.Second)) // a login takes no longer
	conn, channels, requests, err := ssh.NewServerConn(w, s.handshake())
	s.startups.Add(-1)
	if err != nil {
		return
	}
	_ = w.SetDeadline(time.Time{})
	s.wg.Go(func() { ssh.DiscardRequests(requests) }) // answers keepalives as OpenSSH does: no such request
	var sessions atomic.Int32
	for channel := range channels {
		switch channel.ChannelType() {
		case "session":
			s.wg.Go(func() { s.session(w, channel, &sessions) })
		case "direct-tcpip":
			s.wg.Go(func() { forward(channel) })
		default:
			_ = channel.Reject(ssh.UnknownChannelType, "no such channel type")
		}
	}
	_ = conn.Close()
}
