//go:build unix

package main

import (
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// foreground says whether the terminal is this process's to read and to set. One in the background (`rollout start &`) that tried would be
// stopped by the kernel, and the run with it.
func foreground(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// unstoppable lets a process that is put into the background while it has the terminal get an error instead of being stopped, until the function
// it gives is called.
func unstoppable() func() {
	signal.Ignore(unix.SIGTTIN, unix.SIGTTOU)
	return func() { signal.Reset(unix.SIGTTIN, unix.SIGTTOU) }
}
