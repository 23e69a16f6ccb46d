package pomelo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// soon is a context for what takes no time, as a rule.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// within tries until there is no error.
func within(t *testing.T, d time.Duration, what string, try func() error) {
	t.Helper()
	end := time.Now().Add(d)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s: %v", d, what, err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// freePorts are ports nobody listens on, for now.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", ":0")
		must(t, err)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// recorder keeps what was read and written.
type recorder struct {
	net.Conn
	read, written bytes.Buffer
}

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.read.Write(b[:n])
	return n, err
}

func (r *recorder) Write(b []byte) (int, error) {
	r.written.Write(b)
	return r.Conn.Write(b)
}

// played is a connection on which the other side says what it was recorded to,
// whatever it hears, and then closes.
type played struct {
	net.Conn // nil
	says     io.Reader
	heard    bytes.Buffer
	closed   bool
}

func (p *played) Read(b []byte) (int, error)       { return p.says.Read(b) }
func (p *played) Write(b []byte) (int, error)      { return p.heard.Write(b) }
func (p *played) Close() error                     { p.closed = true; return nil }
func (p *played) SetDeadline(time.Time) error      { return nil }
func (p *played) SetWriteDeadline(time.Time) error { return nil }

// listen serves each connection by serve; what serve returns is handed on.
func listen[T any](t *testing.T, serve func(net.Conn) T) (addr string, ends <-chan T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan T, 100)
	all := make(chan struct{})
	go func() {
		defer close(all)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
			done <- serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-all })
	return l.Addr().String(), done
}

// hearOut reads to the end; the error is nil for FIN, and not for RST.
func hearOut(conn net.Conn) error {
	_, err := io.Copy(io.Discard, conn)
	return err
}

// dark is a connection to one who accepts and says nothing. It hears the
// connection's end: nil for FIN.
func dark(t *testing.T) (net.Conn, <-chan error) {
	t.Helper()
	addr, ends := listen(t, hearOut)
	conn, err := net.Dial("tcp", addr)
	must(t, err)
	return conn, ends
}

// endsWith wants the end of ctx to be the error, and FIN to be the other side's
// last word.
func endsWith(t *testing.T, call func(context.Context, net.Conn) error) {
	t.Helper()
	why := errors.New("the operator changed her mind")
	conn, ends := dark(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	timer := time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	defer timer.Stop()
	if err := call(ctx, conn); !errors.Is(err, why) {
		t.Errorf("cancelled: got %v, want %v", err, why)
	}
	if err := <-ends; err != nil {
		t.Errorf("the other side saw %v, want FIN", err)
	}
	conn, ends = dark(t)
	late, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := call(late, conn); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("late: got %v, want %v", err, context.DeadlineExceeded)
	}
	if err := <-ends; err != nil {
		t.Errorf("the other side saw %v, want FIN", err)
	}
}
