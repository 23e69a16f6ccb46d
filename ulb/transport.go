package ulb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	maxBody = 8 << 20          // of one answer; 4,800 backends are about 2 MiB
	maxWait = 5 * time.Second  // between two attempts of a read, unless Retry-After says more
	maxIdle = 30 * time.Second // less than gateways keep a connection: a write on one they just closed would be of unknown outcome
)

// errTooLarge is an answer we stopped reading.
var errTooLarge = fmt.Errorf("answer is larger than %d MiB", maxBody>>20)

// roundTrip is a function as http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// proxy gives the one that the environment names; for plain http none. Such a request can be read and sent again by whoever carries it, so it goes
// straight to the private network or to loopback, or not at all.
func proxy(r *http.Request) (*url.URL, error) {
	if r.URL.Scheme == "http" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// transport is the bottom: connections, kept for as many requests as run at once.
func transport(parallel int) *http.Transport {
	return &http.Transport{
		Proxy:                  proxy,
		MaxIdleConns:           2 * parallel,
		MaxIdleConnsPerHost:    2 * parallel,
		IdleConnTimeout:        maxIdle,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// carrier is the middle: so many attempts, each with its own time, with waits between them.
func carrier(base http.RoundTripper, perAttempt time.Duration, attempts int, wait time.Duration) http.RoundTripper {
	rh := retryablehttp.NewClient()
	rh.Logger = nil // it would write to stderr
	rh.ErrorHandler = retryablehttp.PassthroughErrorHandler
	rh.RetryMax, rh.RetryWaitMin, rh.RetryWaitMax = attempts-1, wait, maxWait
	rh.Backoff = func(least, most time.Duration, n int, resp *http.Response) time.Duration {
		d := retryablehttp.DefaultBackoff(least, most, n, resp) // honours Retry-After, hence only later, never earlier
		return d + rand.N(d/2+1)
	}
	rh.CheckRetry = func(ctx context.Context, resp *http.Response, err error) (bool, error) {
		x := ctx.Value(exchangeKey{}).(*exchange)
		x.take(resp, err)
		return ctx.Err() == nil && x.passing(ctx, resp), nil
	}
	rh.HTTPClient = &http.Client{
		Transport:     base,
		Timeout:       perAttempt, // the SDK's timeout would span all attempts
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return rh.StandardClient().Transport
}

// exchangeKey finds the exchange in the context of its requests.
type exchangeKey struct{}

// exchange is one call as it went over the wire: the last attempt's answer, or why there is none.
type exchange struct {
	action   string
	attempts int
	sent     atomic.Bool // whether any of the request may have left this machine
	hopeless bool        // whether it could not leave for a reason that stays: no valid certificate, no such scheme
	status   int
	body     []byte
	err      error
}

// carry is the top, and runs inside the SDK's http.Client: it replaces the request's context, which is nobody's because
// the SDK has none, by ours, and gives the SDK a nod instead of the answer, which it would decode twice, into types that lose
// half of it.
func (x *exchange) carry(ctx context.Context, via http.RoundTripper, r *http.Request) (*http.Response, error) {
	var asked, connected atomic.Bool
	inner := httptrace.WithClientTrace(context.WithValue(ctx, exchangeKey{}, x), &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})

	_, err := via.RoundTrip(r.WithContext(inner))
	// A connection asked for and never had is proof that nothing left; a transport that tells neither proves nothing.
	x.sent.Store(connected.Load() || !asked.Load())
	switch {
	case ctx.Err() != nil && (x.err != nil || err != nil):
		// Said by name: an error of the transport may carry the context's cause instead, and the last answer before the wait
		// for the next attempt is worth knowing.
		x.err = fmt.Errorf("%w%s", ctx.Err(), x.last())
	case err != nil:
		x.err = err
	case x.status >= 300 && x.status < 400:
		x.err = fmt.Errorf("redirected (HTTP %d), which UCloud does not do: not followed", x.status)
	}
	if x.err != nil {
		return nil, x.err
	}
	nod := `{"RetCode":0,"Action":"` + x.action + `Response"}`
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(nod)), Request: r}, nil
}

// take keeps an attempt's answer. The whole body is read here, within the attempt's time.
func (x *exchange) take(resp *http.Response, err error) {
	x.attempts++
	x.status, x.body, x.err = 0, nil, err
	if err != nil || resp == nil {
		return
	}
	x.status = resp.StatusCode
	x.body, x.err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	_ = resp.Body.Close()
	resp.Body = http.NoBody
	if len(x.body) > maxBody {
		x.body, x.err = nil, errTooLarge
	}
}

// passing tells whether a further attempt may fare better. Only reads have one.
func (x *exchange) passing(ctx context.Context, resp *http.Response) bool {
	if errors.Is(x.err, errTooLarge) {
		return false // and it would be the next time
	}
	if x.err != nil {
		again, _ := retryablehttp.DefaultRetryPolicy(ctx, nil, x.err)
		x.hopeless = !again
		return again
	}
	h, err := decodeHead(x.action, x.body)
	if err == nil && h.RetCode.value != 0 {
		return slices.Contains(passing, h.RetCode.value)
	}
	if x.status != http.StatusOK {
		again, _ := retryablehttp.DefaultRetryPolicy(ctx, resp, nil)
		return again
	}
	return err != nil // not UCloud's answer: perhaps a page of a proxy on the way
}

// last says what the attempt before a cut wait had met.
func (x *exchange) last() string {
	switch {
	case x.err == nil && x.status == 0, errors.Is(x.err, context.Canceled), errors.Is(x.err, context.DeadlineExceeded):
		return ""
	case x.err != nil:
		return fmt.Sprintf(" (attempt %d: %v)", x.attempts, unwrapURL(x.err))
	}
	h, _ := decodeHead(x.action, x.body)
	return fmt.Sprintf(" (attempt %d: HTTP %d, RetCode %d)", x.attempts, x.status, h.RetCode.value)
}
