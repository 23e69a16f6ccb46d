package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// diskSize is well above what a run is warned of, and so little that it is soon full.
const diskSize = "24m"

// disk is a small filesystem of its own. A process holds it in a mount namespace, so that nothing is mounted here and no root is needed; all
// others reach it through that process's /proc/<pid>/root.
type disk struct {
	dir   string // on it, as every process of this user finds it
	cmd   *exec.Cmd
	stdin io.Closer
}

func newDisk(under string) (*disk, error) {
	at := filepath.Join(under, "disk")
	if err := os.MkdirAll(at, 0o700); err != nil {
		return nil, err
	}
	// It ends with its standard input, which is to say with us.
	cmd := exec.CommandContext(context.Background(), "/bin/sh", "-c", `mount --make-rprivate / 2>/dev/null; mount -t tmpfs -o size=`+diskSize+`,mode=700 none "$1" && echo mounted && exec cat >/dev/null`, "sh", at)
	var said strings.Builder
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Setpgid: true} // a group of its own: Ctrl-C is for the world
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("a filesystem of its own: %w", err)
	}
	d := &disk{dir: fmt.Sprintf("/proc/%d/root%s", cmd.Process.Pid, at), cmd: cmd, stdin: in}
	if word, err := bufio.NewReader(out).ReadString('\n'); err != nil || word != "mounted\n" {
		_ = d.close()
		return nil, fmt.Errorf("a small filesystem cannot be mounted here: %s", strings.TrimSpace(said.String()))
	}
	return d, nil
}

// fill leaves no room on the disk. To remove the file mends it.
func (d *disk) fill() error {
	f, err := os.OpenFile(filepath.Join(d.dir, "ballast"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for err == nil {
		_, err = f.Write(make([]byte, 64<<10))
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// close ends the process that holds the disk, and the disk with it.
func (d *disk) close() error {
	_ = d.stdin.Close()
	return d.cmd.Wait()
}
