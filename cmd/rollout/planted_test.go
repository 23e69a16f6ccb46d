package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/sandbox"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
	"github.com/seed59ee9cdc/rollout/schema/proof"
)

// soil is a whole pretend world, in which faults are planted one after another. The machines are those of all; the balancer, rollout.yaml and the
// state directory are new for each.
type soil struct {
	*sandbox.World
	base config.Config
}

func newSoil(t *testing.T) soil {
	t.Helper()
	binary, err := exec.LookPath("rollout") // this very test binary: see TestMain
	if err != nil {
		t.Fatal(err)
	}
	w, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Binary: binary, Args: []string{"sandbox", "process"}, Ports: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	c := w.Configuration()
	c.Service, c.Drain.Interval = "game", 50*time.Millisecond
	return soil{w, c}
}

// bed is where one fault is planted.
type bed struct {
	t *testing.T
	soil
	balancer cloud.Balancer // as it will be
	account  cloud.Options
	keys     map[string]string // of credential.json
	faults   []cloud.Fault
	config   config.Config // as it will be written
	known    []byte        // known_hosts
	dir      string        // of rollout.yaml
	state    string        // the state directory of the service
	api      *cloud.Cloud  // once it is written
	small    bool          // the state directory is on a disk of 8 MiB
}

// sockets counts sessions as a rollout of this world does, which takes a second; the rows that are about something else take a line's word.
func (b *bed) sockets() *bed {
	b.config.Drain.Count, b.config.Drain.Run = config.CountSockets, ""
	return b
}

// bed makes a healthy one.
func (s soil) bed(t *testing.T) *bed {
	t.Helper()
	b := &bed{t: t, soil: s, dir: t.TempDir(), config: s.base}
	b.config.Groups = nil
	b.config.Drain.Count, b.config.Drain.Run = config.CountCommand, "echo 0"
	for _, g := range s.base.Groups {
		g.Machines = append([]config.Machine{}, g.Machines...)
		b.config.Groups = append(b.config.Groups, g)
	}
	known, err := os.ReadFile(s.Hosts.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	b.known = known
	stateDir := filepath.Join(b.dir, "state")
	if err := os.Mkdir(stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	b.state = filepath.Join(stateDir, b.config.Service)
	b.account = cloud.Options{PublicKey: "public", PrivateKey: "private", Region: b.config.UCloud.Region, ProjectID: b.config.UCloud.ProjectID, HealthEvery: -1}
	b.keys = map[string]string{"profile": "sandbox", "public_key": "public", "private_key": "private"}
	l := cloud.Listener{ID: "vserver-gate", Name: "gate"}
	for _, m := range s.Hosts.Machines {
		l.Backends = append(l.Backends, cloud.Backend{ID: "backend-" + m.Name, Host: m.Host, Port: m.Gates[0], Enabled: true, Weight: 1})
	}
	b.balancer = cloud.Balancer{ID: "ulb-game", Name: "game", Listeners: []cloud.Listener{l}}
	b.config.ULB.ID = "ulb-game"
	return b
}

func (b *bed) listener() *cloud.Listener { return &b.balancer.Listeners[0] }

// backend is that of a machine.
func (b *bed) backend(machine string) *cloud.Backend {
	for i := range b.listener().Backends {
		if k := &b.listener().Backends[i]; k.ID == "backend-"+machine {
			return k
		}
	}
	b.t.Fatalf("no backend of %s", machine)
	return nil
}

func (b *bed) machine(name string) hosts.Machine {
	for _, m := range b.Hosts.Machines {
		if m.Name == name {
			return m
		}
	}
	b.t.Fatalf("no machine %s", name)
	return hosts.Machine{}
}

// listed is a machine as rollout.yaml lists it.
func (b *bed) listed(name string) *config.Machine {
	for i := range b.config.Groups {
		for j := range b.config.Groups[i].Machines {
			if m := &b.config.Groups[i].Machines[j]; m.Name == name {
				return m
			}
		}
	}
	b.t.Fatalf("rollout.yaml has no %s", name)
	return nil
}

// must fails the test for what should not go wrong with the planting itself.
func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// ssh breaks the ssh of a machine until the row is over.
func (b *bed) ssh(machine string, f hosts.SSHFault) {
	b.t.Helper()
	b.must(b.Hosts.SSH[machine].Break(f))
	b.t.Cleanup(func() { b.must(b.Hosts.SSH[machine].Mend(context.Background())) })
}

// path gives a machine a PATH until the row is over: our own programs (name → script) before all others, and all others without some.
func (b *bed) path(machine string, own map[string]string, without ...string) {
	b.t.Helper()
	path := os.Getenv("PATH")
	if len(without) > 0 {
		path = b.t.TempDir()
		for _, p := range filepath.SplitList(os.Getenv("PATH")) {
			found, err := os.ReadDir(p)
			if err != nil {
				continue
			}
			for _, f := range found {
				if !slices.Contains(without, f.Name()) {
					_ = os.Symlink(filepath.Join(p, f.Name()), filepath.Join(path, f.Name())) // the first in the PATH stays
				}
			}
		}
	}
	if len(own) > 0 {
		dir := b.t.TempDir()
		for name, script := range own {
			b.must(os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
		}
		path = dir + string(filepath.ListSeparator) + path
	}
	b.must(b.Hosts.Plant(machine, hosts.Path, path))
	b.t.Cleanup(func() { b.must(b.Hosts.Clear(machine, hosts.Path)) })
}

// everywhere plants the same on all machines.
func (b *bed) everywhere(plant func(machine string)) {
	for _, m := range b.Hosts.Machines {
		plant(m.Name)
	}
}

// forward lets another address of the subnet lead to a machine's ssh, until the row is over, and gives the address.
func (b *bed) forward(machine string) string {
	b.t.Helper()
	m := b.machine(machine)
	host := m.Host[:strings.LastIndex(m.Host, ".")] + ".250"
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(m.SSHPort)))
	b.must(err)
	b.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", m.SSHAddr())
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
		}
	}()
	for line := range strings.Lines(string(b.known)) {
		if strings.Contains(line, m.Host) {
			b.known = append(b.known, strings.ReplaceAll(line, m.Host, host)...)
		}
	}
	return host
}

