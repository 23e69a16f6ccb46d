package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	within     = 5 * time.Second  // for one attempt, its answer included
	altogether = 20 * time.Second // for one message
	retries    = 2
	longest    = 64 << 10 // of an answer, in bytes; the services say less than a hundred
)

// Sender sends messages over HTTP. No redirect is followed, since an address that has moved is for a person to change, and a POST would become a GET.
// An answer of 429 or 5xx, or none, is followed by two more attempts: a message that is told twice harms nobody, one that is lost may. It may be used
// by several goroutines at once.
type Sender struct{ client *retryablehttp.Client }

// NewSender gives a sender that makes its requests by rt; nil: by a transport of its own.
func NewSender(rt http.RoundTripper) *Sender {
	if rt == nil {
		rt = http.DefaultTransport
		if own, ok := rt.(*http.Transport); ok {
			rt = own.Clone()
		}
	}
	return &Sender{&retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: rt, Timeout: within,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryWaitMin: 200 * time.Millisecond,
		RetryWaitMax: 2 * time.Second,
		RetryMax:     retries,
		CheckRetry:   retryablehttp.DefaultRetryPolicy,
		Backoff:      retryablehttp.DefaultBackoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}}
}

// Send tells r one message and gives what it answered. The error is nil only where r has said that the message was taken, a *RefusedError where it
// said no, and holds no secret. It takes at most 20 s.
func (s *Sender) Send(ctx context.Context, r Receiver, m Message) (string, error) {
	p, err := r.post(m, time.Now())
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, altogether)
	defer cancel()
	a, err := s.ask(limited, p)
	if err != nil {
		return "", r.spoken(ctx, limited, err, p.signed)
	}
	said, err := r.taken(a)
	var no *RefusedError
	if errors.As(err, &no) {
		no.Code, no.Text = clip(r.mask(no.Code, p.signed), readable), clip(r.mask(no.Text, p.signed), readable)
		return "", no
	}
	return said, err
}

// ask makes a request and reads the answer.
func (s *Sender) ask(ctx context.Context, p post) (answer, error) {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, p.url.String(), p.body)
	if err != nil {
		return answer{}, errors.New("the url cannot be used")
	}
	req.Header = p.header
	req.Header.Set("User-Agent", "rollout")
	resp, err := s.client.Do(req)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }()
	}
	if err != nil {
		return answer{}, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return answer{}, &movedError{resp.StatusCode, resp.Header.Get("Location")}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, longest+1))
	if err != nil {
		return answer{}, fmt.Errorf("the answer ends early: %w", err)
	}
	if len(body) > longest {
		return answer{}, fmt.Errorf("the answer is longer than %d KiB", longest>>10)
	}
	return answer{resp.StatusCode, body}, nil
}

// movedError is a redirect.
type movedError struct {
	status int
	to     string
}

func (e *movedError) Error() string {
	where := ""
	if u, err := url.Parse(e.to); err == nil && u.Host != "" {
		where = " to " + u.Host
	}
	return fmt.Sprintf("it redirects%s (HTTP %d), which is not followed: write the address itself into url", where, e.status)
}

// spoken is why a message was not taken, without the address, which *url.Error holds. ctx is the caller's.
func (r Receiver) spoken(ctx, limited context.Context, err error, signed string) error {
	var slow net.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		return fmt.Errorf("not taken within %s", altogether)
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("no answer within %s", within)
	}
	if shown, ok := errors.AsType[*url.Error](err); ok {
		err = shown.Err
	}
	return errors.New(clip(r.mask(err.Error(), signed), readable))
}
