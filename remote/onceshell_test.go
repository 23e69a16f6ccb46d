package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpenSSHOnceWorksInEveryShell(t *testing.T) {
	t.Parallel()
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			p, s, _ := openPair(t)
			writeFile(t, filepath.Join(s.home, ".bashrc"), "export PATH="+farm(t, shell)+"\necho noise\n")
			n := 0
			once := func(c Command) (Result, error) {
				n++
				return p.Once(soon(t), "m", Once{Command: c, ID: fmt.Sprint(n), Token: int64(n), Space: "game"})
			}
			t.Run("result", func(t *testing.T) {
				r, err := once(Command{Line: "echo out; printf '%s\\n' \"$A\" >&2; exit 3", Env: map[string]string{"A": "it's\n\\n", "PATH": "/nowhere"}, Within: 30 * time.Second})
				if !exited(err, 3) || r.Stdout != "out\n" || r.Stderr != "it's\n\\n\n" {
					t.Errorf("got %q, %q, %v", r.Stdout, r.Stderr, err)
				}
			})
			t.Run("no signal is ignored, no file is open, no umask is changed", func(t *testing.T) {
				r, err := once(Command{Line: "grep SigIgn /proc/self/status; ls /proc/$$/fd; umask", Within: 30 * time.Second})
				lines := strings.Split(r.Stdout, "\n")
				as, rerr := p.Run(soon(t), "m", Command{Line: "grep SigIgn /proc/self/status"}) // what whoever started the tests has ignored is not ours
				if rerr != nil || !strings.HasPrefix(r.Stdout, as.Stdout+"0\n1\n") || strings.Contains(r.Stdout, "\n8\n") || strings.Contains(r.Stdout, "\n9\n") || !strings.HasSuffix(lines[len(lines)-2], "022") {
					t.Errorf("got %q, %v", r.Stdout, err)
				}
			})
			t.Run("much output", func(t *testing.T) {
				r, err := once(Command{Line: "echo first; head -c 3000000 /dev/zero; echo last; head -c 65537 /dev/zero >&2"})
				if err != nil || !strings.HasPrefix(r.Stdout, "first\n") || !strings.HasSuffix(r.Stdout, "\x00last\n") || !strings.Contains(r.Stdout, fmt.Sprintf("[… %d bytes left out …]", 3000000+11-2*excerptHalf)) || !strings.Contains(r.Stderr, "[… 1 bytes left out …]") {
					t.Errorf("got %d bytes, %v", len(r.Stdout), err)
				}
			})
			t.Run("a timeout ends what ignores TERM", func(t *testing.T) {
				pid := filepath.Join(t.TempDir(), "pid")
				r, err := once(Command{Line: "(trap '' TERM; echo begun; sleep 300 & echo $! >" + pid + "; while :; do wait; done) & echo $! >" + pid + ".sub; wait", Within: 500 * time.Millisecond})
				var timeout *TimeoutError
				if !errors.As(err, &timeout) || timeout.During != Running || timeout.Left || r.Stdout != "begun\n" {
					t.Errorf("got %q, %v, want a timeout and nothing left", r.Stdout, err)
				}
				if alive(t, pid) || alive(t, pid+".sub") {
					t.Error("a process of the group lives on")
				}
			})
			t.Run("an old token", func(t *testing.T) {
				if got, err := p.Seen(soon(t), "m", "game"); err != nil || got != int64(n) {
					t.Errorf("seen: got %d, %v, want %d", got, err, n)
				}
				var fenced *FencedError
				if _, err := p.Once(soon(t), "m", Once{Command: Command{Line: "true"}, ID: "old", Token: 1, Space: "game"}); !errors.As(err, &fenced) {
					t.Errorf("got %v, want FencedError", err)
				}
			})
		})
	}
}

func TestOpenSSHAMissingToolIsNamed(t *testing.T) {
	t.Parallel()
	p, s, _ := openPair(t)
	writeFile(t, filepath.Join(s.home, ".bashrc"), "export PATH="+farm(t, "dash", "flock", "dd")+"\n")
	_, err := p.Once(soon(t), "m", Once{Command: Command{Line: "true"}, ID: "a", Space: "game"})
	var missing *MissingToolError
	if !errors.As(err, &missing) || strings.Join(missing.Tools, " ") != "flock dd" || MayHaveRun(err) {
		t.Errorf("got %v, want flock and dd to be missing", err)
	}
	if _, err := p.State(soon(t), "m", Once{ID: "a", Space: "game"}); !errors.As(err, &missing) {
		t.Errorf("state: got %v", err)
	}
}