// write makes everything that a rollout reads.
func (b *bed) write() {
	b.t.Helper()
	c, err := cloud.Start(b.t.Context(), b.account, []cloud.Balancer{b.balancer})
	b.must(err)
	b.api = c
	b.t.Cleanup(func() { _ = c.Close() })
	for _, f := range b.faults {
		b.must(c.Break(f))
	}
	keys, err := json.Marshal([]map[string]string{b.keys})
	b.must(err)
	b.write1("credential.json", keys)
	b.write1("known_hosts", b.known)
	if b.config.UCloud.BaseURL == b.base.UCloud.BaseURL {
		b.config.UCloud.BaseURL = c.URL()
	}
	b.config.UCloud.Credentials = filepath.Join(b.dir, "credential.json")
	b.config.SSH.KnownHosts = filepath.Join(b.dir, "known_hosts")
	b.config.SSH.Keys = []string{b.Hosts.ClientKey}
	b.config.State.Dir = filepath.Dir(b.state)
	text, err := b.config.Marshal()
	b.must(err)
	b.write1("rollout.yaml", text)
}

func (b *bed) write1(name string, data []byte) {
	b.t.Helper()
	if _, err := os.Lstat(filepath.Join(b.dir, name)); err == nil { // planted already
		return
	}
	b.must(os.WriteFile(filepath.Join(b.dir, name), data, 0o600))
}

// run runs a command to its end, in this process unless it must see another disk.
func (b *bed) run(args ...string) (code int, stdout, stderr string) {
	b.t.Helper()
	args = append([]string{"-c", filepath.Join(b.dir, "rollout.yaml")}, args...)
	var out, errs bytes.Buffer
	if b.small {
		code = b.apart(args, &out, &errs)
		return code, b.masked(out.String()), b.masked(errs.String())
	}
	e := &env{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, width: 80, lookup: func(name string) (string, bool) { return b.dir, name == "HOME" }}
	root := newRootCommand(e)
	root.SetArgs(args)
	code = e.exit(root.ExecuteContext(b.t.Context()), 0)
	return code, b.masked(out.String()), b.masked(errs.String())
}

