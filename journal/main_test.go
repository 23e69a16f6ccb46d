package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// The test binary runs itself as another process, which does what this variable says and nothing else.
const childEnv = "ROLLOUT_JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "write":
		os.Exit(writeUntilKilled("game"))
	case "lock":
		os.Exit(lockOnce("game"))
	case "fill":
		os.Exit(fillDisk("disk"))
	}
}

// child is this binary as another process, in whose working directory the state directory is game.
func child(t *testing.T, do, in string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Dir = in
	c.Env = append(os.Environ(), childEnv+"="+do)
	c.Stderr = os.Stderr
	return c
}

// writeUntilKilled takes the run r1 up, or begins it, and says the number of each event once it is acknowledged.
func writeUntilKilled(dir string) int {
	s, err := Lock(dir, Holder{User: "child", Host: "here", PID: os.Getpid(), Command: "rollout start"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var r *Run
	if _, ok, _ := Latest(dir); ok {
		r, _, err = s.Continue("r1")
	} else {
		r, _, err = s.Begin("r1", note("first"))
	}
	for i := 0; err == nil && i < 100_000; i++ {
		var e plans.Event
		if e, err = r.Append(context.Background(), note(fmt.Sprintf("%d of %d", i, os.Getpid()))); err == nil {
			fmt.Println(e.Seq)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// lockOnce exits 5 and says why where the lock is held.
func lockOnce(dir string) int {
	s, err := Lock(dir, Holder{User: "child", Host: "here", PID: os.Getpid()})
	if locked := (*LockedError)(nil); errors.As(err, &locked) {
		fmt.Printf("%d %s", locked.Holder.PID, err)
		return 5
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_ = s.Close()
	return 0
}

func note(text string) plans.Event {
	return plans.Event{What: plans.Noted, Step: -1, Note: text}
}

func tempDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "game")
}

func lock(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Lock(dir, Holder{User: "ann", Host: "deploy1", PID: os.Getpid(), Command: "rollout start", Since: noon})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ticking gives a clock that goes on by a second whenever it is read.
func ticking() func() plans.Stamp {
	n := time.Duration(0)
	return func() plans.Stamp {
		n += time.Second
		return plans.Stamp{At: noon.Add(n), Boot: "b1", Up: plans.Seconds(time.Hour + n)}
	}
}

// begun is a run with one event.
func begun(t testing.TB) (string, *Store, *Run) {
	t.Helper()
	dir := tempDir(t)
	s := lock(t, dir)
	r, _, err := s.Begin("r1", note("first"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, s, r
}

func add(t testing.TB, r *Run, es ...plans.Event) []plans.Event {
	t.Helper()
	var written []plans.Event
	for _, e := range es {
		w, err := r.Append(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, w)
	}
	return written
}

func read(t testing.TB, dir string) []plans.Event {
	t.Helper()
	es, err := Read(dir, "r1")
	if err != nil {
		t.Fatal(err)
	}
	return es
}
