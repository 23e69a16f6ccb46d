package web

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seed59ee9cdc/rollout/plans"
)

// scrape gives what Prometheus is told.
func scrape(t *testing.T, s *shelf) string {
	t.Helper()
	d := New(s.config(), 8742)
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(&figures{d: d})
	if problems, err := testutil.GatherAndLint(r); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8742/metrics", nil))
	return w.Body.String()
}

// everything is a run with each figure that there is.
func everything(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{holder: Holder{Held: true, Run: "8000", Since: time.Now().Add(-time.Minute)}}
	s.add("7f3a", story(t, fleet(t, "7f3a", 1, 1), 1)...)
	s.add("8000", story(t, fleet(t, "8000", 3, 2), 5)...)
	return s
}

func TestFiguresAreThoseOfTheNewestRun(t *testing.T) {
	text := scrape(t, everything(t))
	for _, want := range []string{
		`rollout_run_info{from="v1.8.1",run="8000",service="game",to="v1.8.2"} 1`, `rollout_run_phase{phase="running"} 1`, `rollout_run_phase{phase="done"} 0`,
		`rollout_sessions{group="group2"} 1191`, `rollout_sessions_unread_machines{group="group2"} 0`, `rollout_backends_on{group="group1"} 6`, `rollout_backends_on{group="group2"} 0`,
		`rollout_backends_wanted{group="group2"} 0`, `rollout_step_index 2`, `rollout_steps 9`, `rollout_step_info{group="group2",kind="drain"} 1`, `rollout_step_duration_seconds{group="group2",kind="shift",step="1"} 5`,
		`rollout_run_api_writes{outcome="accepted"} 5`, `rollout_run_api_writes{outcome="refused"} 1`, `rollout_run_api_writes{outcome="unknown"} 0`, `rollout_run_sessions_cut 0`, `rollout_lock_held 1`, `rollout_journal_readable 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("want %s in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "10.9.") || strings.Contains(text, "game-0") {
		t.Errorf("figures, which need no token, name a machine or an address:\n%s", text)
	}
}

// TestFiguresAreReadOnceASecond: whoever asks needs no token, and each reading is one of the whole run.
func TestFiguresAreReadOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := everything(t)
		h := New(s.config(), 8742).Handler()
		ask := func() string {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8742/metrics", nil))
			return w.Body.String()
		}
		first := ask()
		for range 20 {
			if again := ask(); again != first {
				t.Errorf("at once again there is other than %s:\n%s", first, again)
			}
		}
		if s.reads != 1 {
			t.Errorf("the run was read %d times for figures of the same moment", s.reads)
		}
		s.add("8000", end(s.runs["8000"]))
		time.Sleep(figuresFor)
		if then := ask(); !strings.Contains(then, `rollout_run_phase{phase="done"} 1`) {
			t.Errorf("after a second it is still:\n%s", then)
		}
	})
}

// TestARunThatIsOverRaisesNoAlarmAndItsStepsTakeNoLonger: nobody looks at the group that serves any more, and the run that is over may stay the newest
// for weeks.
func TestARunThatIsOverRaisesNoAlarmAndItsStepsTakeNoLonger(t *testing.T) {
	s := &shelf{}
	es := story(t, fleet(t, "7f3a", 1, 1), 3)
	tell := func(e plans.Event) {
		last := es[len(es)-1]
		e.Version, e.Seq, e.Stamp = plans.Version, last.Seq+1, plans.Stamp{At: last.At.Add(time.Second)}
		es = append(es, e)
	}
	tell(plans.Event{What: plans.Alarmed, Step: 1, Group: "group1", Error: "backend backend-001-6200 (10.9.0.1:6200) is reported unhealthy"})
	s.add("7f3a", es...)
	if text := scrape(t, s); !strings.Contains(text, "rollout_run_alarm 1\n") {
		t.Errorf("no alarm while the run is unfinished:\n%s", text)
	}
	later := noon.Add(time.Hour)
	if w := stateOf(plans.Fold(slices.Values(es)), later, Holder{}, plans.State{}).Words; w["zh"].Alarm != "后端 backend-001-6200（10.9.0.1:6200）被报告为不健康" {
		t.Errorf("got the alarm %q", w["zh"].Alarm)
	}
	back, ok := plans.Retreat(plans.Fold(slices.Values(es)))
	if !ok {
		t.Fatal("no way back")
	}
	tell(plans.Event{What: plans.Planned, Step: -1, Plan: &back})
	tell(plans.Event{What: plans.Resumed, Step: -1})
	tell(plans.Event{What: plans.Began, Step: 0})
	running := plans.Fold(slices.Values(es))
	if d := stateOf(running, later, Holder{Held: true, Run: "7f3a"}, plans.State{}); d.Steps[1].Ended == nil || !d.Steps[1].Ended.Equal(running.Last.At) || d.Steps[len(d.Steps)-1].Ended != nil {
		t.Errorf("on the way back the drain was left at %v, want %s, when the way back began, which goes on", d.Steps[1].Ended, running.Last.At)
	}
	tell(plans.Event{What: plans.Aborted, Step: -1})
	s = &shelf{}
	s.add("7f3a", es...)
	if text := scrape(t, s); !strings.Contains(text, "rollout_run_alarm 0\n") || !strings.Contains(text, `rollout_step_duration_seconds{group="group1",kind="shift",step="1"} 1`+"\n") {
		t.Errorf("an alarm of a run that is over, or a step that takes longer still:\n%s", text)
	}
	over := plans.Fold(slices.Values(es))
	for i, st := range stateOf(over, later, Holder{}, plans.State{}).Steps {
		if st.Began != nil && (st.Ended == nil || st.Ended.After(over.Last.At)) {
			t.Errorf("step %d ended at %v, after the run's end %s", i+1, st.Ended, over.Last.At)
		}
	}
}

func TestFiguresWithoutARunAndOfADamagedOne(t *testing.T) {
	if text := scrape(t, &shelf{}); !strings.Contains(text, "rollout_lock_held 0\n") || strings.Contains(text, "rollout_run_info") {
		t.Errorf("without a run:\n%s", text)
	}
	s := everything(t)
	s.broken = os.ErrInvalid
	if text := scrape(t, s); !strings.Contains(text, "rollout_journal_readable 0\n") || !strings.Contains(text, "rollout_steps 9\n") {
		t.Errorf("of a damaged run:\n%s", text)
	}
}

// TestTheGrafanaDashboardAndTheDocsNameTheFiguresThereAre: each that is drawn is one, and each that is one is described.
func TestTheGrafanaDashboardAndTheDocsNameTheFiguresThereAre(t *testing.T) {
	there := map[string]bool{"rollout_run_safe": true} // absent while a run is under way
	for _, m := range regexp.MustCompile(`(?m)^(rollout_\w+)`).FindAllStringSubmatch(scrape(t, everything(t)), -1) {
		there[m[1]] = true
	}
	if len(there) != 21 {
		t.Errorf("%d figures: %v", len(there), slices.Sorted(maps.Keys(there)))
	}
	for file, all := range map[string]bool{"../../packaging/grafana-dashboard.json": false, "../../docs/dashboard.md": true, "../../docs/zh-CN/dashboard.md": true} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for _, n := range regexp.MustCompile(`rollout_\w+`).FindAllString(string(b), -1) {
			named[n] = true
			if !there[n] {
				t.Errorf("%s names %s, which is none", file, n)
			}
		}
		if len(named) < 8 {
			t.Errorf("%s names %d figures", file, len(named))
		}
		for n := range there {
			if all && !named[n] {
				t.Errorf("%s does not name %s", file, n)
			}
		}
	}
}

// TestAPanelOfTheGrafanaDashboardThatShowsOneMomentAsksForIt: the run before would be among the series of a whole half hour. Its list of jobs is of the
// time that is shown.
func TestAPanelOfTheGrafanaDashboardThatShowsOneMomentAsksForIt(t *testing.T) {
	b, err := os.ReadFile("../../packaging/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Templating struct {
			List []struct {
				Type    string
				Refresh int
			}
		}
		Panels []struct {
			Type, Title string
			Targets     []struct {
				Expr    string
				Instant bool
				Range   *bool
			}
		}
	}
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" && v.Refresh != 2 {
			t.Errorf("a variable is read with refresh %d, want 2, when the time range changes", v.Refresh)
		}
	}
	moments := 0
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			moment := p.Type != "timeseries"
			if moment {
				moments++
			}
			if q.Instant != moment || moment && (q.Range == nil || *q.Range) {
				t.Errorf("%s, a %s: %s is asked with instant %v", p.Title, p.Type, q.Expr, q.Instant)
			}
		}
	}
	if moments != 6 {
		t.Errorf("%d panels of one moment, want 6", moments)
	}
}
