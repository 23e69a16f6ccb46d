package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/app"
	"github.com/seed59ee9cdc/rollout/sandbox/lan"
)

const dir = "/srv/game" // on every machine

// world is the group on its machines, with the real Pomelo.
type world struct {
	*lan.LAN
	modules string
}

func start(t *testing.T, o app.Options) world {
	t.Helper()
	if err := lan.Possible(); err != nil {
		t.Skip(err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node here: install nodejs")
	}
	pomelo := os.Getenv("ROLLOUT_POMELO")
	if pomelo == "" {
		t.Skip("no Pomelo here: npm install pomelo@2.2.7 somewhere and set ROLLOUT_POMELO to its node_modules/pomelo")
	}
	w := world{modules: filepath.Dir(pomelo)}
	lo := lan.Options{Dir: t.TempDir(), Private: []string{dir}, Shares: []lan.Share{{Source: w.modules, Target: dir + "/node_modules"}},
		MaxStartups: "100:30:200"}
	for _, m := range o.Machines {
		lo.Machines = append(lo.Machines, lan.Machine(m))
	}
	var err error
	if w.LAN, err = lan.Start(t.Context(), lo); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			logs, _ := filepath.Glob(filepath.Join(w.Disk("game-1", dir), "logs", "*"))
			for _, log := range logs {
				text, _ := os.ReadFile(log)
				t.Logf("%s:\n%s", filepath.Base(log), text)
			}
		}
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	for _, m := range o.Machines {
		if err := app.Write(w.Disk(m.Name, dir), o); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// pomelo runs Pomelo's own command on the master's machine through ssh.
func (w world) pomelo(t *testing.T, args string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ssh", "-F", w.SSHConfig, "game-1", "cd "+dir+" && ./node_modules/pomelo/bin/pomelo "+args)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("pomelo %s: %v: %s", args, err, out)
	}
	return string(out)
}

var id = regexp.MustCompile(`(master|cluster)-server-[-a-z0-9]+`)

// listed is the ids in what pomelo list says.
func (w world) listed(t *testing.T) []string {
	t.Helper()
	ids := id.FindAllString(w.pomelo(t, "list"), -1)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// running is how many processes of the game each machine has.
func (w world) running(t *testing.T) []int {
	t.Helper()
	var counts []int
	for _, m := range w.Machines {
		out, err := w.Command(t.Context(), m.Name, "pgrep", "-fc", "^[^ ]*node "+dir+"/app.js").Output()
		n, bad := strconv.Atoi(strings.TrimSpace(string(out)))
		if bad != nil {
			t.Fatalf("pgrep: %v: %s", err, out)
		}
		counts = append(counts, n)
	}
	return counts
}

// eventually waits as long as a busy host may need for so many processes of Pomelo.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// ask asks one thing as a player does.
func (w world) ask(t *testing.T, host string, port int, route, body string) map[string]any {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "node", "testdata/ask.js", w.modules, host, strconv.Itoa(port), route, body).CombinedOutput()
	var answer map[string]any
	if err != nil || json.Unmarshal(out, &answer) != nil {
		t.Fatalf("%s:%d %s %s: %v: %s", host, port, route, body, err, out)
	}
	return answer
}

func TestTheGameRunsOnTheRealPomelo(t *testing.T) {
	o := group()
	w := start(t, o)
	all := append(o.IDs(), "master-server-1")
	slices.Sort(all)

	w.pomelo(t, "start --env=production -D")
	eventually(t, "the master lists every process", func() bool { return slices.Equal(w.listed(t), all) })
	if got := w.running(t); !slices.Equal(got, []int{5, 4}) {
		t.Errorf("got %v processes, want 5 where the master is and 4", got)
	}
	for _, m := range o.Machines { // a new release on the disk changes nothing for what runs
		if err := app.SetRelease(w.Disk(m.Name, dir), "v2"); err != nil {
			t.Fatal(err)
		}
	}
	for uid, want := range []string{"10.77.0.11:6200", "10.77.0.11:6201", "10.77.0.12:6200", "10.77.0.12:6201", "10.77.0.11:6200"} {
		var answer map[string]any
		eventually(t, "every gate knows four connectors", func() bool { // Pomelo tells them one after another
			answer = w.ask(t, o.Machines[uid%2].IP, app.GatePort+uid/2%2, "gate.gateHandler.queryEntry", fmt.Sprintf(`{"uid":%d}`, uid))
			return answer["n"] == 4.0
		})
		if got := fmt.Sprintf("%v:%v", answer["host"], answer["port"]); got != want || answer["code"] != 200.0 || answer["release"] != "v1" {
			t.Errorf("player %d: got %v, want %s and v1", uid, answer, want)
		}
	}
	answer := w.ask(t, "10.77.0.12", app.ConnectorPort+1, "connector.entryHandler.enter", `{"uid":3}`)
	if fmt.Sprint(answer) != "map[code:200 group:group1 machine:game-2 release:v1]" {
		t.Errorf("enter: got %v", answer)
	}
	if answer := w.ask(t, "10.77.0.11", app.ConnectorPort, "connector.entryHandler.bye", `{}`); answer["code"] != 200.0 {
		t.Errorf("bye: got %v", answer)
	}
	w.pomelo(t, "stop")
	eventually(t, "all end", func() bool { return slices.Equal(w.running(t), []int{0, 0}) })
}

func TestTheGameMisbehavesAsItIsTold(t *testing.T) {
	o := group()
	o.Gates, o.Connectors = 1, 1
	w := start(t, o)
	misbehave := func(faults ...app.Fault) {
		for _, m := range o.Machines {
			if err := app.Break(w.Disk(m.Name, dir), faults...); err != nil {
				t.Fatal(err)
			}
		}
	}
	misbehave(app.Crash)
	out, err := w.Command(t.Context(), "game-1", "node", dir+"/app.js", "env=production", "type=all").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "FAULT") {
		t.Errorf("crash: got %v: %s", err, out)
	}
	misbehave(app.Hang("cluster-server-connector-1"), app.Slow(1500))
	w.pomelo(t, "start --env=production -D")
	want := []string{"cluster-server-connector-0", "cluster-server-gate-0", "cluster-server-gate-1", "master-server-1"}
	eventually(t, "the master lists all but one", func() bool { return slices.Equal(w.listed(t), want) })
	if got := w.running(t); !slices.Equal(got, []int{3, 2}) {
		t.Errorf("got %v processes, want 3 and 2, one of which hangs", got)
	}
	log := read(t, w.Disk("game-2", dir), "logs/pomelo-cluster-server-gate-1.log")
	if first, last := at(t, log, "application inited"), at(t, log, "enter after start"); last.Sub(first) < 1500*time.Millisecond {
		t.Errorf("got %v from the first line to the start, want 1.5 s or more", last.Sub(first))
	}
	w.pomelo(t, "stop")
	eventually(t, "only the one that hangs is left", func() bool { return slices.Equal(w.running(t), []int{0, 1}) })
}

// at is when a line of the log was written.
func at(t *testing.T, log, what string) time.Time {
	t.Helper()
	for line := range strings.Lines(log) {
		if strings.Contains(line, what) {
			when, err := time.Parse("[2006-01-02 15:04:05.000]", line[:strings.Index(line, "]")+1])
			if err != nil {
				t.Fatal(err)
			}
			return when
		}
	}
	t.Fatalf("no %q in %s", what, log)
	return time.Time{}
}
