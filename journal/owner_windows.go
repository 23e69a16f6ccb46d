package journal

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

const (
	noFollow = 0
	guarded  = false
)

// owner is not known by numbers.
func owner(fs.FileInfo) (uid, gid int) { return -1, -1 }

// private is not asked: mode bits say nothing here.
func private(int) bool { return false }

// guard trusts the access list that a directory below the user's profile inherits: mode bits say nothing here.
func guard(string, string, fs.FileInfo) error { return nil }

// writable is not known before something is made.
func writable(string) error { return nil }

// syncDir does nothing: a directory cannot be synced here, and NTFS journals its names itself.
func syncDir(string) error { return nil }

// full says whether a write failed for want of room.
func full(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
