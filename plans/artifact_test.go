package plans_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

var one = groups.Group{Name: "group1", Machines: []groups.Machine{{Name: "game-1", Host: "10.9.0.1"}}}

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

// packed makes an archive of names and contents in turn; "-> x" as a content makes a link to x.
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

func TestADeployedReleaseIsWholeAndCurrent(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.want("", "")
		g.dir("shared/game/config")
		g.brought("v1")
		g.want("v1", "", "v1")
		_ = os.WriteFile(filepath.Join(g.root, "current/game/my logs/x.log"), []byte("a day"), 0o600)
		g.brought("v2", "v2", "v3", "v2") // plain and gzip; again; and one that is there already
		g.want("v2", "v3", "v1", "v2", "v3")
		for name, want := range map[string]string{"game/config/db.json": "db of v1", "one.json": "one of v1", "game/my logs/x.log": "a day", "lib/link": "v2"} {
			if got := g.read("current/" + name); got != want {
				g.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if s, err := os.Stat(filepath.Join(g.root, "shared/game/config")); err != nil || s.Mode().Perm() != 0o710 {
			g.Errorf("the directory made by hand has become %v, %v", s.Mode(), err)
		}
	})
}

func TestABadReleaseIsLeftAndDoesNotComeBack(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.brought("v1", "v2", "v3")
		back := func(to, bad string) (string, bool) {
			return g.run(plans.Artifact{Root: g.root, Release: to}.Back(one, bad)[0].Line, nil)
		}
		for range 2 { // as after a crash
			g.must(back("v2", "v3"))
			g.want("v2", "v1", "v1", "v2", "v3")
		}
		g.refused("release v3 was marked bad at 2")(g.deploy("v3", release("v3")))
		g.refused("go back to another one")(back("v3", ""))
		g.refused("release v9 is not on this machine")(back("v9", "v2"))
		g.refused("cannot be both the bad one and the one to")(back("v2", "v2"))
		g.refused("'../v1' is no id of a release")(back("../v1", "v2"))
		g.want("v2", "v1", "v1", "v2", "v3")
		g.must(g.deploy("v3", packed(true, "app.js", "v3", "mended", "")))
		g.want("v3", "v2", "v1", "v2", "v3")
		g.must(back("v1", "never-here"))
		g.refused("was marked bad at")(g.deploy("never-here", release("never-here")))
		g.want("v1", "v2", "v1", "v2", "v3")
	})
}

func TestWhatIsRefusedLeavesCurrentAsItWas(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.brought("v0", "v1")
		good := release("v2")
		line := g.artifact("v2", good).Deploy(one)[0].Line
		outside := filepath.Join(filepath.Dir(g.root), "outside")
		g.dir("../outside/config")
		made := func(members ...string) func() (string, bool) {
			return func() (string, bool) { return g.deploy("v2", packed(true, append(members, "app.js", "v2")...)) }
		}
		sent := func(b []byte, env ...string) func() (string, bool) {
			return func() (string, bool) { return g.run(line, b, env...) }
		}
		for want, try := range map[string]func() (string, bool){
			"and must have":                   sent(release("v3")),
			"1000 of 99999 bytes came":        sent(good[:1000], "ROLLOUT_SIZE=99999"),
			"came with the sha256 e3b0c44":    sent(nil),
			"KiB: make room":                  sent(good, "ROLLOUT_SIZE=99999999999999999999"),
			"is 'big', not a number of bytes": sent(good, "ROLLOUT_SIZE=big"),
			"is no id of a run":               sent(good, "ROLLOUT_RUN=../x"),
			"the run brings v7":               sent(good, "ROLLOUT_RELEASE=v7"),
			"has '..', so nothing":            made("a/../../../outside/x", "x"),
			"absolute or":                     made(outside+"/x", "x"),
			"through a link of its own":       made("./a//b", "-> "+outside, "a/./b/x", "x"),
			"on the way to the shared path":   made("game", "-> "+outside),
			"no directory at game":            made("game", "a file"),
			"is no tar archive":               func() (string, bool) { return g.deploy("v2", bytes.Repeat([]byte("x"), 4096)) },
			"is empty":                        func() (string, bool) { return g.deploy("v2", packed(true)) },
			"give the new one a name":         func() (string, bool) { return g.deploy("v1", good) },
		} {
			g.refused(want)(try())
			g.want("v1", "v0", "v0", "v1")
		}
		if left, _ := os.ReadDir(outside); len(left) != 1 {
			g.Errorf("the directory beside has %v", left)
		}
		_ = os.Remove(filepath.Join(g.root, "current"))
		g.dir("current")
		g.refused("is no link, so it cannot be switched")(g.deploy("v2", good))
	})
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

func TestTwoRunsDoNotDeployAtOnce(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.brought("v1")
		held := g.held()
		for _, env := range []string{"ROLLOUT_RUN=other", "ROLLOUT_RUN=7f3a"} {
			g.refused(fmt.Sprintf("by its process %d, which is still at work", held.Process.Pid))(g.deploy("v3", release("v3"), env))
		}
		_ = syscall.Kill(-held.Process.Pid, syscall.SIGKILL)
		_ = held.Wait()
		g.refused("which has ended: when no rollout works here any more, rm -rf")(g.deploy("v3", release("v3"), "ROLLOUT_RUN=other"))
		g.brought("v2")
		g.want("v2", "v1", "v1", "v2")
	})
}

