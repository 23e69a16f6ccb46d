//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// hooks are two receivers of news. One takes what is signed, the other takes a request and never answers.
type hooks struct {
	*httptest.Server
	mu    sync.Mutex
	kinds []string // of the news that was taken
	asked int      // requests that are not answered
}

const hooksKey = "hooks-key-2f61"

func newHooks(t *testing.T) *hooks {
	h, over := &hooks{}, make(chan struct{})
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/hangs" {
			h.mu.Lock()
			h.asked++
			h.mu.Unlock()
			<-over
			return
		}
		mac := hmac.New(sha256.New, []byte(hooksKey))
		_, _ = io.WriteString(mac, r.Header.Get("X-Rollout-Timestamp")+"."+string(body))
		var n struct{ Schema, Kind, Service, Title string }
		if r.Header.Get("X-Rollout-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) || json.Unmarshal(body, &n) != nil || n.Schema != "rollout.notification/v1" || n.Title == "" {
			t.Errorf("not a signed notification: %v %s", r.Header, body)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.kinds = append(h.kinds, n.Kind)
	}))
	t.Cleanup(func() { close(over); h.Close() })
	return h
}

func (h *hooks) told() (kinds []string, unanswered int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.kinds), h.asked
}

// TestAReceiverThatHangsHoldsNoRunUp: the run is interrupted, resumed and done while a receiver still holds every request it was sent.
func TestAReceiverThatHangsHoldsNoRunUp(t *testing.T) {
	w := serve(t, "--machines", "1", "--ports", "1", "--players", "4", "--game", "1s", "--deadline", "40s")
	h := newHooks(t)
	path := filepath.Join(w.dir, "rollout.yaml")
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	on := ", on: [started, held, failed, finished]}\n"
	add := "notify:\n  - {to: slack, url: \"${HANGS}\"" + on + "  - {to: webhook, url: \"${TAKES}\", secret: \"${KEY}\"" + on
	if err := os.WriteFile(path, append(was, add...), 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = []string{"HANGS=" + h.URL + "/hangs", "TAKES=" + h.URL + "/takes", "KEY=" + hooksKey}
	want := func(kinds ...string) {
		t.Helper()
		if got, asked := h.told(); !slices.Equal(got, kinds) || asked == 0 {
			t.Errorf("told %v, want %v; %d requests are held, want some", got, kinds, asked)
		}
	}

	run := w.start("start", "--yes", "--ref", "v1.1.0")
	w.until("a drain", draining)
	if err := run.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	o := run.wait()
	if o.code != 6 {
		t.Fatalf("an interrupted run: want exit 6, got %s", o)
	}
	contains(t, o, "notify: slack (number 1) was not told", "interrupted; a person has to resume or abort it")
	want("started", "held")

	o = w.must(0, "resume")
	contains(t, o, "notify: slack (number 1) was not told", "v1.1.0: finished")
	want("started", "held", "started", "finished")
	if strings.Contains(o.stderr, "webhook (number 2)") || strings.Contains(o.stderr, hooksKey) {
		t.Errorf("got %s", o)
	}
	w.must(0, "lock", "status")
	w.nobodyNoticed()
}
