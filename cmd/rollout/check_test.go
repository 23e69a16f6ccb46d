package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// fault is one that is planted. What check says of it, word for word, is in testdata/check.txtar.
type fault struct {
	name  string
	plant func(b *bed)
}

// planted are faults that leave the machines as they are, so that several can be planted at once.
var planted = []fault{
	// the account
	{"no key at all", func(b *bed) { b.keys = map[string]string{} }},
	{"a key file that others may read", func(b *bed) {
		b.write1("credential.json", []byte("[]"))
		b.must(os.Chmod(filepath.Join(b.dir, "credential.json"), 0o644))
	}},
	{"wrong private key", func(b *bed) { b.keys["private_key"] = "another" }},
	{"unknown public key", func(b *bed) { b.keys["public_key"] = "another" }},
	{"a token that is over", func(b *bed) { b.account.SecurityToken = "new" }},
	{"no permission to read", func(b *bed) { b.refuse(299, "Access Denied") }},
	{"another account's project", func(b *bed) { b.config.UCloud.ProjectID = "org-other" }},
	{"a zone that the project may not use", func(b *bed) { b.refuse(293, "no permission of the zone") }},
	{"an address that the key may not be used from", func(b *bed) { b.refuse(294, "IP is not allowed") }},
	{"an account under a security lock", func(b *bed) { b.refuse(295, "security lock") }},
	{"another region", func(b *bed) { b.config.UCloud.Region = "cn-other" }},
	{"nobody answers at the API", func(b *bed) { b.config.UCloud.BaseURL = "http://127.0.0.1:1" }},

	// the balancer
	{"unknown balancer", func(b *bed) { b.config.ULB.ID = "ulb-other" }},
	{"unknown listener", func(b *bed) { b.config.ULB.VServers = []string{"vserver-other"} }},
	{"method Backup", func(b *bed) { b.listener().Method = "Backup" }},
	{"method Source", func(b *bed) { b.listener().Method = "Source" }},
	{"a ramp without weights", func(b *bed) { b.config.ULB.Shift, b.config.ULB.Ramp = config.ShiftWeight, []int{50} }},
	{"on with weight 0", func(b *bed) { b.listener().Method, b.backend("game-5").Weight = "WeightRoundrobin", 0 }},
	{"sticky by cookie", func(b *bed) { b.listener().Protocol, b.listener().PersistenceType = "HTTP", "ServerInsert" }},
	{"sticky by client address", func(b *bed) {
		b.listener().ListenType, b.listener().ClientTimeout, b.listener().Port = cloud.PacketsTransmit, 10*time.Minute, 6150
	}},
	{"nobody answers behind the balancer's address", func(b *bed) {
		b.config.ULB.Probe, b.config.ULB.Address, b.config.ULB.Ask = 5, []string{"127.0.0.1:1"}, `{"user":1}`
	}},
	{"a backend without machine", func(b *bed) {
		b.listener().Backends = append(b.listener().Backends, cloud.Backend{ID: "backend-x", Host: "127.0.0.9", Port: 6150, Enabled: true, Weight: 1})
	}},
	{"a machine without backend", func(b *bed) { b.listener().Backends = b.listener().Backends[1:] }},
	{"a listener of others", func(b *bed) { b.others() }},
	{"a listener of others that is named", func(b *bed) { b.others(); b.config.ULB.VServers = []string{"vserver-gate", "vserver-web"} }},
	{"an unhealthy backend", func(b *bed) { b.backend("game-5").Status = 1 }},
	{"a group that could not serve", func(b *bed) {
		for _, m := range []string{"game-4", "game-5", "game-6"} {
			b.backend(m).Status = 1
		}
	}},
	{"both groups off", func(b *bed) { b.everywhere(func(m string) { b.backend(m).Enabled = false }) }},
	{"a group that is off", func(b *bed) {
		for _, m := range []string{"game-4", "game-5", "game-6"} {
			b.backend(m).Enabled = false
		}
	}},
	{"a backend that is off", func(b *bed) { b.backend("game-5").Enabled = false }},

	// the state directory
	{"a state directory that is a link", func(b *bed) { b.must(os.Symlink(b.t.TempDir(), b.state)) }},
	{"a state directory that others may write", func(b *bed) { b.must(os.Mkdir(b.state, 0o700)); b.must(os.Chmod(b.state, 0o777)) }},
	{"a lock that is a link", func(b *bed) {
		b.must(os.Mkdir(b.state, 0o700))
		b.must(os.Symlink("/etc/hostname", filepath.Join(b.state, "lock")))
	}},
	{"a state directory on a full disk", func(b *bed) { b.small = true }},
	{"the lock is held", func(b *bed) { b.hold() }},
	{"an unfinished run", func(b *bed) { b.unfinished() }},
	{"a damaged journal", func(b *bed) {
		b.unfinished()
		b.must(os.WriteFile(filepath.Join(b.state, "runs", "r1", "journal.jsonl"), []byte("{}\n{}\n"), 0o600))
	}},
}

