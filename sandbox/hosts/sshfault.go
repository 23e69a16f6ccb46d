package hosts

import (
	"context"
	"fmt"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// SSHFault is a way in which a machine's ssh is broken.
type SSHFault string

// What can be wrong with ssh. All but SSHDrop last until Mend.
const (
	SSHRefuse         SSHFault = "ssh-refuse"          // the port refuses; connections that stand are untouched
	SSHDrop           SSHFault = "ssh-drop"            // every connection is reset now; new ones are welcome
	SSHHang           SSHFault = "ssh-hang"            // new connections are accepted and never hear a word
	SSHHangSessions   SSHFault = "ssh-hang-sessions"   // logins work, no new session is ever opened
	SSHRefuseSessions SSHFault = "ssh-refuse-sessions" // logins work, every new session is refused
	SSHFreeze         SSHFault = "ssh-freeze"          // connections stand and carry nothing, as when a firewall drops packets
	SSHSlow           SSHFault = "ssh-slow"            // every packet comes late, by SSHConfig.SlowBy each way
	SSHStrangeKey     SSHFault = "ssh-strange-key"     // new connections see another host key
	SSHRefuseAuth     SSHFault = "ssh-refuse-auth"     // no key may log in
)

// Break gives the server a fault, beside those it has.
func (s *SSHServer) Break(f SSHFault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f {
	case SSHRefuse:
		s.refuse()
	case SSHDrop:
		s.drop()
	case SSHStrangeKey:
		key, err := newEd25519()
		if err != nil {
			return fmt.Errorf("ssh fault %s: %w", f, err)
		}
		if s.strange, err = ssh.NewSignerFromKey(key); err != nil {
			return fmt.Errorf("ssh fault %s: %w", f, err)
		}
		s.faults[f] = true
	case SSHHang, SSHHangSessions, SSHRefuseSessions, SSHFreeze, SSHSlow, SSHRefuseAuth:
		s.faults[f] = true
	default:
		return fmt.Errorf("ssh fault %q: there is none of that name", f)
	}
	return nil
}

// Mend takes all faults away and listens again on the same port. What was held back is delivered; connections that hung
// before a word was said are closed.
func (s *SSHServer) Mend(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
	close(s.mended)
	s.mended = make(chan struct{})
	return s.listen(ctx)
}

// refuse is called with the lock held.
func (s *SSHServer) refuse() {
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
	}
}

// drop is called with the lock held.
func (s *SSHServer) drop() {
	for w := range s.conns {
		if tcp, ok := w.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, not a goodbye
		}
		_ = w.Close()
	}
}

func (s *SSHServer) broken(f SSHFault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[f]
}

// untilMended waits for Mend or for the end of the connection.
func (s *SSHServer) untilMended(w *wire) {
	s.mu.Lock()
	mended := s.mended
	s.mu.Unlock()
	select {
	case <-mended:
	case <-w.gone:
	}
}

// wire is a client's connection, whose bytes the server's faults hold back.
type wire struct {
	net.Conn
	server *SSHServer
	once   sync.Once
	gone   chan struct{} // closed by Close
}

// Read holds back what has come, so that the other side believes it was delivered.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.toll()
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	w.toll()
	return w.Conn.Write(p)
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.gone) })
	return w.Conn.Close()
}

// toll is the time that the faults of the moment cost each packet.
func (w *wire) toll() {
	if w.server.broken(SSHSlow) {
		ctx, cancel := context.WithTimeout(context.Background(), w.server.conf.SlowBy)
		defer cancel()
		select {
		case <-ctx.Done():
		case <-w.gone:
		}
	}
	if w.server.broken(SSHFreeze) {
		w.server.untilMended(w)
	}
}
