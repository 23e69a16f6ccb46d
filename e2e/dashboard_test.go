//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// seen is what a person sees on the page of a run.
type seen struct {
	Notice, Phase, Left, Cut, Traffic, Link, Next string
	Step                                          int
	Done                                          int
	Seqs                                          []int64
	Texts                                         []string
	Curves                                        []string
}

const look = `(() => { const s = (q) => { const e = document.querySelector(q); return e && !e.closest('[hidden]') ? e.textContent : ''; }, all = (q) => [...document.querySelectorAll(q)];
return { notice: s('#notice'), phase: s('#phase'), left: s('#left'), cut: s('#cut'), traffic: s('#traffic'), link: s('#link'), next: s('#next'),
step: all('#steps li').findIndex((e) => e.hasAttribute('aria-current')), done: all('#steps li.done').length,
seqs: all('#events li').map((e) => e.value), texts: all('#events li').map((e) => e.textContent), curves: all('polyline.real').map((e) => e.getAttribute('points')) }; })()`

// sees waits until the page shows something; each look on the way is handed to watch.
func (b *browser) sees(what string, is func(seen) bool, watch ...func(seen)) seen {
	b.t.Helper()
	var s seen
	for until := time.Now().Add(90 * time.Second); time.Now().Before(until); time.Sleep(150 * time.Millisecond) {
		s = eval[seen](b, look)
		for _, w := range watch {
			w(s)
		}
		if is(s) {
			return s
		}
	}
	b.t.Fatalf("the page did not show: %s; it shows %+v", what, s)
	return s
}

