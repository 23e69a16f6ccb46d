package main

import (
	"context"
	"io"
	"os"
	"strings"

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
	if term.IsTerminal(int(os.Stderr.Fd())) {
		e.aside = &aside{out: os.Stderr}
		e.stderr = e.aside
	}
	ctx, signals, stop := interruptible(context.Background())
	e.signals = signals
	defer stop()
	return e.run(ctx, args)
}

// run carries out one command line and gives the exit code.
func (e *env) run(ctx context.Context, args []string) int {
	e.inCI()
	root := newRootCommand(e)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && strings.HasPrefix(err.Error(), "unknown command") { // cobra has no type for it
		err = usageError{err}
	}
	code := e.exit(err, cause(ctx))
	e.farewell(ctx)
	for _, w := range []io.Writer{e.stdout, e.stderr} {
		if g, ok := w.(*guard); ok {
			g.flush()
		}
	}
	return code
}

// width gives the columns of the terminal; 80 where there is none.
func width() int {
	if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}
