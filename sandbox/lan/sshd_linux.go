package lan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// SSHD stops the machine's ssh server and starts it again with another MaxStartups; "" is sshd's own default. Sessions that are
// open stay open: each has a process of its own. It returns when the new server answers.
func (l *LAN) SSHD(ctx context.Context, name, maxStartups string) error {
	return l.do(name, func(m *machine) error {
		if !m.on() {
			return errors.New("it is off")
		}
		if err := l.endSSHD(ctx, m); err != nil {
			return err
		}
		return l.serve(ctx, m, maxStartups)
	})
}

// serve starts sshd on the machine and waits until it answers.
func (l *LAN) serve(ctx context.Context, m *machine, maxStartups string) error {
	pid, conf, log := filepath.Join(m.dir, "sshd.pid"), filepath.Join(m.dir, "sshd_config"), filepath.Join(m.dir, "sshd.log")
	if err := os.Remove(pid); err != nil && !errors.Is(err, fs.ErrNotExist) { // of before the power was cut
		return err
	}
	lines := []string{
		"Port " + strconv.Itoa(l.SSHPort),
		"HostKey " + quote(l.keyPath("host_"+m.Name)),
		"AuthorizedKeysFile " + quote(l.keyPath("authorized_keys")),
		"PidFile " + quote(pid),
		"SetEnv " + quote("PATH="+os.Getenv("PATH")), // node may live where a login would not look
		"StrictModes no",                             // the keys lie in a directory that may be under /tmp
		"UsePAM no", "UseDNS no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"PermitRootLogin prohibit-password", "PrintMotd no", "PrintLastLog no",
		"Subsystem sftp internal-sftp",
	}
	if maxStartups != "" {
		lines = append(lines, "MaxStartups "+maxStartups)
	}
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil { //nolint:gosec // G703: the directory is the caller's own
		return err
	}
	// Once in the background, where the machine's first process becomes its parent, sshd says what it has to say only to its log.
	for _, args := range [][]string{{"-t", "-f", conf}, {"-f", conf, "-E", log}} {
		out, err := l.command(ctx, m.init.Process.Pid, append([]string{l.tools.sshd}, args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", l.tools.sshd, err, strings.TrimSpace(string(out)))
		}
	}
	addr := net.JoinHostPort(m.IP, strconv.Itoa(l.SSHPort))
	if err := until(ctx, func() bool { return greets(ctx, addr) }); err != nil {
		return fmt.Errorf("sshd does not answer at %s: %w: see %s", addr, err, log)
	}
	return nil
}

// endSSHD ends the server that listens, and none of the sessions it has begun.
func (l *LAN) endSSHD(ctx context.Context, m *machine) error {
	path := filepath.Join(m.dir, "sshd.pid")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	pid := strings.TrimSpace(string(text))
	if out, err := l.command(ctx, m.init.Process.Pid, "kill", "-TERM", pid).CombinedOutput(); err != nil {
		return fmt.Errorf("sshd: kill %s: %w: %s", pid, err, strings.TrimSpace(string(out)))
	}
	err = until(ctx, func() bool { // it removes the file when it has let go of its port
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	})
	if err != nil {
		return fmt.Errorf("sshd does not end: %w", err)
	}
	return nil
}

// greets is true when an ssh server sends its first line.
func greets(ctx context.Context, addr string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	hello := make([]byte, 4)
	_, err = conn.Read(hello)
	return err == nil && string(hello) == "SSH-"
}

// until looks again and again until ok, for as long as a busy host may need.
func until(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func quote(s string) string { return `"` + s + `"` }
