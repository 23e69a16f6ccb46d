//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// needle is a secret in one of the forms it could leak in.
type needle struct{ of, form, text string }

// needles gives the forms of a secret: as it is, for a URL, in hex, and in base64 wherever it begins in a group of three bytes.
func needles(of, secret string) []needle {
	all := []needle{{of, "plain", secret}, {of, "hex", hex.EncodeToString([]byte(secret))}}
	if q := url.QueryEscape(secret); q != secret {
		all = append(all, needle{of, "URL", q})
	}
	for shift := range 3 {
		enc := base64.StdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		cut := strings.TrimRight(enc, "=")
		all = append(all, needle{of, "base64", cut[4 : len(cut)-3]}) // what does not depend on what stands before and behind
	}
	return all
}

// hay is everything that was searched, and what was found.
type hay struct {
	mu      sync.Mutex
	needles []needle
	bytes   int64
	places  int
	hits    map[string]bool
}

// search looks through a text.
func (h *hay) search(place string, text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bytes += int64(len(text))
	h.places++
	for _, n := range h.needles {
		if bytes.Contains(text, []byte(n.text)) {
			if h.hits == nil {
				h.hits = map[string]bool{}
			}
			h.hits[n.of+" ("+n.form+") in "+place] = true
		}
	}
}

// tree looks through every file below a directory, and through their names.
func (h *hay) tree(t *testing.T, root string, leave ...string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, l := range leave {
			if path == l {
				return nil
			}
		}
		h.search("the name "+path, []byte(path))
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		h.search(path, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// watch looks through the arguments of every process of this machine, as ps shows them, and through the files of a directory that come and go,
// until it is ended; that gives how often it looked.
func (h *hay) watch(dir string) (end func() int) {
	done, n := make(chan struct{}), 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, l := range lines {
				if b, err := os.ReadFile(l); err == nil { // else it has ended
					h.search("the arguments of "+strings.ReplaceAll(string(b), "\x00", " "), b)
				}
			}
			for _, pattern := range []string{"*/holder.json", "*/.new-*", "*/runs/*/asked/*"} {
				files, _ := filepath.Glob(filepath.Join(dir, pattern))
				for _, f := range files {
					if b, err := os.ReadFile(f); err == nil { // else it has been taken
						h.search(f, b)
					}
				}
			}
			n++
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() int {
		close(done)
		wg.Wait()
		return n
	}
}
