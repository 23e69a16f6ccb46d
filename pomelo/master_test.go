package pomelo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// recorded is what a real master answered.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listFrom is a list of a master that says b.
func listFrom(ctx context.Context, b []byte) (*played, []Process, error) {
	conn := &played{says: bytes.NewReader(b)}
	all, err := List(ctx, conn, Account{"admin", "hunter2"})
	return conn, all, err
}

// frame is one PUBLISH.
func frame(topic string, payload string) []byte {
	var b bytes.Buffer
	_ = (&packets.PublishPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Publish}, TopicName: topic, Payload: []byte(payload)}).Write(&b)
	return b.Bytes()
}

// session is a whole session up to the answer to the list.
func session(answers ...string) []byte {
	b := append([]byte{0x20, 2, 0, 0}, frame("register", `{"code":1,"msg":"ok"}`)...)
	b = append(b, bytes.Repeat([]byte{0xd0, 0}, turns)...)
	for _, a := range answers {
		b = append(b, frame("client", a)...)
	}
	return b
}

func TestTheListOfARecordedMaster(t *testing.T) {
	conn, all, err := listFrom(t.Context(), recorded(t, "master.frames"))
	must(t, err)
	var ids []string
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	if want := []string{"connector-2", "connector-3", "connector-10", "gate-1", "master"}; !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
	}
	if p := all[4]; p.Type != "master" || p.PID < 2 || p.RSS < 20 || p.HeapTotal < 1 || p.HeapUsed < 1 || p.Uptime%(600*time.Millisecond) != 0 {
		t.Errorf("got %+v", p)
	}
	if !conn.closed {
		t.Error("the connection was left open")
	}
}

func TestWhatIsSaidToTheMaster(t *testing.T) {
	conn, _, err := listFrom(t.Context(), recorded(t, "master.frames"))
	must(t, err)
	var id string
	var kinds []byte
	f := frames{in: bufio.NewReader(&conn.heard)}
	for {
		p, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		switch p := p.(type) {
		case *packets.ConnectPacket:
			kinds, id = append(kinds, packets.Connect), p.ClientIdentifier
		case *packets.DisconnectPacket:
			kinds = append(kinds, packets.Disconnect)
		case *packets.PublishPacket:
			kinds = append(kinds, packets.Publish)
			sum := md5.Sum([]byte("hunter2"))
			want := fmt.Sprintf(`{"id":%q,"md5":true,"password":%q,"type":"client","username":"admin"}`, id, hex.EncodeToString(sum[:]))
			got := string(p.Payload)
			if p.TopicName == "client" {
				want = fmt.Sprintf(`{"body":{"clientId":%q,"signal":"list","username":"admin"},"moduleId":"__console__","reqId":1}`, id)
				must(t, json.Unmarshal(p.Payload, &got))
			}
			if got != want {
				t.Errorf("%s: got %s, want %s", p.TopicName, got, want)
			}
		}
	}
	if want := []byte{packets.Connect, packets.Publish, packets.Publish, packets.Disconnect}; !bytes.Equal(kinds, want) {
		t.Errorf("got frames %v, want %v", kinds, want)
	}
	again, _, _ := listFrom(t.Context(), nil)
	if id == "" || bytes.Contains(again.heard.Bytes(), []byte(id)) {
		t.Errorf("the id %q is the same twice, and the master refuses one in use", id)
	}
}

