package plans_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os"
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

// TestNoFileOutsideBecomesOneOfARelease: GNU tar cuts such a target down to what may be inside, and then does not find it; busybox makes the link.
func TestNoFileOutsideBecomesOneOfARelease(t *testing.T) {
	everyShell(t, func(g *ground) {
		g.brought("v1")
		victim := filepath.Join(filepath.Dir(g.root), "victim")
		if err := os.WriteFile(victim, []byte("of somebody else"), 0o600); err != nil {
			g.Fatal(err)
		}
		for _, members := range [][]string{
			{"h", "=> ../../../victim"},
			{"h", "=> " + victim},
			{"h", "=> lib/../../../../victim"},
			{"s", "-> ../../..", "h", "=> s/victim"},
			{"./s", "-> " + filepath.Dir(victim), "./h", "=> .//s/./victim"},
			{"h -> x", "=> ../../../victim"},
			{"h link to x", "=> " + victim},
			{"s", "-> a\nb", "d", "-> " + filepath.Dir(victim), "h", "=> d/victim"},
		} {
			said, ok := g.deploy("v2", packed(true, append([]string{"app.js", "v2", "lib/x", "x"}, members...)...))
			if ok || g.shell[1] == "sh" && !strings.Contains(said, "nothing of it was unpacked") {
				g.Errorf("%q: got %q, want it refused", members, said)
			}
			if info, err := os.Stat(victim); err != nil || info.Sys().(*syscall.Stat_t).Nlink != 1 {
				g.Errorf("%q: the file outside is in the release too", members)
			}
			g.want("v1", "", "v1")
		}
		g.must(g.deploy("v2", packed(true, "app.js", "v2", "lib/x", "x", "copy", "=> app.js", "lib/copy", "=> ./lib/x", "a -> b", "c", "lib/y link to z", "d")))
		if got := g.read("current/copy") + g.read("current/lib/copy") + g.read("current/a -> b") + g.read("current/lib/y link to z"); got != "v2xcd" {
			g.Errorf("got %q of the links inside", got)
		}
	})
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
