package hosts

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ask sends one line and reads one line into answer.
func ask(t *testing.T, addr, line string, answer any) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintln(conn, line); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(conn).Decode(answer); err != nil {
		t.Fatalf("%s on %q: %v", addr, line, err)
	}
	return conn
}

func gate(m Machine, i int) string { return net.JoinHostPort(m.Host, strconv.Itoa(m.Gates[i])) }
func connector(m Machine, i int) string {
	return net.JoinHostPort(m.Host, strconv.Itoa(m.Connectors[i]))
}

func TestAGateNamesTheConnectorOfItsOwnGroupByUserModuloAll(t *testing.T) {
	h := start(t, machines(2, 2))
	for _, m := range h.Machines {
		var own []string
		for _, other := range h.Machines {
			if other.Group == m.Group {
				own = append(own, connector(other, 0), connector(other, 1))
			}
		}
		for user := range 9 {
			var d direction
			ask(t, gate(m, user%2), fmt.Sprintf(`{"user":%d}`, user), &d)
			got := net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
			if want := own[user%len(own)]; got != want || d.Group != m.Group || d.Machine != m.Name || d.Release != "v1" {
				t.Errorf("%s, user %d: got %s of %+v, want %s", m.Name, user, got, d, want)
			}
		}
	}
}

func TestASessionLivesUntilThePlayerCloses(t *testing.T) {
	h := start(t, machines(1, 1))
	var w welcome
	conn := ask(t, connector(h.Machines[0], 0), `{"user":1,"game_ms":60000}`, &w)
	if want := (welcome{OK: true, Release: "v1", Machine: "game-1", Group: "group1"}); w != want {
		t.Fatalf("got %+v, want %+v", w, want)
	}
	lines := bufio.NewReader(conn)
	for _, said := range []string{`{"beat":1}`, `{"beat":1}`, `{"bye":true}`} {
		_, _ = fmt.Fprintln(conn, said)
		if line, err := lines.ReadString('\n'); err != nil || line != said+"\n" {
			t.Fatalf("%s: got %q, %v", said, line, err)
		}
	}
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if _, err := lines.ReadByte(); !os.IsTimeout(err) {
		t.Errorf("after bye: got %v, want the player to close first", err)
	}
}

func TestWhatIsNoQuestionGetsNoAnswer(t *testing.T) {
	h := start(t, machines(1, 1))
	for _, line := range []string{"", "nonsense", `{"user":-1}`, `{}`, strings.Repeat("x", 5000)} {
		conn, err := net.Dial("tcp", gate(h.Machines[0], 0))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = fmt.Fprintln(conn, line)
		if n, err := conn.Read(make([]byte, 1)); n != 0 || os.IsTimeout(err) {
			t.Errorf("%.10q: got %d bytes, %v, want a closed connection", line, n, err)
		}
		_ = conn.Close()
	}
	var d direction
	ask(t, gate(h.Machines[0], 0), `{"user":1}`, &d) // and it still serves
}

