package pomelo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// liveApp is testdata/live, run by the real Pomelo.
type liveApp struct {
	dir       string
	pid       int // of the master
	master    string
	gate      string
	connector []string
}

var liveAccount = Account{"admin", "hunter2"}

// startLive runs the app until the test's end.
func startLive(t *testing.T) liveApp {
	t.Helper()
	pomelo := os.Getenv("ROLLOUT_POMELO")
	if pomelo == "" {
		t.Skip("needs node and Pomelo: npm install pomelo@2.2.7, and ROLLOUT_POMELO=<there>/node_modules/pomelo")
	}
	ports := freePorts(t, 9)
	at := func(i int) string { return "127.0.0.1:" + strconv.Itoa(ports[i]) }
	a := liveApp{dir: t.TempDir(), master: at(0), gate: at(1), connector: []string{at(2), at(3), at(4)}}
	server := func(id string, rpc, client int) map[string]any {
		return map[string]any{"id": id, "host": "127.0.0.1", "port": ports[rpc], "clientHost": "127.0.0.1", "clientPort": ports[client], "frontend": true}
	}
	must(t, os.CopyFS(a.dir, os.DirFS("testdata/live")))
	must(t, os.Mkdir(filepath.Join(a.dir, "config"), 0o700))
	for name, v := range map[string]any{
		"master.json":       map[string]any{"production": map[string]any{"id": "master", "host": "127.0.0.1", "port": ports[0]}},
		"adminUser.json":    []any{map[string]any{"id": "u", "username": liveAccount.User, "password": string(liveAccount.Password), "level": 1}},
		"dictionary.json":   []string{"connector.entryHandler.echo"},
		"clientProtos.json": map[string]any{"connector.entryHandler.packed": map[string]any{"required string say": 1}},
		"serverProtos.json": map[string]any{},
		"log4js.json":       map[string]any{"appenders": []any{map[string]any{"type": "console"}}},
		"servers.json": map[string]any{"production": map[string]any{
			"gate":      []any{server("gate-1", 5, 1)},
			"connector": []any{server("connector-10", 6, 2), server("connector-2", 7, 3), server("connector-3", 8, 4)},
		}},
	} {
		b, err := json.Marshal(v)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(a.dir, "config", name), b, 0o600))
	}
	log, err := os.Create(filepath.Join(a.dir, "log"))
	must(t, err)
	defer log.Close()
	c := exec.Command("node", filepath.Join(a.dir, "app.js"), "env=production", "type=all")
	c.Dir, c.Stdout, c.Stderr = a.dir, log, log
	c.Env = append(os.Environ(), "NODE_PATH="+filepath.Dir(pomelo))
	must(t, c.Start())
	a.pid = c.Process.Pid
	t.Cleanup(func() {
		_ = c.Process.Kill() // the master first, or it would say that the others went
		_ = c.Wait()
		for _, pid := range a.pids(t) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if b, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("the app's log ends in:\n%s", b[max(0, len(b)-3000):])
		}
	})
	first := dialed(t, a.master) // no poll with pauses: the first moment is the one that matters
	if all, err := List(soon(t), first, liveAccount); err != nil || len(all) == 0 {
		t.Errorf("a list at the master's first moment: got %v, %v, want the master at least", all, err)
	}
	within(t, time.Minute, "the app to start", func() error {
		all, err := a.list(t, liveAccount)
		if err == nil && len(all) != 5 {
			err = fmt.Errorf("%d processes: %v", len(all), all)
		}
		for _, addr := range append(slices.Clone(a.connector), a.gate) {
			if err == nil {
				err = greetAt(t, addr)
			}
		}
		return err
	})
	return a
}

// dialed is the first connection that somebody takes at addr.
func dialed(t *testing.T, addr string) net.Conn {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return conn
		}
	}
	t.Fatalf("nobody listens at %s", addr)
	return nil
}

// pids are the app's processes as the kernel sees them.
func (a liveApp) pids(t *testing.T) []int {
	t.Helper()
	var all []int
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, name := range lines {
		b, _ := os.ReadFile(name)
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && bytes.Contains(b, []byte(a.dir+"/app.js")) {
			all = append(all, pid)
		}
	}
	return all
}

