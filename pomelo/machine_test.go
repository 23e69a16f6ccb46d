package pomelo

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// look runs the line of Look.
func look(t *testing.T, s shell, dir, root string, peers ...Peer) Facts {
	t.Helper()
	out, said, code := s.run(t, "/", Look(dir, root, "production", peers))
	f, err := ParseFacts(out)
	if err != nil || said != "" || code != 0 {
		t.Fatalf("%s: %v, %q, code %d in %q", s.name, err, said, code, out)
	}
	return f
}

// laid is a world with an application in it that can be looked at.
func laid(t *testing.T) *world {
	w := newWorld(t)
	for name, file := range seed(map[string]string{"servers.json": "-", "production/servers.json": seedServer}) {
		w.write("current/game-server/"+name, string(file.Data))
	}
	w.write("current/game-server/node_modules/pomelo/package.json", `{"name": "pomelo", "version": "2.2.7"}`)
	w.write("current/game-server/node_modules/.package-lock.json", "{}")
	w.write("current/game-server/logs/x.log", "")
	return w
}

func TestLookFindsTheSameWithEveryShell(t *testing.T) {
	w := laid(t)
	var first Facts
	for i, s := range shells(t) {
		began := time.Now().Truncate(time.Millisecond)
		f := look(t, s, w.dir, w.root)
		if f.Clock.Before(began) || f.Clock.After(time.Now()) || f.Free["."] <= 0 || f.Free["logs"] <= 0 || f.OpenFiles == 0 {
			t.Errorf("%s: got clock %v, free %v, open files %d", s.name, f.Clock, f.Free, f.OpenFiles)
		}
		if f.Base != w.root+"/releases/b/game-server" || f.Code != "release b" || f.Pomelo != "2.2.7" || !strings.HasPrefix(f.NodeVersion, "v") || !filepath.IsAbs(f.Node) {
			t.Errorf("%s: got %+v", s.name, f)
		}
		if p := f.Files["servers.json"].Path; p != "config/production/servers.json" || len(f.Files) != 3 || len(f.Locks) != 1 {
			t.Errorf("%s: got files %v, locks %v", s.name, f.Files, f.Locks)
		}
		for name, file := range f.Files {
			if len(file.Sum) != 64 {
				t.Errorf("%s: got sum %q of %s", s.name, file.Sum, name)
			}
		}
		f.Clock, f.Free = time.Time{}, nil
		if i == 0 {
			first = f
		} else if !reflect.DeepEqual(f, first) {
			t.Errorf("%s: got %+v, want %+v", s.name, f, first)
		}
		if err := look(t, s, w.root+"/none", "").Check("m1"); !strings.Contains(err.Error(), "m1: the application's directory is not there") {
			t.Errorf("%s: got %v", s.name, err)
		}
	}
}

func TestCodeIsTheSameWhereOnlyLogsAndConfigurationDiffer(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git (apt-get install git)")
	}
	w := laid(t)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", w.dir, "-c", "user.name=x", "-c", "user.email=x@example.org"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
	}
	for _, kind := range []string{"tree ", "git "} {
		if kind == "git " {
			git("init", "-q")
			git("add", ".")
			git("commit", "-q", "-m", "x")
		}
		was := map[string]string{}
		for _, s := range shells(t) {
			f := look(t, s, w.dir, "")
			if was[f.Code] = s.name; len(was) > 1 || !strings.HasPrefix(f.Code, kind) || len(f.Code) < 40 {
				t.Fatalf("got %v, want one %s", was, kind)
			}
		}
		s := shells(t)[0]
		before := look(t, s, w.dir, "")
		w.write("current/game-server/config/master.json", `{"x": "`+kind+`"}`)
		w.write("current/game-server/logs/x.log", kind)
		if f := look(t, s, w.dir, ""); f.Code != before.Code || f.Files["master.json"] == before.Files["master.json"] || f.Rest != before.Rest {
			t.Errorf("got %+v, want the same code with another master.json as in %+v", f, before)
		}
		w.write("current/game-server/config/game.json", kind)
		w.write("current/game-server/app.js", app+"//"+kind)
		if f := look(t, s, w.dir, ""); f.Code == before.Code || f.Rest == before.Rest {
			t.Errorf("got %+v, want other code and configuration than %+v", f, before)
		}
	}
}

func TestAMasterTriesSSHAsTheAppDoes(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("no ssh (apt-get install openssh-client)")
	}
	w := laid(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	asked := Peer{"127.0.0.1", port}
	option := Peer{"-oProxyCommand=touch " + w.root + "/hacked", 0}
	for _, s := range shells(t) {
		w.write("current/game-server/app.js", "// app.set('ssh_config_params', ['-p 1'])\n")
		f := look(t, s, w.dir, "", asked, option)
		want := "ssh: connect to host 127.0.0.1 port " + strconv.Itoa(port) + ": Connection refused"
		if got := f.Peers[asked.Host]; got.Code != 255 || got.Said != want || f.SSHParams != nil || len(f.Peers) != 1 {
			t.Errorf("%s: got %v with %q, want %q", s.name, f.Peers, f.SSHParams, want)
		}
		if err := f.Check("m1"); !strings.Contains(err.Error(), "m1: its master cannot start anything on 127.0.0.1: ssh: "+want) {
			t.Errorf("%s: got %v", s.name, err)
		}
		// What the app sets counts, each as one argument.
		w.write("current/game-server/app.js", `app.set('ssh_config_params', ['-p `+strconv.Itoa(port)+`', "-o LogLevel=ERROR"]);`)
		f = look(t, s, w.dir, "", Peer{"127.0.0.1", 1})
		if got := f.Peers["127.0.0.1"]; got.Said != want || !slices.Equal(f.SSHParams, []string{"-p " + strconv.Itoa(port), "-o LogLevel=ERROR"}) {
			t.Errorf("%s: got %v with %q, want %q", s.name, got, f.SSHParams, want)
		}
	}
	if _, err := os.Stat(w.root + "/hacked"); err == nil {
		t.Error("a host was taken for an option of ssh")
	}
}

