package players

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// kind is what a package of Pomelo's protocol is for. On the wire it is one byte, then three of the body's length, then the body;
// a websocket frame carries one package or several.
type kind byte

const (
	handshakeKind kind = 1 + iota
	handshakeAckKind
	heartbeatKind
	dataKind
	kickKind
)

// largestBody is far more than the game's messages need; the three bytes could ask for 16 MiB.
const largestBody = 64 << 10

var errShort = errors.New("a message that ends too early")

func appendPackage(b []byte, k kind, body []byte) []byte {
	b = append(b, byte(k), byte(len(body)>>16), byte(len(body)>>8), byte(len(body)))
	return append(b, body...)
}

// cutPackage takes the first package off a frame. The body is part of the frame's memory.
func cutPackage(frame []byte) (k kind, body, rest []byte, err error) {
	if len(frame) < 4 {
		return 0, nil, nil, fmt.Errorf("a package's head of %d bytes, not 4", len(frame))
	}
	k = kind(frame[0])
	size := int(frame[1])<<16 | int(frame[2])<<8 | int(frame[3])
	switch rest = frame[4:]; {
	case k < handshakeKind || k > kickKind:
		return 0, nil, nil, fmt.Errorf("a package of the unknown kind %d", k)
	case size > largestBody:
		return 0, nil, nil, fmt.Errorf("a package of %d bytes, more than %d", size, largestBody)
	case size > len(rest):
		return 0, nil, nil, fmt.Errorf("a package of %d bytes in a frame that has %d", size, len(rest))
	}
	return k, rest[:size:size], rest[size:], nil
}

// purpose is a message's type.
type purpose byte

const (
	requestPurpose purpose = iota
	notifyPurpose
	responsePurpose
	pushPurpose
)

// message is the body of a data package: a flag byte with the purpose, the id of a request or of what it is answered with, the
// route of all but a response, and JSON.
type message struct {
	purpose purpose
	id      uint32
	route   string
	code    uint16 // what the handshake's dictionary has for the route; 0: the route is written out
	body    []byte
}

func (m message) hasID() bool    { return m.purpose == requestPurpose || m.purpose == responsePurpose }
func (m message) hasRoute() bool { return m.purpose != responsePurpose }

// bytes writes the message. Its route is of 255 bytes at most.
func (m message) bytes() []byte {
	flag := byte(m.purpose) << 1
	if m.hasRoute() && m.code > 0 {
		flag |= 1
	}
	b := []byte{flag}
	if m.hasID() {
		b = binary.AppendUvarint(b, uint64(m.id))
	}
	switch {
	case !m.hasRoute():
	case m.code > 0:
		b = binary.BigEndian.AppendUint16(b, m.code)
	default:
		b = append(append(b, byte(len(m.route))), m.route...)
	}
	return append(b, m.body...)
}

// parseMessage reads the body of a data package. The message's body is part of its memory.
func parseMessage(b []byte) (m message, err error) {
	if len(b) == 0 {
		return m, errShort
	}
	flag := b[0]
	b = b[1:]
	m.purpose = purpose(flag >> 1 & 7)
	switch {
	case m.purpose > pushPurpose:
		return m, fmt.Errorf("a message of the unknown type %d", m.purpose)
	case flag&0x10 != 0:
		return m, errors.New("a message in gzip, which players do not read")
	}
	if m.hasID() {
		id, size := binary.Uvarint(b)
		if size <= 0 || id > 1<<32-1 {
			return m, errors.New("a message without an id of 32 bits")
		}
		m.id, b = uint32(id), b[size:]
	}
	if m.hasRoute() {
		if b, err = m.parseRoute(b, flag&1 != 0); err != nil {
			return m, err
		}
	}
	m.body = b
	return m, nil
}

func (m *message) parseRoute(b []byte, short bool) ([]byte, error) {
	switch {
	case short && len(b) < 2:
		return nil, errShort
	case short:
		if m.code = binary.BigEndian.Uint16(b); m.code == 0 {
			return nil, errors.New("a message with the route code 0, which no dictionary has")
		}
		return b[2:], nil
	case len(b) == 0 || len(b)-1 < int(b[0]):
		return nil, errShort
	}
	end := 1 + int(b[0])
	m.route = string(b[1:end])
	return b[end:], nil
}