func TestADeployEndedByASignalCleansUp(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.brought("v1")
		held := g.held()
		var over atomic.Bool
		go func() {
			for ; !over.Load(); time.Sleep(100 * time.Millisecond) { // a shell between fork and exec loses a signal
				_ = syscall.Kill(-held.Process.Pid, syscall.SIGTERM)
			}
		}()
		if err := held.Wait(); err == nil {
			g.Error("the deploy ended well")
		}
		over.Store(true)
		g.want("v1", "", "v1")
	})
}

func TestADeployKilledAnywhereIsDoneAgain(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.brought("v0")
		var done atomic.Bool
		read := make(chan int)
		go func() {
			n := 0
			for ; !done.Load(); n++ {
				if app := g.read("current/app.js"); len(app) < 2 || len(app) > 3 || app[0] != 'v' {
					g.Errorf("a reader found %q", app)
				}
				time.Sleep(100 * time.Microsecond) // three such readers would leave a small machine no time to deploy
			}
			read <- n
		}()
		took, was := 200*time.Millisecond, "v0"
		for round := range 10 {
			id := fmt.Sprintf("v%d", round+1)
			archive := release(id)
			file := filepath.Join(g.TempDir(), "archive")
			wrote := os.WriteFile(file, archive, 0o600)
			in, err := os.Open(file) // a file, since after a pipe Wait would wait for the children that live on
			cmd := g.command(g.artifact(id, archive).Deploy(one)[0].Line)
			cmd.Stdin = in
			if err := errors.Join(wrote, err, cmd.Start()); err != nil {
				g.Fatal(err)
			}
			time.Sleep(time.Duration(rand.Int63n(int64(took))))
			// Every third time its children live on for a while, as when the shell alone runs out of memory.
			_ = syscall.Kill(cmd.Process.Pid*[]int{-1, -1, 1}[round%3], syscall.SIGKILL)
			_ = cmd.Wait()
			if now, _ := g.run(plans.Current(g.root), nil); now != was && now != id {
				g.Errorf("round %d: current is %q, want %s or %s", round, now, was, id)
			}
			began := time.Now()
			g.brought(id)
			took, was = (took+time.Since(began))/2, id
			if got := g.read("current/one.json") + g.read("current/lib/link") + strings.SplitN(g.read("current/REVISION"), "\n", 2)[0]; got != "one of v0"+id+id {
				g.Errorf("round %d: the release has %q", round, got)
			}
		}
		done.Store(true)
		if n := <-read; n < 100 {
			g.Errorf("the reader read %d times only", n)
		}
		g.want("v10", "v9", "v10", "v7", "v8", "v9")
	})
}

func TestPruningKeepsTheCurrentThePreviousAndTheNewest(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.dir("releases/by-hand")
		g.brought("z", "b", "-n", "a", "y")
		g.want("y", "a", "-n", "a", "b", "by-hand", "y")
		g.brought("b", "c") // an old one that runs again is the one before
		g.want("c", "b", "a", "b", "by-hand", "c", "y")
	})
}

func TestAnArtifactThatCannotBeIsRefused(t *testing.T) {
	good := plans.Artifact{Root: "/data/game", Release: "2026-11-22_v2+1", Sum: strings.Repeat("aF", 32), Keep: 1, Shared: []string{"game/logs", "game/log"}}
	if err := good.Check(); err != nil || strings.Contains(good.Deploy(one)[0].Line+good.Back(one, "v1")[0].Line, "\n") {
		t.Errorf("got %v, or more than one line", err)
	}
	for want, spoil := range map[string]func(a *plans.Artifact){
		"is not absolute":       func(a *plans.Artifact) { a.Root = "data" },
		"cannot be / itself":    func(a *plans.Artifact) { a.Root = "//" },
		"has a control":         func(a *plans.Artifact) { a.Root = "/a\nb" },
		`".v2" is no id`:        func(a *plans.Artifact) { a.Release = ".v2" },
		`"v2\n" is no id`:       func(a *plans.Artifact) { a.Release = "v2\n" },
		"is no id of a release": func(a *plans.Artifact) { a.Release = strings.Repeat("a", 129) },
		"is no sha256":          func(a *plans.Artifact) { a.Sum = a.Sum[1:] },
		"at least 1 must be":    func(a *plans.Artifact) { a.Keep = 0 },
		"not a plain path":      func(a *plans.Artifact) { a.Shared[0] = "game/../../x" },
		`"/etc" is not a plain`: func(a *plans.Artifact) { a.Shared[0] = "/etc" },
		"says which one it is":  func(a *plans.Artifact) { a.Shared[0] = "REVISION" },
		"one inside the other":  func(a *plans.Artifact) { a.Shared[1] = "game/logs/x" },
	} {
		a := good
		a.Shared = slices.Clone(good.Shared)
		spoil(&a)
		if err := a.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