func TestOpenSSHADirectoryThatOthersMayEnterIsRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, why string
		make      func(t *testing.T, top, dir string) error
	}{
		{"a symlink on top", "symlink", func(t *testing.T, top, _ string) error {
			to := t.TempDir()
			return errors.Join(os.MkdirAll(filepath.Dir(top), 0o700), os.Symlink(to, top))
		}},
		{"a symlink in its place", "symlink", func(t *testing.T, _, dir string) error {
			to := t.TempDir()
			return errors.Join(os.MkdirAll(filepath.Dir(dir), 0o700), os.Symlink(to, dir))
		}},
		{"everybody's", "mode", func(_ *testing.T, _, dir string) error {
			return errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o777))
		}},
		{"everybody's on top", "mode", func(_ *testing.T, top, dir string) error {
			return errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(top, 0o777))
		}},
		{"the group's", "mode", func(_ *testing.T, _, dir string) error {
			return errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o770))
		}},
		{"somebody else's", "owner", func(t *testing.T, _, dir string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			return errors.Join(os.MkdirAll(dir, 0o700), os.Chown(dir, 12345, 12345))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, s, _ := openPair(t)
			if err := row.make(t, filepath.Join(s.home, ".local/state/rollout-once"), s.spaceDir()); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "count")
			_, err := p.Once(soon(t), "m", Once{Command: Command{Line: "echo x >>" + quote(file)}, ID: "a", Space: "game"})
			var unsafe *UnsafeDirError
			if !errors.As(err, &unsafe) || unsafe.Why != row.why || !strings.Contains(unsafe.Path, "/rollout-once") || MayHaveRun(err) {
				t.Errorf("got %v, want UnsafeDirError %s", err, row.why)
			}
			if _, err := os.Stat(file); err == nil {
				t.Error("the command ran")
			}
		})
	}
}

// runOnce gives a script of Once to a real sh as sshd would, in a home of its
// own, and returns what it answers.
func runOnce(t testing.TB, home, input string) string {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", starter()+" 2>/dev/null")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME=")
	cmd.Stdin = strings.NewReader(input)
	cmd.Dir = home
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}
	_, answer, _ := strings.Cut(string(out), "\n") // the mark
	return answer
}

func TestARequestCutShortBeginsNothing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	file := filepath.Join(home, "count")
	script, err := Once{Command: Command{Line: "echo x >>" + quote(file) + "; echo y >>" + quote(file)}, ID: "a", Space: "game"}.script(onceBegin, "m", time.Second, -1)
	if err != nil {
		t.Fatal(err)
	}
	whole := oneLine(script)
	for n := 0; n < len(whole); n += max(1, min(97, (len(whole)-n)/2)) {
		if said := runOnce(t, home, whole[:n]); said != "" {
			t.Errorf("after %d of %d bytes it says %q", n, len(whole), said)
		}
	}
	if _, err := os.Stat(filepath.Join(home, ".local")); err == nil {
		t.Error("something was made of half a request")
	}
	if said := runOnce(t, home, whole); !strings.Contains(said, "finished 0 no ") {
		t.Errorf("the whole: got %q", said)
	}
	if got := readFile(t, file); got != "x\ny\n" {
		t.Errorf("got %q", got)
	}
}