func TestEachRestartIsCountedOnceAndBringsNewProcessesWithTheNewRelease(t *testing.T) {
	for _, split := range []bool{false, true} {
		t.Run(fmt.Sprintf("split=%v", split), func(t *testing.T) {
			h := start(t, machines(1, 2), func(o *Options) { o.Split = split })
			before := truthOf(t, h, "game-1")
			want := 2
			if split {
				want = 4
			}
			if len(before.Running) != want || before.Restarts != 0 || !slices.Equal(before.Serving, []string{"v1"}) {
				t.Fatalf("before: got %+v, want %d processes of v1", before, want)
			}
			contains(t, mustAct(t, h, "game-1", "status"), "running ")
			if err := os.WriteFile(h.Machines[0].game("RELEASE"), []byte("v2\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := truthOf(t, h, "game-1"); got.Release != "v2" || !slices.Equal(got.Serving, []string{"v1"}) {
				t.Errorf("deployed, not restarted: got %+v", got)
			}
			mustAct(t, h, "game-1", "stop")
			mustAct(t, h, "game-1", "start")
			after := truthOf(t, h, "game-1")
			if len(after.Running) != want || after.Restarts != 1 || !slices.Equal(after.Serving, []string{"v2"}) {
				t.Errorf("after: got %+v", after)
			}
			for _, pid := range after.Running {
				if slices.Contains(before.Running, pid) {
					t.Errorf("pid %d was there before the restart", pid)
				}
			}
			var verbs []string
			for _, a := range after.Acts {
				verbs = append(verbs, fmt.Sprint(a.Verb, a.Exit))
			}
			if diff := cmp.Diff(verbs, []string{"start0", "stop0", "start0"}); diff != "" {
				t.Error(diff)
			}
			if other := truthOf(t, h, "game-2"); other.Restarts != 0 {
				t.Errorf("game-2 was never touched: got %+v", other)
			}
		})
	}
}

func TestAPortInUseIsToldByTheProcessThatDiedOfIt(t *testing.T) {
	h := start(t, machines(1, 2))
	before := truthOf(t, h, "game-1").Running
	if err := h.Plant("game-1", StopNoop, ""); err != nil {
		t.Fatal(err)
	}
	mustAct(t, h, "game-1", "stop")
	said, err := h.Act(t.Context(), "game-1", "start")
	if err == nil {
		t.Fatal("got a start beside running processes, want an error")
	}
	contains(t, said, "EADDRINUSE "+h.Machines[0].Host)
	contains(t, said, "address already in use")
	if got := truthOf(t, h, "game-1").Running; !slices.Equal(got, before) {
		t.Errorf("running: got %v, want the old %v", got, before)
	}
	if err := h.Clear("game-1", StopNoop); err != nil {
		t.Fatal(err)
	}
	mustAct(t, h, "game-1", "stop")
	mustAct(t, h, "game-1", "start")
}

func TestStatusTellsAllSomeAndNone(t *testing.T) {
	h := start(t, machines(1, 1))
	exit := func() (string, int) {
		said, err := h.Act(t.Context(), "game-1", "status")
		code := 0
		if err != nil {
			_, _ = fmt.Sscanf(err.Error(), "status on game-1: exit status %d", &code)
		}
		return said, code
	}
	pids := truthOf(t, h, "game-1").Running
	if said, code := exit(); code != 0 || !strings.Contains(said, strconv.Itoa(pids[0])) || !strings.Contains(said, strconv.Itoa(pids[1])) {
		t.Errorf("all: got %q, %d", said, code)
	}
	killHard(pids[0])
	eventually(t, "one process less", func() bool { return !runs(pids[0], h.Machines[0].run()) })
	if said, code := exit(); code != 4 || !strings.Contains(said, "missing") {
		t.Errorf("some: got %q, %d", said, code)
	}
	mustAct(t, h, "game-1", "stop")
	if said, code := exit(); code != 3 {
		t.Errorf("none: got %q, %d", said, code)
	}
}

func TestStopNeverEndsAnotherProgramThatHasTheNumber(t *testing.T) {
	h := start(t, machines(1, 1))
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	file, err := os.OpenFile(filepath.Join(h.Machines[0].run(), "gate.pid"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintln(file, other.Process.Pid)
	_ = file.Close()
	mustAct(t, h, "game-1", "stop")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if !runs(other.Process.Pid, "sleep") {
		t.Error("the other program is gone")
	}
}

func TestAKilledMachineIsDarkUntilItIsRevived(t *testing.T) {
	h := start(t, machines(1, 1))
	if err := h.Kill("game-1"); err != nil {
		t.Fatal(err)
	}
	m := h.Machines[0]
	for _, addr := range []string{gate(m, 0), connector(m, 0), m.SSHAddr()} {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			t.Errorf("%s still answers", addr)
		}
	}
	if got := truthOf(t, h, "game-2").Running; len(got) != 2 {
		t.Errorf("game-2: got %v, want both processes", got)
	}
	if err := h.Revive(t.Context(), "game-1"); err != nil {
		t.Fatal(err)
	}
	if out, _, err := run(t, h, m, "echo back"); err != nil || out != "back\n" {
		t.Errorf("ssh after the revival: got %q, %v", out, err)
	}
	if got := truthOf(t, h, "game-1").Running; len(got) != 0 {
		t.Errorf("running: got %v, want none until somebody starts it", got)
	}
	mustAct(t, h, "game-1", "start")
}

func TestNothingSurvivesClose(t *testing.T) {
	h := start(t, machines(1, 1))
	m := h.Machines[0]
	if out, _, err := run(t, h, m, `cd game && ./game.sh stop && ./game.sh start`); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, _, err := run(t, h, m, `sleep 300 >/dev/null 2>&1 </dev/null & echo $!`)
	if err != nil {
		t.Fatal(err)
	}
	left, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	pids := truthOf(t, h, "game-1").Running
	if len(pids) != 2 || !runs(left, "sleep") {
		t.Fatalf("before: got %v and %d, want all alive", pids, left)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if runs(pid, m.run()) {
			t.Errorf("%d lives on", pid)
		}
	}
	eventually(t, "what ssh left behind is gone", func() bool { return !runs(left, "sleep") })
}

func TestProcessesEndWhenTheirWorldIsKilled(t *testing.T) {
	world := exec.Command(os.Args[0], "sandbox", "world", t.TempDir())
	world.Stderr = os.Stderr
	out, err := world.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := world.Start(); err != nil {
		t.Fatal(err)
	}
	var one, two int
	var mark string
	if _, err := fmt.Fscan(out, &one, &two, &mark); err != nil || !runs(one, mark) || !runs(two, mark) {
		t.Errorf("the world does not stand: %v", err)
	}
	_ = world.Process.Kill()
	_ = world.Wait()
	eventually(t, "both processes gone", func() bool { return !runs(one, mark) && !runs(two, mark) })
}

func TestANewWorldInTheDirectoryOfADeadOneStartsClean(t *testing.T) {
	list := machines(1, 1)
	var dir string
	first := start(t, list, func(o *Options) { dir = o.Dir })
	key, err := os.ReadFile(first.ClientKey)
	if err != nil {
		t.Fatal(err)
	}
	mustAct(t, first, "game-1", "stop")
	second := start(t, list, func(o *Options) { o.Dir = dir }) // the first one still runs: its processes are in the way
	if got := truthOf(t, second, "game-1"); got.Restarts != 0 || len(got.Running) != 2 || len(got.Acts) != 1 {
		t.Errorf("got %+v, want two processes and no history", got)
	}
	if again, err := os.ReadFile(second.ClientKey); err != nil || string(again) != string(key) {
		t.Errorf("the client's key changed: %v", err)
	}
}

func TestAWorldThatCannotBeIsRefusedWithAllReasons(t *testing.T) {
	list := machines(1, 1)
	list[0].Host = "10.9.0.4"
	list[1].Name = "../game"
	_, err := Start(t.Context(), Options{Dir: t.TempDir(), Binary: os.Args[0], Machines: list, Release: "v1"})
	if err == nil {
		t.Fatal("got a world")
	}
	contains(t, err.Error(), `"10.9.0.4" is not a loopback address`)
	contains(t, err.Error(), `machine "../game"`)

	twice := machines(1, 1)
	twice[1].Host, twice[1].Gates = twice[0].Host, twice[0].Gates
	_, err = Start(t.Context(), Options{Dir: t.TempDir(), Binary: os.Args[0], Machines: twice, Release: "v1"})
	if err == nil {
		t.Fatal("got a world with one port used twice")
	}
	contains(t, err.Error(), "already taken by game-1")
}
