package pomelo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// frameLimit is how long a frame of the master may be, in bytes. A process takes
// about 150 of the list.
const frameLimit = 512 << 10

// frames are the MQTT frames of one connection to a master.
type frames struct {
	conn net.Conn
	in   *bufio.Reader
}

// next reads a frame. The library makes room for what a frame says it is long,
// up to 256 MiB, before a byte of it has come; so the frame is taken from the
// wire here and only then given to it. Errors are of the connection, or a
// *strangeError.
func (f frames) next() (packets.ControlPacket, error) {
	var whole bytes.Buffer
	first, err := f.in.ReadByte()
	if err != nil {
		return nil, err
	}
	whole.WriteByte(first)
	size := 0
	for i := 0; ; i++ {
		b, err := f.in.ReadByte()
		if err != nil {
			return nil, torn(err)
		}
		whole.WriteByte(b)
		size |= int(b&0x7f) << (7 * i)
		if b < 0x80 {
			break
		}
		if i == 3 {
			return nil, strange("a frame's length has no end")
		}
	}
	if size > frameLimit {
		return nil, strange("a frame of %d bytes, more than %d", size, frameLimit)
	}
	if _, err := io.CopyN(&whole, f.in, int64(size)); err != nil {
		return nil, torn(err)
	}
	p, err := packets.ReadPacket(&whole)
	if err != nil {
		return nil, strange("a frame that is no MQTT: %v", err)
	}
	return p, nil
}

// torn is the error of a frame that ends within.
func torn(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// strangeError is about what the other side sent.
type strangeError struct{ what string }

func (e *strangeError) Error() string { return e.what }

func strange(format string, args ...any) error {
	return &strangeError{fmt.Sprintf(format, args...)}
}

// connect opens the MQTT session.
func (f frames) connect(id string) error {
	return (&packets.ConnectPacket{
		FixedHeader:      packets.FixedHeader{MessageType: packets.Connect},
		ProtocolName:     "MQTT",
		ProtocolVersion:  4,
		CleanSession:     true,
		Keepalive:        60, // the master does not watch it
		ClientIdentifier: id,
	}).Write(f.conn)
}

// disconnect ends the session, so that the master forgets the client's id.
func (f frames) disconnect() error {
	return (&packets.DisconnectPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Disconnect}}).Write(f.conn)
}

// publish sends v as JSON.
func (f frames) publish(topic string, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return (&packets.PublishPacket{
		FixedHeader: packets.FixedHeader{MessageType: packets.Publish},
		TopicName:   topic,
		Payload:     payload,
	}).Write(f.conn)
}

// hear waits for what is published to topic and passes the rest by. When the
// master ends the session instead, the error is a *strangeError.
func (f frames) hear(topic string) ([]byte, error) {
	for {
		p, err := f.next()
		if err != nil {
			return nil, err
		}
		switch p := p.(type) {
		case *packets.PublishPacket:
			if p.TopicName == topic {
				return p.Payload, nil
			}
		case *packets.DisconnectPacket:
			return nil, strange("the master ended the session")
		}
	}
}

// ping asks the master for a sign of life and waits for it.
func (f frames) ping() error {
	if err := (&packets.PingreqPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Pingreq}}).Write(f.conn); err != nil {
		return err
	}
	for {
		p, err := f.next()
		if err != nil {
			return err
		}
		switch p.(type) {
		case *packets.PingrespPacket:
			return nil
		case *packets.DisconnectPacket:
			return strange("the master ended the session")
		}
	}
}