// apart runs a command in a process that has a small disk mounted where the state directories are, and skips where nothing can be mounted.
func (b *bed) apart(args []string, out, errs io.Writer) int {
	b.t.Helper()
	const noMount = 77
	script := fmt.Sprintf(`mount --make-rprivate / && mount -t tmpfs -o size=8m,mode=700 none "$0" || exit %d; exec rollout "$@"`, noMount)
	cmd := exec.Command("unshare", append([]string{"--mount", "--map-root-user", "sh", "-c", script, filepath.Dir(b.state)}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+b.dir)
	cmd.Stdout, cmd.Stderr = out, errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() == noMount {
		b.t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	return cmd.ProcessState.ExitCode()
}

var (
	fingerprints = regexp.MustCompile(`SHA256:[A-Za-z0-9+/]+`)
	places       = regexp.MustCompile(`(rollout\.yaml):\d+:\d+|(\\n) +\d+ \|`)
	kibLeft      = regexp.MustCompile(`( has) \d+ KiB left`)
	apis         = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
)

// masked takes out of a text what is another at each run.
func (b *bed) masked(text string) string {
	text = strings.ReplaceAll(text, b.dir, "DIR")
	for _, m := range b.Hosts.Machines {
		text = strings.ReplaceAll(text, m.Dir, "HOME")
		text = regexp.MustCompile(regexp.QuoteMeta(m.Host)+`\b`).ReplaceAllString(text, m.Name+".host")
	}
	text = strings.ReplaceAll(text, b.Dir, "WORLD")
	text = fingerprints.ReplaceAllString(text, "SHA256:…")
	text = places.ReplaceAllString(text, "$1$2:N")
	text = kibLeft.ReplaceAllString(text, "$1 N KiB left")
	return apis.ReplaceAllString(text, "http://api")
}

// found runs check and gives what was not well, a line for each and below it what mends it.
func (b *bed) found() (code int, lines string) {
	b.t.Helper()
	code, out, errs := b.run("check", "-o", "json")
	if _, err := proof.Output([]byte(out)); err != nil && out != "" {
		b.t.Errorf("check: %v", err)
	}
	var doc checkDoc
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		return code, out + errs
	}
	for _, f := range doc.Findings {
		switch {
		case f.Level == "ok" && f.Fix != "":
			b.t.Errorf("%s is well and has a fix: %s", f.Name, f.Fix)
		case f.Level == "ok":
		default:
			lines += fmt.Sprintf("%s %s %s: %s\n  → %s\n", f.Level, f.Name, f.Where, f.Text, f.Fix)
			if f.Fix == "" {
				b.t.Errorf("nothing mends %s: %s", f.Name, f.Text)
			}
		}
	}
	return code, lines
}

// eachItsOwn demands that a plan says of each machine what that one ran.
func eachItsOwn(t *testing.T, s soil) {
	b := s.bed(t)
	b.release("game-5", "v0.9.0")
	b.write()
	code, out, errs := b.run("plan", "--ref", "v1.1.0", "-o", "json")
	var p plans.Plan
	if err := json.Unmarshal([]byte(out), &p); code != 0 || err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	for _, m := range p.Machines {
		want := "v1.0.0"
		if m.Name == "game-5" {
			want = "v0.9.0"
		}
		if m.Was != want || p.Was != "v0.9.0+v1.0.0" {
			t.Errorf("%s ran %q, and all %q, want %q", m.Name, m.Was, p.Was, want)
		}
	}
}

// anotherSince demands that a plan is not carried out where the machines run another release than when it was made.
func anotherSince(t *testing.T, s soil) {
	b := s.bed(t)
	b.write()
	saved := filepath.Join(b.dir, "p.json")
	if code, _, errs := b.run("plan", "--ref", "v1.1.0", "--out", saved); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	b.everywhere(func(m string) { b.release(m, "v1.0.5") })
	const want = "rollout: the plan is stale: the machines ran v1.0.0 and now run v1.0.5; make a new one with `rollout plan`\n"
	if code, out, errs := b.run("start", "--plan", saved, "--yes"); code != 3 || errs != want || out != "" {
		t.Errorf("exit %d and\n%s%s\nwant 3 and\n%s", code, out, errs, want)
	}
}

// unfinished leaves a run part-way.
func (b *bed) unfinished() {
	b.t.Helper()
	s := b.hold()
	p := plans.Plan{Version: plans.Version, ID: "r1", Service: "game"}
	r, _, err := s.Begin("r1", plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	b.must(err)
	for _, e := range []plans.Event{{What: plans.Resumed, Step: -1}, {What: plans.Writing, Step: -1, Weights: map[string]int{"backend-game-4": 0}}} {
		_, err := r.Append(context.Background(), e)
		b.must(err)
	}
	b.must(s.Close())
}
