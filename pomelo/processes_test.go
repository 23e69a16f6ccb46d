package pomelo

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// shell is one of the shells a machine may have, with the programs it finds.
type shell struct {
	name string
	argv []string
	path string
}

// shells are those that are here. Busybox brings all its own programs.
func shells(t *testing.T) []shell {
	t.Helper()
	all := []shell{}
	for _, name := range []string{"dash", "bash"} {
		if at, err := exec.LookPath(name); err == nil {
			all = append(all, shell{name, []string{at}, os.Getenv("PATH")})
		}
	}
	if at, err := exec.LookPath("busybox"); err == nil {
		own := t.TempDir()
		list, err := exec.Command(at, "--list").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(string(list)) {
			if err := os.Symlink(at, filepath.Join(own, name)); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"node", "ssh", "git"} {
			if found, err := exec.LookPath(name); err == nil {
				_ = os.Symlink(found, filepath.Join(own, name))
			}
		}
		all = append(all, shell{"busybox", []string{at, "sh"}, own})
	}
	if len(all) == 0 {
		t.Skip("no dash, bash or busybox (apt-get install dash busybox)")
	}
	return all
}

// run runs a line in dir as a machine would, and gives its output and exit code.
func (s shell) run(t *testing.T, dir, line string, env ...string) (out, said string, code int) {
	t.Helper()
	cmd := exec.Command(s.argv[0], append(s.argv[1:len(s.argv):len(s.argv)], "-c", line)...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.Env = append(append(os.Environ(), "PATH="+s.path), env...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// app is a Pomelo process that does nothing, and says when it is ready.
const app = `
if (process.argv.indexOf('stubborn=1') > 0) process.on('SIGTERM', function () {});
setInterval(function () {}, 100000);
console.log('ready');
`

// world is a machine's processes: those of the application and others that
// resemble them. Values are pids.
type world struct {
	t            *testing.T
	root, dir    string
	ours, others map[string]int
	ended        map[int]chan struct{}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node (apt-get install nodejs)")
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t, filepath.Join(root, "it's a $game"), "", map[string]int{}, map[string]int{}, map[int]chan struct{}{}}
	w.dir = filepath.Join(w.root, "current", "game-server")
	for _, f := range []string{"releases/a/game-server/app.js", "releases/b/game-server/app.js", "releases/b/web-server/app.js",
		"releases/b/game-server/sub/app.js", "releases/b/app.js", "other/app.js", "other/monitor.js"} {
		w.write(f, app)
	}
	w.write("sleep.sh", "exec 0</dev/null; echo ready; while :; do sleep 100; done\n")
	if err := os.Symlink("releases/b", filepath.Join(w.root, "current")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	at := filepath.Join(w.root, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// start begins a process with the argument list argv, in dir; it is ended with
// the test.
func (w *world) start(program, dir string, argv ...string) int {
	w.t.Helper()
	at, err := exec.LookPath(program)
	if err != nil {
		w.t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: at, Args: argv, Dir: dir, Stdout: in, SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	in.Close()
	ready := make([]byte, 1)
	if _, err := out.Read(ready); err != nil {
		w.t.Fatalf("%q: %v", argv, err)
	}
	ended := make(chan struct{})
	w.ended[cmd.Process.Pid] = ended
	go func() { _ = cmd.Wait(); close(ended) }()
	w.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its group, where it still leads one
		<-ended
		out.Close()
	})
	return cmd.Process.Pid
}

// fill starts everything a machine may have.
func (w *world) fill() {
	old, now := w.root+"/releases/a/game-server/app.js", w.root+"/releases/b/game-server/app.js"
	w.ours["master-1"] = w.start("node", w.dir, "node", now, "env=production", "type=all")
	w.ours["old"] = w.start("node", w.dir, "/usr/bin/node", old, "env=production", "id=old", "host=10.9.0.1", "port=6050", "serverType=gate")
	w.ours["by link"] = w.start("node", "/", "node", "--max-old-space-size=64", w.dir+"/app.js", "env=production", "id=by link", "serverType=chat")
	w.ours["7"] = w.start("node", w.root+"/current/game-server", "node", "app.js", "id=7", "stubborn=1", "serverType=connector", "odd=a\nid=9\tx")
	w.ours["start:gate-2"] = w.start("node", w.dir, "node", now, "env=production", "type=all", "startId=gate-2")

	w.others["ssh client"] = w.start("dash", "/", "ssh", w.root+"/sleep.sh", "10.9.0.2", "-p 59622",
		`cd "`+w.dir+`" && "/usr/bin/node" "`+now+`" env=production  id=gate-9 `)
	w.others["editor"] = w.start("dash", "/", "vim", w.root+"/sleep.sh", now, "env=production")
	w.others["reader"] = w.start("tail", "/", "tail", "-f", now, "env=production", "id=old")
	w.others["wrapper"] = w.start("dash", w.dir, "sh", "-c", `cd "$1"; echo ready; while :; do sleep 100; done; node "`+now+`" env=production id=x`, "sh", w.dir)
	w.others["newlines"] = w.start("dash", "/", "node", "-c", "echo ready; while :; do sleep 100; done; :\n"+now+"\nid=evil\nenv=production")
	w.others["other project"] = w.start("node", "/", "node", w.root+"/other/app.js", "env=production", "id=old", "serverType=gate")
	w.others["web server"] = w.start("node", "/", "node", w.root+"/releases/b/web-server/app.js", "env=production", "type=all")
	w.others["a directory below"] = w.start("node", "/", "node", w.root+"/releases/b/game-server/sub/app.js", "env=production", "id=old")
	w.others["monitor"] = w.start("node", "/", "node", w.root+"/other/monitor.js", now, "env=production", "id=old")
	w.others["not by pomelo"] = w.start("node", w.dir, "node", now, "--version-of", "x")
}

func (w *world) where() where { return where{w.dir, w.root, "master-1"} }

// table runs the status line.
func (w *world) table(s shell) ([]Running, int) {
	w.t.Helper()
	out, said, code := s.run(w.t, "/", w.where().table())
	all, err := ParseProcesses(out)
	if err != nil || said != "" {
		w.t.Fatalf("%s: %v, stderr %q, code %d", s.name, err, said, code)
	}
	return all, code
}

func ids(all []Running) map[string]int {
	m := map[string]int{}
	for _, r := range all {
		m[r.ID] = r.PID
	}
	return m
}

func TestTheTableHasTheApplicationsProcessesAndNoOther(t *testing.T) {
	w := newWorld(t)
	if all, code := w.table(shells(t)[0]); len(all) != 0 || code != 1 {
		t.Errorf("got %v and code %d before any was started, want none and 1", all, code)
	}
	w.fill()
	shallow := shells(t)[0]
	shallow.name, shallow.path = "a grep that stops at a NUL", t.TempDir()+":"+shallow.path
	grep, _, _ := strings.Cut(shallow.path, ":")
	if err := os.WriteFile(grep+"/grep", []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, s := range append(shells(t), shallow) {
		all, code := w.table(s)
		if got := ids(all); !maps.Equal(got, w.ours) || len(all) != len(w.ours) || code != 0 {
			t.Errorf("%s: got %v and code %d, want %v and 0", s.name, got, code, w.ours)
		}
		types := map[string]string{}
		for _, r := range all {
			types[r.ID] = r.Type
			if r.User == "" || r.Age <= 0 || r.Age > time.Minute || len(r.State) != 1 || !strings.HasSuffix(r.Script, "/app.js") {
				t.Errorf("%s: got %+v, want a user, an age of seconds, a state and a path", s.name, r)
			}
		}
		want := map[string]string{"master-1": "master", "old": "gate", "by link": "chat", "7": "connector", "start:gate-2": "start"}
		if !maps.Equal(types, want) {
			t.Errorf("%s: got types %v, want %v", s.name, types, want)
		}
	}
}

func TestAReapEndsExactlyOurs(t *testing.T) {
	for _, s := range shells(t) {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			w.fill()
			paused := w.ours["by link"]
			if err := syscall.Kill(paused, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			out, said, code := s.run(t, "/", w.where().reap(time.Second), "ROLLOUT_PROCESS=old")
			if code != 0 || !strings.Contains(out, "TERM old (pid "+strconv.Itoa(w.ours["old"])) || !strings.HasSuffix(out, "\nleft 0\n") {
				t.Fatalf("reap of one: got %q, %q, code %d", out, said, code)
			}
			delete(w.ours, "old")
			if all, _ := w.table(s); !maps.Equal(ids(all), w.ours) {
				t.Errorf("after the reap of one: got %v, want %v", ids(all), w.ours)
			}
			out, said, code = s.run(t, "/", w.where().reap(time.Second))
			if code != 0 || said != "" {
				t.Fatalf("got code %d, stderr %q", code, said)
			}
			if !strings.HasPrefix(out, "TERM master-1 ") {
				t.Errorf("got %q, want the master first: it would start the others again", out)
			}
			for id, pid := range w.ours {
				want := " " + id + " (pid " + strconv.Itoa(pid) + ", "
				killed := id == "7" || id == "by link"
				if !strings.Contains(out, "TERM"+want) || strings.Contains(out, "KILL"+want) != killed {
					t.Errorf("%s: got %q, want TERM, and KILL %v", id, out, killed)
				}
				select {
				case <-w.ended[pid]:
				case <-time.After(10 * time.Second):
					t.Fatalf("%s still runs", id)
				}
			}
			for name, pid := range w.others {
				if err := syscall.Kill(pid, 0); err != nil {
					t.Errorf("%s is gone: %v", name, err)
				}
			}
			if out, said, code := s.run(t, "/", w.where().reap(time.Second)); out != "left 0\n" || said != "" || code != 0 {
				t.Errorf("a second reap: got %q, %q, code %d", out, said, code)
			}
		})
	}
}

func TestAZombieIsNoProcess(t *testing.T) {
	w := newWorld(t)
	cmd := exec.Command("node", w.dir+"/app.js", "env=production", "type=all")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	t.Cleanup(func() { _ = cmd.Wait() })
	_ = cmd.Process.Kill()
	for range 1000 {
		if stat, _ := os.ReadFile("/proc/" + pid + "/stat"); bytes.Contains(stat, []byte(") Z ")) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, s := range shells(t) {
		if out, _, code := s.run(t, "/", w.where().reap(time.Second)); out != "left 0\n" || code != 0 {
			t.Errorf("%s: got %q and code %d, want nothing left", s.name, out, code)
		}
	}
}

func TestParseProcessesWantsAWholeTable(t *testing.T) {
	const line = "process\t7\t1500\tgame\tS\tgate-1\tgate\t/srv/app.js\n"
	got, err := ParseProcesses(line + "end\t1\n")
	want := []Running{{7, 1500 * time.Millisecond, "game", "S", "gate-1", "gate", "/srv/app.js"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for name, out := range map[string]string{
		"empty": "", "no end": line, "one less": line + "end\t2\n", "more after the end": "end\t0\n" + line, "a torn line": line + "end\t1",
		"left out in the middle": line + "[… 9 bytes left out …]\n" + line + "end\t2\n", "no pid": "process\tx\t1\ta\tS\tb\tc\td\nend\t1\n",
		"a pid of 0": "process\t0\t1\ta\tS\tb\tc\td\nend\t1\n", "an age below 0": "process\t1\t-1\ta\tS\tb\tc\td\nend\t1\n",
	} {
		if got, err := ParseProcesses(out); err == nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
}

func FuzzParseProcesses(f *testing.F) {
	f.Add("process\t7\t1500\tgame\tS\tgate-1\tgate\t/srv/app.js\nend\t1\n")
	f.Add("end\t0\n")
	f.Add("process\t7\nend\t01\n")
	f.Fuzz(func(t *testing.T, out string) {
		all, err := ParseProcesses(out)
		if err != nil {
			if all != nil {
				t.Fatalf("got %v beside %v", all, err)
			}
			return
		}
		if len(all) != strings.Count(out, "\n")-1 {
			t.Fatalf("got %d of %q", len(all), out)
		}
		for _, r := range all {
			if r.PID < 1 || r.Age < 0 {
				t.Fatalf("got %+v", r)
			}
		}
	})
}

var _ plans.Recipe = Recipe{}
