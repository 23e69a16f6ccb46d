//go:build unix

package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noFollow makes opening a symbolic link an error.
const noFollow = unix.O_NOFOLLOW

// guarded says that mode bits tell who may write.
const guarded = true

// owner gives the uid and the gid of a file.
func owner(info fs.FileInfo) (uid, gid int) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, -1
	}
	return int(st.Uid), int(st.Gid)
}

// guard refuses what belongs to somebody else, root included, or what others may write. name is what it is called in the Flaw.
func guard(name, path string, info fs.FileInfo) error {
	if uid, _ := owner(info); uid != os.Geteuid() {
		return &Flaw{What: fmt.Sprintf("%s: it belongs to uid %d and this is uid %d", name, uid, os.Geteuid()), Fix: "run as its owner, or use another --state-dir", Fatal: true}
	}
	if info.Mode().Perm()&0o022 != 0 {
		return &Flaw{What: fmt.Sprintf("%s: others may write to it (mode %04o)", name, info.Mode().Perm()), Fix: "chmod go-w " + path + ", after looking at what is in it", Fatal: true}
	}
	return nil
}

// writable says why nothing can be made in a directory; nil where something can.
func writable(dir string) error {
	return unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
}

// syncDir makes what was created, renamed or removed in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		_ = d.Close()
		return err
	}
	return d.Close()
}

// full says whether a write failed for want of room.
func full(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }
