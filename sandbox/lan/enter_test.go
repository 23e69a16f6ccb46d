//go:build linux

package lan

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func possible(t *testing.T) {
	t.Helper()
	if err := Possible(); err != nil {
		t.Skip(err)
	}
}

// entering starts a program that has an operator act.
func entering(t *testing.T, what string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	possible(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "enter", what)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewReader(out)
}

func TestTheOperatorsExitCodeIsTheProgramsOwn(t *testing.T) {
	for what, want := range map[string]int{"exit": 7, "die": 128 + 9, "orphans": 0} {
		cmd, out := entering(t, what)
		said, _ := io.ReadAll(out)
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: got exit %d, want %d: %s", what, got, want, said)
		}
	}
}

func TestEachSignalReachesTheOperatorOnce(t *testing.T) {
	cmd, out := entering(t, "wait")
	expect(t, out, "ready")
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGINT, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		expect(t, out, "got "+s.String())
	}
	if more, _ := io.ReadAll(out); len(more) > 0 {
		t.Errorf("got %q as well", more)
	}
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 5 {
		t.Errorf("got exit %d, want 5", got)
	}
}

func TestNothingOutlivesTheProgramThatEntered(t *testing.T) {
	cmd, out := entering(t, "lan")
	dir, err := out.ReadString('\n')
	dir = strings.TrimSpace(dir)
	if err != nil || !filepath.IsAbs(dir) {
		t.Fatalf("got %q, %v, want where the LAN is", dir, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var lived []int
	if err := until(t.Context(), func() bool {
		lived = below(cmd.Process.Pid)
		return len(lived) == 6 // PID 1, the operator, and two machines with PID 1 and sshd, which ends its child for the one who asked whether it is up
	}); err != nil {
		t.Fatalf("got processes %v, want six", lived)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := until(t.Context(), func() bool { return len(alive(lived)) == 0 }); err != nil {
		t.Errorf("%v live on", alive(lived))
	}
}

func TestCtrlCReachesTheOperatorOnce(t *testing.T) {
	possible(t)
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer func() { _ = ptmx.Close() }()
	n, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile("/dev/pts/"+itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "enter", "wait")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close()
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	out := bufio.NewReader(ptmx)
	expect(t, out, "ready")
	if _, err := ptmx.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	expect(t, out, "^Cgot interrupt")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expect(t, out, "got terminated")
}

func expect(t *testing.T, out *bufio.Reader, want string) {
	t.Helper()
	if got, err := out.ReadString('\n'); strings.TrimSpace(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// below is every process that descends from pid.
func below(pid int) []int {
	var all []int
	lists, _ := filepath.Glob("/proc/" + itoa(pid) + "/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(text)) {
			all = append(append(all, atoi(child)), below(atoi(child))...)
		}
	}
	return all
}
