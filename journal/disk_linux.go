package journal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// syncData spares the second disk write that File.Sync makes for times nobody reads.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// bootID names the boot of this machine; "" where it is not known.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// sinceBoot goes on while the machine sleeps.
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// misgivings says what is wrong with the filesystem under an existing path.
func misgivings(path string) []*Flaw {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return []*Flaw{{What: fmt.Sprintf("state directory %s: its filesystem cannot be looked at: %v", path, err), Fix: "use --state-dir with a local disk"}}
	}
	var fs []*Flaw
	add := func(fatal bool, fix, format string, args ...any) {
		fs = append(fs, &Flaw{What: "state directory " + path + fmt.Sprintf(format, args...), Fix: fix, Fatal: fatal})
	}
	const far = " is on %s: its locks and syncs may not hold between machines"
	switch uint32(st.Type) { // a magic number of 32 bits; some systems extend its sign
	case unix.NFS_SUPER_MAGIC:
		add(false, "use --state-dir with a local disk", far, "NFS")
	case unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.SMB_SUPER_MAGIC:
		add(false, "use --state-dir with a local disk", far, "SMB")
	case unix.TMPFS_MAGIC:
		add(false, "use --state-dir with a disk", " is in memory (tmpfs): a reboot forgets the run, and nobody can resume it")
	}
	const room = "make room there, or use --state-dir with another disk"
	if free := st.Bavail * uint64(st.Frsize); free < leastFree {
		add(true, room, " has %d KiB left, less than %d MiB: a run stops where its journal cannot grow", free>>10, leastFree>>20)
	}
	if st.Files > 0 && st.Ffree < leastFiles { // a filesystem that makes inodes as they are wanted has 0 of them
		add(true, room, " has room for %d more files, less than %d: a run stops where it can make none", st.Ffree, leastFiles)
	}
	return fs
}
