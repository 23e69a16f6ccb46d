package plans_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// ground is a directory to deploy into and the shell that does it.
type ground struct {
	*testing.T
	shell, env []string
	root       string
}

// everyShell runs a test with each shell a machine may have; busybox with nothing but its own tar, mv, ln and so on.
func everyShell(t *testing.T, test func(g *ground)) {
	for _, name := range []string{"dash", "bash", "busybox"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("no %s here: apt-get install %s", name, name)
			}
			g := &ground{T: t, shell: []string{bin, "-c"}, env: []string{"PATH=" + os.Getenv("PATH")}, root: filepath.Join(t.TempDir(), `it's "a" $(root) \n`)}
			if mawk, err := exec.LookPath("mawk"); err == nil && name == "dash" { // the awk that comes with Debian
				dir := t.TempDir()
				if err := os.Symlink(mawk, filepath.Join(dir, "awk")); err != nil {
					t.Fatal(err)
				}
				g.env[0] = "PATH=" + dir + ":" + os.Getenv("PATH")
			}
			if name == "busybox" {
				dir := t.TempDir()
				if out, err := exec.CommandContext(t.Context(), bin, "--install", "-s", dir).CombinedOutput(); err != nil {
					t.Fatalf("busybox --install: %v: %s", err, out)
				}
				g.shell, g.env = []string{bin, "sh", "-c"}, []string{"PATH=" + dir}
			}
			test(g)
		})
	}
}

// command is one line as it runs on a machine; env comes after ROLLOUT_RUN=7f3a and may overrule it.
func (g *ground) command(line string, env ...string) *exec.Cmd {
	cmd := exec.Command(g.shell[0], append(g.shell[1:], line)...) //nolint:noctx // killed by the tests that want to
	cmd.Env = append(slices.Concat(g.env, []string{"ROLLOUT_RUN=7f3a", "ROLLOUT_LOCK_WAIT=0"}), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// run gives the last line of what a line prints, and whether it ended well.
func (g *ground) run(line string, stdin []byte, env ...string) (string, bool) {
	cmd := g.command(line, env...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	ls := strings.Split(strings.TrimSpace(string(out)), "\n")
	return ls[len(ls)-1], err == nil
}

// artifact is the release of an archive.
func (g *ground) artifact(id string, archive []byte) plans.Artifact {
	return plans.Artifact{Root: g.root, Release: id, Sum: fmt.Sprintf("%x", sha256.Sum256(archive)), Keep: 2,
		Shared: []string{"game/config", "game/my logs", "one.json"}}
}

func (g *ground) deploy(id string, archive []byte, env ...string) (string, bool) {
	return g.run(g.artifact(id, archive).Deploy(one)[0].Line, archive, append(env, fmt.Sprint("ROLLOUT_SIZE=", len(archive)))...)
}

func (g *ground) must(said string, ok bool) {
	g.Helper()
	if !ok {
		g.Fatalf("failed: %s", said)
	}
}

func (g *ground) refused(want string) func(string, bool) {
	return func(said string, ok bool) {
		g.Helper()
		if ok || !strings.Contains(said, want) {
			g.Errorf("got %q, want %q", said, want)
		}
	}
}

// brought deploys the release of that name.
func (g *ground) brought(ids ...string) {
	g.Helper()
	for _, id := range ids {
		g.must(g.deploy(id, release(id)))
	}
}

// want compares what `current` points to, which release is there to go back to, and the releases there are, with what must be. Nothing half-made may be left.
func (g *ground) want(current, previous string, releases ...string) {
	g.Helper()
	now, _ := g.run(plans.Current(g.root), nil)
	back, ok := g.run(plans.Previous(g.root), nil)
	if now != current || back != previous || !ok {
		g.Errorf("current and previous are %q and %q, want %q and %q", now, back, current, previous)
	}
	if app := g.read("current/app.js"); current != "" && app != current {
		g.Errorf("app.js is of release %q, want %q", app, current)
	}
	var got []string
	_ = filepath.WalkDir(g.root, func(p string, _ os.DirEntry, _ error) error {
		if strings.HasSuffix(p, ".tmp") || strings.Contains(p, "/.rollout/lock") {
			g.Errorf("%s is left", p)
		}
		if filepath.Base(filepath.Dir(p)) == "releases" {
			got = append(got, filepath.Base(p))
		}
		return nil
	})
	if !slices.Equal(got, releases) {
		g.Errorf("releases %q, want %q", got, releases)
	}
}

// read gives a file's content, or why there is none.
func (g *ground) read(name string) string {
	b, err := os.ReadFile(filepath.Join(g.root, name))
	return string(b) + strings.TrimPrefix(fmt.Sprint(err), "<nil>")
}

func (g *ground) dir(name string) {
	if err := os.MkdirAll(filepath.Join(g.root, name), 0o710); err != nil {
		g.Fatal(err)
	}
}

// packed makes an archive of names and contents in turn; "-> x" as a content makes a link to x, and "=> x" a hard link.
func packed(zip bool, members ...string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(&b)
	if zip {
		w = tar.NewWriter(z)
	}
	for i := 0; i < len(members); i += 2 {
		h := &tar.Header{Name: members[i], Mode: 0o644, Size: int64(len(members[i+1])), Typeflag: tar.TypeReg}
		if target, ok := strings.CutPrefix(members[i+1], "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		if target, ok := strings.CutPrefix(members[i+1], "=> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, target, 0
		}
		if strings.HasSuffix(h.Name, "/") {
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		_ = w.WriteHeader(h)
		_, _ = io.WriteString(w, members[i+1][:h.Size])
	}
	_ = w.Close()
	if zip {
		_ = z.Close()
	}
	return b.Bytes()
}

// release is an archive with app.js, which says which it is, and things that are shared.
func release(id string) []byte {
	return packed(id != "v2", "./", "", "./app.js", id, "REVISION", "-> app.js", "game/config/db.json", "db of "+id, "one.json", "one of "+id, "lib/link", "-> ../app.js")
}

// held is a deploy of v2 that has the lock and waits for its archive, until the test ends or kills it.
func (g *ground) held() *exec.Cmd {
	g.Helper()
	cmd := g.command(g.artifact("v2", release("v2")).Deploy(one)[0].Line)
	stdin, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		g.Fatal("the deploy cannot be started")
	}
	g.Cleanup(func() { _ = stdin.Close() })
	part := filepath.Join(g.root, ".rollout", fmt.Sprintf("v2.7f3a.%d.tar.tmp", cmd.Process.Pid))
	for stop := time.Now().Add(time.Minute); time.Now().Before(stop); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(part); err == nil {
			return cmd
		}
	}
	g.Fatal("the deploy never took the lock")
	return nil
}
