package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxLine is the longest line a stream may have, in bytes.
const maxLine = 64 << 10

// Stream runs script on host by sh and calls line with each line it prints on
// standard output, without the newline, one after another. It returns nil when
// the script ends with 0, ExitError when with another code, LostError when the
// connection ends; what line returned, when that is an error; and the error of
// ctx, wrapped, when that ends.
//
// However it ends, and also when this program is killed, the script and all of
// its process group is ended on the machine. Its standard input is empty.
func (p *Pool) Stream(ctx context.Context, host, script string, line func(string) error) error {
	if _, err := Quote(script); err != nil {
		return fmt.Errorf("script: %w", err)
	}
	s, err := p.session(ctx, host, script)
	if err != nil {
		return err
	}
	defer s.close()
	// Ended at every return: it releases the reader, which may hold a line.
	reading, stop := context.WithCancel(ctx)
	defer stop()
	k := &capture{}
	lines := make(chan string)
	var broken error            // why reading ended; to be read when lines is closed
	said := make(chan struct{}) // closed when all of stderr is read
	lifeline := make(chan struct{})
	defer p.hangUp(s, lifeline)
	if !p.spawn(func() { _, _ = io.Copy(k.into(&k.stderr), s.stderr); close(said) }) ||
		!p.spawn(func() { broken = s.lines(reading, lines); close(lines) }) ||
		!s.feed(streaming(script), nil, lifeline) {
		return fmt.Errorf("%s: %w", host, ErrClosed)
	}
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: stream: %w", host, ctx.Err())
		case l, more := <-lines:
			if more {
				if err := line(l); err != nil {
					return err
				}
				continue
			}
			if broken != nil {
				return fmt.Errorf("%s: stream: %w", host, broken)
			}
			return p.outcome(ctx, host, script, s, k, said)
		}
	}
}

// lines sends the lines of standard output until they or ctx end.
func (s *session) lines(ctx context.Context, to chan<- string) error {
	for {
		l, err := s.stdout.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("a line is longer than %d bytes", maxLine)
		}
		if err == nil {
			l = l[:len(l)-1]
		}
		if err == nil || len(l) > 0 {
			select {
			case to <- string(l):
			case <-ctx.Done():
				return nil
			}
		}
		if err != nil {
			return nil // the end; how it came about the exit status says
		}
	}
}

// outcome waits for the exit of a script whose output has ended, and for what it says of it.
func (p *Pool) outcome(ctx context.Context, host, script string, s *session, k *capture, said <-chan struct{}) error {
	timer := time.NewTimer(p.linger)
	defer timer.Stop()
	select {
	case <-s.exited:
		select {
		case <-said:
		case <-timer.C: // something that it left behind holds its stderr open
		}
		k.seal()
		return s.failure(host, script, k.stderr.last(tailSize))
	case <-ctx.Done():
		return fmt.Errorf("%s: stream: %w", host, ctx.Err())
	case <-timer.C:
		return fmt.Errorf("%s: stream: it closed its output and went on%s", host, ran(script))
	}
}

// hangUp ends the lifeline of s and waits a moment for the group to be gone, so
// that nothing is left on the machine when Stream returns. The watcher there
// does not need us to wait.
func (p *Pool) hangUp(s *session, lifeline chan struct{}) {
	close(lifeline)
	timer := time.NewTimer(p.linger)
	defer timer.Stop()
	select {
	case <-s.exited:
	case <-timer.C:
	}
}
