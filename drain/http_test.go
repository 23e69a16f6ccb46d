package drain

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestHTTPCountsOrSaysWhyNot(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "0") }))
	t.Cleanup(elsewhere.Close)
	var busy atomic.Int32
	mux := http.NewServeMux()
	page := func(path string, status int, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		})
	}
	page("/plain", 200, "12\n")
	page("/json", 200, `{"data":{"online":7,"text":"7","none":null,"part":1.5,"whole":7.0,"tiny":1e-999,"big":1e99},"zones":[{"users":3}]}`)
	page("/two", 200, `{"data":{"online":0}} {"data":{"online":7}}`)
	page("/gone", 404, "0")
	page("/empty", 204, "")
	page("/long", 200, strings.Repeat(" ", 2000)+"0")
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	mux.HandleFunc("/near", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/plain", http.StatusFound) })
	mux.HandleFunc("/round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/round", http.StatusFound) })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		if busy.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "5")
	})
	mux.HandleFunc("/down", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("X-Count")) })
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)

	tests := []struct {
		name  string
		path  string
		field string
		want  int
		why   string // a part of it
	}{
		{"a plain number", "/plain", "", 12, ""},
		{"a field", "/json", "data.online", 7, ""},
		{"a field of a list", "/json", "zones.0.users", 3, ""},
		{"a whole number with a point", "/json", "data.whole", 7, ""},
		{"a redirect to the same host", "/near", "", 12, ""},
		{"busy once", "/busy", "", 5, ""},
		{"a header", "/token", "", 9, ""},
		{"no such field", "/json", "data.offline", 0, `no field data.offline`},
		{"no such place in the list", "/json", "zones.1.users", 0, `there is no "1"`},
		{"a text", "/json", "data.text", 0, "the field data.text is not a number"},
		{"null", "/json", "data.none", 0, "the field data.none is not a number"},
		{"half a session", "/json", "data.part", 0, "not a count: 1.5"},
		{"nearly none", "/json", "data.tiny", 0, "not a count: 1e-999"},
		{"too many", "/json", "data.big", 0, "not a count: 1e99"},
		{"JSON where a number should be", "/json", "", 0, "not a whole number"},
		{"a number where JSON should be", "/plain", "data", 0, "no field data"},
		{"two answers", "/two", "data.online", 0, "goes on after its JSON"},
		{"not found", "/gone", "", 0, "the page answers 404"},
		{"no content", "/empty", "", 0, "the answer is empty"},
		{"too long", "/long", "", 0, "longer than 1000 bytes"},
		{"a redirect to another host", "/away", "", 0, "the page redirects to another host"},
		{"a redirect in circles", "/round", "", 0, "the page redirects in circles"},
		{"down", "/down", "", 0, "the page answers 502"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			web := Web{Limit: 1000, Retries: 1, Header: http.Header{"X-Count": {"9"}}}
			got, err := HTTP(map[string]string{"a": site.URL + tt.path + "?secret=s3cret"}, tt.field, web).Count(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			why, failed := got.Unread["a"]
			if failed != (tt.why != "") || !strings.Contains(why, tt.why) || got.Total != tt.want {
				t.Errorf("got %d, unread %q, want %d, %q", got.Total, why, tt.want, tt.why)
			}
			if strings.Contains(why, "s3cret") {
				t.Errorf("got the secret of the URL in %q", why)
			}
		})
	}
}

func TestHTTPOfAHostThatIsDownIsUnread(t *testing.T) {
	site := httptest.NewServer(http.NotFoundHandler())
	site.Close()
	got, err := HTTP(map[string]string{"a": site.URL + "?secret=s3cret", "b": "://s3cret"}, "", Web{Retries: -1}).Count(t.Context())
	if err != nil || got.Full || !strings.Contains(got.Unread["a"], "connection refused") || got.Unread["b"] == "" {
		t.Errorf("got %+v, %v, want both unread", got, err)
	}
	if strings.Contains(got.Unread["a"]+got.Unread["b"], "s3cret") {
		t.Errorf("got the secret of the URL in %v", got.Unread)
	}
}

func FuzzParseField(f *testing.F) {
	f.Add([]byte(`{"data":{"online":7}}`), "data.online")
	f.Add([]byte(`[1,2.0,-3,1e400,1e-400]`), "4")
	f.Add([]byte(`7`), "")
	f.Fuzz(func(t *testing.T, body []byte, field string) {
		n, err := parseField(body, field)
		if n < 0 || err != nil && n != 0 {
			t.Fatalf("got %d, %v from %q", n, err, body)
		}
	})
}