func TestWhatAMasterMaySayInstead(t *testing.T) {
	one := `{"msg":{"a":{"serverType":"gate","pid":7,"rss":"60.5","heapTotal":9,"heapUsed":"8","uptime":"1.25"}}}`
	want := Process{"a", "gate", 7, 60.5, 9, 8, 75 * time.Second}
	for name, answers := range map[string][]string{
		"a string":                         {fmt.Sprintf("%q", `{"respId":1,"body":`+one+`}`)},
		"an object":                        {`{"respId":1,"error":null,"body":` + one + `}`},
		"another's answer and news before": {`{"respId":2,"body":5}`, `{"moduleId":"x","body":[]}`, `null`, `{"respId":1,"body":` + one + `}`},
	} {
		_, all, err := listFrom(t.Context(), session(answers...))
		if err != nil || !slices.Equal(all, []Process{want}) {
			t.Errorf("%s: got %v, %v, want %v", name, all, err, want)
		}
	}
	_, all, err := listFrom(t.Context(), session(`{"respId":1,"body":{"msg":{}}}`))
	if err != nil || all == nil || len(all) != 0 {
		t.Errorf("nobody: got %v, %v", all, err)
	}
	for says, want := range map[string]string{
		`{"respId":1,"error":"denied\u001b[31m"}`:                 `the master's answer: "denied\u001b[31m"`,
		`{"respId":1,"error":{"message":"m"},"body":` + one + `}`: `the master's answer: {"message":"m"}`,
		`{"respId":1}`:                           `no list`,
		`{"respId":1,"body":{"msg":null}}`:       `no list`,
		`{"respId":1,"body":{"msg":{"a":null}}}`: `process a`,
		`{`:                                      `answer {`,
		`{"respId":1,"body":{"msg":{"a":{"serverType":"g","pid":"x"}}}}`:                  `x is no number`,
		`{"respId":1,"body":{"msg":{"a":{"serverType":"g","pid":1.5}}}}`:                  `pid 1.5`,
		`{"respId":1,"body":{"msg":{"a":{"serverType":"g","pid":1,"uptime":1e300}}}}`:     `uptime`,
		`{"respId":1,"body":{"msg":{"a\u001b[2J":{"serverType":"g","pid":1}}}}`:           `a?[2J`,
		`{"respId":1,"body":{"msg":{"a":{"serverType":"g","pid":1,"rss":"NaN"}}}}`:        `NaN is no number`,
		`{"respId":1,"body":{"msg":{"a":{"serverType":"","pid":1}}}}`:                     `process a: its id or type`,
		`{"respId":1,"body":{"msg":{"a":{"serverType":"g","pid":1,"heapUsed":"-0.01"}}}}`: `memory`,
	} {
		_, all, err := listFrom(t.Context(), session(says))
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%s: got %v, %v, want %q in it", says, all, err, want)
		}
	}
}

func TestALoginThatIsRefused(t *testing.T) {
	conn, all, err := listFrom(t.Context(), recorded(t, "denied.frames"))
	want := `list of the master: the master refused the login of user "admin": client auth failed with username or password error`
	if !errors.Is(err, ErrDenied) || err.Error() != want || !conn.closed {
		t.Errorf("got %v, %v, want %s", all, err, want)
	}
}

func TestWhatDoesNotSpeakTheProtocolIsToldApart(t *testing.T) {
	for name, says := range map[string]string{
		"closes":                     "",
		"closes within a frame":      "\x20",
		"socket.io on a new Node":    "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
		"ssh":                        "SSH-2.0-OpenSSH_9.2p1\r\n",
		"an MQTT broker that is not": "\x20\x02\x00\x05",
		"other frames":               "\x30\x03\x00\x01a",
	} {
		if _, all, err := listFrom(t.Context(), []byte(says)); !errors.Is(err, ErrNotSpoken) || errors.Is(err, ErrDenied) {
			t.Errorf("%s: got %v, %v, want ErrNotSpoken", name, all, err)
		}
	}
	// One who then says no more must not cost the whole deadline.
	near, far := net.Pipe()
	go func() { _, _ = far.Write([]byte("SSH-2.0-OpenSSH_9.2p1\r\n")) }()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	if all, err := List(soon(t), near, Account{}); !errors.Is(err, ErrNotSpoken) {
		t.Errorf("got %v, %v, want ErrNotSpoken", all, err)
	}
	// What breaks off later is a master that ended, not an old one.
	for cut := 4; cut < len(recorded(t, "master.frames")); cut += 7 {
		_, all, err := listFrom(t.Context(), recorded(t, "master.frames")[:cut])
		if err == nil || errors.Is(err, ErrNotSpoken) || errors.Is(err, ErrDenied) {
			t.Errorf("cut at %d: got %v, %v", cut, all, err)
		}
	}
}