func FuzzALineAndAValueReachTheShellOfOnceUnchanged(f *testing.F) {
	hostile(f)
	f.Add("a\n# b\n  c\nEOF\n")
	f.Fuzz(func(t *testing.T, s string) {
		o := Once{Command: Command{Line: "printf %s " + quote(s) + "; printf %s \"$A\" >&2", Env: map[string]string{"A": s}, Dir: "/"}, ID: "a", Space: "game"}
		script, err := o.script(onceBegin, "m", time.Second, -1)
		if strings.ContainsRune(s, 0) {
			if !errors.Is(err, ErrNUL) {
				t.Errorf("got %v, want ErrNUL", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		answer := runOnce(t, t.TempDir(), oneLine(script))
		want := fmt.Sprintf("out %d %d 0\n%s\nerr %d %d 0\n%s\nend\n", len(s), len(s), s, len(s), len(s), s)
		if !strings.HasPrefix(answer, "wait\nfinished 0 no ") || !strings.HasSuffix(answer, want) {
			t.Errorf("got %q, want %q", answer, want)
		}
	})
}

func TestOpenSSHAValueIsInNoFileAndInNoProcessList(t *testing.T) {
	t.Parallel()
	p, s, _ := openPair(t)
	// Made here, so that no command line on this machine has them by chance.
	canary, word := fmt.Sprintf("canary-%x", rand.Uint64()), fmt.Sprintf("word-%x", rand.Uint64())
	o := Once{Command: Command{Line: "ps -eo args; : " + word + "; [ \"$SECRET\" ] && echo has it", Env: map[string]string{"SECRET": canary}, Within: 30 * time.Second}, ID: "a", Space: "game"}
	r, err := p.Once(soon(t), "m", o)
	if err != nil || !strings.HasSuffix(r.Stdout, "has it\n") || !strings.Contains(r.Stdout, "ps -eo args") {
		t.Fatalf("got %q, %v", r.Stdout, err)
	}
	if strings.Contains(r.Stdout, canary) {
		t.Error("a value is in the process list")
	}
	if strings.Contains(r.Stdout, word) {
		t.Error("the line is in the process list")
	}
	files := 0
	err = filepath.WalkDir(s.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		if strings.Contains(readFile(t, path), canary) {
			t.Errorf("a value is in %s", path)
		}
		info, err := d.Info()
		if err == nil && strings.HasPrefix(path, s.spaceDir()) && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil || files < 7 {
		t.Errorf("%d files, %v", files, err)
	}
}

// Not parallel, since it measures the bytes of one connection.
func TestOpenSSHMuchOutputOfOnceStaysOnTheMachine(t *testing.T) {
	p, s, _ := openPair(t)
	o := Once{Command: Command{Line: "echo first; head -c 104857600 /dev/zero; echo last"}, ID: "a", Space: "game"}
	r, err := p.Once(soon(t), "m", o)
	if err != nil || !strings.HasPrefix(r.Stdout, "first\n") || !strings.HasSuffix(r.Stdout, "\x00last\n") {
		t.Fatalf("got %d bytes, %v", len(r.Stdout), err)
	}
	if want := fmt.Sprintf("[… %d bytes left out …]", 100<<20+11-2*excerptHalf); !strings.Contains(r.Stdout, want) {
		t.Errorf("it does not say %q", want)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if n := received(c.raw); n > 1<<20 {
			t.Errorf("%d bytes came over the wire", n)
		}
	}
	if info, err := os.Stat(filepath.Join(s.spaceDir(), "a", "out")); err != nil || info.Size() > 1<<20 {
		t.Errorf("it is kept in full: %v, %v", info, err)
	}
}

func TestOldAttemptsAreTidiedAwayButForWhatCouldBeAskedFor(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	dir := filepath.Join(home, ".local/state/rollout-once/game/m")
	run := func(id, line string, token int64) string {
		script, err := Once{Command: Command{Line: line}, ID: id, Space: "game", Token: token}.script(onceBegin, "m", time.Second, -1)
		if err != nil {
			t.Fatal(err)
		}
		return runOnce(t, home, oneLine(script))
	}
	gate := filepath.Join(home, "gate")
	going := make(chan string, 1)
	go func() { going <- run("going", "while [ ! -e "+quote(gate)+" ]; do sleep 0.02; done", 1) }()
	eventually(t, "the command that runs", func() bool { _, err := os.Stat(filepath.Join(dir, "going", "shell")); return err == nil })
	boot := strings.Fields(readFile(t, filepath.Join(dir, "going", "begun")))[1]
	// Attempts long ended, made by hand, which is quicker.
	ended := func(id string, token int, age time.Duration) {
		writeFile(t, filepath.Join(dir, id, "begun"), fmt.Sprintf("%d %s sum 1 1 1.00\n", token, boot))
		writeFile(t, filepath.Join(dir, id, "code"), "0 no 1 0 0\n")
		at := time.Now().Add(-age)
		if err := os.Chtimes(filepath.Join(dir, id), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 60 {
		ended(fmt.Sprintf("old-%02d", n), 1, time.Duration(n+1)*time.Hour)
	}
	ended("present", 2, 55*time.Hour+30*time.Minute)
	if said := run("new", "true", 2); !strings.Contains(said, "finished 0") {
		t.Fatalf("got %q", said)
	}
	has := func(id string) bool { _, err := os.Stat(filepath.Join(dir, id)); return err == nil }
	eventually(t, "the tidying", func() bool { return !has("old-59") && !has("old-49") })
	for _, id := range []string{"going", "new", "present", "old-00", "old-48"} {
		if !has(id) {
			t.Errorf("%s is gone", id)
		}
	}
	writeFile(t, gate, "")
	if said := <-going; !strings.Contains(said, "finished 0") {
		t.Errorf("got %q", said)
	}
}
