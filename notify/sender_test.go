package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// wire stands for the network: it answers without one, so that its time may be a pretended one.
type wire func(*http.Request) (*http.Response, error)

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

func says(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// hangs takes a request and never answers.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

var there = Receiver{To: DingTalk, URL: "https://oapi.dingtalk.com/robot/send?access_token=t0ken-t0ken", Secret: "SECkey"}

func TestAReceiverThatHangsIsGivenUpAfterThreeAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, n := time.Now(), 0
		_, err := NewSender(wire(func(r *http.Request) (*http.Response, error) { n++; return hangs(r) })).Send(t.Context(), there, news("en"))
		if err == nil || err.Error() != "no answer within 5s" || n != 3 || time.Since(began) > altogether {
			t.Errorf("got %v after %d attempts and %s", err, n, time.Since(began))
		}
	})
}

func TestAPassingFailureIsTriedAgain(t *testing.T) {
	for name, first := range map[string]func() (*http.Response, error){
		"500":   func() (*http.Response, error) { return says(500, "oops"), nil },
		"429":   func() (*http.Response, error) { r := says(429, ""); r.Header.Set("Retry-After", "3"); return r, nil },
		"reset": func() (*http.Response, error) { return nil, errors.New("connection reset by peer") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bodies []string
				s := NewSender(wire(func(r *http.Request) (*http.Response, error) {
					b, _ := io.ReadAll(r.Body)
					if bodies = append(bodies, string(b)); len(bodies) == 1 {
						return first()
					}
					return says(200, `{"errcode":0}`), nil
				}))
				if _, err := s.Send(t.Context(), there, news("en")); err != nil || len(bodies) != 2 || bodies[0] != bodies[1] {
					t.Errorf("got %v after %d requests, want it taken at the second, with the same body", err, len(bodies))
				}
			})
		})
	}
}

func TestWhatStaysRefusedIsSaidAsItWasAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			status, requests int
			want             string
		}{{400, 1, "it answers HTTP 400 Bad Request: why"}, {500, 3, "it answers HTTP 500 Internal Server Error: why"}, {501, 1, "it answers HTTP 501 Not Implemented: why"}} {
			n := 0
			s := NewSender(wire(func(*http.Request) (*http.Response, error) { n++; return says(row.status, "why"), nil }))
			if _, err := s.Send(t.Context(), there, news("en")); err == nil || err.Error() != row.want || n != row.requests {
				t.Errorf("%d: got %v after %d requests, want %q after %d", row.status, err, n, row.want, row.requests)
			}
		}
	})
}

func TestARateLimitDoesNotHoldAMessageForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := NewSender(wire(func(*http.Request) (*http.Response, error) {
			r := says(429, "")
			r.Header.Set("Retry-After", "3600")
			return r, nil
		}))
		if _, err := s.Send(t.Context(), there, news("en")); err == nil || err.Error() != "not taken within 20s" || time.Since(began) != altogether {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

func TestNoRedirectIsFollowed(t *testing.T) {
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, `{"errcode":0}`)
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{elsewhere.URL + "/t0ken-t0ken", "/here"} {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/here" {
					asked.Add(1)
				}
				w.Header().Set("Location", to)
				w.WriteHeader(status)
			}))
			_, err := NewSender(nil).Send(t.Context(), Receiver{To: DingTalk, URL: Secret(s.URL + "/?access_token=t0ken-t0ken")}, news("en"))
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("HTTP %d), which is not followed", status)) || strings.Contains(err.Error(), "t0ken") {
				t.Errorf("%d: got %v", status, err)
			}
			s.Close()
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestAnAnswerOf300MBIsNotRead(t *testing.T) {
	const whole = 300 << 20
	var sent atomic.Int64
	left := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(left)
		for chunk := bytes.Repeat([]byte("x"), 1<<20); sent.Load() < whole; sent.Add(1 << 20) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	_, err := NewSender(nil).Send(t.Context(), Receiver{To: Slack, URL: Secret(s.URL)}, news("en"))
	<-left
	if err == nil || err.Error() != "the answer is longer than 64 KiB" || sent.Load() >= whole {
		t.Errorf("got %v after %d bytes", err, sent.Load())
	}
}

// TestAReceiverThatSaysEverythingBackTellsNoSecret covers answers, redirects and failures of the network.
func TestAReceiverThatSaysEverythingBackTellsNoSecret(t *testing.T) {
	for _, to := range []string{DingTalk, Feishu, WeCom, Slack, Webhook} {
		for way := range 5 {
			synctest.Test(t, func(t *testing.T) {
				signed := ""
				s := NewSender(wire(func(r *http.Request) (*http.Response, error) {
					b, _ := io.ReadAll(r.Body)
					for _, v := range []string{r.URL.Query().Get("sign"), strings.TrimPrefix(r.Header.Get(headerSignature), "sha256=")} {
						signed += v
					}
					all := r.URL.String() + " SECkey-SECkey " + fmt.Sprint(r.Header) + string(b)
					switch way {
					case 0:
						return says(400, all), nil
					case 1:
						a := says(302, all)
						a.Header.Set("Location", r.URL.String())
						return a, nil
					case 2:
						return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("no route to " + r.URL.String())}
					case 3: // where a code should be
						return says(200, `{"errcode":"t0ken-t0ken","code":"SECkey-SECkey"}`), nil
					}
					return says(200, `{"errcode":1,"code":1,"errmsg":"`+r.URL.String()+`","msg":"SECkey-SECkey"}`), nil
				}))
				r := Receiver{To: to, URL: "https://chat.example/t0ken-in-path/send?access_token=t0ken-t0ken", Secret: "SECkey-SECkey"}
				_, err := s.Send(t.Context(), r, news("en"))
				if to == Webhook && way >= 3 && err == nil {
					return // 200 is its yes
				}
				if err == nil {
					t.Fatalf("%s, %d: want an error", to, way)
				}
				for _, secret := range []string{"t0ken-in-path", "t0ken-t0ken", "SECkey", signed} {
					if secret != "" && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
						t.Errorf("%s, %d: %q is in %v", to, way, secret, err)
					}
				}
			})
		}
	}
}

func TestWhoEndsTheSendingIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { time.Sleep(time.Second); cancel(errLeft) }()
		if _, err := NewSender(wire(hangs)).Send(ctx, there, news("en")); !errors.Is(err, errLeft) {
			t.Errorf("got %v, want %v", err, errLeft)
		}
	})
}
