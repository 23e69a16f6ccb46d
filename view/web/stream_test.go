package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// received is one message as a browser takes it.
type received struct {
	id    int64
	event string
	size  int
	frame
	doc map[string]string // of an event that is no frame
}

// parse reads the messages of a stream.
func parse(t *testing.T, text string) []received {
	t.Helper()
	var all []received
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var m received
		for line := range strings.Lines(block) {
			k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch k {
			case "id":
				m.id, _ = strconv.ParseInt(v, 10, 64)
			case "event":
				m.event = v
			case "data":
				m.size = len(v)
				var into any = &m.frame
				if m.event != "" {
					into = &m.doc
				}
				if err := json.Unmarshal([]byte(v), into); err != nil {
					t.Fatalf("%v in %s", err, v)
				}
			}
		}
		if m.size > 0 {
			all = append(all, m)
		}
	}
	return all
}

// listen opens the stream of a run from an id on for some time of the clock, and gives what came.
func listen(t *testing.T, d *Dashboard, run string, after int64, during func()) []received {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequest("GET", "http://127.0.0.1:8742/api/runs/"+run+"/events", nil).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+d.token)
	if after > 0 {
		r.Header.Set("Last-Event-ID", strconv.FormatInt(after, 10))
	}
	w, done := httptest.NewRecorder(), make(chan struct{})
	go func() { defer close(done); d.Handler().ServeHTTP(w, r) }()
	during()
	cancel()
	<-done
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return parse(t, w.Body.String())
}

func lines(ms []received) []string {
	var all []string
	for _, m := range ms {
		for _, l := range m.Lines {
			all = append(all, fmt.Sprint(l.Seq, " ", l.En))
		}
	}
	return all
}

func TestAPageThatWasCutOffAnywhereMissesNoLineAndSeesNoneTwice(t *testing.T) {
	es := story(t, fleet(t, "7f3a", 2, 2), 200)
	synctest.Test(t, func(t *testing.T) {
		whole := &shelf{}
		whole.add("7f3a", es...)
		want := lines(listen(t, New(whole.config(), 8742), "7f3a", 0, func() { time.Sleep(time.Second) }))
		if len(want) < 15 {
			t.Fatalf("the story has %d lines", len(want))
		}
		for n := 1; n < len(es); n += 11 {
			s := &shelf{}
			s.add("7f3a", es[:n]...)
			d := New(s.config(), 8742)
			first := listen(t, d, "7f3a", 0, func() { time.Sleep(time.Second) })
			last := first[len(first)-1].id
			then := listen(t, d, "7f3a", last, func() {
				time.Sleep(time.Second)
				s.add("7f3a", es[n:min(n+10, len(es))]...)
				time.Sleep(time.Second)
				s.add("7f3a", es[min(n+10, len(es)):]...)
				time.Sleep(time.Second)
			})
			if got := append(lines(first), lines(then)...); !slices.Equal(got, want) {
				t.Fatalf("cut off after event %d: got %d lines, want %d:\n%s", n, len(got), len(want), strings.Join(got, "\n"))
			}
		}
	})
}

func TestManyLinesComeInPartsEachOfWhichMayBeTheLast(t *testing.T) {
	es := story(t, fleet(t, "7f3a", 1, 1), 1)
	for i := range 2*linesAtOnce + 9 {
		last := es[len(es)-1]
		es = append(es, plans.Event{Version: plans.Version, Seq: last.Seq + 1, Stamp: plans.Stamp{At: last.At.Add(20 * time.Second)}, What: plans.Noted, Step: 1, Note: fmt.Sprintf("note %d", i)})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		s.add("7f3a", es...)
		d := New(s.config(), 8742)
		all := listen(t, d, "7f3a", 0, func() { time.Sleep(time.Second) })
		if len(all) < 3 {
			t.Fatalf("%d messages", len(all))
		}
		want := lines(all)
		for i := range all {
			got := append(lines(all[:i+1]), lines(listen(t, d, "7f3a", all[i].id, func() { time.Sleep(time.Second) }))...)
			if !slices.Equal(got, want) {
				t.Errorf("cut off after message %d: %d lines, want %d", i, len(got), len(want))
			}
		}
	})
}

func TestEventsThatComeFastAreDrawnAFewTimesASecond(t *testing.T) {
	es := story(t, fleet(t, "7f3a", 2, 2), 1000)
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		s.add("7f3a", es[:9]...)
		got := listen(t, New(s.config(), 8742), "7f3a", 0, func() {
			for _, e := range es[9:] {
				s.add("7f3a", e)
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(time.Second)
		})
		if len(got) < 10 || len(got) > 25 {
			t.Errorf("%d messages in six seconds, want about four a second", len(got))
		}
		if last := got[len(got)-1]; last.id != es[len(es)-1].Seq || last.State.Groups[1].Sessions.Total != 0 {
			t.Errorf("the newest state was not the last to be told: id %d, %+v", last.id, last.State.Groups[1].Sessions)
		}
	})
}

