package journal

import (
	"errors"
	"os"
)

// disk is the open journal file: appended to, synced, and cut back after a failure.
type disk interface {
	Write(b []byte) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// file is the disk that is one.
type file struct{ *os.File }

// Sync makes what was written durable, the file's length included.
func (f file) Sync() error { return syncData(f.File) }

// open opens a file of the state directory: never through a symbolic link, and only where nobody else may have written it.
func open(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|noFollow, fileMode)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = guard(path, path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
