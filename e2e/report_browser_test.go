//go:build e2e

package e2e

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// opensAlone opens the report of the newest run from its file, with the network gone: it asks for nothing but itself. The browser stays without a network.
func opensAlone(b *browser, w *world, dashboard *url.URL) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: true, DownloadThroughput: -1, UploadThroughput: -1}}})
		return err
	}))
	if err := chromedp.Do(b.ctx, chromedp.Navigate("http://"+dashboard.Host+"/")); err == nil || !strings.Contains(err.Error(), "ERR_INTERNET_DISCONNECTED") {
		b.t.Errorf("without a network the dashboard opens: %v", err)
	}
	b.do(chromedp.Navigate("about:blank"))
	b.complaints() // what was there before
	file := filepath.Join(b.t.TempDir(), "report.html")
	w.must(0, "report", "--format", "html", "--to", file)
	var mu sync.Mutex
	var asked []string
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if r, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, r.Request.URL)
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Navigate("file://" + file))
	type report struct {
		Title, Heading string
		Curves, Marks  int
		Wide           bool
	}
	r := eval[report](b, `({title: document.title, heading: document.querySelector('h1').textContent, wide: document.querySelector('figure').getBoundingClientRect().width > 300,
curves: document.querySelectorAll('figure svg polyline.now').length, marks: document.querySelectorAll('figure svg text').length})`)
	s, _ := w.status()
	if r.Title != w.service()+": "+s.Run || !strings.Contains(r.Heading, "Done") || r.Curves != 2 || r.Marks < 8 || !r.Wide {
		b.t.Errorf("the report of %s from its file: %+v", s.Run, r)
	}
	mu.Lock()
	if len(asked) != 1 || asked[0] != "file://"+file {
		b.t.Errorf("the report asked for %q, and may ask for itself alone", asked)
	}
	mu.Unlock()
	if c := b.complaints(); len(c) > 0 {
		b.t.Errorf("the browser complains of the report: %s", strings.Join(c, "\n"))
	}
}
