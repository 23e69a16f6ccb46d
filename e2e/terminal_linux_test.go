//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// onTerminal runs a command with a terminal for its standard input and output, and types an answer, without its being echoed, at each prompt.
func onTerminal(t *testing.T, cmd *exec.Cmd, prompt, answer string) output {
	t.Helper()
	screen, keyboard, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	errs, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = keyboard, keyboard, in
	cmd.Env = append(cmd.Environ(), "TERM=dumb") // plain lines: what is looked for in them is not torn apart
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	var shown, told bytes.Buffer
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(&shown, screen) }) // ends with an error when the last who holds the keyboard has gone
	both.Go(func() {
		b := make([]byte, 4096)
		asked := 0
		for {
			n, err := errs.Read(b)
			told.Write(b[:n])
			for ; asked < strings.Count(told.String(), prompt); asked++ {
				if hushed(keyboard) {
					_, _ = io.WriteString(screen, answer+"\n")
				}
			}
			if err != nil {
				keyboard.Close()
				return
			}
		}
	})
	_ = cmd.Wait()
	both.Wait()
	return output{cmd.ProcessState.ExitCode(), shown.String(), told.String()}
}

// hushed waits until a terminal does not echo.
func hushed(keyboard *os.File) bool {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if a, err := unix.IoctlGetTermios(int(keyboard.Fd()), unix.TCGETS); err == nil && a.Lflag&unix.ECHO == 0 {
			return true
		}
	}
	return false
}
