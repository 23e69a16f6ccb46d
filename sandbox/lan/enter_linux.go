package lan

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enter runs this very program again, with args, as the operator: in network, process, mount and host name namespaces of its own,
// with this program's standard input, output, error and directory, and with env after its environment. No other network is reached
// from there. It returns the operator's exit code, 128 and the signal's number where a signal ended it, once everything there has
// ended. SIGINT, SIGTERM, SIGHUP and SIGQUIT are
// passed on. When this program dies, all of it dies. An error says that the operator never began.
func Enter(args, env []string) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return -1, fmt.Errorf("lan: %w", err)
	}
	tools, err := find("")
	if err != nil {
		return -1, err
	}
	// The kernel takes the death of the thread that started it for the death of its parent.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(self)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: spaces, Pdeathsig: syscall.SIGKILL}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, passed()...)
	defer signal.Stop(signals)
	first, err := begin(cmd, operatorInit)
	if err != nil {
		return -1, fmt.Errorf("lan: the operator's namespaces: %w", err)
	}
	ended := make(chan struct{})
	forwarded := make(chan struct{})
	go func() {
		defer close(forwarded)
		for {
			select {
			case s := <-signals:
				if s == syscall.SIGTERM || !typed() {
					_ = cmd.Process.Signal(s) // it may have ended meanwhile
				}
			case <-ended:
				return
			}
		}
	}()
	said := first.tell(order{Path: self, Args: append([]string{os.Args[0]}, args...), IP: tools.ip})
	err = cmd.Wait()
	close(ended)
	<-forwarded
	var exit *exec.ExitError
	switch {
	case said != nil:
		return -1, fmt.Errorf("lan: the operator's namespaces: %w", said)
	case err != nil && !errors.As(err, &exit):
		return -1, fmt.Errorf("lan: %w", err)
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		return code(s), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// passed is the signals that reach the operator through Enter. What is ignored, as SIGHUP is under nohup, stays so for the operator.
func passed() []os.Signal {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	return slices.DeleteFunc(all, signal.Ignored)
}

// typed is true when the terminal's keys reach us: then they have reached the operator as well, who is in the same process group,
// and must not be told twice, as a second Ctrl-C may mean more than the first.
func typed() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = tty.Close() }()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// code is the exit code that a shell would give.
func code(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

// startOperator begins the operator itself, as a child of its PID 1, and passes on to it what Enter passes on to PID 1.
func startOperator(o order) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, passed()...)
	pid, err := syscall.ForkExec(o.Path, o.Args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", o.Path, err)
	}
	// The operator stays in the terminal's process group; we leave it, so as to hear each signal once, from Enter.
	_ = syscall.Setpgid(0, 0)
	go func() {
		for s := range signals {
			if n, ok := s.(syscall.Signal); ok {
				_ = syscall.Kill(pid, n)
			}
		}
	}()
	return pid, nil
}
