package hosts

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// openssh runs the real ssh client with the world's key and known_hosts and nothing of this account's.
func openssh(t *testing.T, h *Hosts, args ...string) (string, int) {
	t.Helper()
	path, err := exec.LookPath("ssh")
	if err != nil {
		t.Skip("no ssh client of OpenSSH here")
	}
	conf := filepath.Join(t.TempDir(), "ssh_config")
	text := "Host *\n  BatchMode yes\n  StrictHostKeyChecking yes\n  KexAlgorithms curve25519-sha256\n  User " + user() +
		"\n  IdentitiesOnly yes\n  IdentityFile \"" + h.ClientKey + "\"\n  UserKnownHostsFile \"" + h.KnownHosts + "\"\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{"-F", conf}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

func user() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	out, err := exec.Command("id", "-un").Output()
	if err != nil {
		return "root"
	}
	return strings.TrimSpace(string(out))
}

func TestTheRealSSHClientIsServed(t *testing.T) {
	h := start(t, bare())
	one, two := h.Machines[0], h.Machines[1]
	port := func(m Machine) string { return strconv.Itoa(m.SSHPort) }
	for _, c := range []struct {
		name string
		args []string
		out  string
		code int
	}{
		{"exit code", []string{"-p", port(one), one.Host, `echo "$SANDBOX_MACHINE"; exit 5`}, one.Name + "\n", 5},
		{"through another", []string{"-J", one.SSHAddr(), "-p", port(two), two.Host, `echo "$SANDBOX_MACHINE"`}, two.Name + "\n", 0},
		{"killed", []string{"-p", port(one), one.Host, `kill -9 $$`}, "", 255},
	} {
		out, code := openssh(t, h, c.args...)
		if out != c.out || code != c.code {
			t.Errorf("%s: got %q, exit %d, want %q, exit %d", c.name, out, code, c.out, c.code)
		}
	}
	if err := h.SSH[one.Name].Break(SSHStrangeKey); err != nil {
		t.Fatal(err)
	}
	out, code := openssh(t, h, "-p", port(one), one.Host, "true")
	if code != 255 {
		t.Errorf("a strange host key: got exit %d", code)
	}
	contains(t, out, "REMOTE HOST IDENTIFICATION HAS CHANGED")
}

func TestARealSSHServerReachesTheSameGame(t *testing.T) {
	sshd := "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); err != nil {
		t.Skip("no OpenSSH server here: ", err)
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Skip("sshd wants /run/sshd: ", err)
		}
	}
	list := machines(1, 1)
	for i := range list {
		list[i].SSHPort = freePorts(1)[0]
	}
	h := start(t, list, func(o *Options) { o.EmbeddedSSH = false })
	m := h.Machines[0]
	conf := filepath.Join(m.Dir, "sshd_config")
	if err := os.WriteFile(conf, []byte(SSHDConfig(m, h.HostKey[m.Name], h.Authorized)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(sshd, "-t", "-f", conf).CombinedOutput(); err != nil {
		t.Fatalf("sshd_config: %v: %s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command(sshd, "-D", "-e", "-f", conf)
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("sshd: %s", log.String())
		}
	}()
	eventually(t, "sshd listens", func() bool {
		conn, err := net.DialTimeout("tcp", m.SSHAddr(), time.Second)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
	before := truthOf(t, h, m.Name).Running
	out, code := openssh(t, h, "-p", strconv.Itoa(m.SSHPort), m.Host,
		`cd "$HOME/game" && ./game.sh stop && ./game.sh start && echo "$SANDBOX_MACHINE"`)
	if code != 0 || !strings.HasSuffix(out, m.Name+"\n") {
		t.Fatalf("got %q, exit %d", out, code)
	}
	after := truthOf(t, h, m.Name)
	if after.Restarts != 1 || len(after.Running) != 2 || after.Running[0] == before[0] {
		t.Errorf("got %+v, want two new processes after one restart", after)
	}
}
