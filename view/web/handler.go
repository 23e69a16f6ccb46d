package web

import (
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

//go:embed app
var files embed.FS

// bodyBytes is more than any body that is meant.
const bodyBytes = 1 << 10

// Handler gives the pages, what they read, and what they may ask for.
func (d *Dashboard) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", page("run.html"))
	m.HandleFunc("GET /runs", page("runs.html"))
	m.HandleFunc("GET /runs/{run}", page("run.html"))
	m.HandleFunc("GET /app/{file}", func(w http.ResponseWriter, r *http.Request) { page(r.PathValue("file"))(w, r) })
	m.HandleFunc("POST /api/login", d.login)
	m.Handle("GET /api/runs", d.known(d.listRuns))
	m.Handle("GET /api/runs/{run}/events", d.known(d.stream))
	m.Handle("GET /api/runs/{run}/logs/{machine}", d.known(d.log))
	m.Handle("POST /api/runs/{run}/ask", d.armed(d.ask))
	m.Handle("GET /metrics", ours(d.metrics()))
	return d.guard(m)
}

// page answers with a file of app. They hold nothing of any run.
func page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := fs.ReadFile(files, path.Join("app", path.Base(name)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
		_, _ = w.Write(b)
	}
}

// metrics are open to whoever reaches this machine, since a token that is new at each start is none for Prometheus: they are counts and the names of
// the groups, and tell of no machine, address or command.
func (d *Dashboard) metrics() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(&figures{d: d})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 2, DisableCompression: true})
}

// listRuns answers with the past runs.
func (d *Dashboard) listRuns(w http.ResponseWriter, _ *http.Request) {
	runs, err := d.runs.newest()
	if err != nil && len(runs) == 0 {
		http.Error(w, view.Clean(err.Error()), http.StatusInternalServerError)
		return
	}
	alive := len(runs) > 0 && d.alive(runs[0].Plan.ID)
	answer(w, view.HistoryOf(d.c.Service, runs, alive))
}

// log answers with the end of what commands have printed on a machine; with nothing where none has.
func (d *Dashboard) log(w http.ResponseWriter, r *http.Request) {
	text, err := d.c.Source.Log(r.PathValue("run"), r.PathValue("machine"))
	if err != nil && !missing(err) {
		http.Error(w, view.Clean(err.Error()), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, view.Clean(text))
}

// alive says whether a process carries a run out now.
func (d *Dashboard) alive(run string) bool {
	h, err := d.c.Source.Holder()
	return err == nil && h.Held && h.Run == run
}

// ask takes a request to pause or abort. Its body names the run once more: what was meant for one run must not reach another.
func (d *Dashboard) ask(w http.ResponseWriter, r *http.Request) {
	var got struct {
		Run     string
		Request plans.Request
	}
	run := r.PathValue("run")
	switch {
	case !body(w, r, &got):
	case d.c.Ask == nil:
		http.Error(w, "this dashboard only reads: start it with `rollout dashboard --allow-control`", http.StatusForbidden)
	case got.Request != plans.AskPause && got.Request != plans.AskAbort:
		http.Error(w, "request: pause or abort", http.StatusBadRequest)
	case got.Run != run:
		http.Error(w, "run: it must be the id of the run, to confirm", http.StatusConflict)
	case !d.alive(run):
		http.Error(w, "run "+view.Clean(run)+" is not under way", http.StatusConflict)
	default:
		if err := d.c.Ask(run, got.Request); err != nil {
			http.Error(w, view.Clean(err.Error()), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// body reads a small JSON body, and says whether it could. The type is demanded since a page of somebody else could not send it without being asked
// for leave first.
func body(w http.ResponseWriter, r *http.Request, v any) bool {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return false
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytes)).Decode(v)
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
	case err != nil:
		http.Error(w, "that is not the JSON that is meant", http.StatusBadRequest)
	}
	return err == nil
}

func answer(w http.ResponseWriter, doc any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(doc)
}