func (a liveApp) list(t *testing.T, who Account) ([]Process, error) {
	t.Helper()
	conn, err := net.Dial("tcp", a.master)
	if err != nil {
		return nil, err
	}
	return List(soon(t), conn, who)
}

func greetAt(t *testing.T, addr string) error {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	return Greet(soon(t), conn)
}

func TestRealPomelo(t *testing.T) {
	a := startLive(t)
	t.Run("the list has every process and its pid", a.listed)
	t.Run("a wrong password or user is denied", a.denied)
	t.Run("the command line's table reads as the same list", a.table)
	t.Run("four hundred greetings end nobody", a.greeted)
	t.Run("a greeting given up at any moment ends nobody", a.givenUp)
	t.Run("a greeting through what ssh gives for a connection", a.throughSSH)
	t.Run("the gate names every connector", a.directions)
	t.Run("a route of the dictionary is asked by its number", a.dictionary)
	t.Run("a connection waits longer than the heartbeat", a.heartbeat)
	t.Run("a route with protos is refused", a.protos)
	t.Run("what ends in RST ends a gate", a.reset) // so the tests above can fail; the last one
}

func (a liveApp) listed(t *testing.T) {
	all, err := a.list(t, liveAccount)
	must(t, err)
	var ids []string
	for _, p := range all {
		ids = append(ids, p.Type+" "+p.ID)
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		if want := "\x00id=" + p.ID + "\x00"; err != nil || p.ID != "master" && !strings.Contains(string(b), want) {
			t.Errorf("%s: pid %d is %q (%v), want %q in it", p.ID, p.PID, b, err, want)
		}
		if p.ID == "master" && p.PID != a.pid {
			t.Errorf("master: got pid %d, want %d", p.PID, a.pid)
		}
		if p.RSS < 20 || p.RSS > 1000 || p.HeapUsed <= 0 || p.HeapTotal < p.HeapUsed || p.Uptime < 0 || p.Uptime > 10*time.Minute {
			t.Errorf("not to be believed: %+v", p)
		}
	}
	want := []string{"connector connector-2", "connector connector-3", "connector connector-10", "gate gate-1", "master master"}
	if !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
	}
}

func (a liveApp) denied(t *testing.T) {
	for _, who := range []Account{{"admin", "wrong"}, {"nobody", "hunter2"}, {"", ""}} {
		if all, err := a.list(t, who); !errors.Is(err, ErrDenied) || errors.Is(err, ErrNotSpoken) {
			t.Errorf("%v: got %v, %v, want ErrDenied", who, all, err)
		}
	}
}

func (a liveApp) table(t *testing.T) {
	_, port, _ := net.SplitHostPort(a.master)
	bin := filepath.Join(os.Getenv("ROLLOUT_POMELO"), "bin", "pomelo")
	command := func(password, port string) string {
		out, _ := exec.Command("node", bin, "list", "-u", "admin", "-p", password, "-P", port).CombinedOutput()
		return string(out) // its exit code says nothing
	}
	want, err := a.list(t, liveAccount)
	must(t, err)
	got, err := ParseList(command("hunter2", port))
	must(t, err)
	same := func(p, q Process) bool { return p.ID == q.ID && p.Type == q.Type && p.PID == q.PID }
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := ParseList(command("wrong", port)); !errors.Is(err, ErrDenied) {
		t.Errorf("wrong password: got %v, want ErrDenied", err)
	}
	free := strconv.Itoa(freePorts(t, 1)[0])
	if all, err := ParseList(command("hunter2", free)); err == nil || errors.Is(err, ErrDenied) {
		t.Errorf("no master: got %v, %v, want an error", all, err)
	}
}

// alive wants the processes that were there before.
func (a liveApp) alive(t *testing.T) (check func()) {
	t.Helper()
	before := a.pids(t)
	if len(before) != 5 {
		t.Fatalf("got pids %v, want five", before)
	}
	return func() {
		t.Helper()
		for _, addr := range append(slices.Clone(a.connector), a.gate) {
			must(t, greetAt(t, addr))
		}
		if after := a.pids(t); !slices.Equal(after, before) {
			t.Errorf("got pids %v, want %v", after, before)
		}
	}
}

func (a liveApp) greeted(t *testing.T) {
	defer a.alive(t)()
	for range 200 {
		must(t, greetAt(t, a.gate))
		must(t, greetAt(t, a.connector[0]))
	}
}