// plantedThere are faults of the machines, which all others share.
var plantedThere = []fault{
	// ssh
	{"nobody listens at ssh's port", func(b *bed) { b.ssh("game-5", hosts.SSHRefuse) }},
	{"no key is let in", func(b *bed) { b.ssh("game-5", hosts.SSHRefuseAuth) }},
	{"an unknown host key", func(b *bed) { b.forget("game-5") }},
	{"another host key", func(b *bed) { b.ssh("game-5", hosts.SSHStrangeKey) }},
	{"a revoked host key", func(b *bed) {
		for line := range strings.Lines(string(b.known)) {
			if strings.Contains(line, b.machine("game-5").Host) {
				b.known = append(b.known, "@revoked "+line...)
			}
		}
	}},
	{"sshd says nothing", func(b *bed) { b.config.SSH.Timeout = time.Second; b.ssh("game-5", hosts.SSHHang) }},
	{"the same machine twice", func(b *bed) {
		b.listed("game-6").Address = b.machine("game-6").Host
		b.listed("game-6").Host = b.forward("game-5")
	}},
	{"the same host twice", func(b *bed) { b.listed("game-6").Host = b.listed("game-5").Host }},

	// the machines
	{"sudo asks for a password", func(b *bed) { b.systemd(`echo "sudo: a password is required" >&2; exit 1`) }},
	{"sudo in a line of our own", func(b *bed) {
		b.config.Command = &config.Command{Dir: "/", Stop: "cd ~/game && sudo ./game.sh stop", Start: b.base.Command.Start, Status: b.base.Command.Status}
		b.everywhere(func(m string) {
			b.path(m, map[string]string{"sudo": `echo "sudo: a terminal is required to read the password" >&2; exit 1`})
		})
	}},
	{"no sudo", func(b *bed) {
		b.systemd("")
		b.path("game-5", map[string]string{"systemctl": "exit 0"}, "sudo")
	}},
	{"a clock that is ahead", func(b *bed) { b.clock("game-5", 90) }},
	{"a clock that is behind", func(b *bed) { b.clock("game-5", -12) }},
	{"a clock that cannot be read", func(b *bed) { b.path("game-5", map[string]string{"date": "exit 1"}) }},
	{"no flock and no dd", func(b *bed) { b.path("game-5", nil, "flock", "dd") }},
	{"no awk", func(b *bed) { b.sockets(); b.path("game-5", nil, "awk") }},
	{"no systemd", func(b *bed) {
		b.systemd("exit 0")
		b.path("game-5", map[string]string{"sudo": "exit 0"}, "systemctl")
	}},
	{"no tar for an archive", func(b *bed) {
		b.config.Deploy = &config.Deploy{Artifact: "game.tar.gz", Root: "/srv/game", Keep: 3, Timeout: time.Minute}
		b.path("game-5", nil, "tar", "sha256sum")
	}},
	{"a disk nearly full", func(b *bed) { b.disk("game-5", 20000, 500000) }},
	{"a disk without inodes", func(b *bed) { b.disk("game-5", 20000000, 12) }},
	{"the service does not run", func(b *bed) {
		b.sockets()
		b.act("game-5", "stop")
		b.t.Cleanup(func() { b.act("game-5", "start") })
	}},
	{"a port that does not listen", func(b *bed) { b.config.Health.Ports = append(b.config.Health.Ports, 6999) }},
	{"the wrong session ports", func(b *bed) { b.sockets().config.Drain.Ports = []int{6998} }},
	{"a count that is no number", func(b *bed) { b.config.Drain.Count, b.config.Drain.Run = config.CountCommand, "echo many" }},
	{"releases that differ", func(b *bed) { b.release("game-5", "v0.9.0") }},
	{"a release that is not told", func(b *bed) { b.config.Release = &config.Release{File: "/nowhere/RELEASE"} }},
}

