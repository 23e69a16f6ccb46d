package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestALogStaysInsideItsRun(t *testing.T) {
	dir, _, r := begun(t)
	names := []string{"game-1", "10.9.0.4", "../../../etc/passwd", "a/b", "a_b", "a:b", "", ".", "..", "-rf", "m1\x00\n", "机器", "[::1]:22"}
	for _, n := range names {
		w, err := r.Log(n)
		if err != nil {
			t.Fatalf("%q: %v", n, err)
		}
		_, err = io.WriteString(w, n)
		must(t, err, w.Close())
	}
	entries, err := os.ReadDir(filepath.Join(runDir(dir, "r1"), "log"))
	if err != nil || len(entries) != len(names) {
		t.Errorf("got %v, %v; want a file for each of %d names", entries, err, len(names))
	}
	if b, err := os.ReadFile(filepath.Join(runDir(dir, "r1"), "log", "game-1.log")); string(b) != "game-1" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestALogIsAddedTo(t *testing.T) {
	dir, _, r := begun(t)
	for range 2 {
		w, err := r.Log("m1")
		must(t, err)
		_, err = io.WriteString(w, "x")
		must(t, err, w.Close())
	}
	if b, err := os.ReadFile(filepath.Join(runDir(dir, "r1"), "log", "m1.log")); string(b) != "xx" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestTheEndOfALogIsItsLastWholeLines(t *testing.T) {
	dir, _, r := begun(t)
	for name, text := range map[string]string{"m1": "one\ntwo\nthree\n", "../m2": "of m2\n"} {
		w, err := r.Log(name)
		must(t, err)
		_, err = io.WriteString(w, text)
		must(t, err, w.Close())
	}
	for _, c := range []struct {
		name, want string
		most       int64
	}{{"m1", "one\ntwo\nthree\n", 100}, {"m1", "one\ntwo\nthree\n", 14}, {"m1", "two\nthree\n", 13}, {"m1", "three\n", 8}, {"../m2", "of m2\n", 100}} {
		if got, err := Tail(dir, "r1", c.name, c.most); got != c.want || err != nil {
			t.Errorf("the last %d bytes of %s: got %q, %v; want %q", c.most, c.name, got, err, c.want)
		}
	}
	for _, c := range [][2]string{{"r1", "m3"}, {"r2", "m1"}} {
		if _, err := Tail(dir, c[0], c[1], 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of %s: got %v, want that there is none", c[1], c[0], err)
		}
	}
	if _, err := Tail(dir, "../r1", "m1", 100); err == nil {
		t.Error("a log outside of the directory was read")
	}
}

func TestAMachineThatPrintsWithoutEndDoesNotFillTheDisk(t *testing.T) {
	dir, _, r := begun(t)
	path := filepath.Join(runDir(dir, "r1"), "log", "m1.log")
	w, err := r.Log("m1")
	must(t, err)
	must(t, os.Truncate(path, logMost-4)) // a hole, which costs no disk
	must(t, w.Close())
	for range 2 { // as two commands, one after the other
		w, err := r.Log("m1")
		must(t, err)
		for range 3 {
			if n, err := io.WriteString(w, "12345"); n != 5 || err != nil {
				t.Errorf("got %d, %v; want the command to go on", n, err)
			}
		}
		must(t, w.Close())
	}
	want := "1234\n[rollout: this log is full at 16 MiB; what is printed from here on is not kept]\n"
	if info, err := os.Stat(path); err != nil || info.Size() != logMost-4+int64(len(want)) {
		t.Errorf("got %v, %v; want %d bytes", info.Size(), err, logMost-4+len(want))
	}
	if got, err := Tail(dir, "r1", "m1", int64(len(want))); got != want[len("1234\n"):] || err != nil {
		t.Errorf("got %q, %v; want it to end with why", got, err)
	}
}

func TestALogThatIsJustFullSaysSoOnlyWhenMoreComes(t *testing.T) {
	dir, _, r := begun(t)
	path := filepath.Join(runDir(dir, "r1"), "log", "m1.log")
	w, err := r.Log("m1")
	must(t, err, os.Truncate(path, logMost-4), w.Close())
	for _, row := range []struct {
		text string
		want int
	}{{"1234", logMost}, {"", logMost}, {"5", logMost + len(logFull)}, {"6", logMost + len(logFull)}} {
		w, err := r.Log("m1")
		must(t, err)
		_, err = io.WriteString(w, row.text)
		must(t, err, w.Close())
		if info, err := os.Stat(path); err != nil || info.Size() != int64(row.want) {
			t.Errorf("after %q: got %d, %v; want %d bytes", row.text, info.Size(), err, row.want)
		}
	}
}
