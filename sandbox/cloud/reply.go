package cloud

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// reply is an answer on its way out.
type reply struct {
	status  int
	action  string
	code    int // RetCode
	body    []byte
	header  map[string]string
	ending  string // how the connection ends instead of, or within, the answer: a kind, "" is in peace
	hang    time.Duration
	dribble time.Duration
}

// spoil lets the faults of the call do to its answer what they do.
func (q *call) spoil(r reply) reply {
	r = reshape(r, q.effects.shapes)
	f := q.effects.spoilt
	if f == nil {
		return r
	}
	switch f.Kind {
	case "retcode", "expired":
		message := f.Value
		if message == "" {
			message = messageOf(f.Code)
		}
		r.code, r.body = f.Code, refusalBody(r.action, f.Code, message)
	case "http":
		r = httpFault(r, *f)
	case "redirect":
		to := f.Value
		if to == "" {
			to = moved
		}
		r.status, r.code, r.body, r.header = f.Code, -1, nil, map[string]string{"Location": to}
	case "object":
		r.code, r.body = -1, []byte("{}")
	case "null":
		r.code, r.body = -1, []byte("null")
	case "empty":
		r.code, r.body = -1, nil
	case "html":
		r.code, r.header = -1, map[string]string{"Content-Type": "text/html"}
		r.body = []byte("<html><head><title>Sign in to this network</title></head><body>Please sign in.</body></html>")
	case "slow":
		r.dribble = f.Delay
	default: // reset, fin, hang, truncated, reset-body
		r.ending, r.hang = f.Kind, f.Delay
	}
	return r
}

// httpFault makes an answer one of HTTP's errors, as a proxy on the way does.
func httpFault(r reply, f Fault) reply {
	r.status, r.header = f.Code, map[string]string{"Content-Type": "text/html"}
	r.body = []byte("<html><body><h1>" + strconv.Itoa(f.Code) + " " + http.StatusText(f.Code) + "</h1></body></html>")
	r.code = -1
	if f.Value == "json" {
		r.code, r.header = codeOutsideService, map[string]string{}
		r.body = refusalBody(r.action, r.code, messageOf(r.code))
	}
	switch {
	case f.Delay > 0:
		r.header["Retry-After"] = strconv.Itoa(int((f.Delay + time.Second - 1) / time.Second))
	case f.Code == http.StatusTooManyRequests:
		r.header["Retry-After"] = "1"
	}
	return r
}

func refusalBody(action string, code int, message string) []byte {
	return fmt.Appendf(nil, `{"RetCode":%d,"Action":%q,"Message":%q}`, code, action, message)
}

// seen returns the HTTP status and RetCode the client gets to see.
func (r reply) seen() (int, int) {
	if r.ending != "" {
		return 0, -1
	}
	return r.status, r.code
}

// send answers, or breaks off as the fault wants.
func (c *Cloud) send(w http.ResponseWriter, r *http.Request, is reply) {
	switch is.ending {
	case "":
	case "hang":
		hang(r.Context(), is.hang)
		hijacked(w, func(*net.TCPConn) {})
		return
	case "fin":
		hijacked(w, func(*net.TCPConn) {})
		return
	case "reset":
		hijacked(w, reset)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-UCLOUD-REQUEST-UUID", c.requestID())
	h.Set("Content-Length", strconv.Itoa(len(is.body)))
	for name, value := range is.header {
		h.Set(name, value)
	}
	w.WriteHeader(is.status)
	switch {
	case is.ending != "":
		half(w, is.body)
		hijacked(w, func(conn *net.TCPConn) {
			if is.ending == "reset-body" {
				reset(conn)
			}
		})
	case is.dribble > 0:
		dribble(r.Context(), w, is.body, is.dribble)
	default:
		_, _ = w.Write(is.body) // the client may have gone
	}
}

// half writes half a body out to the client.
func half(w http.ResponseWriter, body []byte) {
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
}

// dribble writes a body in twenty parts over a while.
func dribble(ctx context.Context, w io.Writer, body []byte, over time.Duration) {
	const parts = 20
	out := http.NewResponseController(w.(http.ResponseWriter))
	for i := range parts {
		_, _ = w.Write(body[len(body)*i/parts : len(body)*(i+1)/parts])
		_ = out.Flush()
		pause(ctx, over/parts)
	}
}

// hang waits until the client has gone, the cloud is closed, or a while is
// over; 0 has no end of its own.
func hang(ctx context.Context, d time.Duration) {
	if d == 0 {
		<-ctx.Done()
		return
	}
	pause(ctx, d)
}

// hijacked takes the connection from the HTTP server and closes it.
func hijacked(w http.ResponseWriter, before func(*net.TCPConn)) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // closed already
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		before(tcp)
	}
	_ = conn.Close()
}

// reset makes the close that follows a reset.
func reset(conn *net.TCPConn) { _ = conn.SetLinger(0) }

// requestID draws the id of a request in the form of a UUID.
func (c *Cloud) requestID() string {
	var id [16]byte
	c.faults.mu.Lock()
	binary.BigEndian.PutUint64(id[:8], c.faults.lot.Uint64())
	binary.BigEndian.PutUint64(id[8:], c.faults.lot.Uint64())
	c.faults.mu.Unlock()
	s := hex.EncodeToString(id[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
