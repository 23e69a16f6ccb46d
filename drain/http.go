package drain

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Web are the settings of HTTP. The zero value is meant for use.
type Web struct {
	// Client is what requests are made with; its CheckRedirect and Timeout are
	// not used. nil: a client of its own.
	Client *http.Client
	// Header is sent with each request.
	Header http.Header
	// Retries is how often one look asks again after an answer of 429 or 5xx,
	// or none. 0: twice; negative: never.
	Retries int
	// Limit is how long an answer may be, in bytes. 0: one MiB.
	Limit int64
}

const (
	webRetries   = 2
	webLimit     = 1 << 20
	webRedirects = 3
)

// HTTP counts by a page of each host: urls holds host and URL. The answer is a
// plain number, or JSON in which field, as in "data.online" or "zones.0.users",
// names the number. Any status but 2xx, a redirect to another host, and
// anything but one whole number leave the host unread. Reading a page changes
// nothing, so it is safe to repeat.
func HTTP(urls map[string]string, field string, web Web) *Asked {
	client := web.client()
	return &Asked{hosts: slices.Sorted(maps.Keys(urls)), ask: func(ctx context.Context, host string) (int, error) {
		body, err := web.get(ctx, client, urls[host])
		if err != nil {
			return 0, err
		}
		if field == "" {
			return parseCount(string(body))
		}
		return parseField(body, field)
	}}
}

func (web Web) client() *retryablehttp.Client {
	plain := http.Client{Transport: http.DefaultTransport}
	if web.Client != nil {
		plain = *web.Client
	}
	plain.Timeout = 0 // Asked.Within is over all attempts
	plain.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if from := via[0].URL; to.URL.Host != from.Host || to.URL.Scheme != from.Scheme {
			return redirectError("the page redirects to another host, " + to.URL.Host)
		}
		if len(via) > webRedirects {
			return redirectError("the page redirects in circles")
		}
		return nil
	}
	return &retryablehttp.Client{
		HTTPClient:   &plain,
		RetryWaitMin: 100 * time.Millisecond,
		RetryWaitMax: time.Second,
		RetryMax:     max(0, cmp.Or(web.Retries, webRetries)),
		CheckRetry:   again,
		Backoff:      retryablehttp.LinearJitterBackoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// redirectError is why a redirect was not followed.
type redirectError string

func (e redirectError) Error() string { return string(e) }

// again says which answers are asked for once more: a redirect will not change.
func again(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if _, refused := errors.AsType[redirectError](err); refused {
		return false, err
	}
	return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
}

// get is the body of a page. Its errors do not show the URL, which may hold a
// secret.
func (web Web) get(ctx context.Context, client *retryablehttp.Client, page string) ([]byte, error) {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return nil, errors.New("the URL of the count cannot be read")
	}
	maps.Copy(req.Header, web.Header)
	resp, err := client.Do(req)
	if resp != nil {
		defer resp.Body.Close()
	}
	if err != nil {
		if shown, ok := errors.AsType[*url.Error](err); ok {
			err = shown.Err
		}
		return nil, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, fmt.Errorf("the page answers %s", clip(resp.Status))
	}
	limit := cmp.Or(web.Limit, webLimit)
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("the page ends early: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("the page is longer than %d bytes", limit)
	}
	return body, nil
}

// parseField finds the number that field names in a JSON text.
func parseField(body []byte, field string) (int, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return 0, fmt.Errorf("the answer is not JSON: %q", clip(string(body)))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("the answer goes on after its JSON: %q", clip(string(body)))
	}
	for name := range strings.SplitSeq(field, ".") {
		next, ok := member(v, name)
		if !ok {
			return 0, fmt.Errorf("the answer has no field %s, there is no %q", field, name)
		}
		v = next
	}
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("the field %s is not a number", field)
	}
	// Some languages write a whole number as 12.0.
	f, err := n.Float64()
	// What is too small for a float must not round to none left.
	tiny := f == 0 && strings.ContainsAny(n.String(), "-123456789")
	if err != nil || tiny || f < 0 || f > most || f != math.Trunc(f) {
		return 0, fmt.Errorf("the field %s is not a count: %s", field, clip(n.String()))
	}
	return int(f), nil
}

// member is one step of a path: into an object by name, into a list by number.
func member(v any, name string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		next, ok := v[name]
		return next, ok
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		return v[i], true
	}
	return nil, false
}
