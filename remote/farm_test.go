package remote

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// farm returns a directory with the tools of a machine: sh is shell, which must
// be in PATH; with busybox it has busybox's tools, and flock, which Debian's
// busybox lacks. What is in without is not there.
func farm(t testing.TB, shell string, without ...string) string {
	t.Helper()
	dir := t.TempDir()
	path := func(tool string) string {
		p, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("no %s here: %v", tool, err)
		}
		return p
	}
	tools := strings.Fields("flock setsid mkdir mv rm ls cat wc tr head tail dd sleep grep id ps env cut")
	for _, tool := range tools {
		from := path(tool)
		if shell == "busybox" && tool != "flock" {
			from = path("busybox")
		}
		if err := os.Symlink(from, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(path(shell), filepath.Join(dir, "sh")); err != nil {
		t.Fatal(err)
	}
	for _, tool := range without {
		if err := os.Remove(filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shells are those that a machine's sh may be.
var shells = []string{"dash", "bash", "busybox"}

func TestOpenSSHRunWorksInEveryShell(t *testing.T) {
	t.Parallel()
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			p, s, _ := openPair(t)
			writeFile(t, filepath.Join(s.home, ".bashrc"), "export PATH="+farm(t, shell)+"\n")
			r, err := p.Run(soon(t), "m", Command{Line: "echo out; exit 3"})
			if !exited(err, 3) || r.Stdout != "out\n" {
				t.Errorf("got %q, %v", r.Stdout, err)
			}
			pid := filepath.Join(t.TempDir(), "pid")
			_, err = p.Run(soon(t), "m", Command{Line: "trap '' TERM; echo $$ >" + pid + "; while :; do sleep 300; done", Within: 300 * time.Millisecond})
			var timeout *TimeoutError
			if !errors.As(err, &timeout) || timeout.Left || alive(t, pid) {
				t.Errorf("got %v, want a timeout and nothing left", err)
			}
			err = p.Stream(soon(t), "m", "echo $$ >"+pid+"; echo on; sleep 300", func(string) error { return fs.ErrExist })
			if !errors.Is(err, fs.ErrExist) {
				t.Errorf("got %v", err)
			}
			eventually(t, "the end of the stream's processes", func() bool { return !alive(t, pid) })
		})
	}
}

// exited reports whether err is the end of a command with code.
func exited(err error, code int) bool {
	var exit *ExitError
	return errors.As(err, &exit) && exit.Code == code
}
