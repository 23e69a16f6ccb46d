package journal

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

func TestTheSecondLockerLearnsWhoIsFirst(t *testing.T) {
	dir, _, _ := begun(t)
	_, err := Lock(dir, Holder{User: "bob", Host: "laptop", PID: 1})
	var locked *LockedError
	if !errors.As(err, &locked) || !locked.Known {
		t.Fatalf("got %v; want a LockedError with its holder", err)
	}
	if want := (Holder{User: "ann", Host: "deploy1", PID: os.Getpid(), Run: "r1", Command: "rollout start", Since: noon}); locked.Holder != want {
		t.Errorf("got %+v; want %+v", locked.Holder, want)
	}
	for _, want := range []string{"ann@deploy1", "since 2026-03-01 12:00:00 UTC", "rollout start", "run r1", "pid "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestAnotherProcessIsRefusedTheLock(t *testing.T) {
	dir := tempDir(t)
	s := lock(t, dir)
	out, err := child(t, "lock", filepath.Dir(dir)).Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 5 || !strings.Contains(string(out), "ann@deploy1") {
		t.Errorf("held: got %q, %v; want exit 5 and ann@deploy1", out, err)
	}
	must(t, s.Close())
	if out, err := child(t, "lock", filepath.Dir(dir)).Output(); err != nil {
		t.Errorf("let go: got %q, %v", out, err)
	}
}

func TestTheLockDiesWithItsProcess(t *testing.T) {
	dir := tempDir(t)
	c := child(t, "write", filepath.Dir(dir))
	out, err := c.StdoutPipe()
	must(t, err, c.Start())
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("the child has written nothing")
	}
	if h, held, err := Who(dir); !held || h.PID != c.Process.Pid || h.Run != "r1" || err != nil {
		t.Errorf("alive: got %+v, %v, %v; want pid %d", h, held, err, c.Process.Pid)
	}
	must(t, c.Process.Kill())
	_ = c.Wait()
	if h, held, err := Who(dir); held || err != nil {
		t.Errorf("killed: got %+v, %v, %v; want free", h, held, err)
	}
	s, err := Lock(dir, Holder{User: "ann", Host: "deploy1", PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.Close())
}

func TestWhoOfADirectoryThatIsNotThereIsNobody(t *testing.T) {
	dir := tempDir(t)
	if _, held, err := Who(dir); held || err != nil {
		t.Errorf("got %v, %v", held, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("Who has made the directory")
	}
}

func TestAHolderThatSaysNothingStillHolds(t *testing.T) {
	dir := tempDir(t)
	lock(t, dir)
	must(t, os.WriteFile(holderPath(dir), []byte("{"), 0o600))
	if h, held, err := Who(dir); !held || h != (Holder{}) || err != nil {
		t.Errorf("got %+v, %v, %v", h, held, err)
	}
	_, err := Lock(dir, Holder{PID: 1})
	if locked := (*LockedError)(nil); !errors.As(err, &locked) || locked.Known {
		t.Errorf("got %v; want a LockedError of nobody known", err)
	}
}

func TestLookingWhoHoldsTheLockDoesNotKeepAnybodyOut(t *testing.T) {
	dir := tempDir(t)
	must(t, lock(t, dir).Close())
	var wg sync.WaitGroup
	defer wg.Wait()
	done := make(chan struct{})
	defer close(done)
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(100 * time.Microsecond):
					if _, _, err := Who(dir); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 30 {
		s, err := Lock(dir, Holder{User: "ann", Host: "deploy1", PID: 1})
		if err != nil {
			t.Fatal(err)
		}
		must(t, s.Close())
	}
}

func TestClosingTwiceLeavesTheNextHolderAlone(t *testing.T) {
	dir := tempDir(t)
	first := lock(t, dir)
	must(t, first.Close())
	second := lock(t, dir)
	must(t, first.Close())
	if h, held, err := Who(dir); !held || h.User != "ann" || err != nil {
		t.Errorf("got %+v, %v, %v", h, held, err)
	}
	if _, _, err := first.Begin("r1", note("first")); err == nil {
		t.Error("a run began without the lock")
	}
	must(t, second.Close())
}

func TestOneWhoLooksIsNotAHolder(t *testing.T) {
	dir := tempDir(t)
	must(t, lock(t, dir).Close())
	looker := flock.New(filepath.Join(dir, "lock")) // as Who is for a moment, but longer
	if ok, err := looker.TryRLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, held, err := Who(dir); held || err != nil {
		t.Errorf("got %v, %v; want free", held, err)
	}
	defer time.AfterFunc(20*time.Millisecond, func() { _ = looker.Close() }).Stop()
	s, err := Lock(dir, Holder{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.Close())
}
