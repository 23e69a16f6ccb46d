package ulb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/ucloud/ucloud-sdk-go/ucloud"
	"github.com/ucloud/ucloud-sdk-go/ucloud/auth"
	"github.com/ucloud/ucloud-sdk-go/ucloud/log"
)

// params are the fields of a request, beside those the SDK adds: Action, Region, ProjectId, PublicKey, Signature.
type params = map[string]any

// wire sends signed requests and judges the answers.
//
// UCloud's SDK encodes, signs and sends. Everything else is done here, because measured (v0.22.98) it retries "not found" and
// not "throttled", sleeps without a context, takes {} for success, drops SubRetCode, throws away the body of HTTP 4xx, and
// prints to stdout. So its requests are generic, its retries and its logger are off, and its answers are decoded by us.
type wire struct {
	connect       func(http.RoundTripper) *ucloud.Client // a closure, so that no %+v can reach the keys in it
	reads, writes http.RoundTripper
	hide          func(string) string
	log           *slog.Logger
}

// newWire prepares the two ways out. It opens no connection.
func newWire(c Config, log *slog.Logger) *wire {
	base := c.Transport
	if base == nil {
		base = transport(c.Parallel)
	}
	return &wire{
		connect: connector(c),
		reads:   carrier(base, c.PerAttempt, c.Attempts, c.Wait),
		writes:  carrier(base, c.PerAttempt, 1, c.Wait),
		hide:    hider(string(c.Settings.PrivateKey), string(c.Settings.Token)),
		log:     log,
	}
}

// connector makes one SDK client per call: a client keeps its first transport, and making it is a data race between calls.
func connector(c Config) func(http.RoundTripper) *ucloud.Client {
	cfg := ucloud.NewConfig() // not a literal: the SDK panics on one
	cfg.Region, cfg.ProjectId, cfg.BaseUrl, cfg.UserAgent = c.Settings.Region, c.Settings.ProjectID, strings.TrimSuffix(c.Settings.BaseURL, "/"), c.UserAgent
	cfg.MaxRetries, cfg.LogLevel = 0, log.PanicLevel
	cfg.Timeout = 0 // none: it would span all attempts, and one that hangs would use it up; contexts and PerAttempt end calls
	cred := auth.Credential{PublicKey: c.Settings.PublicKey, PrivateKey: string(c.Settings.PrivateKey), SecurityToken: string(c.Settings.Token)}
	return func(rt http.RoundTripper) *ucloud.Client {
		cfg, cred := cfg, cred
		client := ucloud.NewClient(&cfg, &cred)
		client.SetTransport(rt)
		return client
	}
}

// ask sends a read, repeated while that may help, and decodes its answer into to.
func (w *wire) ask(ctx context.Context, action string, p params, to any) error {
	err := w.judge(action, w.send(ctx, w.reads, action, p), to)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// tell sends a write about n backends, once, and decodes its answer into to. Its error is a *RefusedError when the write was
// surely not carried out, for none of them.
func (w *wire) tell(ctx context.Context, action string, n int, p params, to any) error {
	x := w.send(ctx, w.writes, action, p)
	err := w.judge(action, x, to)
	var api *APIError
	switch spoke := errors.As(err, &api); {
	case err == nil:
		return nil
	case !x.sent.Load():
		return &RefusedError{Retry: !x.hopeless, Err: err}
	case x.status == http.StatusTooManyRequests:
		return &RefusedError{Retry: true, Err: err}
	case x.status >= 400 && x.status < 500 && x.status != http.StatusRequestTimeout:
		return &RefusedError{Retry: spoke && api.Retry, Err: err}
	case !spoke || x.status != http.StatusOK || api.RetCode == codeTimeout:
		return err
	case n > 1 && api.RetCode >= codeProduct:
		// The product takes the list apart. Nothing says that it refuses all when it refuses one.
		return fmt.Errorf("%w (some of %d backends may have changed)", err, n)
	}
	return &RefusedError{Retry: api.Retry, Err: err}
}

// judge turns an exchange into an answer or an error that names the action.
func (w *wire) judge(action string, x *exchange, to any) error {
	if x.err != nil {
		return fmt.Errorf("%s: %w", action, x.err)
	}
	h, err := decodeHead(action, x.body)
	if err == nil && h.RetCode.value != 0 {
		err = apiError(action, h.RetCode.value, w.hide(h.message()))
	}
	switch {
	case x.status != http.StatusOK && err == nil, x.status != http.StatusOK && !h.RetCode.given:
		return fmt.Errorf("%s: HTTP %d %s", action, x.status, http.StatusText(x.status))
	case x.status != http.StatusOK:
		return fmt.Errorf("HTTP %d: %w", x.status, err)
	case err != nil:
		return err
	}
	if err := decode(x.body, to); err != nil {
		return fmt.Errorf("%s: answer cannot be read: %w", action, err)
	}
	return nil
}

// send has the SDK encode and sign a request, and carries it out. The exchange says all there is to know; the SDK's own
// error is of interest only when it did not come as far as sending.
func (w *wire) send(ctx context.Context, via http.RoundTripper, action string, p params) *exchange {
	x := &exchange{action: action}
	if ctx.Err() != nil {
		x.err = fmt.Errorf("not sent: %w", ctx.Err())
		return x
	}
	began := time.Now()
	client := w.connect(roundTrip(func(r *http.Request) (*http.Response, error) { return x.carry(ctx, via, r) }))
	req := client.NewGenericRequest()
	_ = req.SetAction(action)
	if err := req.SetPayload(p); err != nil {
		x.err, x.hopeless = err, true
		return x
	}
	if _, err := client.GenericInvoke(req); err != nil && x.err == nil && x.attempts == 0 {
		x.err, x.hopeless = errors.New(w.hide(err.Error())), true
	}
	x.err = unwrapURL(x.err)
	w.log.DebugContext(ctx, "ucloud", "action", action, "attempts", x.attempts, "status", x.status, "took", time.Since(began), "err", x.err)
	return x
}

// unwrapURL drops net/http's `Post "https://…": `, which says nothing the action does not.
func unwrapURL(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// maxMessage bounds what is passed on of UCloud's texts, in characters.
const maxMessage = 300

// digest is what a signature looks like.
var digest = regexp.MustCompile(`\b[0-9a-f]{40}\b`)

// hider makes texts from outside fit to be shown: without secrets (a proxy may send a request back), on one line, short.
func hider(secrets ...string) func(string) string {
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, hidden, url.QueryEscape(s), hidden)
		}
	}
	replace := strings.NewReplacer(pairs...)
	return func(s string) string {
		s = digest.ReplaceAllString(replace.Replace(s), hidden)
		s = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, s)
		if r := []rune(s); len(r) > maxMessage {
			s = string(r[:maxMessage]) + "…"
		}
		return strings.TrimSpace(s)
	}
}
