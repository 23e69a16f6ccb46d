//go:build linux

package lan

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func machines(n int) []Machine {
	var list []Machine
	for i := range n {
		list = append(list, Machine{Name: fmt.Sprintf("game-%d", i+1), IP: fmt.Sprintf("10.77.0.%d", 11+i)})
	}
	return list
}

// start brings a LAN of n machines up, in a directory whose name wants quoting.
func start(t *testing.T, n int, change ...func(*Options)) *LAN {
	t.Helper()
	possible(t)
	o := Options{Dir: filepath.Join(t.TempDir(), "a lan's dir"), Machines: machines(n), Private: []string{"/srv/game"}}
	for _, c := range change {
		c(&o)
	}
	l, err := Start(t.Context(), o)
	if err != nil {
		logs, _ := filepath.Glob(filepath.Join(o.Dir, "machines", "*", "*.log"))
		for _, log := range logs {
			text, _ := os.ReadFile(log)
			t.Logf("%s: %s", log, text)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

// ssh runs a line on a machine as the operator does, with so long to connect as a busy host may need.
func (l *LAN) ssh(ctx context.Context, name, line string) (string, int) {
	return run(exec.CommandContext(ctx, "ssh", "-F", l.SSHConfig, "-o", "ConnectTimeout=60", name, line))
}

// unreachable fails unless ssh finds nobody there.
func (l *LAN) unreachable(t *testing.T, name string) {
	t.Helper()
	out, code := run(exec.CommandContext(t.Context(), "ssh", "-F", l.SSHConfig, "-o", "ConnectTimeout=2", name, "true"))
	if code != 255 || !strings.Contains(out, "timed out") && !strings.Contains(out, "No route") {
		t.Errorf("ssh %s: got %q, exit %d, want a time-out, 255", name, out, code)
	}
}

func run(cmd *exec.Cmd) (string, int) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return err.Error(), -1
	}
	return strings.TrimSpace(out.String()), cmd.ProcessState.ExitCode()
}

func (l *LAN) mustSSH(t *testing.T, name, line string) string {
	t.Helper()
	out, code := l.ssh(t.Context(), name, line)
	if code != 0 {
		t.Fatalf("ssh %s %s: exit %d: %s", name, line, code, out)
	}
	return out
}

func TestSixMachinesAreReachedByTheOperatorAndByEachOther(t *testing.T) {
	l := start(t, 6)
	for _, m := range l.Machines {
		got := l.mustSSH(t, m.Name, `hostname; tr '\0' '\n' </proc/1/cmdline; ip -4 -o addr show eth0 | grep -o '10[.0-9/]*' | head -1`)
		if want := m.Name + "\nrollout-lan-machine\n" + m.IP + "/24"; got != want {
			t.Errorf("%s: got %q, want %q", m.Name, got, want)
		}
	}
	got := l.mustSSH(t, "game-1", "ssh 10.77.0.12 '-p 59622' hostname </dev/null; ssh -p 59622 -o BatchMode=yes game-1@127.0.0.1 true 2>/dev/null; echo $?")
	if first, rest, _ := strings.Cut(got, "\n"); first != "game-2" || rest != "255" {
		t.Errorf("from one machine to another: got %q, want game-2, and then 255 as a stranger is refused", got)
	}
}

func TestAnUnpluggedMachineGoesOnUnseen(t *testing.T) {
	l := start(t, 2)
	l.mustSSH(t, "game-2", "sleep 1000 >/dev/null 2>&1 & echo $! >/srv/game/pid")
	if err := l.Unplug(t.Context(), "game-2"); err != nil {
		t.Fatal(err)
	}
	l.unreachable(t, "game-2")
	if out, code := run(l.Command(t.Context(), "game-2", "sh", "-c", "kill -0 $(cat /srv/game/pid) && hostname")); code != 0 || out != "game-2" {
		t.Errorf("behind ssh's back: got %q, exit %d, want game-2", out, code)
	}
	if err := l.Plug(t.Context(), "game-2"); err != nil {
		t.Fatal(err)
	}
	l.mustSSH(t, "game-2", "kill -0 $(cat /srv/game/pid)")
}

func TestAMachineSwitchedOffLosesItsProcessesAndKeepsItsDisk(t *testing.T) {
	l := start(t, 2)
	l.mustSSH(t, "game-2", "echo kept >/srv/game/file; sleep 1000 >/dev/null 2>&1 &")
	pid := l.PID("game-2")
	lived := below(pid)
	if err := l.Off(t.Context(), "game-2"); err != nil {
		t.Fatal(err)
	}
	if len(lived) < 2 { // sshd and sleep
		t.Errorf("got processes %v before, want two or more", lived)
	}
	if left := alive(append(lived, pid)); len(left) > 0 {
		t.Errorf("%v live on", left)
	}
	l.unreachable(t, "game-2")
	if _, code := run(l.Command(t.Context(), "game-2", "true")); code != -1 || l.PID("game-2") != 0 {
		t.Error("a program ran on a machine that is off")
	}
	for range 2 { // the second time it is on already
		if err := l.On(t.Context(), "game-2"); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.mustSSH(t, "game-2", "cat /srv/game/file; pgrep -c sleep || true"); got != "kept\n0" {
		t.Errorf("got %q, want what was on the disk and no sleep", got)
	}
	if got := l.mustSSH(t, "game-1", "ssh -p 59622 10.77.0.12 hostname"); got != "game-2" {
		t.Errorf("got %q from its neighbour, want game-2", got)
	}
}

func TestTheSamePathIsAnotherDirectoryOnEachMachine(t *testing.T) {
	share := t.TempDir()
	if err := os.WriteFile(filepath.Join(share, "module"), []byte("shared"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := start(t, 2, func(o *Options) {
		o.Private = []string{"/srv/game", "/opt/lan-test/deep"}
		o.Shares = []Share{{share, "/srv/game/modules"}}
	})
	for _, m := range l.Machines {
		if err := os.WriteFile(filepath.Join(l.Disk(m.Name, "/srv/game"), "name"), []byte(m.Name), 0o600); err != nil {
			t.Fatal(err)
		}
		l.mustSSH(t, m.Name, "hostname >/opt/lan-test/deep/said; touch ~/.ssh/$(hostname)")
	}
	for _, m := range l.Machines {
		got := l.mustSSH(t, m.Name, "cat /srv/game/name /opt/lan-test/deep/said /srv/game/modules/module; cd ~/.ssh; echo; ls game*")
		if want := m.Name + m.Name + "\nshared\n" + m.Name; got != want {
			t.Errorf("%s: got %q, want %q", m.Name, got, want)
		}
		if out, code := l.ssh(t.Context(), m.Name, "touch /srv/game/modules/x"); code == 0 || !strings.Contains(out, "Read-only") {
			t.Errorf("%s: wrote to a share: %q", m.Name, out)
		}
	}
	for _, path := range []string{"/srv/game", "/opt/lan-test", "/root/.ssh/game-1"} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is left on the host", path)
		}
	}
}

func TestSSHDIsStartedAnewWithoutEndingASession(t *testing.T) {
	l := start(t, 1)
	session := exec.CommandContext(t.Context(), "ssh", "-F", l.SSHConfig, "game-1", "read line; echo $line")
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	session.Stdout = &out
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	if err := until(t.Context(), func() bool {
		out, _ := run(l.Command(t.Context(), "game-1", "pgrep", "-fc", "read line"))
		return out == "1"
	}); err != nil {
		t.Fatal("the session never began")
	}
	pid := l.PID("game-1")
	if err := l.SSHD(t.Context(), "game-1", "2:50:3"); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("still here\n")); err != nil {
		t.Fatal(err)
	}
	if err := session.Wait(); err != nil || strings.TrimSpace(out.String()) != "still here" {
		t.Errorf("got %q, %v, want a session that outlives its server", out.String(), err)
	}
	if l.PID("game-1") != pid {
		t.Error("the machine was booted anew")
	}
	conf := filepath.Join(l.o.Dir, "machines/game-1/sshd_config")
	if got, _ := run(l.Command(t.Context(), "game-1", l.tools.sshd, "-T", "-f", conf)); !strings.Contains(got, "\nmaxstartups 2:50:3\n") {
		t.Errorf("got %q, want maxstartups 2:50:3 in it", got)
	}
	if err := l.SSHD(t.Context(), "game-1", "nonsense"); err == nil || !strings.Contains(err.Error(), "MaxStartups") {
		t.Errorf("got %v, want what sshd says of its settings", err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	before := links(t)
	l := start(t, 3)
	l.mustSSH(t, "game-3", "setsid sleep 1000 >/dev/null 2>&1 &")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	held := l.Command(ctx, "game-1", "sh", "-c", "sleep 1000; true")
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = held.Wait() }()
	var lived []int
	for _, m := range l.Machines {
		lived = append(append(lived, l.PID(m.Name)), below(l.PID(m.Name))...)
	}
	if len(lived) < 7 { // three first processes, three sshd, one sleep
		t.Errorf("got processes %v, want seven or more", lived)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if left := alive(lived); len(left) > 0 {
		t.Errorf("%v live on", left)
	}
	if links := links(t); !slices.Equal(links, before) {
		t.Errorf("got links %v, want %v", links, before)
	}
	if err := l.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestAStartThatFailsLeavesNothing(t *testing.T) {
	possible(t)
	before, cables := below(os.Getpid()), links(t)
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"an address elsewhere":     {func(o *Options) { o.Machines[1].IP = "10.78.0.1" }, "10.77.0.0/24"},
		"two of an address":        {func(o *Options) { o.Machines[1].IP = o.Machines[0].IP }, "taken by game-1"},
		"a directory under /":      {func(o *Options) { o.Private = []string{"/lan-test"} }, "/lan-test does not exist"},
		"a share that is not here": {func(o *Options) { o.Shares = []Share{{"/lan-test", "/srv/x"}} }, "no such file"},
		"sshd refuses":             {func(o *Options) { o.MaxStartups = "nonsense" }, "MaxStartups"},
	} {
		o := Options{Dir: t.TempDir(), Machines: machines(2)}
		c.change(&o)
		if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, c.want)
		}
		if links := links(t); !slices.Equal(links, cables) {
			t.Errorf("%s: links left: %v", name, links)
		}
	}
	if after := alive(below(os.Getpid())); len(after) > len(before) {
		t.Errorf("processes left: %v", after)
	}
}

func TestACommandThatIsGivenUpEndsOnTheMachineToo(t *testing.T) {
	l := start(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := l.Command(ctx, "game-1", "sh", "-c", "sleep 1001; true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sleeping := func(want string) error {
		return until(t.Context(), func() bool {
			out, _ := run(l.Command(t.Context(), "game-1", "pgrep", "-fc", "^sleep 1001"))
			return out == want
		})
	}
	if sleeping("1") != nil {
		t.Fatal("it never began")
	}
	cancel()
	if err := cmd.Wait(); err == nil {
		t.Error("got no error, want a command that was killed")
	}
	if sleeping("0") != nil {
		t.Error("it goes on")
	}
}

func TestAMachineIsNotTheOperator(t *testing.T) {
	l := start(t, 1)
	if out, code := run(l.Command(t.Context(), "game-1", os.Args[0], "act", "start")); code != 0 {
		t.Errorf("got exit %d, want Start refused where it would change somebody else's network: %s", code, out)
	}
}

// alive is those of the processes that still are there, if only as zombies.
func alive(pids []int) []int {
	return slices.DeleteFunc(slices.Clone(pids), func(pid int) bool {
		_, err := os.Stat("/proc/" + itoa(pid))
		return err != nil
	})
}

func links(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, ":"); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}
