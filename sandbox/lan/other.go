//go:build !linux

package lan

import (
	"context"
	"errors"
	"os/exec"
)

var errLinux = errors.New("lan: machines on one host need Linux: its namespaces are what they are made of")

// Possible says what this host lacks: here, Linux.
func Possible() error { return errLinux }

// Boot does nothing here.
func Boot() {}

// Inside is false here.
func Inside() bool { return false }

// Enter returns an error here.
func Enter([]string, []string) (int, error) { return -1, errLinux }

// Start returns an error here.
func Start(context.Context, Options) (*LAN, error) { return nil, errLinux }

// Disk is "" here.
func (l *LAN) Disk(string, string) string { return "" }

// PID is 0 here.
func (l *LAN) PID(string) int { return 0 }

// Command returns a command that fails here.
func (l *LAN) Command(context.Context, string, ...string) *exec.Cmd { return &exec.Cmd{Err: errLinux} }

// SSHD returns an error here.
func (l *LAN) SSHD(context.Context, string, string) error { return errLinux }

// Unplug returns an error here.
func (l *LAN) Unplug(context.Context, string) error { return errLinux }

// Plug returns an error here.
func (l *LAN) Plug(context.Context, string) error { return errLinux }

// Off returns an error here.
func (l *LAN) Off(context.Context, string) error { return errLinux }

// On returns an error here.
func (l *LAN) On(context.Context, string) error { return errLinux }

// Close does nothing here.
func (l *LAN) Close() error { return nil }
