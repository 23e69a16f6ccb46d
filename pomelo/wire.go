package pomelo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
	"unicode"
)

// bound makes ctx end what waits on conn. unbind must be called; after it the
// deadlines of conn are the caller's again.
func bound(ctx context.Context, conn net.Conn) (unbind func()) {
	if at, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(at) // where it cannot, the end of ctx closes
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		if conn.SetDeadline(time.Unix(1, 0)) != nil {
			_ = conn.Close()
		}
	})
	return func() {
		if !stop() {
			<-ended // or it would shorten a later deadline
		}
	}
}

// cause puts the end of ctx in the place of the error it made. conn's deadline
// may strike a moment before that of ctx.
func cause(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

// unspoken reports whether err is about the connection or its time, and not
// about anything the other side said.
func unspoken(err error) bool {
	var wire net.Error
	return errors.As(err, &wire) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

const (
	// farewell is how long the other side is given to close after us.
	farewell = time.Second
	// leftovers is how much it may still send in that time, in bytes.
	leftovers = 1 << 20
)

// part closes conn so that the other side sees FIN. The kernel sends RST in its
// place when bytes lie unread, so they are read first; and a RST may end a
// process of Pomelo. A connection that cannot be closed for writing only (one
// through ssh) is read for the time given.
func part(conn net.Conn, patience time.Duration) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		patience = farewell
	}
	if patience > 0 && conn.SetDeadline(time.Now().Add(patience)) == nil {
		_, _ = io.CopyN(io.Discard, conn, leftovers)
	}
	_ = conn.Close()
}

// The types of Pomelo's packages.
const (
	packageHandshake = 1
	packageAck       = 2
	packageHeartbeat = 3
	packageData      = 4
	packageKick      = 5
)

// parcel is one of Pomelo's packages: type, three bytes of length, body.
type parcel struct {
	kind byte
	body []byte
}

// appendParcel encodes a package.
func appendParcel(b []byte, kind byte, body []byte) ([]byte, error) {
	if len(body) >= 1<<24 {
		return nil, fmt.Errorf("body of %d bytes: a package holds less than 16 MiB", len(body))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(kind)<<24|uint32(len(body)))
	return append(b, body...), nil
}

// parcels takes the packages of one websocket message apart; Pomelo may put
// several into one.
func parcels(b []byte) ([]parcel, error) {
	var all []parcel
	for len(b) > 0 {
		if len(b) < 4 {
			return nil, fmt.Errorf("package head of %d bytes, want 4", len(b))
		}
		head := binary.BigEndian.Uint32(b)
		kind, size := byte(head>>24), int(head&0xffffff)
		b = b[4:]
		if size > len(b) {
			return nil, fmt.Errorf("package of %d bytes says it has %d", len(b), size)
		}
		if kind < packageHandshake || kind > packageKick {
			return nil, fmt.Errorf("package type %d", kind)
		}
		all = append(all, parcel{kind, b[:size]})
		b = b[size:]
	}
	return all, nil
}

// The types of the messages inside data packages, and their flags.
const (
	messageRequest  = 0
	messageResponse = 2
	messagePush     = 3
	flagCompressed  = 0x01 // the route is a number of the dictionary
	flagGzip        = 0x10
)

// appendRequest encodes a request; code is the route's number in the
// dictionary, 0 for none.
func appendRequest(b []byte, id uint64, route string, code uint16, body []byte) ([]byte, error) {
	if len(route) == 0 || len(route) > 255 {
		return nil, fmt.Errorf("route %q has %d bytes, want 1 to 255", route, len(route))
	}
	flag := byte(messageRequest << 1)
	if code != 0 {
		flag |= flagCompressed
	}
	b = append(b, flag)
	b = binary.AppendUvarint(b, id) // base 128, the low digits first: the same
	if code != 0 {
		b = binary.BigEndian.AppendUint16(b, code)
	} else {
		b = append(append(b, byte(len(route))), route...)
	}
	return append(b, body...), nil
}

// response takes a message apart. ok is false for one that is no response.
func response(b []byte) (id uint64, body []byte, ok bool, err error) {
	if len(b) == 0 {
		return 0, nil, false, errors.New("message without a byte")
	}
	if b[0]>>1&7 != messageResponse {
		return 0, nil, false, nil
	}
	id, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return 0, nil, false, errors.New("message with no request id")
	}
	if b[0]&flagGzip != 0 {
		return id, nil, false, errors.New("answer is gzipped, which Pomelo 2.2.7 never does")
	}
	return id, b[1+n:], true, nil
}

// shown is what another program said, fit to stand in an error: one line,
// printable, short.
func shown(s string) string {
	const most = 160
	if len(s) > most {
		s = s[:most] + "…"
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
