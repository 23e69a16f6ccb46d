package web

import (
	"errors"
	"io/fs"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// app gives the text of every file of the pages.
func app(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := fs.ReadDir(files, "app")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := fs.ReadFile(files, "app/"+e.Name())
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

func TestThePagesAreSmallAndNeedNothingFromElsewhere(t *testing.T) {
	sum := 0
	for name, text := range app(t) {
		sum += len(text)
		for what, no := range map[string]string{
			"another address":     `(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}`,
			"an inline script":    `<script(?:[^>]*)>[^<]|\son[a-z]+=["']`,
			"an inline style":     `<style|\sstyle=["']|setAttribute\('style'`,
			"markup out of text":  `innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser|srcdoc`,
			"javascript: as link": `javascript:`,
		} {
			if m := regexp.MustCompile(no).FindString(text); m != "" && !strings.Contains(m, "www.w3.org") {
				t.Errorf("%s has %s: %s", name, what, m)
			}
		}
	}
	if sum > 100_000 {
		t.Errorf("all pages have %d bytes, more than 100 KB", sum)
	}
	t.Logf("all pages: %d bytes", sum)
}

func TestEachPhraseIsThereInBothLanguagesAndEachThatIsUsedIsThere(t *testing.T) {
	files := app(t)
	en, zh, ok := strings.Cut(files["words.js"], "\n  zh: {")
	if !ok {
		t.Fatal("words.js has no zh")
	}
	zh, _, _ = strings.Cut(zh, "\n};")
	keys := func(s string) []string {
		var all []string
		for _, m := range regexp.MustCompile(`(\w+): '`).FindAllStringSubmatch(s, -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return all
	}
	known := keys(en)
	if !slices.Equal(known, keys(zh)) || len(known) < 80 {
		t.Errorf("the two languages have other keys:\n%v\n%v", known, keys(zh))
	}
	used := map[string]bool{}
	for _, text := range files {
		for _, m := range regexp.MustCompile(`say\('(\w+)'|data-(?:say|label)="(\w+)"|shown = '(\w+)'`).FindAllStringSubmatch(text, -1) {
			key := m[1] + m[2] + m[3]
			used[key] = true
			if !slices.Contains(known, key) && key != "ask" {
				t.Errorf("%s is said and in no language", key)
			}
		}
	}
	for _, kept := range []string{"pause", "abort", "askpause", "askabort", "on", "off", "ill", "unknown", "ifnow", "next", "planned", "running", "paused", "held", "interrupted", "done", "aborted",
		"pending", "failed", "skipped", "shift", "drain", "deploy", "restart", "check"} { // by a name that is worked out
		used[kept] = true
	}
	for _, k := range known {
		if !used[k] {
			t.Errorf("%s is said nowhere", k)
		}
	}
}

func TestALogIsPlainTextAndChangesNothing(t *testing.T) {
	s := &shelf{logs: map[string]string{"7f3a game-1": "\x1b[31mred\x1b[0m <script>alert(1)</script>\r\nlast\n"}}
	d := New(s.config(), 8742)
	get := func(machine string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://127.0.0.1:8742/api/runs/7f3a/logs/"+machine, nil)
		r.Header.Set("Authorization", "Bearer "+d.token)
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		return w
	}
	if w := get("game-1"); w.Code != 200 || w.Body.String() != "red <script>alert(1)</script>\nlast\n" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%d %s %q", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	if w := get("game-2"); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("of a machine that has printed nothing: %d %q", w.Code, w.Body)
	}
	if s.broken = errors.New("no leave"); get("game-1").Code != 500 {
		t.Error("a log that cannot be read is not told")
	}
}

func TestEachFileIsServedWithItsTypeAndNothingElseIs(t *testing.T) {
	d := New((&shelf{}).config(), 8742)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8742"+path, nil))
		return w
	}
	for name, text := range app(t) {
		w := get("/app/" + name)
		want := map[string]string{"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[name[strings.LastIndex(name, ".")+1:]]
		if w.Code != 200 || w.Body.String() != text || !strings.HasPrefix(w.Header().Get("Content-Type"), want) {
			t.Errorf("%s: %d, %s", name, w.Code, w.Header().Get("Content-Type"))
		}
	}
	for _, path := range []string{"/app/", "/app/..%2fdoc.go", "/app/none", "/none", "/api/", "/runs/7f3a/none"} {
		if w := get(path); w.Code != 404 {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
	if w := get("/runs/7f3a"); w.Code != 200 || w.Body.String() != app(t)["run.html"] {
		t.Errorf("the page of a run: %d", w.Code)
	}
}
