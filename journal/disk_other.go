//go:build !linux

package journal

import (
	"os"
	"time"
)

// syncData is File.Sync, which on macOS asks the drive itself to write (F_FULLFSYNC); fdatasync does not.
func syncData(f *os.File) error { return f.Sync() }

// bootID is empty: no deadline is counted across processes.
func bootID() string { return "" }

func sinceBoot() time.Duration { return 0 }

func misgivings(string) []*Flaw { return nil }
