//go:build !linux

package haproxy

import "syscall"

// dieWithUs does nothing: only Linux has a signal for it.
func dieWithUs() *syscall.SysProcAttr { return nil }