// dashboard starts `rollout dashboard` and gives its address.
func (w *world) dashboard(args ...string) *url.URL {
	w.t.Helper()
	cmd := w.command(append([]string{"dashboard", "--listen", "127.0.0.1:0"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	u, err := url.Parse(strings.TrimSpace(line[strings.Index(line, "http"):]))
	if err != nil || u.Fragment == "" {
		w.t.Fatalf("the dashboard said %q: %v", line, err)
	}
	return u
}

// told gives the lines that the journal of the newest run is worth, each with the number of its event.
func (w *world) told() (seqs []int64, texts []string) {
	w.t.Helper()
	dirs, err := journal.Dir(w.state, w.service(), func(string) (string, bool) { return "", false })
	if err != nil {
		w.t.Fatal(err)
	}
	id, _, err := journal.Latest(dirs)
	if err != nil {
		w.t.Fatal(err)
	}
	es, err := journal.Read(dirs, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var s plans.State
	var lines view.Lines
	for _, e := range es {
		s = s.Apply(e)
		if l, ok := lines.Next(s, e); ok {
			seqs, texts = append(seqs, e.Seq), append(texts, l)
		}
	}
	return seqs, texts
}

// service gives the name of the world's service.
func (w *world) service() string {
	s := struct{ Service string }{}
	o := w.must(0, "status", "-o", "json")
	if m := regexp.MustCompile(`"service": "([^"]+)"`).FindStringSubmatch(o.stdout); m != nil {
		s.Service = m[1]
	}
	return s.Service
}

// TestTheDashboardInABrowser opens the dashboard before a run and follows it to its end: paused from the page and resumed, with the page loaded again
// and its connection lost meanwhile, at two widths, in both languages, light and dark.
func TestTheDashboardInABrowser(t *testing.T) {
	w := alone(t, pictured("--players", "80", "--game", "12s", "--deadline", "1m")...) // long enough for a browser on a busy machine to see its drains
	w.before()
	u := w.dashboard("--allow-control")
	wire := through(t, u.Host)
	u.Host = wire.from
	b := open(t)
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(u.String()))
	b.sees("that there is no run", func(s seen) bool {
		return strings.Contains(s.Notice, "No rollout has been started yet") || s.Phase != ""
	})
	if address := eval[string](b, `location.href`); strings.Contains(address, u.Fragment) {
		t.Errorf("the token is still in the address: %s", address)
	}
	size := eval[int](b, `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter((e) => !e.name.includes('/api/')).reduce((n, e) => n + e.decodedBodySize, 0)`)
	if size == 0 || size > 100_000 {
		t.Errorf("the page has %d bytes in all, more than 100 KB", size)
	}
	t.Logf("%d bytes; %s", size, eval[string](b, `performance.getEntriesByType('paint').map((e) => e.name + ' ' + Math.round(e.startTime) + ' ms').join(', ')`))

	run := w.start("start", "--yes", "--ref", "v1.1.0")
	b.sees("the first drain", func(s seen) bool {
		return s.Phase == "◌ drain group2" && len(s.Curves) == 1 && len(strings.Fields(s.Curves[0])) >= points()
	})
	b.picture("dashboard")
	if picturing() {
		b.do(chromedp.Focus(css("#lang")), chromedp.KeyEvent(kb.Enter))
		b.sees("the drain in Chinese", func(s seen) bool { return strings.Contains(s.Phase, "排空") })
		b.picture("dashboard-zh")
		b.do(chromedp.Focus(css("#lang")), chromedp.KeyEvent(kb.Enter))
	}
	b.wide(390)
	b.picture("dashboard-phone")
	b.wide(1280)
	tabs(b, u)
	pause(b, w)
	falls := &fall{t: t}
	s := b.sees("a pause", func(s seen) bool { return strings.Contains(s.Phase, "paused") }, falls.see)
	if o := run.wait(); o.code != 6 || !strings.Contains(s.Next, "rollout resume") || falls.least != 0 || falls.most == 0 || falls.points < 3 {
		t.Errorf("paused from the page: the curve fell from %d to %d over %d points; next is %q; %s", falls.most, falls.least, falls.points, s.Next, o)
	}
	if c := b.complaints(); len(c) > 0 {
		t.Errorf("the browser complains: %s", strings.Join(c, "\n"))
	}

	run = w.start("resume", "--dashboard", "127.0.0.1:0")
	b.sees("the next step", func(s seen) bool { return strings.HasPrefix(s.Phase, "◌") && s.Step > 1 })
	b.do(chromedp.Reload())
	b.sees("the same after a reload", func(s seen) bool { return s.Step > 1 && len(s.Seqs) > 5 })
	wire.cut()
	b.sees("that the connection is lost", func(s seen) bool { return strings.Contains(s.Link, "connection lost") })
	late := false // on a machine that is busy the run may end before the browser is looked at again
	w.until("the second drain", func(s status) bool {
		late = s.Phase == "done"
		return late || draining(s) && s.Step.Group == "group1"
	})
	for _, c := range b.complaints() {
		if !strings.HasPrefix(c, "network: ") && !strings.HasPrefix(c, "javascript: Failed to load resource") {
			t.Errorf("while it was cut off the browser complained: %s", c)
		}
	}
	wire.mend(t)
	step := 0
	s = b.sees("the end", func(s seen) bool { return s.Phase == "✔ done" }, func(s seen) {
		if s.Step >= 0 && s.Step < step {
			t.Errorf("from step %d it went back to %d", step, s.Step)
		}
		step = max(step, s.Step)
		if s.Cut != "" && s.Cut != "✔ 0 cut" {
			t.Errorf("the page says %q", s.Cut)
		}
	})
	o := run.wait()
	if o.code != 0 || !strings.Contains(o.stderr, "dashboard of") || step < 9 && !late || s.Done != 11 || len(s.Curves) != 2 || !strings.Contains(s.Traffic, "both groups take new connections") {
		t.Errorf("the end: step %d, %+v; %s", step, s, o)
	}
	seqs, texts := w.told()
	s = b.sees("the last line", func(s seen) bool { return len(s.Seqs) >= len(seqs) })
	if !slices.Equal(s.Seqs, seqs) || !slices.Equal(s.Texts, texts) {
		t.Errorf("the page shows\n%s\nthe journal has\n%s", strings.Join(s.Texts, "\n"), strings.Join(texts, "\n"))
	}
	looks(b, u)
	if c := b.complaints(); slices.ContainsFunc(c, func(c string) bool { return !strings.Contains(c, "ERR_CONNECTION_REFUSED") }) {
		t.Errorf("the browser complains: %s", strings.Join(c, "\n"))
	}
	figures(t, w)
	opensAlone(b, w, u)
	if !picturing() {
		w.restartedOnce()
	}
	w.nobodyNoticed()
}

// points is how many points a curve is to have before a picture is taken of it.
func points() int {
	if picturing() {
		return 6
	}
	return 1
}

// fall watches the sessions left.
type fall struct {
	t           *testing.T
	most, least int
	points      int
}

var leftOf = regexp.MustCompile(`^([\d,]+) of ([\d,]+)$`)

func (f *fall) see(s seen) {
	m := leftOf.FindStringSubmatch(s.Left)
	if m == nil {
		return
	}
	n, _ := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if f.most == 0 {
		f.most, f.least = n, n
	}
	if n > f.least {
		f.t.Errorf("%d sessions are left, and %d were before", n, f.least)
	}
	f.least = n
	if len(s.Curves) > 0 {
		f.points = max(f.points, len(strings.Fields(s.Curves[0])))
	}
}

// tabs tries what a tab may do that has the cookie alone, as a new one has, then with the address opened again in it, and loaded once more.
func tabs(b *browser, u *url.URL) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](`sessionStorage.clear()`), chromedp.Reload(), chromedp.WaitVisible(css("#unarmed")))
	if s := eval[seen](b, look); s.Left == "" {
		b.t.Errorf("a tab that may only look shows %+v", s)
	}
	if eval[bool](b, `document.querySelector('#pause').checkVisibility()`) {
		b.t.Error("a tab that may only look has a button to pause")
	}
	b.do(chromedp.Evaluate[chromedp.Void](`location.hash = '`+u.Fragment+`'`), chromedp.WaitVisible(css("#pause")))
	if address := eval[string](b, `location.href`); strings.Contains(address, u.Fragment) {
		b.t.Errorf("the token is still in the address: %s", address)
	}
	b.do(chromedp.Reload(), chromedp.WaitVisible(css("#pause")))
}

