//go:build unix

package ulb

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// alone refuses a file of keys that somebody else may read, or has written: keys that others have chosen lead to a balancer of theirs.
func alone(name, path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return &Flaw{fmt.Sprintf("%s: mode %#o lets others read the keys", name, mode), "chmod 600 " + path}
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return &Flaw{fmt.Sprintf("%s: it belongs to uid %d and this is uid %d", name, st.Uid, os.Geteuid()), "run as its owner, or use a file of your own"}
	}
	return nil
}
