package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/seed59ee9cdc/rollout/sandbox/lan"
)

func main() {
	lan.Boot() // a machine of `sandbox --pomelo` begins as this program
	os.Exit(run(os.Args[1:]))
}

// run is the whole program: it gives the exit code.
func run(args []string) int {
	e := env{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv,
		terminal: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())),
		width:    width(),
	}
	ctx, stop := interruptible(context.Background())
	defer stop()
	return e.run(ctx, args)
}

// run carries out one command line and gives the exit code.
func (e *env) run(ctx context.Context, args []string) int {
	root := newRootCommand(e)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && strings.HasPrefix(err.Error(), "unknown command") { // cobra has no type for it
		err = usageError{err}
	}
	code := e.exit(err, cause(ctx))
	e.farewell(ctx)
	return code
}

// signalled is a signal as the cause of a context's end.
type signalled struct{ sig syscall.Signal }

func (s signalled) Error() string { return s.sig.String() }

// interruptible gives a context that the first SIGINT or SIGTERM ends; the second ends the process at once. SIGHUP is ignored: a lost
// terminal must not stop a rollout half-way.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Ignore(syscall.SIGHUP)
	got := make(chan os.Signal, 2)
	signal.Notify(got, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case s := <-got:
				sig, _ := s.(syscall.Signal)
				if n > 0 {
					os.Exit(128 + int(sig))
				}
				cancel(signalled{sig})
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(got)
		close(done)
		cancel(nil)
	}
}

// cause gives the signal that ended ctx; 0 where none did.
func cause(ctx context.Context) syscall.Signal {
	var s signalled
	if errors.As(context.Cause(ctx), &s) {
		return s.sig
	}
	return 0
}

// width gives the columns of the terminal; 80 where there is none.
func width() int {
	if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}
