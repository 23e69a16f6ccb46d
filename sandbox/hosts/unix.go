//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package hosts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
)

// signals are those that ssh can name (RFC 4254, 6.10).
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP, "ILL": syscall.SIGILL,
	"INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE, "QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV,
	"TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
}

// ownGroup makes cmd the leader of a process group, so that all of it can be signalled and none of ours with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// signalGroup sends the signal to every process of the group.
func signalGroup(group int, name string) error {
	sig, known := signals[name]
	if !known {
		return fmt.Errorf("signal %q: ssh has no such name", name)
	}
	return syscall.Kill(-group, sig)
}

// groupLives is true while the group has a process in it.
func groupLives(group int) bool { return syscall.Kill(-group, 0) == nil }

// ending is how a process ended: its exit code, or the name of the signal that ended it.
func ending(state *os.ProcessState) (int, string) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return state.ExitCode(), ""
	}
	for name, sig := range signals {
		if sig == status.Signal() {
			return -1, name
		}
	}
	return -1, "KILL"
}

// detach leaves the terminal and the process group of whoever started us, so that neither Ctrl-C there nor the end of an
// ssh command reaches the game. It fails only for a group leader, who has left already.
func detach() { _, _ = syscall.Setsid() }

// ignoreTerm makes the process deaf to a polite stop.
func ignoreTerm() { signal.Ignore(syscall.SIGTERM) }

// grantLease locks a new file in dir until the file is closed or this process is gone, however it went.
func grantLease(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "lease-*")
	if err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	if err := flock(file, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lease %s: %w", file.Name(), err), file.Close())
	}
	return file, nil
}

// awaitLease returns when nobody holds the lease any more. A lock and not a pid: a pid may come to belong to somebody else,
// and the kernel tells at once when a lock goes.
func awaitLease(file *os.File) error { return flock(file, syscall.LOCK_SH) }

func flock(file *os.File, how int) error {
	for {
		if err := syscall.Flock(int(file.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// runs is true when pid is a live process with mark in its command line, or one that is ending: such a one loses its command
// line before its sockets. A zombie, which its parent has only not asked after yet, does not run.
func runs(pid int, mark string) bool {
	if pid <= 1 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	if _, err := os.Stat("/proc/self/cmdline"); err != nil { // not Linux
		line, err := exec.Command("ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
		return err == nil && bytes.Contains(line, []byte(mark))
	}
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil || len(line) > 0 {
		return err == nil && bytes.Contains(line, []byte(mark))
	}
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	// The first thread may be a zombie while others still hold the sockets.
	gone := bytes.Contains(status, []byte("\nState:\tX")) ||
		bytes.Contains(status, []byte("\nState:\tZ")) && bytes.Contains(status, []byte("\nThreads:\t1\n"))
	return err == nil && !gone
}

// killHard ends the process at once.
func killHard(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }
