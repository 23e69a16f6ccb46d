package journal

import (
	"io"
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
