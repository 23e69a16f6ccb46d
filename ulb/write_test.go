package ulb_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/ulb"
)

// about keeps of a request what a change put there.
func about(form url.Values) map[string]string {
	left := map[string]string{}
	for name, v := range form {
		switch name {
		case "Action", "Region", "ProjectId", "PublicKey", "SecurityToken", "Signature":
		default:
			left[name] = v[0]
		}
	}
	return left
}

func TestAChangeSendsNoMoreThanItMust(t *testing.T) {
	back := func(heeds bool) ulb.Backend { return ulb.Backend{ID: "b-1", Listener: "l-1", Stored: 7, Heeds: heeds} }
	for _, row := range []struct {
		name   string
		change ulb.Change
		want   string // Enabled and Weight on CLB's wire
	}{
		{"off", ulb.Change{Backend: back(true), Weight: 0}, "0 "},
		{"on as it was", ulb.Change{Backend: back(true), Weight: 7}, "1 "},
		{"on with another weight", ulb.Change{Backend: back(true), Weight: 3}, "1 3"},
		{"on where weights are not heeded", ulb.Change{Backend: back(false), Weight: 3}, "1 "},
		{"on with the largest weight", ulb.Change{Backend: back(true), Weight: 100}, "1 100"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCloud(t, map[string]reply{"UpdateBackendAttribute": ok(nil)})
			out := balancer(t, c.config("ulb-1")).Write(t.Context(), []ulb.Change{row.change})
			if out[0] != (ulb.Outcome{ID: "b-1", State: ulb.Done}) {
				t.Fatalf("got %+v", out[0])
			}
			got := about(c.asked("UpdateBackendAttribute")[0])
			want := map[string]string{"ULBId": "ulb-1", "BackendId": "b-1"}
			enabled, weight, _ := strings.Cut(row.want, " ")
			want["Enabled"] = enabled
			if weight != "" {
				want["Weight"] = weight
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestEachFamilyIsWrittenInItsOwnWords(t *testing.T) {
	changes := []ulb.Change{
		{Backend: ulb.Backend{ID: "t-1", Listener: "l-1"}, Weight: 0},
		{Backend: ulb.Backend{ID: "t-2", Listener: "l-1", Heeds: true, Stored: 1}, Weight: 4},
	}
	verdicts := ok(object{"BackendSet": []object{{"BackendId": "t-1", "SubRetCode": 0}, {"BackendId": "t-2", "SubRetCode": 0}}})
	for _, row := range []struct {
		id, action string
		answer     reply
		want       map[string]string
	}{
		{"ulb-1", "UpdateBackendBatch", verdicts, map[string]string{
			"ULBId": "ulb-1", "Attributes.0.BackendId": "t-1", "Attributes.0.Enabled": "0",
			"Attributes.1.BackendId": "t-2", "Attributes.1.Enabled": "1", "Attributes.1.Weight": "4"}},
		{"alb-1", "UpdateTargetsAttribute", ok(nil), map[string]string{
			"LoadBalancerId": "alb-1", "ListenerId": "l-1", "Targets.0.Id": "t-1", "Targets.0.Enabled": "false",
			"Targets.1.Id": "t-2", "Targets.1.Enabled": "true", "Targets.1.Weight": "4"}},
		{"nlb-1", "UpdateNLBTargetsAttribute", ok(nil), map[string]string{
			"NLBId": "nlb-1", "ListenerId": "l-1", "Targets.0.Id": "t-1", "Targets.0.Enabled": "false",
			"Targets.1.Id": "t-2", "Targets.1.Enabled": "true", "Targets.1.Weight": "4"}},
	} {
		t.Run(row.id, func(t *testing.T) {
			c := newCloud(t, map[string]reply{row.action: row.answer})
			config := c.config(row.id)
			config.Batch = row.id == "ulb-1"
			for _, o := range balancer(t, config).Write(t.Context(), changes) {
				if o.State != ulb.Done {
					t.Errorf("got %+v", o)
				}
			}
			if got := about(c.asked(row.action)[0]); !reflect.DeepEqual(got, row.want) {
				t.Errorf("got  %v\nwant %v", got, row.want)
			}
		})
	}
}

func TestAWriteIsOneRequestWhateverComes(t *testing.T) {
	one := []ulb.Change{{Backend: ulb.Backend{ID: "b-1"}}}
	sub := func(code any) reply {
		return ok(object{"BackendSet": []object{{"BackendId": "b-1", "SubRetCode": code, "SubMessage": "no"}}})
	}
	for _, row := range []struct {
		name  string
		fault reply
		state ulb.State
		retry bool // of a RefusedError
	}{
		{"accepted", ok(nil), ulb.Done, false},
		{"accepted, with a verdict", sub(0), ulb.Done, false},
		{"verdict no", sub(1), ulb.Refused, false},
		{"verdict try again", sub(4104), ulb.Refused, true},
		{"throttled", refuse(153), ulb.Refused, true},
		{"unavailable", refuse(150), ulb.Refused, true},
		{"gateway failure", refuse(130), ulb.Refused, true},
		{"try again later", refuse(4104), ulb.Refused, true},
		{"gateway timeout", refuse(110), ulb.Unknown, false},
		{"bad signature", refuse(171), ulb.Refused, false},
		{"bad signature, as a string", refuse("171"), ulb.Refused, false},
		{"IAM denied", refuse(299), ulb.Refused, false},
		{"backend gone", refuse(4093), ulb.Refused, false},
		{"weight out of range", refuse(4997), ulb.Refused, false},
		{"HTTP 429", raw(429, ""), ulb.Refused, true},
		{"HTTP 400", raw(400, ""), ulb.Refused, false},
		{"HTTP 403", raw(403, "<html>"), ulb.Refused, false},
		{"HTTP 408", raw(408, ""), ulb.Unknown, false},
		{"HTTP 500", raw(500, ""), ulb.Unknown, false},
		{"HTTP 502", raw(502, ""), ulb.Unknown, false},
		{"HTTP 503", raw(503, `{"RetCode":153,"Action":"%s"}`), ulb.Unknown, false},
		{"HTTP 504", raw(504, ""), ulb.Unknown, false},
		{"reset", cut("", true), ulb.Unknown, false},
		{"end", cut("", false), ulb.Unknown, false},
		{"reset inside the body", cut("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", true), ulb.Unknown, false},
		{"truncated body", cut("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", false), ulb.Unknown, false},
		{"empty body", raw(200, ""), ulb.Unknown, false},
		{"empty object", raw(200, "{}"), ulb.Unknown, false},
		{"null", raw(200, "null"), ulb.Unknown, false},
		{"login page", raw(200, "<html>"), ulb.Unknown, false},
		{"another action", raw(200, `{"RetCode":0,"Action":"DescribeULBResponse"}`), ulb.Unknown, false},
		{"another action's refusal", raw(200, `{"RetCode":171,"Action":"DescribeULBResponse"}`), ulb.Unknown, false},
		{"verdicts are an object", ok(object{"BackendSet": object{}}), ulb.Unknown, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCloud(t, map[string]reply{"UpdateBackendAttribute": row.fault})
			out := balancer(t, c.config("ulb-1")).Write(t.Context(), one)[0]
			if got := len(c.asked("UpdateBackendAttribute")); got != 1 {
				t.Errorf("%d requests", got)
			}
			var refused *ulb.RefusedError
			if out.State != row.state || out.ID != "b-1" || errors.As(out.Err, &refused) != (row.state == ulb.Refused) || (out.Err == nil) != (row.state == ulb.Done) {
				t.Fatalf("got %s, %v; want %s", out.State, out.Err, row.state)
			}
			if refused != nil && refused.Retry != row.retry {
				t.Errorf("retry %v, want %v", refused.Retry, row.retry)
			}
		})
	}
}

func TestARefusedWriteKeepsItsClass(t *testing.T) {
	one := []ulb.Change{{Backend: ulb.Backend{ID: "b-1"}}}
	c := newCloud(t, map[string]reply{"UpdateBackendAttribute": first(1, refuse(172), refuse(4148))})
	b := balancer(t, c.config("ulb-1"))
	if err := b.Write(t.Context(), one)[0].Err; !is[*ulb.AuthError](err) || !is[*ulb.APIError](err) {
		t.Errorf("got %v", err)
	}
	if err := b.Write(t.Context(), one)[0].Err; !is[*ulb.NotFoundError](err) {
		t.Errorf("got %v", err)
	}
}

func TestWhatNeverLeftIsRefusedWhatMayHaveLeftIsUnknown(t *testing.T) {
	one := []ulb.Change{{Backend: ulb.Backend{ID: "b-1"}}}
	check := func(t *testing.T, out ulb.Outcome, state ulb.State, retry bool) {
		t.Helper()
		var refused *ulb.RefusedError
		if out.State != state || (errors.As(out.Err, &refused) && refused.Retry != retry) {
			t.Errorf("got %s, %+v; want %s, retry %v", out.State, out.Err, state, retry)
		}
	}
	t.Run("nobody listens", func(t *testing.T) {
		c := newCloud(t, nil)
		c.Close()
		check(t, balancer(t, c.config("ulb-1")).Write(t.Context(), one)[0], ulb.Refused, true)
	})
	t.Run("a certificate we do not trust", func(t *testing.T) {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		defer s.Close()
		c := newCloud(t, nil)
		config := c.config("ulb-1")
		config.Settings.BaseURL = s.URL
		check(t, balancer(t, config).Write(t.Context(), one)[0], ulb.Refused, false)
	})
	t.Run("cancelled before", func(t *testing.T) {
		c := newCloud(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		out := balancer(t, c.config("ulb-1")).Write(ctx, one)[0]
		check(t, out, ulb.Refused, true)
		if !errors.Is(out.Err, context.Canceled) {
			t.Errorf("got %v", out.Err)
		}
	})
	t.Run("cancelled under way", func(t *testing.T) {
		c := newCloud(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		still := hang(t)
		c.replies = map[string]reply{"UpdateBackendAttribute": func(w http.ResponseWriter, form url.Values, nth int) {
			cancel()
			still(w, form, nth)
		}}
		began := time.Now()
		out := balancer(t, c.config("ulb-1")).Write(ctx, one)[0]
		check(t, out, ulb.Unknown, false)
		if !errors.Is(out.Err, context.Canceled) || time.Since(began) > time.Second {
			t.Errorf("got %v after %s", out.Err, time.Since(began))
		}
	})
	t.Run("no answer in time", func(t *testing.T) {
		c := newCloud(t, nil)
		c.replies = map[string]reply{"UpdateBackendAttribute": hang(t)}
		config := c.config("ulb-1")
		config.PerAttempt = 50 * time.Millisecond
		out := balancer(t, config).Write(t.Context(), one)[0]
		check(t, out, ulb.Unknown, false)
		if !errors.Is(out.Err, context.DeadlineExceeded) || len(c.asked("UpdateBackendAttribute")) != 1 {
			t.Errorf("got %v after %d requests", out.Err, len(c.asked("UpdateBackendAttribute")))
		}
	})
	t.Run("a transport that tells nothing", func(t *testing.T) {
		c := newCloud(t, nil)
		config := c.config("ulb-1")
		config.Transport = transportFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("broken") })
		check(t, balancer(t, config).Write(t.Context(), one)[0], ulb.Unknown, false)
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
