package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

const (
	mostStreams = 32                     // open at once: each folds the run for itself
	frameEach   = 250 * time.Millisecond // between two messages
	lookEach    = time.Second            // at who holds the lock, and for a newer run
	beatEach    = 15 * time.Second       // between two signs of life where nothing happens
	writeWithin = 10 * time.Second       // a browser that takes longer is gone
	linesAtOnce = 500
)

// stream answers with the events of a run, from the id that the browser names as the last it has seen.
func (d *Dashboard) stream(w http.ResponseWriter, r *http.Request) {
	if d.streams.Add(1) > mostStreams {
		d.streams.Add(-1)
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer d.streams.Add(-1)
	run := r.PathValue("run")
	es, err := d.c.Source.Read(run)
	if err != nil && len(es) == 0 {
		code := http.StatusInternalServerError
		if missing(err) {
			code = http.StatusNotFound
		}
		http.Error(w, view.Clean(err.Error()), code)
		return
	}
	s := &sending{d: d, run: run, w: w, rc: http.NewResponseController(w), past: d.runs.before(run), teller: newTeller(), seen: seen(r)}
	_ = s.rc.SetReadDeadline(time.Time{}) // that of the request would end the stream
	w.Header().Set("Content-Type", "text/event-stream")
	for _, e := range es {
		s.hear(e)
	}
	if err != nil {
		s.trouble(err)
		return
	}
	s.serve(r.Context())
}

// seen gives the last id a browser has: it sends the header when it connects again by itself, and the page the other when it had to begin anew.
func seen(r *http.Request) int64 {
	for _, v := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// sending is one stream.
type sending struct {
	d      *Dashboard
	run    string
	w      http.ResponseWriter
	rc     *http.ResponseController
	state  plans.State
	past   plans.State
	teller teller
	lines  []lineDoc // not sent yet
	seen   int64     // lines up to here have been shown
	plans  int       // of the state whose plan was sent
	holder Holder
	newer  string // the newest run, once it is another
	sent   time.Time
}

func (s *sending) hear(e plans.Event) {
	s.state = s.state.Apply(e)
	if l, ok := s.teller.tell(s.state, e); ok && e.Seq > s.seen {
		s.lines = append(s.lines, l)
	}
}

// serve sends what changes until the browser or the dashboard leaves.
func (s *sending) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	heard, ended := make(chan plans.Event), make(chan error, 1)
	go func(ctx context.Context, after int64) { ended <- s.follow(ctx, after, heard) }(ctx, s.state.Seq)
	defer func() { // whoever starts it waits for it
		cancel()
		for range heard { // it closes heard when it ends
		}
	}()
	draw, look := time.NewTicker(frameEach), time.NewTicker(lookEach)
	defer draw.Stop()
	defer look.Stop()
	s.look()
	for dirty, leaving := true, s.d.leaving; ; {
		if dirty && time.Since(s.sent) >= frameEach {
			if s.frames() != nil {
				return
			}
			dirty = false
		}
		select {
		case e, ok := <-heard:
			if !ok {
				if err := <-ended; err != nil {
					s.trouble(err)
				}
				return
			}
			s.hear(e)
			dirty = true
		case <-draw.C:
		case <-look.C:
			dirty = s.look() || dirty
			if time.Since(s.sent) > beatEach && s.message("", "beat", struct{}{}) != nil {
				return
			}
		case <-leaving: // the run may have ended just now: what it said last is read by then
			leaving = nil
			var stop context.CancelFunc
			ctx, stop = context.WithTimeout(ctx, lastWords/2)
			defer stop()
		case <-ctx.Done():
			if s.lines != nil || dirty {
				_ = s.frames()
			}
			return
		}
	}
}

// follow hands on the events of the run as they come. A panic in it ends this stream and not the process, which may be the one that carries the run
// out.
func (s *sending) follow(ctx context.Context, after int64, heard chan<- plans.Event) (err error) {
	defer close(heard)
	defer func() {
		if p := recover(); p != nil {
			s.d.c.Log.Warn("dashboard: panic", "err", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("a defect of rollout: %v", p)
		}
	}()
	for e, err := range s.d.c.Source.Follow(ctx, s.run, after) {
		if err != nil {
			return err
		}
		select {
		case heard <- e:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// look looks who holds the lock and whether there is a newer run, and says whether that has changed.
func (s *sending) look() bool {
	changed := false
	if h, err := s.d.c.Source.Holder(); err == nil && h != s.holder {
		s.holder, changed = h, true
	}
	if ids, err := s.d.c.Source.Runs(); err == nil && len(ids) > 0 && ids[len(ids)-1] != s.run && ids[len(ids)-1] != s.newer && slices.Contains(ids, s.run) {
		s.newer = ids[len(ids)-1]
		_ = s.message("", "newer", map[string]string{"run": s.newer})
	}
	return changed
}

// frames sends the state and every line that is waiting. Many lines come in several messages: the id of each is that of its last line, so that a
// browser that is cut off between two of them loses none. The state comes with the last.
func (s *sending) frames() error {
	for len(s.lines) > linesAtOnce {
		part := s.lines[:linesAtOnce]
		if err := s.message(strconv.FormatInt(part[len(part)-1].Seq, 10), "", frame{Lines: part}); err != nil {
			return err
		}
		s.lines = s.lines[linesAtOnce:]
	}
	f := frame{Lines: s.lines, State: stateOf(s.state, time.Now(), s.holder, s.past)}
	if n := len(s.state.Earlier) + 1; n != s.plans {
		s.plans, f.Plan = n, planOf(s.state, s.past, s.d.c.Ask != nil)
	}
	s.lines = nil
	return s.message(strconv.FormatInt(s.state.Seq, 10), "", f)
}

// trouble tells that the run cannot be read any further, and with the state up to there ends the stream for good.
func (s *sending) trouble(err error) {
	_ = s.frames()
	_ = s.message("", "trouble", map[string]string{"error": view.Clean(err.Error())})
}

// message sends one message.
func (s *sending) message(id, event string, doc any) error {
	b, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	if id != "" {
		id = "id: " + id + "\n"
	}
	if event != "" {
		event = "event: " + event + "\n"
	}
	if _, err := fmt.Fprintf(s.w, "%s%sdata: %s\n\n", id, event, b); err != nil {
		return err
	}
	s.sent = time.Now()
	return s.rc.Flush()
}