func TestAListEndsWithItsContext(t *testing.T) {
	endsWith(t, func(ctx context.Context, conn net.Conn) error {
		all, err := List(ctx, conn, Account{})
		if errors.Is(err, ErrNotSpoken) || len(all) > 0 {
			t.Errorf("got %v, %v", all, err)
		}
		return err
	})
}

func TestAFrameTakesTheMemoryOfWhatCame(t *testing.T) {
	rows := make([]string, 0, 2000)
	for i := range cap(rows) {
		rows = append(rows, fmt.Sprintf(`"connector-%d":{"serverType":"connector","pid":%d,"rss":"60.00","heapTotal":"30.00","heapUsed":"13.00","uptime":"0.10"}`, i, i+1))
	}
	text, _ := json.Marshal(`{"respId":1,"body":{"msg":{` + strings.Join(rows, ",") + `}}}`)
	for name, says := range map[string][]byte{
		"256 MiB announced": append(session(), 0x30, 0xff, 0xff, 0xff, 0x7f),
		"a length too long": append(session(), 0x30, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"just over":         append(session(), append([]byte{0x30, 0x81, 0x80, 0x20}, make([]byte, frameLimit+1)...)...),
		"two thousand":      session(string(text)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, all, err := listFrom(t.Context(), says)
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 4<<20 && name != "two thousand" {
			t.Errorf("%s: %d bytes taken, want less than 4 MiB", name, taken)
		}
		if want := name == "two thousand"; (err == nil && len(all) == cap(rows)) != want {
			t.Errorf("%s: got %d processes, %v", name, len(all), err)
		}
	}
}

func TestThePasswordIsNeverShown(t *testing.T) {
	a := Account{"admin", "hunter2"}
	sum := md5.Sum([]byte(a.Password))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "account", a, "at", &a)
	asJSON, _ := json.Marshal(a)
	_, _, err := listFrom(t.Context(), recorded(t, "denied.frames"))
	shown := []string{log.String(), string(asJSON), err.Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, a), fmt.Sprintf(verb, &a), fmt.Sprintf(verb, []Account{a}))
	}
	for _, s := range shown {
		if strings.Contains(s, "hunter2") || strings.Contains(s, hex.EncodeToString([]byte("hunter2"))) || strings.Contains(s, hex.EncodeToString(sum[:])) {
			t.Errorf("the password is in %s", s)
		}
	}
}

func FuzzMasterFrames(f *testing.F) {
	f.Add([]byte{})
	whole := recorded(f, "master.frames")
	f.Add(whole)
	f.Add(recorded(f, "denied.frames"))
	for cut := 0; cut < len(whole); cut += 97 {
		f.Add(whole[:cut])
	}
	f.Add(session(`{"respId":1,"body":{"msg":{"a":{"serverType":"g","pid":1}}}}`))
	f.Add(append(session(), 0x30, 0xff, 0xff, 0xff, 0x7f))
	f.Add(append(session(), 0x82, 4, 0, 1, 0, 9, 0x90, 0, 0xf0, 0))
	f.Add(append(session(), 0x32, 3, 0xff, 0xff, 'c', 0xe0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		conn, all, err := listFrom(context.Background(), b)
		if !conn.closed {
			t.Fatal("the connection was left open")
		}
		if err != nil && (len(all) > 0 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' })) {
			t.Fatalf("got %v, %q", all, err)
		}
		for _, p := range all {
			if p.ID == "" || p.PID < 1 || p.Uptime < 0 {
				t.Fatalf("got %+v", p)
			}
		}
	})
}
