package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var updateScripts = flag.Bool("update", false, "rewrite the goldens of the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rollout": func() { os.Exit(run(os.Args[1:])) }, "crash": crash})
}

// TestScripts runs what a user would type and compares every word of the answer.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *updateScripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "edit": edit, "bad": bad, "await": await, "said": said, "documents": printed},
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/state")
			e.Setenv("ESC", "\x1b")
			e.Setenv("CR", "\r")
			e.Setenv("LF", "\n")
			e.Setenv("BS", "\b")
			e.Setenv("LONG", strings.Repeat("a", 200))
			return nil
		},
	})
}

// exits runs a program and demands its exit code: exits CODE PROGRAM ARGS.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("got exit %d, want %d", got, want)
	}
}

// edit replaces a text that stands in a file: edit FILE FROM TO. TO may have Go's escapes.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE FROM TO")
	}
	to, err := strconv.Unquote(`"` + strings.ReplaceAll(args[2], `"`, `\"`) + `"`)
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%q is not in %s", args[1], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], to, 1)), 0o600))
}

// bad puts a mistake into good.yaml and demands that a start with it ends with exit 2, before anything is printed or made: bad FROM TO.
// What it said is in stderr.
func bad(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bad FROM TO")
	}
	ts.Check(os.WriteFile(ts.MkAbs("rollout.yaml"), []byte(ts.ReadFile("good.yaml")), 0o600))
	edit(ts, false, append([]string{"rollout.yaml"}, args...))
	exits(ts, false, []string{"2", "rollout", "start", "--yes"})
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("got on stdout: %s", out)
	}
	if _, err := os.Lstat(filepath.Join(ts.Getenv("WORK"), "state")); !errors.Is(err, os.ErrNotExist) {
		ts.Fatalf("the state directory was made: %v", err)
	}
}

// await waits until a program in the background has written a file down to a text: await FILE TEXT.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	tick, late := time.NewTicker(20*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(b), args[1]) {
			return
		}
		select {
		case <-late:
			ts.Fatalf("%s does not come", args[0])
		case <-tick.C:
		}
	}
}

// what differs from world to world, and what is compared in its place
var local = []struct{ is, as string }{{`127\.0\.0\.1:\d+`, "127.0.0.1:PORT"}, {`127\.\d+\.\d+\.`, "127.X.Y."}, {`sandbox-\d+-\d+`, "sandbox-X-Y"}, {`\d{8}-\d{6}-[0-9a-f]{4}`, "RUN"}, {`SHA256:\S+`, "SHA256:SUM"}}

// said compares what a program in the sandbox printed with a file: said stdout|stderr FILE.
func said(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: said stdout|stderr FILE")
	}
	got, want := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "WORK"), ts.ReadFile(args[1])
	for _, l := range local {
		got = regexp.MustCompile(l.is).ReplaceAllString(got, l.as)
	}
	if got != want {
		ts.Fatalf("%s: got\n%s\nwant\n%s", args[0], got, want)
	}
}
