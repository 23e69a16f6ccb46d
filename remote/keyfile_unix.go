//go:build unix

package remote

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// alone refuses a key of ours that others may read, as ssh does. One that belongs to somebody else is lent to us, and its owner's business.
func alone(path string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(st.Uid) == os.Geteuid() && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s: mode %04o lets others read the key: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return nil
}
