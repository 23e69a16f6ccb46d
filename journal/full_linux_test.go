package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

const noMount = 77

func TestARealFullDisk(t *testing.T) {
	in := t.TempDir()
	must(t, os.Mkdir(filepath.Join(in, "disk"), 0o700))
	c := child(t, "fill", in)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := c.Output()
	exit := (*exec.ExitError)(nil)
	if errors.As(err, &exit) && exit.ExitCode() == noMount || errors.Is(err, os.ErrPermission) {
		t.Skipf("a small filesystem cannot be mounted here: %s%v", out, err)
	}
	if err != nil {
		t.Errorf("%s%v", out, err)
	}
}

// fillDisk writes to a filesystem of 512 KiB of its own until that is full.
func fillDisk(at string) int {
	if err := errors.Join(syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""),
		syscall.Mount("none", at, "tmpfs", 0, "size=512k,mode=700")); err != nil {
		fmt.Println(err)
		return noMount
	}
	if err := fill(filepath.Join(at, "game")); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func fill(dir string) error {
	if fs := Flaws(dir); len(fs) < 2 || !strings.Contains(fs[1].What, "KiB left") || !fs[1].Fatal {
		return fmt.Errorf("flaws: got %v; want one that little is left", fs)
	}
	s, err := Lock(dir, Holder{User: "child", Host: "here", PID: os.Getpid()})
	if err != nil {
		return err
	}
	r, _, err := s.Begin("r1", note("first"))
	n := 1
	for ; err == nil; n++ {
		_, err = r.Append(context.Background(), note(strings.Repeat("x", 1000)))
	}
	n-- // the last was refused
	if !errors.Is(err, ErrBroken) || !errors.Is(err, syscall.ENOSPC) || n < 100 {
		return fmt.Errorf("after %d records: got %w; want that the disk is full", n, err)
	}
	held := plans.Event{What: plans.Held, Step: 3, Error: strings.Repeat("y", 8000)}
	if _, err := r.Append(context.Background(), held); err != nil {
		return fmt.Errorf("held: %w", err)
	}
	if _, err := r.Append(context.Background(), note("more")); !errors.Is(err, ErrBroken) {
		return fmt.Errorf("after held: got %w; want ErrBroken", err)
	}
	es, err := Read(dir, "r1")
	if err != nil || len(es) != n+1 || es[n].What != plans.Held {
		return fmt.Errorf("got %d records, %w; want %d and then held", len(es), err, n)
	}
	return s.Close()
}
