//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browser is a page in Debian's chromium.
type browser struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	bad []string // errors of the console, exceptions, violations of the policy
}

// css names an element.
type css = chromedp.CSS

// open starts a browser that can reach this machine alone.
func open(t *testing.T) *browser {
	t.Helper()
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE 127.0.0.2"), chromedp.Flag("lang", "en-US"))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), o...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // the first call starts it, and its context ends it
		t.Fatalf("chromium: %v", err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError {
				b.mu.Lock()
				b.bad = append(b.bad, fmt.Sprintf("%s: %s %s", cmp.Or(m.Source, "console"), m.Text, m.URL))
				b.mu.Unlock()
			}
		}
	}()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))`})
		return err
	}))
	return b
}

func (b *browser) do(as ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, as...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// get gives the result of an action.
func get[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("browser: %v", err)
	}
	return v
}

// eval gives the value of an expression of JavaScript.
func eval[T any](b *browser, js string) T {
	b.t.Helper()
	return get(b, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
}

// complaints gives what the browser has complained of since the last call.
func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.bad
	b.bad = nil
	return all
}

// wide gives the page another width, and demands that it needs no more.
func (b *browser) wide(px int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(px, 900))
	if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		b.t.Errorf("at %d pixels the page is %d too wide", px, over)
	}
}

// scheme switches between light and dark.
func (b *browser) scheme(is string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: is}}})
		return err
	}))
}

// picture takes a screenshot of what is in sight; it is kept where ROLLOUT_PICTURES says.
func (b *browser) picture(name string) {
	b.t.Helper()
	png := get(b, chromedp.CaptureScreenshot())
	keep(b.t, name+".png", png)
}

// accessible runs axe-core in the page and demands that it finds nothing serious.
func (b *browser) accessible(what string) {
	b.t.Helper()
	file := os.Getenv("ROLLOUT_AXE")
	if file == "" {
		b.t.Log("not looked at by axe-core: `make axe` brings it, and `make e2e` names it in ROLLOUT_AXE")
		return
	}
	axe, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](string(axe) + `;0`))
	found := eval[string](b, `axe.run(document, {resultTypes: ['violations']}).then((r) => JSON.stringify({passes: r.passes.length, bad: r.violations.map((v) => ({id: v.id, impact: v.impact, at: v.nodes.map((n) => n.html).slice(0, 3)}))}))`)
	var result struct {
		Passes int
		Bad    []struct {
			ID, Impact string
			At         []string
		}
	}
	if err := json.Unmarshal([]byte(found), &result); err != nil {
		b.t.Fatal(err)
	}
	if result.Passes < 10 {
		b.t.Errorf("%s: axe-core looked at %d things only", what, result.Passes)
	}
	for _, v := range result.Bad {
		if v.Impact == "serious" || v.Impact == "critical" {
			b.t.Errorf("%s: %s: %s: %s", what, v.Impact, v.ID, strings.Join(v.At, "\n"))
		} else {
			b.t.Logf("%s: %s: %s: %s", what, v.Impact, v.ID, strings.Join(v.At, " "))
		}
	}
}
