//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// archive is a release of a program that says that it has been run.
func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	text := []byte("#!/bin/sh\nprintf 'ran'\nprintf ' <%s>' \"$@\"\n")
	if err := w.WriteHeader(&tar.Header{Name: "rollout", Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	for _, c := range []interface{ Close() error }{w, z} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestTheActionRunsOnlyWhatHasItsChecksum(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("no curl: install Debian's curl")
	}
	file, good := fmt.Sprintf("rollout_1.2.3_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH), archive(t)
	sum := sha256.Sum256(good)
	right, wrong := hex.EncodeToString(sum[:]), strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		sums string // checksums.txt; empty: none
		with map[string]string
		code int
		says string
	}{
		"as the release says":           {right + "  " + file + "\n", nil, 0, "ran <check>"},
		"as the user says":              {"", map[string]string{"sha256": right}, 0, "ran <check>"},
		"not as the release says":       {wrong + "  " + file + "\n", nil, 2, "does not have the checksum"},
		"not as the user says":          {right + "  " + file + "\n", map[string]string{"sha256": wrong}, 2, "does not have the checksum"},
		"a sum that is none":            {"", map[string]string{"sha256": right[:63]}, 2, "there is no checksum"},
		"a sum of another file":         {right + "  other.tar.gz\n", nil, 2, "there is no checksum"},
		"no sums":                       {"", nil, 2, "cannot be fetched"},
		"no such release":               {right + "  " + file + "\n", map[string]string{"version": "9.9.9"}, 2, "cannot be fetched"},
		"a version that leaves the URL": {"", map[string]string{"version": "1/../../x"}, 2, "version is a release"},
		"a version with a command":      {"", map[string]string{"version": "1;id"}, 2, "version is a release"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/v1.2.3/"+file:
					_, _ = w.Write(good)
				case r.URL.Path == "/v1.2.3/checksums.txt" && c.sums != "":
					_, _ = w.Write([]byte(c.sums))
				default:
					http.NotFound(w, r)
				}
			}))
			defer srv.Close()
			r := (&world{t: t}).github()
			r.env["ROLLOUT_RELEASES"] = srv.URL
			with := map[string]string{"command": "check", "version": "1.2.3"}
			for k, v := range c.with {
				with[k] = v
			}
			o := r.use(with).finish(t)
			if o.code != c.code || !strings.Contains(o.stdout, c.says) || c.code != 0 && strings.Contains(o.stdout, "ran") {
				t.Errorf("want exit %d and %q, got %s", c.code, c.says, o)
			}
			if on := r.read("path"); (on != "") != (c.code == 0) {
				t.Errorf("got on PATH for later steps: %q", on)
			}
		})
	}
}

// TestTheActionFetchesFromNowhereElse: what a test may set is no way to another server.
func TestTheActionFetchesFromNowhereElse(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"https://127.0.0.1:1", "http://127.0.0.1:1@192.0.2.1", "http://127.0.0.1:", "http://127.0.0.1:1/x", "http://127.0.0.10:1", "file:///x", "http://127.0.0.1:1\nhttp://192.0.2.1"} {
		r := (&world{t: t}).github()
		r.env["ROLLOUT_RELEASES"] = from
		if o := r.use(map[string]string{"command": "check", "version": "1.2.3"}).finish(t); o.code != 2 || !strings.Contains(o.stdout, "ROLLOUT_RELEASES is") {
			t.Errorf("%q: %s", from, o)
		}
	}
}

// TestTheActionsWordsReachRolloutUnchanged: an input is an argument, whatever is in it, and never a line of shell.
func TestTheActionsWordsReachRolloutUnchanged(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "rollout"), []byte("#!/bin/sh\nprintf '<%s>' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	evil := `$(id) "; id; ' ` + "`id`"
	for name, c := range map[string]struct {
		with map[string]string
		code int
		want string
	}{
		"start":            {map[string]string{"ref": evil, "config": evil, "state-dir": evil}, 0, "<start><--config><" + evil + "><--ref><" + evil + "><--yes><--state-dir><" + evil + ">"},
		"arguments":        {map[string]string{"command": "check", "args": "-o\njson\n\n" + evil}, 0, "<check><--config><rollout.yaml><-o><json><" + evil + ">"},
		"plan":             {map[string]string{"command": "plan", "ref": "v2"}, 0, "<plan><--config><rollout.yaml><--ref><v2>"},
		"rollback to":      {map[string]string{"command": "rollback", "ref": "v1"}, 0, "<rollback><--config><rollout.yaml><--to><v1><--yes>"},
		"rollback":         {map[string]string{"command": "rollback"}, 0, "<rollback><--config><rollout.yaml><--yes>"},
		"restart only":     {map[string]string{"ref": "-"}, 0, "<start><--config><rollout.yaml><--yes>"},
		"resume":           {map[string]string{"command": "resume"}, 0, "<resume><--config><rollout.yaml>"},
		"a ref not set":    {map[string]string{}, 2, "ref is empty"},
		"a ref for resume": {map[string]string{"command": "resume", "ref": "v2"}, 2, "ref is for"},
		"another command":  {map[string]string{"command": "sandbox"}, 2, "command is start"},
	} {
		t.Run(name, func(t *testing.T) {
			r := (&world{t: t}).github()
			r.env["PATH"] = bin + string(os.PathListSeparator) + r.env["PATH"]
			c.with["version"] = "path"
			o := r.use(c.with).finish(t)
			if o.code != c.code || c.code == 0 && o.stdout != c.want || !strings.Contains(o.stdout, c.want) {
				t.Errorf("want exit %d and %s, got %s", c.code, c.want, o)
			}
		})
	}
}