func TestStartupsAreReadFromTheListenersTitle(t *testing.T) {
	w := newWorld(t)
	// The shell that looks is a grandchild of what has the title, as under sshd.
	w.write("sshd.sh", `echo ready; sh -c '"$@" >"$0" 2>&1; :' "$@"; mv "$1" "$1.whole"; while :; do sleep 100; done`)
	for _, s := range shells(t) {
		out := filepath.Join(w.root, s.name)
		argv := append([]string{"sshd: /usr/sbin/sshd -D [listener] 3 of 20-200 startups", w.root + "/sshd.sh", out}, s.argv...)
		w.start("dash", "/", append(argv, "-c", Look(w.dir, "", "production", nil))...)
		var text []byte
		for range 600 {
			if text, _ = os.ReadFile(out + ".whole"); text != nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if f, err := ParseFacts(string(text)); err != nil || f.Startups.Begin != 20 || f.Startups.Full != 200 {
			t.Errorf("%s: got %+v, %v in %q, want 20 and 200", s.name, f.Startups, err, text)
		}
	}
}

func TestMachinesOfAGroupAreCompared(t *testing.T) {
	facts := func(change func(*Facts)) Facts {
		f := Facts{Base: "/srv/game", Node: "/usr/bin/node", NodeVersion: "v20.1.0", Pomelo: "2.2.7", Code: "release 7", Rest: "r",
			Files: map[string]File{"servers.json": {"config/servers.json", "1"}, "master.json": {"config/master.json", "2"}}, Locks: map[string]string{"package-lock.json": "3"}}
		if change != nil {
			change(&f)
		}
		return f
	}
	wantSentences(t, Compare("group1", facts(nil), map[string]Facts{"m2": facts(nil), "m3": facts(func(f *Facts) {
		f.Files = map[string]File{"servers.json": {"config/servers.json", "9"}, "log4js.json": {"config/log4js.json", "5"}}
		f.Rest = "q"
	})}),
		"group1: m3 has config/log4js.json, and the master's machine has none: remove or copy it",
		"group1: m3 has no config/master.json, and the master's machine has: copy it",
		"group1: config/servers.json on m3 is not that of the master's machine: copy it",
		"group1: other files under config on m3 are not those of the master's machine: copy them, unless they are meant to differ")
	wantSentences(t, SameCode(map[string]Facts{"m1": facts(nil), "m2": facts(nil), "m3": facts(nil), "m4": facts(nil),
		"m5": facts(func(f *Facts) { f.Code, f.NodeVersion = "release 6", "v12.0.0" }), "m6": facts(func(f *Facts) { f.Code, f.Locks = "release 6", nil })}),
		"code: release 6 on m5, m6, and release 7 on m1, m2, m3, m4",
		"node: /usr/bin/node v12.0.0 on m5, and /usr/bin/node v20.1.0 on m1, m2, m3, m4, m6",
		"packages: none found on m6, and package-lock.json 3 on m1, m2, m3, m4, m5")
	if err := SameCode(map[string]Facts{"m1": facts(nil), "m2": facts(nil)}); err != nil {
		t.Errorf("got %v, want no fault of equal machines", err)
	}
}

func TestMaxStartupsMustLetAllProcessesIn(t *testing.T) {
	c := read(t, seed(nil))
	with := func(begin int) (f Facts) { f.Startups.Begin = begin; return f }
	wantSentences(t, c.Startups(map[string]Facts{"10.9.0.1": with(10), "10.9.0.2": with(10), "10.9.0.3": with(16)}),
		"10.9.0.2: the master starts 16 processes at once by ssh, and sshd refuses some from 10 on: set MaxStartups 100:30:200 in its sshd_config and reload sshd")
}

func TestThePasswordAdminIsWarnedOf(t *testing.T) {
	c := read(t, seed(nil))
	if err := c.Weak("hunter2"); err != nil {
		t.Errorf("got %v", err)
	}
	wantSentences(t, c.Weak("admin"), "the admin password for 10.9.0.1 is still admin, and anyone who reaches the master's port may run code with it: choose another one in adminUser.json, and name it as pomelo.admin.password")
	c.Admins[0].Password = "admin"
	wantSentences(t, c.Weak(""), "the password of admin in adminUser.json of 10.9.0.1 is still admin, and anyone who reaches the master's port may run code with it: choose another one in adminUser.json, and name it as pomelo.admin.password")
}

func FuzzParseFacts(f *testing.F) {
	f.Add("base\t/srv\nfree\t.\t1024\nstartups\t10\t100\npeer\tm2\tnull\tx\nend\t4\n")
	f.Add("clock\t99999999999999999999\nend\t1\n")
	f.Add("params\t-p 1\t\nfile\ta\tb\tc\nunreadable\t\nend\t3\n")
	f.Fuzz(func(t *testing.T, out string) {
		facts, err := ParseFacts(out)
		if err != nil {
			return
		}
		_ = facts.Check("m")
		for dir, free := range facts.Free {
			if free < 0 {
				t.Fatalf("%d bytes free in %q", free, dir)
			}
		}
		if err := SameCode(map[string]Facts{"a": facts, "b": facts}); err != nil {
			t.Fatal(err)
		}
	})
}
