package pomelo

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

// seedGroup is the seed's group, whose ssh hosts are names.
func seedGroup() groups.Group {
	g := groups.Group{Name: "group1", Master: "one"}
	for i, name := range []string{"two", "one", "three"} {
		n := []int{2, 1, 3}[i]
		g.Machines = append(g.Machines, groups.Machine{Name: name, Host: name + ".example", Address: fmt.Sprintf("10.9.0.%d", n)})
	}
	return g
}

func TestARecipeStopsAndStartsThroughTheMasterAndReapsEverywhere(t *testing.T) {
	r := Recipe{Dir: "/srv/game/current/game-server", Root: "/srv/game", Env: "production", Clusters: map[string]Cluster{"group1": read(t, seed(nil))}}
	var got []string
	for _, c := range r.Restart(seedGroup()) {
		got = append(got, string(c.Do)+" "+c.Host)
	}
	want := []string{"stop one.example", "reap one.example", "reap two.example", "reap three.example", "start one.example", "mend one.example",
		"status one.example", "status two.example", "status three.example"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	ps := r.Processes(seedGroup())
	if len(ps) != 49 || ps[0] != (plans.Process{ID: "master-server-1", Type: "master", Host: "one.example", Port: 3005}) ||
		ps[24] != (plans.Process{ID: "cluster-server-gate-23", Type: "gate", Host: "three.example"}) {
		t.Errorf("got %d processes, %v and %v", len(ps), ps[0], ps[24])
	}
	if cs := r.Restart(groups.Group{Name: "other"}); cs != nil {
		t.Errorf("got %v for a group that is not known", cs)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	r, c := Recipe{Dir: "/", Env: "it's $HOME"}, Cluster{}
	empty, noNode := t.TempDir(), t.TempDir()
	if err := os.WriteFile(noNode+"/app.js", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range shells(t) {
		for _, line := range []string{r.stop(c), r.start(), "export ROLLOUT_PROCESS=gate-1\n" + r.mend()} {
			if _, said, code := s.run(t, empty, line); code != 127 || !strings.Contains(said, "there is no app.js in "+empty) {
				t.Errorf("%s: got code %d, %q", s.name, code, said)
			}
			if _, said, code := s.run(t, noNode, line); code != 127 || !strings.Contains(said, "npm install") {
				t.Errorf("%s: got code %d, %q", s.name, code, said)
			}
		}
	}
}

// realApp is an application of real Pomelo, with a gate, and its recipe.
func realApp(t *testing.T) (*world, Recipe, groups.Group) {
	t.Helper()
	npm := os.Getenv("ROLLOUT_POMELO")
	if npm == "" {
		t.Skip("ROLLOUT_POMELO is not set to the path of a node_modules/pomelo (npm install pomelo@2.2.7 --ignore-scripts)")
	}
	w := newWorld(t)
	ports := make([]any, 3)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	app := "releases/b/game-server/"
	w.write(app+"app.js", `var app = require('pomelo').createApp();
app.set('name', 'x');
app.configure('production', 'gate', function () { app.set('connectorConfig', {connector: require('pomelo').connectors.hybridconnector}); });
app.start();
`)
	w.write(app+"config/master.json", fmt.Sprintf(`{"production": {"id": "master-1", "host": "127.0.0.1", "port": %d}}`, ports[0]))
	w.write(app+"config/servers.json", fmt.Sprintf(`{"production": {"gate": [{"id": "gate-1", "host": "127.0.0.1", "port": %d, "clientHost": "127.0.0.1", "clientPort": %d, "frontend": true}]}}`, ports[1], ports[2]))
	w.write(app+"config/adminUser.json", `[{"id": "u", "username": "boss", "password": "it's $secret", "level": 1}]`)
	w.write(app+"logs/.keep", "")
	log4js, err := os.ReadFile(filepath.Join(npm, "template/game-server/config/log4js.json"))
	if err != nil {
		t.Fatal(err)
	}
	w.write(app+"config/log4js.json", string(log4js))
	if err := os.Symlink(filepath.Dir(npm), filepath.Join(w.root, app, "node_modules")); err != nil {
		t.Fatal(err)
	}
	c, err := Read(os.DirFS(w.dir), "production")
	if err != nil {
		t.Fatal(err)
	}
	r := Recipe{Dir: w.dir, Root: w.root, Env: "production", Clusters: map[string]Cluster{"g": c}, KillAfter: 10 * time.Second}
	g := groups.Group{Name: "g", Machines: []groups.Machine{{Name: "m", Host: "127.0.0.1"}}}
	s := shells(t)[0]
	t.Cleanup(func() { s.run(t, "/", r.where(c).reap(time.Second)) })
	return w, r, g
}

// wait waits until exactly these ids run.
func (w *world) wait(s shell, want ...string) map[string]int {
	w.t.Helper()
	var got map[string]int
	for range 600 {
		all, _ := w.table(s)
		got = ids(all)
		if len(all) == len(want) && !slices.ContainsFunc(want, func(id string) bool { return got[id] == 0 }) {
			return got
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatalf("got %v after 30 seconds, want %v", got, want)
	return nil
}

func TestRealPomeloIsStartedMendedAndStopped(t *testing.T) {
	w, r, g := realApp(t)
	s := shells(t)[0]
	lines := map[string]plans.Command{}
	for _, c := range r.Restart(g) {
		lines[string(c.Do)] = c
	}
	run := func(key string, env ...string) (string, string) {
		t.Helper()
		out, said, code := s.run(t, w.dir, lines[key].Line, env...)
		if code != 0 {
			t.Fatalf("%s: got %q, %q, code %d", key, out, said, code)
		}
		return out, said
	}
	login := []string{EnvUser + "=boss", EnvPassword + "=it's $secret"}
	run("stop", login...) // where nothing runs
	run("start", login...)
	w.wait(s, "master-1", "gate-1")

	// What was started is out of reach of the session that started it.
	got := w.wait(s, "master-1", "gate-1")
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(got["master-1"]) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	if f := strings.Fields(after); f[3] != strconv.Itoa(got["master-1"]) {
		t.Errorf("got session %s of pid %d, want one of its own", f[3], got["master-1"])
	}
	for _, fd := range []string{"0", "1", "2"} {
		if at, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", got["master-1"], fd)); at != "/dev/null" {
			t.Errorf("its descriptor %s is %s, want /dev/null", fd, at)
		}
	}
	env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", got["master-1"]))
	if strings.Contains(string(env), EnvPassword) {
		t.Error("it has inherited the login")
	}

	run("reap", plans.EnvProcess+"=gate-1")
	w.wait(s, "master-1")
	run("mend", plans.EnvProcess+"=gate-1")
	w.wait(s, "master-1", "gate-1")

	run("stop", EnvUser+"=boss", EnvPassword+"=wrong")
	w.wait(s, "master-1", "gate-1")
	stopped(t, w, s, lines["stop"].Line, login)
	run("reap")
	w.wait(s)
}

// stopped wants a stop that the processes obey, and that no process list shows
// the password of.
func stopped(t *testing.T, w *world, s shell, line string, login []string) {
	t.Helper()
	cmd := exec.Command(s.argv[0], append(s.argv[1:len(s.argv):len(s.argv)], "-c", line)...)
	cmd.Dir, cmd.Env = w.dir, append(os.Environ(), login...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for seen := false; ; {
		select {
		case err := <-done:
			if err != nil || !seen {
				t.Fatalf("got %v, a look into the process list %v", err, seen)
			}
			w.wait(s)
			return
		case <-time.After(20 * time.Millisecond):
		}
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, f := range all {
			argv, _ := os.ReadFile(f)
			seen = seen || strings.Contains(string(argv), "bin/pomelo\x00")
			if strings.Contains(string(argv), "$secret") {
				t.Fatalf("%s shows the password: %q", f, argv)
			}
		}
	}
}

func TestAStopEndsInTimeWhenTheMasterHangs(t *testing.T) {
	w, r, g := realApp(t)
	s := shells(t)[0]
	r.KillAfter = time.Second
	if _, _, code := s.run(t, w.dir, r.start()); code != 0 {
		t.Fatalf("got code %d", code)
	}
	pid := w.wait(s, "master-1", "gate-1")["master-1"]
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if out, said, code := s.run(t, w.dir, r.stop(r.Clusters[g.Name])); code != 0 || !strings.Contains(said, "has not answered within 1000 ms") {
		t.Errorf("got %q, %q, code %d", out, said, code)
	}
	if out, said, code := s.run(t, "/", r.where(r.Clusters[g.Name]).reap(time.Second)); code != 0 || !strings.Contains(out, "KILL master-1") {
		t.Errorf("got %q, %q, code %d", out, said, code)
	}
}
