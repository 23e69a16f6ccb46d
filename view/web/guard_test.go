package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// endpoints are what a dashboard answers to.
var endpoints = []struct{ method, path, body string }{
	{"GET", "/", ""},
	{"GET", "/api/runs", ""},
	{"GET", "/api/runs/7f3a/events", ""},
	{"GET", "/metrics", ""},
	{"GET", "/api/runs/7f3a/logs/game-001", ""},
	{"POST", "/api/login", `{"token":"TOKEN"}`},
	{"POST", "/api/runs/7f3a/ask", `{"run":"7f3a","request":"pause"}`},
}

// TestWhoMayAskWhat is the table of who gets what: a line for each kind of request, a column for each endpoint.
func TestWhoMayAskWhat(t *testing.T) {
	const evil = "https://evil.example"
	header := func(kv ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(kv); i += 2 {
				r.Header.Set(kv[i], kv[i+1])
			}
		}
	}
	nothing := func(*http.Request) {}
	for _, kind := range []struct {
		name   string
		shows  string // page: the cookie and the key; cookie, wrong or none
		change func(*http.Request)
		// what /, runs, events, metrics, logs, login and ask answer
		want [7]int
	}{
		{"our own page", "page", header("Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8742"), [7]int{200, 200, 200, 200, 200, 200, 204}},
		{"curl with the token", "none", header("Authorization", "Bearer TOKEN"), [7]int{200, 200, 200, 200, 200, 200, 204}},
		{"localhost by name", "page", func(r *http.Request) { r.Host = "localhost:8742" }, [7]int{200, 200, 200, 200, 200, 200, 204}},
		{"a name that was made to lead here", "page", func(r *http.Request) { r.Host = "rebound.evil.example:8742" }, [7]int{421, 421, 421, 421, 421, 421, 421}},
		{"a name that looks like ours", "page", func(r *http.Request) { r.Host = "127.0.0.1.evil.example:8742" }, [7]int{421, 421, 421, 421, 421, 421, 421}},
		{"another port", "page", func(r *http.Request) { r.Host = "127.0.0.1:80" }, [7]int{421, 421, 421, 421, 421, 421, 421}},
		{"an address of the network", "page", func(r *http.Request) { r.Host = "10.9.0.1:8742" }, [7]int{421, 421, 421, 421, 421, 421, 421}},
		{"no token", "none", nothing, [7]int{200, 401, 401, 200, 401, 200, 401}},
		{"a wrong token", "none", header("Authorization", "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAA"), [7]int{200, 401, 401, 200, 401, 200, 401}},
		{"a wrong cookie", "wrong", nothing, [7]int{200, 401, 401, 200, 401, 200, 401}},
		{"the cookie alone at ask", "cookie", nothing, [7]int{200, 200, 200, 200, 200, 200, 401}},
		{"the cookie alone, from our own page", "cookie", header("Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8742"), [7]int{200, 200, 200, 200, 200, 200, 401}},
		{"the cookie and a password that is none of ours", "cookie", header("Authorization", "Basic QTpB"), [7]int{200, 200, 200, 200, 200, 200, 401}},
		{"a wrong token beside the right cookie", "cookie", header("Authorization", "Bearer x"), [7]int{200, 401, 401, 200, 401, 200, 401}},
		{"another site's fetch, with all", "page", header("Sec-Fetch-Site", "cross-site", "Origin", evil), [7]int{200, 403, 403, 403, 403, 403, 403}},
		{"another port's page, with all", "page", header("Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:3000"), [7]int{200, 403, 403, 403, 403, 403, 403}},
		{"an old browser's foreign form", "page", header("Origin", evil), [7]int{200, 403, 403, 403, 403, 403, 403}},
		{"the other method", "page", func(r *http.Request) {
			r.Method = map[string]string{"GET": "POST", "POST": "GET"}[r.Method]
		}, [7]int{405, 405, 405, 405, 405, 405, 405}},
		{"asking for leave", "page", func(r *http.Request) { r.Method = "OPTIONS" }, [7]int{405, 405, 405, 405, 405, 405, 405}},
		{"a form in place of JSON", "page", header("Content-Type", "text/plain"), [7]int{200, 200, 200, 200, 200, 415, 415}},
		{"a body that is too long", "page", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(`{"token":"` + strings.Repeat("x", bodyBytes) + `"}`))
		}, [7]int{200, 200, 200, 200, 200, 413, 413}},
		{"a body that is no JSON", "page", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("run=7f3a")) }, [7]int{200, 200, 200, 200, 200, 400, 400}},
	} {
		for i, end := range endpoints {
			t.Run(kind.name+"/"+end.path, func(t *testing.T) {
				d, asked := guarded(t)
				r := httptest.NewRequest(end.method, "http://127.0.0.1:8742"+end.path, strings.NewReader(strings.ReplaceAll(end.body, "TOKEN", d.token)))
				r.Header.Set("Content-Type", "application/json")
				switch kind.shows {
				case "page":
					r.Header.Set("Authorization", "Bearer "+d.key)
					fallthrough
				case "cookie":
					r.AddCookie(&http.Cookie{Name: "rollout-8742", Value: d.session})
				case "wrong":
					r.AddCookie(&http.Cookie{Name: "rollout-8742", Value: d.token})
				}
				kind.change(r)
				if a := r.Header.Get("Authorization"); a != "" {
					r.Header.Set("Authorization", strings.ReplaceAll(a, "TOKEN", d.token))
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := &cancelling{ResponseRecorder: httptest.NewRecorder(), cancel: cancel}
				d.Handler().ServeHTTP(w, r.WithContext(ctx))
				if w.Code != kind.want[i] {
					t.Errorf("%s %s: got %d %s, want %d", end.method, end.path, w.Code, strings.TrimSpace(w.Body.String()), kind.want[i])
				}
				if acted := end.path == "/api/runs/7f3a/ask" && kind.want[i] == 204; acted != (*asked != "") {
					t.Errorf("asked of the run: %q", *asked)
				}
				if c := w.Header().Get("Set-Cookie"); (c != "") != (end.path == "/api/login" && kind.want[i] == 200) {
					t.Errorf("cookie: %q", c)
				} else if c != "" && (!strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Strict") || strings.Contains(c, d.token) || strings.Contains(c, d.key)) {
					t.Errorf("cookie: %q", c)
				} else if told := w.Body.String() == fmt.Sprintf("{\"key\":%q}\n", d.key); told != (c != "") {
					t.Errorf("the answer beside the cookie %q: %s", c, w.Body)
				}
				for name := range w.Header() {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("another site is let in: %s", name)
					}
				}
				for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
					if !strings.Contains(w.Header().Get(name), want) {
						t.Errorf("%s: %q", name, w.Header().Get(name))
					}
				}
			})
		}
	}
}

