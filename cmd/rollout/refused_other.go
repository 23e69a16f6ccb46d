//go:build !windows

package main

import "syscall"

// connRefused is what a connect gives where nobody listens.
const connRefused = syscall.ECONNREFUSED