// pause asks for a pause from the page, by the keyboard: at first with another run's id.
func pause(b *browser, w *world) {
	b.t.Helper()
	s, _ := w.status()
	b.do(chromedp.Focus(css("#pause")), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(css("#typed")), chromedp.SendKeys(css("#typed"), "20260101-000000-0000"),
		chromedp.Focus(css("#yes")), chromedp.KeyEvent(kb.Enter))
	if said := get(b, chromedp.Text(css("#refused"))); !strings.Contains(said, "not the id of this run") {
		b.t.Errorf("with another run's id the page says %q", said)
	}
	b.do(chromedp.SetValue(css("#typed"), s.Run), chromedp.Focus(css("#yes")), chromedp.KeyEvent(kb.Enter), chromedp.WaitNotVisible(css("#typed")))
}

// looks tries the pages of a run that has ended in both languages, light and dark, and for those who cannot see them.
func looks(b *browser, u *url.URL) {
	b.t.Helper()
	for _, want := range []string{"en", "zh-CN"} {
		if eval[string](b, `document.documentElement.lang`) != want {
			b.do(chromedp.Focus(css("#lang")), chromedp.KeyEvent(kb.Enter))
		}
		for _, path := range []string{"/", "/runs"} {
			b.do(chromedp.Navigate("http://" + u.Host + path))
			if lang := eval[string](b, `document.documentElement.lang`); lang != want {
				b.t.Errorf("%s is in %s, and %s was chosen", path, lang, want)
			}
			b.do(chromedp.WaitVisible(map[string]css{"/": "#steps li.done", "/runs": "#runs a"}[path]))
			if path == "/" && eval[bool](b, `/\p{Script=Han}/u.test(document.querySelector('#traffic').textContent) && /\p{Script=Han}/u.test(document.querySelector('#events').textContent)`) != (want == "zh-CN") {
				b.t.Errorf("the sentences are not in %s", want)
			}
			for _, scheme := range []string{"light", "dark"} {
				b.scheme(scheme)
				b.accessible(fmt.Sprintf("%s in %s, %s", path, want, scheme))
			}
			b.wide(390)
			b.wide(1280)
			if path == "/" && want == "zh-CN" {
				b.picture("dashboard-zh-dark")
			}
			b.scheme("light")
		}
	}
	b.do(chromedp.Navigate("http://"+u.Host+"/"), chromedp.WaitVisible(css("#steps li.done")), chromedp.Focus(css(".machines summary")), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(css(".machines details[open] pre")))
	if is := eval[string](b, `new Promise((r) => { const look = () => { const s = document.querySelector('details[open]').textContent; s.includes('127.') && document.querySelector('details[open] pre').textContent ? r(s) : setTimeout(look, 50); }; look(); })`); !strings.Contains(is, "■ 开启") {
		b.t.Errorf("an open box says %q", is)
	}
	b.accessible("a box that is open")
	b.wide(390)
	b.wide(1280)
	b.do(chromedp.Navigate("http://"+u.Host+"/runs"), chromedp.WaitVisible(css("#runs a")), chromedp.Click(css("#runs a")), chromedp.WaitVisible(css("#steps li.done")))
	if path := eval[string](b, `location.pathname`); !strings.HasPrefix(path, "/runs/2") {
		b.t.Errorf("the page of the run is %s", path)
	}
}

// figures reads the figures of a run that has ended.
func figures(t *testing.T, w *world) {
	t.Helper()
	r, err := http.Get("http://" + w.dashboard().Host + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`rollout_run_phase{phase="done"} 1`, `rollout_run_sessions_cut 0`, `rollout_step_index 0`, `rollout_backends_unhealthy{group="group1"} 0`, `rollout_run_api_writes{outcome="accepted"} `} {
		if !strings.Contains(string(text), want) {
			t.Errorf("want %s in %s", want, text)
		}
	}
}
