//go:build linux

package lan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the tests as the operator where that is possible. For some tests it is another program.
func TestMain(m *testing.M) {
	Boot()
	if len(os.Args) > 2 && os.Args[1] == "enter" { // a program that has an operator do one thing
		code, err := Enter([]string{"act", os.Args[2]}, nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(code)
	}
	if len(os.Args) > 2 && os.Args[1] == "act" {
		os.Exit(act(os.Args[2]))
	}
	if err := Possible(); err != nil || Inside() {
		os.Exit(m.Run()) // the tests say why they skip
	}
	code, err := Enter(os.Args[1:], nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

// act is what the operator of another program does.
func act(what string) int {
	switch what {
	case "exit":
		return 7
	case "start":
		if _, err := Start(context.Background(), Options{Dir: os.TempDir(), Machines: machines(1)}); Inside() || !errors.Is(err, ErrOutside) {
			fmt.Println("inside:", Inside(), err)
			return 1
		}
		return 0
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "orphans": // it must get the exit code of each of its own children, whatever becomes of theirs
		for range 50 {
			err := exec.Command("sh", "-c", "(true &) ; (sleep 0.01 &) ; exit 3").Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 3 {
				fmt.Println("got", err)
				return 1
			}
		}
		deadline := time.Now().Add(10 * time.Second)
		for {
			out, err := exec.Command("sh", "-c", "cat /proc/[0-9]*/stat | grep -c ') Z '").Output()
			if left := strings.TrimSpace(string(out)); left == "0" {
				return 0
			} else if time.Now().After(deadline) {
				fmt.Println(left, "zombies left", err)
				return 1
			}
		}
	case "lan":
		dir, err := os.MkdirTemp("", "lan")
		if err != nil {
			return 1
		}
		if _, err := Start(context.Background(), Options{Dir: dir, Machines: machines(2)}); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(dir)
		select {}
	case "wait":
		signals := make(chan os.Signal, 8)
		signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
		child := exec.Command("sleep", "1000")
		if err := child.Start(); err != nil {
			return 1
		}
		fmt.Println("ready")
		for s := range signals {
			fmt.Println("got", s)
			if s == syscall.SIGTERM {
				return 5
			}
		}
	}
	return 1
}
