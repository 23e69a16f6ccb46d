package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const reserveSize = 64 << 10

// keepReserve makes sure that the reserve is there.
func keepReserve(path string) error {
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == reserveSize {
		return nil
	}
	if err := replace(path, make([]byte, reserveSize), true); err != nil {
		return fmt.Errorf("reserve of %d KiB for a full disk: %w", reserveSize>>10, err)
	}
	return nil
}

// release gives the reserve's room back to the disk. The directory is synced because some filesystems free blocks only with that.
func release(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}
