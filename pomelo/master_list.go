package pomelo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // G501: what Pomelo's login wants
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

var (
	// ErrNotSpoken means that what listens does not speak the admin protocol of
	// Pomelo 2.2, an older Pomelo for instance. Ask its command line: ParseList.
	ErrNotSpoken = errors.New("not the admin protocol of Pomelo 2.2")
	// ErrDenied means that the master refused the login: see adminUser.json.
	ErrDenied = errors.New("the master refused the login")
)

// Account is who logs in at a master. A user of any level may list.
type Account struct {
	User     string
	Password Secret
}

// Process is one process of a group, as it told the master about itself.
type Process struct {
	ID, Type string
	// PID on its own machine, which the master does not name.
	PID int
	// RSS, HeapTotal and HeapUsed in MiB.
	RSS, HeapTotal, HeapUsed float64
	// Uptime to a hundredth of a minute.
	Uptime time.Duration
}

// console is the module of the master that lists, stops and kills.
const console = "__console__"

// List asks the master at the other end of conn for its processes, itself
// included, in the natural order of their ids. It talks to 127.0.0.1:3005 of
// the master's machine and belongs inside ssh: what it sends lets any reader log
// in. It takes a moment, but 10 s when a process does not answer, which is then
// left out; a process in the list need not listen, and one that is not may live.
// Each list leaves a line in the master's crash.log, as `pomelo list` does.
//
// A master that is asked before it has registered itself throws, and its start
// ends. List waits for that, twenty answers of the master long.
//
// conn is closed in any case. Errors: ErrNotSpoken, ErrDenied, the cause of
// ctx's end, or what happened to the connection.
func List(ctx context.Context, conn net.Conn, a Account) ([]Process, error) {
	unbind := bound(ctx, conn)
	f := frames{conn, bufio.NewReader(conn)}
	all, err := f.list(a)
	err = cause(ctx, err)
	unbind()
	patience := 50 * time.Millisecond // an error may leave bytes on the way
	if err == nil {
		patience = 0
		_ = conn.SetWriteDeadline(time.Now().Add(farewell))
		_ = f.disconnect()
	}
	part(conn, patience)
	if err != nil {
		return nil, fmt.Errorf("list of the master: %w", err)
	}
	return all, nil
}

func (f frames) list(a Account) ([]Process, error) {
	// An id in use is refused, and a session that broke off may still be in use.
	id := "rollout_" + rand.Text()
	if err := f.greet(id); err != nil {
		return nil, err
	}
	if err := f.login(id, a); err != nil {
		return nil, err
	}
	if err := f.settle(); err != nil {
		return nil, err
	}
	request, err := json.Marshal(map[string]any{
		"reqId":    1,
		"moduleId": console,
		"body":     map[string]string{"signal": "list", "clientId": id, "username": a.User},
	})
	if err != nil {
		return nil, err
	}
	// JSON inside a JSON string, as Pomelo's own client sends it.
	if err := f.publish("client", string(request)); err != nil {
		return nil, err
	}
	for {
		payload, err := f.hear("client")
		if err != nil {
			return nil, err
		}
		all, mine, err := heard(payload)
		if mine || err != nil {
			return all, err
		}
	}
}

// turns is how many answers of the master to wait for before asking it.
const turns = 20

// settle lets the master register itself. A list asked of a master that knows
// nobody yet throws in it (countDownLatch: count should be positive), which ends
// an app without an uncaughtException handler and its start with it; Pomelo's
// command line does that too. The master listens before it connects to itself,
// and each ping takes it a turn of the same loop in which it does so.
func (f frames) settle() error {
	for range turns {
		if err := f.ping(); err != nil {
			return err
		}
	}
	return nil
}

// greet opens the MQTT session; all but a master's way of doing so is
// ErrNotSpoken.
func (f frames) greet(id string) error {
	if err := f.connect(id); err != nil {
		return foreign(err)
	}
	// Looked at before it is read: of another protocol's first line a frame
	// could be made whose end never comes.
	head, err := f.in.Peek(2)
	if err != nil {
		return foreign(err)
	}
	if head[0] != packets.Connack<<4 || head[1] != 2 {
		return fmt.Errorf("%w: no CONNACK but %s", ErrNotSpoken, shown(string(head)))
	}
	p, err := f.next()
	if err != nil {
		return foreign(err)
	}
	if ack, ok := p.(*packets.ConnackPacket); !ok || ack.ReturnCode != packets.Accepted {
		return fmt.Errorf("%w: %s", ErrNotSpoken, shown(p.String()))
	}
	return nil
}

// foreign makes ErrNotSpoken of a session that did not come about. Older
// Pomelos have socket.io there, which closes on a line that is no HTTP, on
// younger Nodes with a 400 before.
func foreign(err error) error {
	var wire net.Error
	if errors.As(err, &wire) && wire.Timeout() {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNotSpoken, err)
}

func (f frames) login(id string, a Account) error {
	sum := md5.Sum([]byte(a.Password)) //nolint:gosec // G401: what Pomelo's login wants
	err := f.publish("register", map[string]any{
		"type": "client", "id": id, "username": a.User, "password": hex.EncodeToString(sum[:]), "md5": true,
	})
	if err != nil {
		return err
	}
	payload, err := f.hear("register")
	if err != nil {
		return err
	}
	var said struct {
		Code figure `json:"code"`
		Msg  any    `json:"msg"`
	}
	if err := json.Unmarshal(payload, &said); err != nil {
		return fmt.Errorf("answer to the login: %s: %w", shown(string(payload)), err)
	}
	if said.Code != 1 {
		return fmt.Errorf("%w of user %q: %s", ErrDenied, a.User, shown(fmt.Sprint(said.Msg)))
	}
	return nil
}

// heard reads the answer to the list; mine is false for one to another
// request, and for what the master says of its own accord.
func heard(payload []byte) (all []Process, mine bool, err error) {
	var text string
	if bytes.HasPrefix(payload, []byte(`"`)) && json.Unmarshal(payload, &text) == nil {
		payload = []byte(text) // JSON in a string again
	}
	var said struct {
		RespID      any `json:"respId"`
		Error, Body json.RawMessage
	}
	if err := json.Unmarshal(payload, &said); err != nil {
		return nil, false, fmt.Errorf("answer %s: %w", shown(string(payload)), err)
	}
	if said.RespID != 1.0 {
		return nil, false, nil
	}
	if len(said.Error) > 0 && string(said.Error) != "null" {
		return nil, true, fmt.Errorf("the master's answer: %s", shown(string(said.Error)))
	}
	var body struct {
		Msg map[string]*struct {
			ServerType                            string
			PID, RSS, HeapTotal, HeapUsed, Uptime figure
		}
	}
	if err := json.Unmarshal(said.Body, &body); err != nil {
		return nil, true, fmt.Errorf("answer %s: no list: %w", shown(string(payload)), err)
	}
	if body.Msg == nil {
		return nil, true, fmt.Errorf("answer %s: no list", shown(string(payload)))
	}
	all = []Process{}
	for id, p := range body.Msg {
		if p == nil {
			return nil, true, fmt.Errorf("process %s: the master knows nothing of it", shown(id))
		}
		one, err := process(id, p.ServerType, p.PID, p.RSS, p.HeapTotal, p.HeapUsed, p.Uptime)
		if err != nil {
			return nil, true, err
		}
		all = append(all, one)
	}
	return inOrder(all), true, nil
}
