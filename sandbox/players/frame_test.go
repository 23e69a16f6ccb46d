package players

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestMessagesAreThoseOfPomelo has what pomelo-protocol 0.1.6 wrote of the same.
func TestMessagesAreThoseOfPomelo(t *testing.T) {
	for _, c := range []struct {
		name string
		m    message
		hex  string
	}{
		{"request", message{purpose: requestPurpose, id: 1, route: "a.b.c", body: []byte("{}")}, "000105612e622e637b7d"},
		{"request of two id bytes", message{purpose: requestPurpose, id: 300, route: "a.b.c", body: []byte("{}")}, "00ac0205612e622e637b7d"},
		{"request with a code", message{purpose: requestPurpose, id: 128, code: 513, body: []byte("{}")}, "01800102017b7d"},
		{"request with the last id", message{purpose: requestPurpose, id: 1<<31 - 1, code: 7, body: []byte("{}")}, "01ffffffff0700077b7d"},
		{"response", message{purpose: responsePurpose, id: 300, body: []byte(`{"code":200}`)}, "04ac027b22636f6465223a3230307d"},
		{"push", message{purpose: pushPurpose, route: "onX", body: []byte("{}")}, "06036f6e587b7d"},
		{"push with a code", message{purpose: pushPurpose, code: 7, body: []byte("{}")}, "0700077b7d"},
		{"notify of nothing", message{purpose: notifyPurpose, body: []byte{}}, "0200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hex.EncodeToString(c.m.bytes()); got != c.hex {
				t.Errorf("written: got %s, want %s", got, c.hex)
			}
			b, err := hex.DecodeString(c.hex)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parseMessage(b); err != nil || !reflect.DeepEqual(got, c.m) {
				t.Errorf("read: got %+v, %v, want %+v", got, err, c.m)
			}
		})
	}
}

func TestAFrameIsCutIntoItsPackages(t *testing.T) {
	frame := appendPackage(appendPackage(appendPackage(nil, dataKind, []byte("ab")), heartbeatKind, nil), kickKind, bytes.Repeat([]byte("x"), largestBody))
	if want := "040000026162" + "03000000" + "05010000"; !strings.HasPrefix(hex.EncodeToString(frame), want) {
		t.Errorf("got %x, want %s first", frame[:20], want)
	}
	for _, want := range []struct {
		kind kind
		size int
	}{{dataKind, 2}, {heartbeatKind, 0}, {kickKind, largestBody}} {
		k, body, rest, err := cutPackage(frame)
		if err != nil || k != want.kind || len(body) != want.size {
			t.Fatalf("got kind %d, %d bytes, %v, want kind %d, %d", k, len(body), err, want.kind, want.size)
		}
		frame = rest
	}
	if len(frame) != 0 {
		t.Errorf("got %d bytes more", len(frame))
	}
}

func TestWhatIsNoPackageOrMessageIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ hex, says string }{
		"short head":   {"040000", "head of 3 bytes"},
		"short body":   {"0400000361", "3 bytes in a frame that has 1"},
		"no kind":      {"00000000", "unknown kind 0"},
		"unknown kind": {"06000000", "unknown kind 6"},
		"large body":   {"04010001", "65537 bytes, more than 65536"},
	} {
		b, _ := hex.DecodeString(c.hex)
		if _, _, _, err := cutPackage(b); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("package with %s: got %v, want %q", name, err, c.says)
		}
	}
	for name, c := range map[string]struct{ hex, says string }{
		"nothing":       {"", "too early"},
		"unknown type":  {"08", "unknown type 4"},
		"gzip":          {"1401", "gzip"},
		"no id":         {"04", "id of 32 bits"},
		"endless id":    {"04ffffffffff", "id of 32 bits"},
		"large id":      {"048080808010", "id of 32 bits"},
		"no route":      {"06", "too early"},
		"short route":   {"060361", "too early"},
		"half a code":   {"0700", "too early"},
		"the code zero": {"070000", "code 0"},
	} {
		b, _ := hex.DecodeString(c.hex)
		if _, err := parseMessage(b); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("message with %s: got %v, want %q", name, err, c.says)
		}
	}
}

func FuzzPomeloPackage(f *testing.F) {
	f.Add(appendPackage(nil, handshakeKind, []byte(`{"code":200}`)))
	f.Add(appendPackage(appendPackage(nil, heartbeatKind, nil), dataKind, message{purpose: requestPurpose, id: 300, route: "a.b.c", body: []byte("{}")}.bytes()))
	f.Add(appendPackage(nil, dataKind, message{purpose: pushPurpose, code: 9, body: []byte("{}")}.bytes()))
	f.Add([]byte{4, 255, 255, 255})
	f.Fuzz(func(t *testing.T, frame []byte) {
		for rest := frame; len(rest) > 0; {
			before := rest
			k, body, after, err := cutPackage(rest)
			if err != nil {
				return
			}
			if len(body) > largestBody || cap(body) > len(body) {
				t.Fatalf("got a body of %d bytes with room for %d", len(body), cap(body))
			}
			if again := appendPackage(nil, k, body); !bytes.Equal(append(again, after...), before) {
				t.Fatalf("got %x again, then %x, of %x", again, after, before)
			}
			rest = after
			m, err := parseMessage(body)
			if err != nil {
				continue
			}
			if again, err := parseMessage(m.bytes()); err != nil || !reflect.DeepEqual(again, m) {
				t.Fatalf("got %+v, %v, want %+v", again, err, m)
			}
		}
	})
}

func TestOnlyTheLastBeginningsAreCounted(t *testing.T) {
	var b beginnings
	if got := b.after(-1); got != 0 {
		t.Errorf("of nothing: got %d", got)
	}
	for i := range beginningsKept + 100 {
		b.add(time.Duration(i))
	}
	last := time.Duration(beginningsKept + 99)
	for since, want := range map[time.Duration]int{last: 0, last - 1: 1, last - 150: 150, 100: beginningsKept - 1, 99: beginningsKept, 0: beginningsKept} {
		if got := b.after(since); got != want {
			t.Errorf("after %d: got %d, want %d", since, got, want)
		}
	}
}
