package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/schema/proof"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// article is the seed's load balancer: the 48 gates of six machines behind one VServer.
func article() ulb.Reading {
	r := ulb.Reading{ID: "ulb-game", Listeners: []ulb.Listener{{ID: "vserver-gate", Port: 6150}}}
	for m := 1; m <= 6; m++ {
		for p := 6150; p <= 6157; p++ {
			r.Backends = append(r.Backends, backend("vserver-gate", fmt.Sprintf("10.9.0.%d", m), p))
		}
	}
	return r
}

func backend(listener, host string, port int) ulb.Backend {
	return ulb.Backend{ID: fmt.Sprint(listener, host, port), Listener: listener, Host: host, Port: port, Weight: 1, Enabled: true}
}

// initWorld is what init finds, and how it was called.
type initWorld struct {
	files    map[string]fs.FS // by the host that ssh reaches
	reading  ulb.Reading
	err      error // of both
	terminal bool
	answers  string

	asked    config.Config // what it was connected with
	out, log bytes.Buffer
}

// seedWorld is the world of the seed's article.
func seedWorld() *initWorld {
	return &initWorld{reading: article(), files: map[string]fs.FS{
		"10.9.0.1": application("group1"), "10.9.0.4": application("group2"),
	}}
}

// application is a directory with what is in testdata below config/, as it lies on a master.
func application(group string) fstest.MapFS {
	all := fstest.MapFS{}
	for _, name := range []string{"servers.json", "master.json", "adminUser.json"} {
		b, err := os.ReadFile(filepath.Join("testdata", "init", group, name))
		if err != nil {
			panic(err)
		}
		all["config/"+name] = &fstest.MapFile{Data: b}
	}
	return all
}

// init runs the command and gives the exit code.
func (w *initWorld) init(t *testing.T, args ...string) int {
	t.Helper()
	e := &env{stdin: strings.NewReader(w.answers), stdout: &w.out, stderr: &w.log, lookup: func(name string) (string, bool) { return "/home/ops", name == "HOME" }, terminal: w.terminal}
	connect := func(c config.Config) (finder, error) {
		w.asked = c
		return finder{
			files: func(_ context.Context, host, dir, env string) (fs.FS, error) {
				if w.files[host] == nil || w.err != nil {
					return nil, errors.Join(fmt.Errorf("%s: no such machine", host), w.err)
				}
				if dir != "/data/game/game-server" || env != "production" {
					return nil, fmt.Errorf("asked for %s of %s", env, dir)
				}
				return w.files[host], nil
			},
			backends: func(context.Context) (ulb.Reading, error) { return w.reading, w.err },
			close:    func() {},
		}, nil
	}
	root := &cobra.Command{Use: "rollout", SilenceUsage: true, SilenceErrors: true, PersistentPreRunE: func(*cobra.Command, []string) error { return e.flags.check() }}
	e.flags.addFlags(root.PersistentFlags())
	var o initOptions
	cmd := &cobra.Command{Use: "init", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), e, o, connect) }}
	o.addFlags(cmd.Flags())
	root.AddCommand(cmd)
	root.SetArgs(append([]string{"init"}, args...))
	return e.exit(root.ExecuteContext(t.Context()), 0)
}

// servers are the flags for the seed's servers.json here.
func servers() []string {
	return []string{"--servers", "testdata/init/group1/servers.json", "--servers", "testdata/init/group2/servers.json"}
}

func masters() []string { return []string{"--master", "10.9.0.1", "--master", "10.9.0.4"} }

func known() []string {
	return []string{"--ulb-id", "ulb-game", "--dir", "/data/game/game-server", "--ssh-user", "deploy", "--ssh-port", "59622"}
}

func join(all ...[]string) (out []string) {
	for _, a := range all {
		out = append(out, a...)
	}
	return out
}

