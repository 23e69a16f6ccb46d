package lan

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// spaces is what makes a machine.
const spaces = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS

// Possible says what this host lacks for a LAN, or nil. It makes a bridge and a cable in namespaces that end at once, since to be
// root is not enough in many a container.
func Possible() error {
	if os.Geteuid() != 0 {
		return errors.New("lan: only root can make machines: run it as root")
	}
	t, err := find("")
	if err != nil {
		return err
	}
	trial := exec.Command(t.ip, "-batch", "-")
	trial.Stdin = strings.NewReader("link add lan0 type bridge\nlink add lan-0 type veth peer name eth0\n")
	trial.SysProcAttr = &syscall.SysProcAttr{Cloneflags: spaces}
	if out, err := trial.CombinedOutput(); err != nil {
		return fmt.Errorf("lan: this root may not make namespaces with a bridge and veth (a container needs --privileged): %w: %s",
			err, strings.TrimSpace(string(out)))
	}
	return nil
}

// find looks for the programs needed, also where an account's PATH may not look.
func find(sshd string) (tools, error) {
	if sshd == "" {
		sshd = "sshd"
	}
	var t tools
	for _, p := range []struct {
		at         *string
		name, from string
	}{{&t.ip, "ip", "iproute2"}, {&t.nsenter, "nsenter", "util-linux"}, {&t.sshd, sshd, "openssh-server"}} {
		path, err := exec.LookPath(p.name)
		for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
			if err != nil {
				path, err = exec.LookPath(filepath.Join(dir, p.name))
			}
		}
		if err != nil {
			return t, fmt.Errorf("lan: no %s here: install %s", p.name, p.from)
		}
		if *p.at, err = filepath.Abs(path); err != nil {
			return t, fmt.Errorf("lan: %w", err)
		}
	}
	return t, nil
}