func TestAFleetOf300MachinesIsSentSmall(t *testing.T) {
	es := story(t, fleet(t, "7f3a", 150, 8), 400)
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{holder: Holder{Held: true, Run: "7f3a"}}
		s.add("7f3a", es[:380]...)
		got := listen(t, New(s.config(), 8742), "7f3a", 0, func() {
			time.Sleep(time.Second)
			s.add("7f3a", es[380:]...)
			time.Sleep(time.Second)
		})
		last := got[len(got)-1]
		if len(got) < 2 || got[0].Plan == nil || slices.ContainsFunc(got[1:], func(m received) bool { return m.Plan != nil }) {
			t.Fatalf("%d messages; the plan must come once", len(got))
		}
		if last.size > 24<<10 || got[0].size > 200<<10 {
			t.Errorf("the first message has %d bytes, the next %d", got[0].size, last.size)
		}
		g := last.State.Groups[1]
		if len(g.Machines) != 150 || g.Machines[0].Backends != "00000000" || *g.Machines[149].Sessions == 0 || g.Backends.On != 0 || g.Sessions.RateS >= 0 || !last.State.Alive {
			t.Errorf("group2: %+v", g)
		}
		t.Logf("300 machines, 2,400 backends: %d bytes first, %d bytes each", got[0].size, last.size)
	})
}

func TestAStreamTellsThatItsProcessIsGoneThatARunIsNewerAndThatItLives(t *testing.T) {
	es := story(t, fleet(t, "7f3a", 1, 1), 5)
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{holder: Holder{Held: true, Run: "7f3a"}}
		s.add("7f3a", es...)
		got := listen(t, New(s.config(), 8742), "7f3a", 0, func() {
			time.Sleep(2 * time.Second)
			s.mu.Lock()
			s.holder = Holder{Held: true, Run: "8000", Who: "ann"}
			s.mu.Unlock()
			s.add("8000", story(t, fleet(t, "8000", 1, 1), 1)...)
			time.Sleep(40 * time.Second)
		})
		events := map[string]int{}
		for _, m := range got {
			events[m.event+m.doc["run"]]++
		}
		if got[0].State.Phase != plans.PhaseRunning || events["newer8000"] != 1 || events["beat"] < 2 {
			t.Errorf("events %v, at first %s", events, got[0].State.Phase)
		}
		var last *stateDoc
		for _, m := range got {
			if m.State != nil {
				last = m.State
			}
		}
		for lang, w := range last.Words {
			if chinese := regexp.MustCompile(`\p{Han}`).MatchString(w.Traffic + w.Next[0].Why); chinese != (lang == "zh") {
				t.Errorf("in %s it is said: %+v", lang, w)
			}
		}
		if last.Phase != plans.PhaseInterrupted || last.Holder != "ann" || len(last.Words["en"].Next) == 0 {
			t.Errorf("at last: %s, held by %q, %v", last.Phase, last.Holder, last.Words["en"].Next)
		}
	})
}

func TestWhatBefallsAStreamEndsThatStreamAlone(t *testing.T) {
	es := story(t, fleet(t, "7f3a", 1, 1), 5)
	for want, follow := range map[string]func(func(plans.Event, error) bool){
		"a defect of rollout: nil map": func(func(plans.Event, error) bool) { panic("nil map") },
		"line 7 is damaged":            func(yield func(plans.Event, error) bool) { yield(plans.Event{}, fmt.Errorf("line 7 is damaged")) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &shelf{follow: follow}
			s.add("7f3a", es...)
			d := New(s.config(), 8742)
			got := listen(t, d, "7f3a", 0, func() { time.Sleep(time.Minute) })
			if last := got[len(got)-1]; last.event != "trouble" || last.doc["error"] != want {
				t.Errorf("%s: last came %q %v", want, last.event, last.doc)
			}
			if d.streams.Load() != 0 {
				t.Errorf("%s: %d streams are counted as open", want, d.streams.Load())
			}
		})
	}
}

func TestADashboardThatIsClosedTellsTheEndFirst(t *testing.T) {
	s := &shelf{}
	es := story(t, fleet(t, "7f3a", 1, 1), 5)
	s.add("7f3a", es...)
	d, err := Listen(t.Context(), "127.0.0.1:0", s.config())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx) }()
	in := opened(t, d, "7f3a")
	s.add("7f3a", end(es))
	stop()
	told, err := io.ReadAll(in)
	if err := errors.Join(err, <-served); err != nil || !strings.Contains(string(told), `"phase":"done"`) {
		t.Errorf("served: %v; told: %s", err, told)
	}
}

// opened gives the stream of a run from a dashboard that is served, once it has begun.
func opened(t *testing.T, d *Dashboard, run string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+d.listener.Addr().String()+"/api/runs/"+run+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	in := bufio.NewReader(answer.Body)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestNoMoreStreamsThanCanBeServedAndNoneOfARunThatIsNot(t *testing.T) {
	s := &shelf{}
	s.add("7f3a", story(t, fleet(t, "7f3a", 1, 1), 1)...)
	d := New(s.config(), 8742)
	code := func(run string) int {
		r := httptest.NewRequest("GET", "http://127.0.0.1:8742/api/runs/"+run+"/events", nil)
		r.Header.Set("Authorization", "Bearer "+d.token)
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		return w.Code
	}
	if got := code("nobody"); got != http.StatusNotFound {
		t.Errorf("a run that is not: %d", got)
	}
	d.streams.Store(mostStreams)
	if got := code("7f3a"); got != http.StatusServiceUnavailable || d.streams.Load() != mostStreams {
		t.Errorf("one stream too many: %d, %d are counted", got, d.streams.Load())
	}
}