// TestCheckNamesEachPlantedFaultAndWhatMendsIt plants every fault in a whole world, and compares the exit code and every word.
func TestCheckNamesEachPlantedFaultAndWhatMendsIt(t *testing.T) {
	s := newSoil(t)
	const golden = "testdata/check.txtar"
	ar, err := txtar.ParseFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range ar.Files {
		want[f.Name] = string(f.Data)
	}
	healthy := func(when string) {
		b := s.bed(t).sockets()
		b.write()
		if code, lines := b.found(); code != 0 || lines != "" {
			t.Errorf("a healthy world, %s: exit %d and\n%s", when, code, lines)
		}
	}
	t.Run("healthy", func(*testing.T) { healthy("before all") })
	var mu sync.Mutex
	ran := 0
	sow := func(t *testing.T, f fault) {
		b := s.bed(t)
		f.plant(b)
		b.write()
		code, lines := b.found()
		got := fmt.Sprintf("exit %d\n%s", code, lines)
		if lines == "" {
			t.Errorf("it was not found: %s", got)
		}
		mu.Lock()
		defer mu.Unlock()
		ran++
		if *updateScripts {
			want[f.name] = got
		}
		if got != want[f.name] {
			t.Errorf("got\n%s\nwant\n%s", got, want[f.name])
		}
	}
	t.Run("faults", func(t *testing.T) {
		for _, f := range planted {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				sow(t, f)
			})
		}
	})
	for _, f := range plantedThere {
		t.Run(f.name, func(t *testing.T) { sow(t, f) })
	}
	t.Run("in words", func(t *testing.T) { inWords(t, s) })
	t.Run("each its own", func(t *testing.T) { eachItsOwn(t, s) })
	t.Run("another release since", func(t *testing.T) { anotherSince(t, s) })
	t.Run("left behind", func(t *testing.T) { leftBehind(t, s) })
	t.Run("before anything is touched", func(t *testing.T) { refused(t, s) })
	healthy("when all is mended") // so that no row found what another left
	if *updateScripts {
		ar.Files = nil
		for _, f := range slices.Concat(planted, plantedThere) { // those that were not run, or skipped, stay as they were
			ar.Files = append(ar.Files, txtar.File{Name: f.name, Data: []byte(want[f.name])})
		}
		if err := os.WriteFile(golden, txtar.Format(ar), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	all := len(planted) + len(plantedThere)
	if len(want) != all {
		t.Errorf("%s has %d faults, and there are %d", golden, len(want), all)
	}
	t.Logf("%d of %d faults were planted", ran, all)
}

// inWords demands that people see what mends a fault on a line of its own, below it.
func inWords(t *testing.T, s soil) {
	b := s.bed(t)
	b.backend("game-5").Status = 1
	b.release("game-5", "v0.9.0")
	b.write()
	code, out, _ := b.run("check")
	if want := "✖ backend   game-5.host:6150: backend-game-5 is on and reported unhealthy\n            → see on game-5 "; code != 3 || !strings.Contains(out, want) {
		t.Errorf("exit %d, and no %q in\n%s", code, want, out)
	}
	if want := "! release   the machines run different releases: v0.9.0 on game-5; v1.0.0 on game-4, game-6, game-1, game-2, game-3\n            → bring all"; !strings.Contains(out, want) {
		t.Errorf("no %q in\n%s", want, out)
	}
	if want := " checks failed; nothing was touched\n"; !strings.HasSuffix(out, want) || !strings.Contains(out, "\n1 of ") {
		t.Errorf("%q does not end in %q", out, want)
	}
}

// leftBehind demands that what a process left that has ended is no holder.
func leftBehind(t *testing.T, s soil) {
	b := s.bed(t)
	held := b.hold()
	holder, err := os.ReadFile(filepath.Join(b.state, "holder.json"))
	b.must(err)
	b.must(held.Close())
	b.must(os.WriteFile(filepath.Join(b.state, "holder.json"), holder, 0o600)) // as after kill -9
	b.write()
	if code, lines := b.found(); code != 0 || lines != "" {
		t.Errorf("exit %d and\n%s", code, lines)
	}
	if _, out, _ := b.run("check"); !strings.Contains(out, "✔ lock      free") || strings.Contains(out, "4242") {
		t.Errorf("the lock is not said to be free, or a dead holder is named:\n%s", out)
	}
}

// refused demands that plan and start see the same, say the same, and touch nothing.
func refused(t *testing.T, s soil) {
	b := s.bed(t)
	b.backend("game-5").Status = 1
	b.path("game-5", nil, "flock")
	b.write()
	want := `rollout: backend game-5.host:6150: backend-game-5 is on and reported unhealthy
  → see on game-5 what listens on port 6150 (ss -ltn) and what its log says, or switch the backend off in the console
tools game-5: not in the PATH of a command over ssh: flock
  → install util-linux there, or link it into /usr/local/bin
`
	for _, args := range [][]string{{"plan"}, {"start", "--yes"}} {
		if code, _, errs := b.run(args...); code != 3 || errs != want {
			t.Errorf("%v: exit %d and\n%s\nwant 3 and\n%s", args, code, errs, want)
		}
	}
	if runs, err := journal.Runs(b.state); err != nil || len(runs) > 0 {
		t.Errorf("there is a run: %v, %v", runs, err)
	}
	full := s.bed(t)
	full.small = true
	full.write()
	if code, _, errs := full.run("start", "--yes"); code != 3 || !strings.Contains(errs, "KiB left, less than 16 MiB") || !strings.Contains(errs, "→ make room there") {
		t.Errorf("start on a full disk: exit %d and\n%s", code, errs)
	}
}

// refuse lets UCloud refuse every request of listeners.
func (b *bed) refuse(code int, says string) {
	b.faults = append(b.faults, cloud.Fault{Kind: "retcode", Code: code, Value: says, Actions: []string{"DescribeVServer"}})
}

// others adds a listener of another service to the balancer.
func (b *bed) others() {
	b.balancer.Listeners = append(b.balancer.Listeners, cloud.Listener{ID: "vserver-web", Name: "web",
		Backends: []cloud.Backend{{ID: "backend-web", Host: "127.0.0.9", Port: 80, Enabled: true, Weight: 1}}})
}

// forget takes a machine out of known_hosts.
func (b *bed) forget(machine string) {
	var rest []byte
	for line := range strings.Lines(string(b.known)) {
		if !strings.Contains(line, b.machine(machine).Host) {
			rest = append(rest, line...)
		}
	}
	b.known = rest
}

// systemd makes the service a unit; sudo is what that does, nothing: there is none.
func (b *bed) systemd(sudo string) {
	b.config.Command, b.config.Systemd = nil, &config.Systemd{Unit: "game.service", Sudo: true}
	b.config.Deploy, b.config.Release = nil, nil
	own := map[string]string{"systemctl": "exit 0"}
	if sudo != "" {
		own["sudo"] = sudo
	}
	b.everywhere(func(m string) {
		if sudo != "" || m != "game-5" {
			own["sudo"] = or(sudo, "exit 0")
			b.path(m, own)
		}
	})
}

// clock sets a machine's clock.
func (b *bed) clock(machine string, ahead int) {
	date, err := exec.LookPath("date")
	b.must(err)
	b.path(machine, map[string]string{"date": fmt.Sprintf(`exec %s -d "%d seconds" "$@"`, date, ahead)})
}

// disk lets df tell of so many KiB and inodes.
func (b *bed) disk(machine string, kib, files int) {
	b.path(machine, map[string]string{"df": fmt.Sprintf("left=%d\ncase $1 in *i*) left=%d ;; esac\n"+
		`printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\n//nas/my disk 40000000 2 %%s 99%%%% /\n' "$left"`, kib, files)})
}

// act runs the machine's own script.
func (b *bed) act(machine, verb string) {
	b.t.Helper()
	_, err := b.Hosts.Act(context.Background(), machine, verb)
	b.must(err)
}

// release lets a machine tell another release until the row is over.
func (b *bed) release(machine, is string) {
	path := filepath.Join(b.machine(machine).Dir, "game", "RELEASE")
	was, err := os.ReadFile(path)
	b.must(err)
	b.must(os.WriteFile(path, []byte(is+"\n"), 0o600))
	b.t.Cleanup(func() { b.must(os.WriteFile(path, was, 0o600)) })
}

// hold lets another process hold the lock; it is this one here, by another file.
func (b *bed) hold() *journal.Store {
	b.t.Helper()
	s, err := journal.Lock(b.state, journal.Holder{User: "ann", Host: "deploy1", PID: 4242, Command: "rollout start", Since: time.Date(2026, 3, 1, 14, 31, 1, 0, time.UTC)})
	b.must(err)
	b.t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestDocsSayWhatIsLookedAt(t *testing.T) {
	docs, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	found, err := os.ReadFile("testdata/check.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(found)) {
		f := strings.Fields(line)
		if len(f) > 1 && (f[0] == "fail" || f[0] == "warn") && !strings.Contains(string(docs), "\n| `"+f[1]+"` |") {
			t.Errorf("docs/check.md does not list %s", f[1])
		}
	}
}