// cancelling ends a stream once it has sent something.
type cancelling struct {
	*httptest.ResponseRecorder
	cancel func()
}

func (c *cancelling) Flush() { c.cancel() }

// guarded gives a dashboard that may act, of a run that is under way, and what was asked of it.
func guarded(t *testing.T) (*Dashboard, *string) {
	t.Helper()
	s, asked := &shelf{holder: Holder{Held: true, Run: "7f3a"}}, new(string)
	s.add("7f3a", story(t, fleet(t, "7f3a", 1, 1), 3)...)
	c := s.config()
	c.Ask = func(run string, r plans.Request) error { *asked = fmt.Sprint(run, r); return nil }
	return New(c, 8742), asked
}

func TestAnActIsRefusedUnlessItIsAllowedConfirmedAndOfARunUnderWay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Dashboard, *shelf)
		body   string
		want   int
	}{
		"reading only":  {func(d *Dashboard, _ *shelf) { d.c.Ask = nil }, `{"run":"7f3a","request":"abort"}`, 403},
		"not confirmed": {nil, `{"request":"abort"}`, 409},
		"another run":   {nil, `{"run":"7f3b","request":"abort"}`, 409},
		"another act":   {nil, `{"run":"7f3a","request":"resume"}`, 400},
		"not under way": {func(_ *Dashboard, s *shelf) { s.holder = Holder{} }, `{"run":"7f3a","request":"abort"}`, 409},
		"cannot be left": {func(d *Dashboard, _ *shelf) {
			d.c.Ask = func(string, plans.Request) error { return errors.New("no room on disk") }
		}, `{"run":"7f3a","request":"abort"}`, 500},
	} {
		t.Run(name, func(t *testing.T) {
			d, asked := guarded(t)
			if c.change != nil {
				c.change(d, d.c.Source.(*shelf))
			}
			r := httptest.NewRequest("POST", "http://127.0.0.1:8742/api/runs/7f3a/ask", strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+d.token)
			w := httptest.NewRecorder()
			d.Handler().ServeHTTP(w, r)
			if w.Code != c.want || *asked != "" {
				t.Errorf("got %d %s, asked %q; want %d and nothing", w.Code, w.Body, *asked, c.want)
			}
		})
	}
}

func TestATokenIsNewAtEachStartAndWrongOnesGetNoCookie(t *testing.T) {
	a, _ := guarded(t)
	b, _ := guarded(t)
	if a.token == b.token || a.session == b.session || a.token == a.session || a.key == b.key || a.key == a.session || len(a.token) < 26 || len(a.key) < 26 {
		t.Errorf("tokens %s %s, sessions %s %s, keys %s %s", a.token, b.token, a.session, b.session, a.key, b.key)
	}
	r := httptest.NewRequest("POST", "http://127.0.0.1:8742/api/login", strings.NewReader(`{"token":"`+b.token+`"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	if w.Code != 401 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("got %d, cookie %q; want 401 and none", w.Code, w.Header().Get("Set-Cookie"))
	}
}

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "127.0.0.7:0": true, "0.0.0.0:0": false, ":0": false, "[::]:0": false, "192.0.2.7:0": false, "example.org:0": false, "8742": false,
	} {
		d, err := Listen(t.Context(), addr, (&shelf{}).config())
		if (err == nil) != ok {
			t.Errorf("%s: %v, want it taken: %v", addr, err, ok)
		}
		var far *NotLoopbackError
		if errors.As(err, &far) && !strings.Contains(err.Error(), "ssh -L") {
			t.Errorf("%s: it is not said how to reach it: %v", addr, err)
		}
		if d == nil {
			continue
		}
		if !strings.HasPrefix(d.URL(), "http://127.0.0.") || !strings.HasSuffix(d.URL(), "/#"+d.token) {
			t.Errorf("URL: %s", d.URL())
		}
		if _, err := Listen(t.Context(), d.listener.Addr().String(), (&shelf{}).config()); err == nil {
			t.Errorf("%s was taken twice", addr)
		}
		_ = d.listener.Close()
	}
}
