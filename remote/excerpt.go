package remote

import (
	"fmt"
	"io"
	"sync"
)

// excerptHalf is how much of a stream's beginning and of its end is kept, in
// bytes: 64 KiB together.
const excerptHalf = 32 << 10

// excerpt keeps the beginning and the end of what is written to it, so that
// 300 MB of output cost no more memory than one screenful.
type excerpt struct {
	head, tail []byte
	size       int64 // of all that was written
}

func (e *excerpt) add(b []byte) {
	e.size += int64(len(b))
	n := min(excerptHalf-len(e.head), len(b))
	e.head = append(e.head, b[:n]...)
	e.tail = append(e.tail, b[n:]...)
	// Moved down only once in a while: moving at each write would cost as much
	// as the output is long.
	if len(e.tail) > 2*excerptHalf {
		e.tail = append(e.tail[:0], e.tail[len(e.tail)-excerptHalf:]...)
	}
}

func (e *excerpt) String() string {
	tail := e.tail[max(0, len(e.tail)-excerptHalf):]
	gone := e.size - int64(len(e.head)) - int64(len(tail))
	if gone == 0 {
		return string(e.head) + string(tail)
	}
	return fmt.Sprintf("%s\n[… %d bytes left out …]\n%s", e.head, gone, tail)
}

// last returns the last n bytes.
func (e *excerpt) last(n int) string {
	s := string(e.head) + string(e.tail)
	if e.size > int64(len(s)) {
		s = string(e.tail)
	}
	return s[max(0, len(s)-n):]
}

// capture takes both streams of a command: excerpts of each for the result,
// and all of it, as it comes, to output.
type capture struct {
	mu             sync.Mutex
	stdout, stderr excerpt
	output         io.Writer
	outputErr      error
	sealed         bool
}

// into returns the writer of one of c's streams. It never fails and goes on
// taking after c is sealed: a reader that stops would hold the command up.
func (c *capture) into(e *excerpt) io.Writer { return stream{c, e} }

// seal ends the capture: what comes later is dropped, and output is no more
// written to.
func (c *capture) seal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealed = true
}

type stream struct {
	*capture
	excerpt *excerpt
}

func (s stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sealed {
		return len(b), nil
	}
	s.excerpt.add(b)
	if s.output != nil && s.outputErr == nil {
		_, s.outputErr = s.output.Write(b)
	}
	return len(b), nil
}
