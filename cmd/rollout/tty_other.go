//go:build !unix

package main

import "io"

// foreground says whether the terminal is this process's to read and to set: here there are no jobs in the background.
func foreground(io.Reader) bool { return true }

func unstoppable() func() { return func() {} }