// want runs init and compares every word of its output, and the file with a golden.
func (w *initWorld) want(t *testing.T, golden, stdout, stderr string, args ...string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	code := w.init(t, join(args, []string{"--out", path})...)
	if code != 0 || strings.ReplaceAll(w.out.String(), path, "FILE") != stdout || w.log.String() != stderr {
		t.Fatalf("exit %d\n%s\n%s\nwant\n%s\n%s", code, &w.out, &w.log, stdout, stderr)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("testdata", "init", golden)
	if *updateScripts {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\n%v\nwant\n%s", name, got, err, want)
	}
	if _, err := config.Load(path, func(name string) (string, bool) { return "x", name == config.AdminVariable }); err != nil {
		t.Errorf("%s is not accepted: %v", golden, err)
	}
}

func TestInitWritesTheSeedsArticle(t *testing.T) {
	const summary = `game behind ulb-game: 48 backends 6150-6157 on 6 machines, of vserver-gate
  group1     24 gates 6150-6157 and 24 connectors 6200-6207 on 3 machines, from %s
  group2     24 gates 6150-6157 and 24 connectors 6200-6207 on 3 machines, from %s
updated in this order: group1, group2
next: rollout check --config FILE
`
	t.Run("from files here", func(t *testing.T) {
		seedWorld().want(t, "servers.yaml", fmt.Sprintf(summary, "testdata/init/group1/servers.json", "testdata/init/group2/servers.json"), "", join(servers(), known())...)
	})
	t.Run("from the masters", func(t *testing.T) {
		w := seedWorld()
		w.want(t, "masters.yaml", fmt.Sprintf(summary, "servers.json on 10.9.0.1", "servers.json on 10.9.0.4"), "", join(masters(), known())...)
		if s := w.asked.SSH; s.User != "deploy" || s.Port != 59622 || w.asked.ULB.ID != "ulb-game" {
			t.Errorf("connected with %+v", w.asked)
		}
	})
	t.Run("with the machines", func(t *testing.T) {
		seedWorld().want(t, "listed.yaml", fmt.Sprintf(summary, "servers.json on 10.9.0.1", "servers.json on 10.9.0.4"), "", join(masters(), known(), []string{"--list-machines"})...)
	})
	ansible := strings.NewReplacer("group1    ", "blue      ", "group2    ", "green     ", "group1, group2", "blue, green").Replace(summary)
	t.Run("from Ansible and files", func(t *testing.T) {
		// The files are named in the other order: each goes where its master is.
		seedWorld().want(t, "ansible.yaml", fmt.Sprintf(ansible, "testdata/init/group1/servers.json", "testdata/init/group2/servers.json"), "",
			"--inventory", "testdata/init/hosts.ini", "--servers", "testdata/init/group2/servers.json", "--servers", "testdata/init/group1/servers.json",
			"--ulb-id", "ulb-game", "--dir", "/data/game/game-server", "--key", "/home/ops/.ssh/game", "--gate-route", "gate.gateHandler.queryEntry")
	})
	t.Run("from Ansible and the masters", func(t *testing.T) {
		w := seedWorld()
		path := filepath.Join(t.TempDir(), "x.yaml")
		code := w.init(t, "--inventory", "testdata/init/hosts.ini", "--group", "green", "--group", "blue", "--master", "game-1", "--master", "10.9.0.4", "--out", path,
			"--ulb-id", "ulb-game", "--dir", "/data/game/game-server")
		got, err := config.Load(path, func(string) (string, bool) { return "x", true })
		if code != 0 || err != nil || got.Groups[0].Name != "green" || got.Groups[0].Master != "10.9.0.4" || got.Groups[1].Master != "game-1" || got.SSH.User != "deploy" {
			t.Errorf("exit %d, %v, %+v\n%s", code, err, got.Groups, &w.log)
		}
	})
}

func TestTheFileGoesToStandardOutputWithTheSummaryAside(t *testing.T) {
	w := seedWorld()
	code := w.init(t, join(masters(), known(), []string{"--out", "-"})...)
	want, err := os.ReadFile("testdata/init/masters.yaml")
	if code != 0 || err != nil || w.out.String() != string(want) || !strings.HasPrefix(w.log.String(), "game behind ulb-game: ") || !strings.HasSuffix(w.log.String(), "next: rollout check\n") {
		t.Errorf("exit %d, %v\n%s\n%s", code, err, &w.out, &w.log)
	}
}

func TestInitTellsProgramsWhatItFound(t *testing.T) {
	w := seedWorld()
	w.reading.Backends = w.reading.Backends[1:]
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	code := w.init(t, join(masters(), known(), []string{"--out", path, "--json"})...)
	var doc initDoc
	if err := json.Unmarshal(w.out.Bytes(), &doc); err != nil || code != 0 || w.log.Len() > 0 {
		t.Fatalf("exit %d, %v\n%s\n%s", code, err, &w.out, &w.log)
	}
	if names, err := proof.Output(w.out.Bytes()); err != nil || !slices.Equal(names, []string{"init"}) {
		t.Errorf("got the documents %q, %v", names, err)
	}
	if doc.Schema != "rollout.init/v1" || doc.File != path || doc.Groups[1].Master != "10.9.0.4" || fmt.Sprint(doc.Warnings) != "[group1: the gates 6150 of 10.9.0.1 are no backends of ulb-game]" {
		t.Errorf("got %+v", doc)
	}
}

func TestInitAsksOnlyWhatItCannotFind(t *testing.T) {
	w := seedWorld()
	w.terminal, w.answers = true, "ulb-game\n10.9.0.1\n10.9.0.4\n/data/game/game-server\n"
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	code := w.init(t, "--ssh-user", "deploy", "--ssh-port", "59622", "--config", path)
	const asked = "The load balancer in front of the gates, such as ulb-xxxxxx (--ulb-id): " +
		"The master of the first group, as ssh reaches it (--master): The master of the second group, as ssh reaches it (--master): " +
		"The game-server directory on the machines (--dir): "
	got, _ := os.ReadFile(path)
	want, err := os.ReadFile("testdata/init/masters.yaml")
	if code != 0 || w.log.String() != asked || err != nil || !bytes.Equal(got, want) {
		t.Errorf("exit %d, %v\n%s\n%s", code, err, &w.log, got)
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := seedWorld()
	code := w.init(t, join(masters(), known(), []string{"--out", path})...)
	got, err := os.ReadFile(path)
	if want := "rollout: " + path + " is there already, and nothing is overwritten: name another file with --out\n"; code != 2 || w.log.String() != want || string(got) != "mine" || err != nil {
		t.Errorf("exit %d, %v, %s\n%s", code, err, got, &w.log)
	}
	if w.asked.ULB.ID != "" {
		t.Error("it looked all the same")
	}
}

func TestWhatInitRefuses(t *testing.T) {
	unknown := &remote.UnknownHostError{Host: "10.9.0.1", Addr: "10.9.0.1:59622", Type: "ssh-ed25519", Fingerprint: "SHA256:x", Hint: "rollout trust 10.9.0.1"}
	for name, row := range map[string]struct {
		args   []string
		change func(*initWorld)
		code   int
		want   string
	}{
		"nobody to ask":      {nil, nil, 2, "not found, and there is no terminal to ask on: name --ulb-id, --master twice, --dir"},
		"no input":           {[]string{"--no-input", "--ulb-id", "u", "--dir", "/"}, func(w *initWorld) { w.terminal = true }, 2, "there is no terminal to ask on: name --master twice, --service"},
		"no answer":          {nil, func(w *initWorld) { w.terminal = true }, 2, "no answer: name it with --ulb-id (EOF)"},
		"one master":         {[]string{"--master", "m"}, nil, 2, "--master is given once for each of the two groups, and was given 1 times"},
		"a group of nothing": {[]string{"--group", "a", "--group", "b"}, nil, 2, "--group names a group of --inventory, which is missing"},
		"a unit of nothing":  {[]string{"--unit", "u"}, nil, 2, "--unit needs --inventory"},
		"no name":            {join(masters(), known(), []string{"--dir", "/data/game/game-server", "--service", "a b"}), nil, 2, `service: "a b" is not a name`},
		"the wrong balancer": {join(masters(), known()), func(w *initWorld) { w.reading = ulb.Reading{ID: "ulb-other"} }, 3, "ulb-other has no backend at any of the machines: is --ulb-id right? It has 0 backends"},
		"keys refused":       {join(servers(), known()), func(w *initWorld) { w.err = &ulb.AuthError{Err: errors.New("RetCode 171")} }, 4, "balancer: credentials: RetCode 171"},
		"a machine down":     {join(masters(), known()), func(w *initWorld) { delete(w.files, "10.9.0.4") }, 3, "10.9.0.4: no such machine"},
		"an unknown host":    {join(masters(), known()), func(w *initWorld) { w.err = unknown }, 4, "before there is a rollout.yaml: log in once with ssh, or name another file with --known-hosts"},
		"the same group twice": {join(masters(), known()), func(w *initWorld) { w.files["10.9.0.4"] = w.files["10.9.0.1"] }, 3,
			"the groups do not keep to themselves: 10.9.0.1 is in both groups"},
		"no JSON": {join(masters(), known()), func(w *initWorld) { w.put("config/servers.json", "{") }, 3, "10.9.0.1: config/servers.json:1:1: no JSON"},
		"a count of 0": {join(masters(), known()), func(w *initWorld) {
			w.put("config/servers.json", `{"connector": [{"clusterCount": 0, "host": "10.9.0.1", "port": "3200++", "clientPort": "6200++", "frontend": true}]}`)
		}, 3, "10.9.0.1: config/servers.json:1:17: clusterCount: 0 yields no process"},
		"another environment": {join(servers(), known(), []string{"--env", "test"}), nil, 3, "testdata/init/group1/servers.json: "},
		"no session server": {join(masters(), known()), func(w *initWorld) {
			w.put("config/servers.json", `{"gate": [{"id": "g", "host": "10.9.0.1", "port": 1, "clientHost": "10.9.0.1", "clientPort": 2, "frontend": true}]}`)
			w.files["10.9.0.4"] = w.files["10.9.0.1"]
		}, 2, "name them with --sessions"},
		"masters of one group":  {join(known(), []string{"--inventory", "testdata/init/hosts.ini", "--master", "10.9.0.4", "--master", "10.9.0.4"}), nil, 3, "is in both groups"},
		"masters of neither":    {join(known(), servers(), []string{"--inventory", "testdata/init/hosts.ini", "--group", "green", "--group", "green"}), nil, 2, "its master 10.9.0.1 is no machine of green or green"},
		"an inventory of three": {join(known(), []string{"--inventory", "testdata/init/three.ini"}), nil, 2, "testdata/init/three.ini has 3 groups of machines (a, b, c): name two with --group"},
		"no such group":         {join(known(), []string{"--inventory", "testdata/init/hosts.ini", "--group", "x", "--group", "blue"}), nil, 2, "--group x: testdata/init/hosts.ini has no machines of that group"},
	} {
		t.Run(name, func(t *testing.T) {
			w := seedWorld()
			if row.change != nil {
				row.change(w)
			}
			path := filepath.Join(t.TempDir(), "rollout.yaml")
			code := w.init(t, join(row.args, []string{"--out", path})...)
			if code != row.code || !strings.Contains(w.log.String(), row.want) {
				t.Errorf("exit %d\n%s\nwant %d\n%s", code, &w.log, row.code, row.want)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) || w.out.Len() > 0 {
				t.Errorf("something was written: %v\n%s", err, &w.out)
			}
		})
	}
}

// put changes a file on the first master.
func (w *initWorld) put(name, text string) {
	all := application("group1")
	all[name] = &fstest.MapFile{Data: []byte(text)}
	w.files["10.9.0.1"] = all
}

func TestAUnitNeedsNoPomelo(t *testing.T) {
	w := seedWorld()
	w.files = nil
	w.reading.Backends = w.reading.Backends[:41]
	w.want(t, "unit.yaml", `game behind ulb-game: 41 backends 6150-6157 on 6 machines, of vserver-gate
  blue       3 machines, from testdata/init/hosts.ini
  green      3 machines, from testdata/init/hosts.ini
updated in this order: blue, green
next: rollout check --config FILE
`, "", "--inventory", "testdata/init/hosts.ini", "--unit", "game@1.service", "--sudo", "--ulb-id", "ulb-game", "--region", "cn-bj2", "--release-file", "/srv/game/VERSION")
}

func TestOfflineAsksNobody(t *testing.T) {
	w := seedWorld()
	w.files, w.err = nil, errors.New("asked")
	path := filepath.Join(t.TempDir(), "rollout.yaml")
	if code := w.init(t, join(servers(), known(), []string{"--offline", "--out", path})...); code != 0 || w.log.Len() > 0 {
		t.Errorf("exit %d\n%s", code, &w.log)
	}
}

func TestAServiceIsNamedAfterWhereItLives(t *testing.T) {
	for _, row := range [][3]string{
		{"/data/game/game-server", "", "game"}, {"/srv/chat/current/game-server", "", "chat"}, {"/data/ball/", "", "ball"}, {"/", "", ""}, {"/a b/app", "", ""},
		{"", "chat@1.service", "chat"}, {"", "game.service", "game"},
	} {
		if got := serviceOf(row[0], row[1]); got != row[2] {
			t.Errorf("%q %q: got %q, want %q", row[0], row[1], got, row[2])
		}
	}
}

func TestPathsAreWrittenAsTheyHoldWhereTheFileIs(t *testing.T) {
	e := &env{lookup: func(string) (string, bool) { return "/home/ops", true }}
	full, err := filepath.Abs("k")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][3]string{
		{"", "rollout.yaml", ""}, {"~/.ssh/k", "x/rollout.yaml", "~/.ssh/k"}, {"/home/ops/.ssh/k", "rollout.yaml", "~/.ssh/k"}, {"/home/other/k", "rollout.yaml", "/home/other/k"},
		{"k", "rollout.yaml", "k"}, {"k", "-", "k"}, {"k", "ops/rollout.yaml", full},
	} {
		if got := e.portable(row[0], row[1]); got != row[2] {
			t.Errorf("%s for %s: got %s, want %s", row[0], row[1], got, row[2])
		}
	}
}
