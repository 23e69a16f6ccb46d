package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// session is a shell on a machine that has said which process group it leads,
// and waits for its script.
type session struct {
	conn        *conn // held
	ch          ssh.Channel
	stdout      *bufio.Reader
	stderr      *bufio.Reader
	group       int
	exited      chan struct{} // closed when exit is known
	exit        exit
	interrupted bool // exit is unknown as the connection ended
}

// exit is how a shell ended: with a code, by a signal, or (-1, "") nobody said.
type exit struct {
	code   int
	signal string
}

// session opens a shell on host, and no later than Config.Timeout after the
// login has it ready. Nothing of the caller's has been run by then.
func (p *Pool) session(ctx context.Context, host, line string) (*session, error) {
	for again := false; ; again = true {
		c, err := p.hold(ctx, host)
		if err != nil {
			return nil, err
		}
		s, err := c.session(ctx)
		if err == nil {
			return s, nil
		}
		late := ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded)
		if late {
			c.retire()
		}
		lost := ctx.Err() == nil && !late && c.lost()
		c.release()
		switch {
		case late:
			return nil, &TimeoutError{Host: host, Addr: c.addr(), During: Opening, Line: line, After: p.config.Timeout}
		case lost && !again:
			// It had died unnoticed, as after a restart of sshd. Nothing of the
			// caller's was sent, so a new connection may be tried, once.
			continue
		case lost:
			return nil, fmt.Errorf("%s: connection lost before the command was sent%s: %w", host, ran(line), err)
		}
		return nil, fmt.Errorf("%s: session: %w", host, err)
	}
}

func (c *conn) session(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, c.pool.config.Timeout)
	defer cancel()
	ch, reqs, err := c.channel(ctx, "session", nil)
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("sshd opens no further one on this connection (MaxSessions): %s", printable(or(refused.Message, refused.Reason.String())))
	}
	if err != nil {
		return nil, err
	}
	s := &session{conn: c, ch: ch, exited: make(chan struct{}),
		stdout: bufio.NewReaderSize(ch, maxLine), stderr: bufio.NewReader(ch.Stderr())}
	ready := make(chan error, 1)
	if !c.pool.spawn(func() { s.listen(reqs) }) || !c.pool.spawn(func() { ready <- s.begin() }) {
		_ = ch.Close()
		return nil, ErrClosed
	}
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		_ = ch.Close()
		return nil, err
	}
	return s, nil
}

// begin starts the shell and waits until it has said its group.
func (s *session) begin() error {
	ok, err := s.ch.SendRequest("exec", true, ssh.Marshal(struct{ Line string }{starter()}))
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("sshd runs no command for this user")
	}
	n, said, err := awaitMark(s.stderr)
	if err == nil {
		_, _, err = awaitMark(s.stdout)
	}
	if err != nil {
		return fmt.Errorf("no POSIX sh answered there; is the account bound to a command of its own? it said %q", short(said, 200))
	}
	s.group = n
	return nil
}

// awaitMark reads up to the starter's mark and returns the process group, and
// what was said before, which is a login shell's own.
func awaitMark(r *bufio.Reader) (n int, said string, err error) {
	for {
		line, err := r.ReadSlice('\n')
		if n, ok := group(string(line)); ok {
			return n, said, nil
		}
		if len(said) < 1<<10 {
			said += string(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return 0, said, err
		}
	}
}

// listen takes in what sshd says of the shell, above all how it ended.
func (s *session) listen(reqs <-chan *ssh.Request) {
	s.exit.code = -1
	done := false
	for r := range reqs {
		switch r.Type {
		case "exit-status":
			var m struct{ Code uint32 }
			if ssh.Unmarshal(r.Payload, &m) == nil && !done {
				s.exit.code, done = int(m.Code), true
				close(s.exited)
			}
		case "exit-signal":
			var m struct {
				Signal  string
				Dumped  bool
				Message string
				Lang    string
			}
			if ssh.Unmarshal(r.Payload, &m) == nil && !done {
				s.exit.signal, done = or(m.Signal, "?"), true
				close(s.exited)
			}
		default:
			// Keepalives of sshd come as such requests too.
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
		}
	}
	if done {
		return
	}
	// The channel ended without a word, perhaps because the connection did.
	s.interrupted = s.conn.lost()
	close(s.exited)
}

// feed sends the script, then stdin if there is one, then the end of input, this
// last not before open is closed where it is given.
func (s *session) feed(script string, stdin io.Reader, open <-chan struct{}) bool {
	return s.conn.pool.spawn(func() {
		if _, err := io.Copy(s.ch, strings.NewReader(oneLine(script))); err != nil {
			return
		}
		if stdin != nil {
			_, _ = io.Copy(s.ch, stdin)
		}
		if open != nil {
			<-open
		}
		// Here and nowhere else: the library wants it from who wrote.
		_ = s.ch.CloseWrite()
	})
}

// drain copies both outputs; the channel it returns is closed when both ended.
func (s *session) drain(stdout, stderr io.Writer) <-chan struct{} {
	ended := make(chan struct{})
	if !s.conn.pool.spawn(func() {
		errEnded := make(chan struct{})
		if s.conn.pool.spawn(func() { _, _ = io.Copy(stderr, s.stderr); close(errEnded) }) {
			_, _ = io.Copy(stdout, s.stdout)
			<-errEnded
		}
		close(ended)
	}) {
		close(ended)
	}
	return ended
}

// close ends the channel and gives the connection back. A shell that still runs
// is not ended by that.
func (s *session) close() {
	_ = s.ch.Close()
	s.conn.release()
}

// failure returns the error for how the shell ended, nil for exit 0.
func (s *session) failure(host, line, tail string) error {
	switch {
	case s.interrupted:
		return &LostError{host, line, nil}
	case s.exit.code == 0:
		return nil
	}
	return &ExitError{host, line, s.exit.code, s.exit.signal, tail}
}

// end ends the process group of s and reports whether it is gone. It is a
// second session that does it: sshd ignores signals sent over the first
// (measured: as root OpenSSH refuses them).
func (p *Pool) end(ctx context.Context, host string, s *session) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.grace+min(p.config.Timeout, 4*time.Second))
	defer cancel()
	k, err := p.session(ctx, host, "")
	if err != nil {
		p.log.Warn("process group not ended", "host", host, "err", err)
		return false
	}
	defer k.close()
	k.drain(io.Discard, io.Discard)
	k.feed("exec </dev/null\n"+ending(s.group, p.grace), nil, nil)
	select {
	case <-k.exited:
		return !k.interrupted && k.exit.code == 0
	case <-ctx.Done():
		return false
	}
}