func (a liveApp) givenUp(t *testing.T) {
	defer a.alive(t)()
	given := 0
	for i := range 150 {
		conn, err := net.Dial("tcp", []string{a.gate, a.connector[1]}[i%2])
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(8000))*time.Microsecond)
		if Greet(ctx, conn) != nil {
			given++
		}
		cancel()
	}
	if given == 0 {
		t.Error("none was given up: the test shows nothing")
	}
}

func (a liveApp) throughSSH(t *testing.T) {
	defer a.alive(t)()
	for range 20 {
		far, err := net.Dial("tcp", a.gate)
		must(t, err)
		must(t, Greet(soon(t), piped(far)))
		far, err = net.Dial("tcp", a.master)
		must(t, err)
		if all, err := List(soon(t), piped(far), liveAccount); err != nil || len(all) != 5 {
			t.Errorf("got %v, %v", all, err)
		}
	}
}

// piped is a connection as package remote makes one of an ssh channel: a pipe
// with deadlines, closed as a whole only.
func piped(far net.Conn) net.Conn {
	near, inner := net.Pipe()
	go func() { _, _ = io.Copy(far, inner); _ = far.Close(); _ = inner.Close() }()
	go func() { _, _ = io.Copy(inner, far); _ = far.Close(); _ = inner.Close() }()
	return near
}

func (a liveApp) directions(t *testing.T) {
	conn, err := net.Dial("tcp", a.gate)
	must(t, err)
	got, err := Directions(soon(t), conn, "gate.gateHandler.queryEntry", "uid", 6)
	must(t, err)
	want := map[string]int{a.connector[0]: 2, a.connector[1]: 2, a.connector[2]: 2}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	conn, err = net.Dial("tcp", a.gate)
	must(t, err)
	if got, err := Directions(soon(t), conn, "gate.gateHandler.queryEntry", "userId", 1); err == nil || !strings.Contains(err.Error(), "code 500") {
		t.Errorf("another field: got %v, %v, want the gate's code 500", got, err)
	}
}

func (a liveApp) dictionary(t *testing.T) {
	conn, err := net.Dial("tcp", a.connector[0])
	must(t, err)
	heard := &recorder{Conn: conn}
	bodies := make([]any, 200) // ids of two bytes too
	for i := range bodies {
		bodies[i] = map[string]any{"say": strings.Repeat("é", i)}
	}
	got, err := Ask(soon(t), heard, "connector.entryHandler.echo", bodies)
	must(t, err)
	for i, one := range got {
		if want := fmt.Sprintf(`{"code":200,"heard":%q}`, strings.Repeat("é", i)); string(one) != want {
			t.Errorf("request %d: got %s, want %s", i, one, want)
		}
	}
	if !regexp.MustCompile(`"dict":{[^}]*"connector.entryHandler.echo":[1-9]`).Match(heard.read.Bytes()) {
		t.Error("the app sent no dictionary: the test shows nothing")
	}
}

func (a liveApp) heartbeat(t *testing.T) {
	conn, err := net.Dial("tcp", a.connector[0])
	must(t, err)
	// The connector drops who is silent for four seconds.
	got, err := Ask(soon(t), conn, "connector.entryHandler.echo", []any{map[string]any{"say": 1, "after": 5500}, map[string]any{"say": 2}})
	if err != nil || len(got) != 2 {
		t.Errorf("got %s, %v", got, err)
	}
}

func (a liveApp) protos(t *testing.T) {
	conn, err := net.Dial("tcp", a.connector[0])
	must(t, err)
	got, err := Ask(soon(t), conn, "connector.entryHandler.packed", []any{1})
	if err == nil || !strings.Contains(err.Error(), "protos") {
		t.Errorf("got %s, %v, want a refusal", got, err)
	}
}

func (a liveApp) reset(t *testing.T) {
	within(t, 20*time.Second, "the gate to die", func() error {
		conn, err := net.Dial("tcp", a.gate)
		if err != nil {
			return nil
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
		return errors.New("it listens still")
	})
	all, err := a.list(t, liveAccount)
	if err != nil || slices.ContainsFunc(all, func(p Process) bool { return p.Type == "gate" }) {
		t.Errorf("got %v, %v, want no gate", all, err)
	}
}
