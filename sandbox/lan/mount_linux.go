package lan

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mount is a directory of this host that a machine sees at another path.
type mount struct {
	Source, Target string
	ReadOnly       bool
}

// place carries the mounts out in order. The sources are opened first: a mount may hide them.
func place(mounts []mount) error {
	sources := make([]int, len(mounts))
	for i, m := range mounts {
		fd, err := unix.Open(m.Source, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("mount %s: %s: %w", m.Target, m.Source, err)
		}
		defer func() { _ = unix.Close(fd) }()
		sources[i] = fd
	}
	for i, m := range mounts {
		if err := makeRoom(m.Target, mounts[:i]); err != nil {
			return fmt.Errorf("mount %s: %w", m.Target, err)
		}
		if err := bind(fdPath(sources[i]), m.Target); err != nil {
			return fmt.Errorf("mount %s: %w", m.Target, err)
		}
		if m.ReadOnly {
			if err := syscall.Mount("", m.Target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
				return fmt.Errorf("mount %s: read-only: %w", m.Target, err)
			}
		}
	}
	return nil
}

// makeRoom sees to it that the directory exists on this machine and leaves no trace of it on the host: below a directory that is
// the machine's own it is simply made; elsewhere its nearest parent is first replaced by a likeness in memory.
func makeRoom(target string, before []mount) error {
	near := filepath.Clean(target)
	for {
		info, err := os.Stat(near)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is no directory", near)
		}
		if err == nil {
			break
		}
		near = filepath.Dir(near)
	}
	if near == filepath.Clean(target) {
		return nil
	}
	if near == "/" {
		return fmt.Errorf("/%s does not exist on this host: choose a path below a directory that does", strings.Split(target, "/")[1])
	}
	own := false
	for _, m := range before {
		if near == m.Target || strings.HasPrefix(near, m.Target+"/") {
			own = !m.ReadOnly
		}
	}
	if !own {
		if err := liken(near); err != nil {
			return err
		}
	}
	return os.MkdirAll(target, 0o755) //nolint:gosec // G301: a machine's directories are as open as a host's
}

// liken replaces a directory by one in memory that shows the same things, where more can be put beside them.
func liken(dir string) error {
	old, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(old) }()
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	mode := strconv.FormatUint(uint64(info.Sys().(*syscall.Stat_t).Mode&0o7777), 8)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode="+mode); err != nil {
		return fmt.Errorf("%s in memory: %w", dir, err)
	}
	for _, e := range entries {
		from, to := filepath.Join(fdPath(old), e.Name()), filepath.Join(dir, e.Name())
		if err := show(from, to, e.Type()); err != nil {
			return err
		}
	}
	return nil
}

// show makes to the same thing as from.
func show(from, to string, kind fs.FileMode) error {
	switch {
	case kind&fs.ModeSymlink != 0:
		where, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(where, to)
	case kind.IsDir():
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(to, nil, 0o600); err != nil {
			return err
		}
	}
	return bind(from, to)
}

func bind(from, to string) error {
	return syscall.Mount(from, to, "", syscall.MS_BIND|syscall.MS_REC, "")
}

// fdPath is a path by which an open directory is still reached when its own path leads elsewhere.
func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
