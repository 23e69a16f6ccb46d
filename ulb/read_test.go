package ulb_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/ulb"
)

func TestAReadingHasWhatUCloudSaid(t *testing.T) {
	off := vserver("b", "Roundrobin", 2)
	off["BackendSet"].([]object)[0]["Enabled"] = 0
	delete(off["BackendSet"].([]object)[1], "Weight") // as in the documents' own samples
	off["BackendSet"].([]object)[1]["Status"] = 1
	c := newCloud(t, reading(vserver("a", "WeightRoundrobin ", 1), off))
	r, err := balancer(t, c.config("ulb-1")).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []ulb.Backend{
		{ID: "backend-a-0", Listener: "vserver-a", Resource: "uhost-0", Host: "10.9.0.0", Port: 6150, Weight: 5, Enabled: true, Stored: 5, Healthy: true, Heeds: true},
		{ID: "backend-b-0", Listener: "vserver-b", Resource: "uhost-0", Host: "10.9.0.0", Port: 6150, Weight: 0, Enabled: false, Stored: 5, Healthy: true},
		{ID: "backend-b-1", Listener: "vserver-b", Resource: "uhost-1", Host: "10.9.0.1", Port: 6150, Weight: 1, Enabled: true, Stored: 0},
	}
	if r.ID != "ulb-1" || r.Name != "gates" || len(r.Listeners) != 2 || len(r.Backends) != len(want) {
		t.Fatalf("got %+v", r)
	}
	for i, got := range r.Backends {
		if got != want[i] {
			t.Errorf("got  %+v\nwant %+v", got, want[i])
		}
	}
	form := c.asked("DescribeVServer")[0]
	for name, want := range map[string]string{"ULBId": "ulb-1", "Region": "cn-bj2", "ProjectId": "org-test", "PublicKey": publicKey, "SecurityToken": token, "Offset": "0"} {
		if got := form.Get(name); got != want {
			t.Errorf("%s=%q on the wire, want %q", name, got, want)
		}
	}
}

func TestTheSignatureIsThePublishedOne(t *testing.T) {
	form := url.Values{"Action": {"DescribeUHostInstance"}, "Limit": {"10"}, "Region": {"cn-bj2"}, "PublicKey": {"ucloudsomeone@example.com1296235120854146120"}}
	got := sign(form, "46f09bb9fab4f12dfc160dae12273d5332b5debe")
	if want := "cba5cf5ec4d4233d206b1b54951e3787350a642f"; got != want {
		t.Errorf("the check all other tests rely on: got %s, want %s", got, want)
	}
}

// is makes a check of errors.As.
func is[T error](err error) bool {
	var as T
	return errors.As(err, &as)
}

func TestAReadIsRepeatedOnlyWhereThatMayHelp(t *testing.T) {
	whole := vserver("a", "Roundrobin", 1)
	field := func(name, value string) reply {
		b := fmt.Sprintf(`{"BackendId":"b","Enabled":1,"Weight":1,"Status":0,"%s":%s}`, name, value)
		return raw(200, `{"RetCode":0,"Action":"%s","TotalCount":1,"DataSet":[{"VServerId":"v","BackendSet":[`+b+`]}]}`)
	}
	plain := func(err error) bool {
		return !is[*ulb.AuthError](err) && !is[*ulb.NotFoundError](err) && !is[*ulb.RefusedError](err)
	}
	for _, row := range []struct {
		name  string
		fault reply
		want  int              // requests of three attempts
		class func(error) bool // of the error
		text  string           // in the error
	}{
		{"throttled", refuse(153), 3, is[*ulb.APIError], "153"},
		{"unavailable", refuse(150), 3, is[*ulb.APIError], "150"},
		{"gateway failure", refuse(130), 3, is[*ulb.APIError], "130"},
		{"gateway timeout", refuse(110), 3, is[*ulb.APIError], "110"},
		{"try again later", refuse(4104), 3, is[*ulb.APIError], "4104"},
		{"bad signature", refuse(171), 1, is[*ulb.AuthError], "171"},
		{"bad signature, as a string", refuse("171"), 1, is[*ulb.AuthError], "171"},
		{"no such token", refuse(174), 1, is[*ulb.AuthError], "174"},
		{"no such project", refuse(292), 1, is[*ulb.AuthError], "292"},
		{"address refused", refuse(294), 1, is[*ulb.AuthError], "294"},
		{"IAM denied", refuse(299), 1, is[*ulb.AuthError], "299"},
		{"parameter refused", refuse(230), 1, is[*ulb.APIError], "230"},
		{"not found, confirmed by one more look", refuse(4103), 2, is[*ulb.NotFoundError], "4103"},
		{"VServer not found", refuse(4088), 2, is[*ulb.NotFoundError], "4088"},
		{"HTTP 429", raw(429, ""), 3, plain, "HTTP 429"},
		{"HTTP 500", raw(500, ""), 3, plain, "HTTP 500"},
		{"HTTP 502 with HTML", raw(502, "<html>"), 3, plain, "HTTP 502"},
		{"HTTP 503", raw(503, ""), 3, plain, "HTTP 503"},
		{"HTTP 504", raw(504, ""), 3, plain, "HTTP 504"},
		{"HTTP 401", raw(401, ""), 1, plain, "HTTP 401"},
		{"HTTP 404", raw(404, ""), 1, plain, "HTTP 404"},
		{"HTTP 403 with a RetCode", raw(403, `{"RetCode":171,"Action":"%s"}`), 1, is[*ulb.AuthError], "171"},
		{"HTTP 500 with a RetCode", raw(500, `{"RetCode":299,"Action":"%s"}`), 1, is[*ulb.AuthError], "299"},
		{"HTTP 500 with RetCode 0", raw(500, `{"RetCode":0,"Action":"%s"}`), 3, plain, "HTTP 500"},
		{"HTTP 204", raw(204, ""), 1, plain, "HTTP 204"},
		{"reset before the answer", cut("", true), 3, plain, "DescribeVServer"},
		{"end before the answer", cut("", false), 3, plain, "EOF"},
		{"reset inside the body", cut("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", true), 3, plain, "DescribeVServer"},
		{"truncated body", cut("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", false), 3, plain, "unexpected EOF"},
		{"empty body", raw(200, ""), 3, plain, "empty"},
		{"empty object", raw(200, "{}"), 3, plain, "no RetCode"},
		{"null", raw(200, "null"), 3, plain, "no RetCode"},
		{"array", raw(200, "[]"), 3, plain, "not UCloud's"},
		{"login page", raw(200, "<html>log in</html>"), 3, plain, "not JSON"},
		{"RetCode alone", raw(200, `{"RetCode":0}`), 3, plain, "another action"},
		{"another action's answer", raw(200, `{"RetCode":0,"Action":"DescribeULBResponse"}`), 3, plain, "another action"},
		{"RetCode a fraction", raw(200, `{"RetCode":0.5,"Action":"%s"}`), 3, plain, "RetCode"},
		{"no list, no total", ok(nil), 1, plain, "neither"},
		{"list null, total told", ok(object{"TotalCount": 3, "DataSet": nil}), 1, plain, "0 of 3"},
		{"list is an object", ok(object{"TotalCount": 1, "DataSet": object{}}), 1, plain, "a JSON object where DataSet"},
		{"total too high", ok(object{"TotalCount": 2, "DataSet": []object{}}), 1, plain, "0 of 2"},
		{"weight a string", field("Weight", `"1"`), 1, plain, "DescribeVServer: answer cannot be read: a JSON string where"},
		{"weight a fraction", field("Weight", `1.5`), 1, plain, "a JSON number where"},
		{"enabled true", field("Enabled", `true`), 1, plain, "a JSON bool where"},
		{"enabled null is not off", field("Enabled", `null`), 1, plain, "whether backend b is enabled"},
		{"enabled 2", field("Enabled", `2`), 1, plain, "whether backend b is enabled"},
		{"backend without id", field("BackendId", `""`), 1, plain, "without an id"},
		{"the same backend twice", listed(whole, object{"VServerId": "v2", "BackendSet": whole["BackendSet"]}), 1, plain, `"backend-a-0" twice`},
		{"the same listener twice", listed(whole, whole), 1, plain, `"vserver-a" twice`},
		{"another balancer's listener", listed(object{"ULBId": "ulb-2", "VServerId": "v"}), 1, plain, "ulb-2"},
		{"larger than the cap", raw(200, `{"RetCode":0,"Action":"%s","x":"`+strings.Repeat("x", 9<<20)+`"}`), 1, plain, "larger"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCloud(t, map[string]reply{"DescribeULB": found, "DescribeVServer": row.fault})
			r, err := balancer(t, c.config("ulb-1")).Read(t.Context())
			if err == nil {
				t.Fatalf("no error, but %+v", r)
			}
			if got := len(c.asked("DescribeVServer")); got != row.want {
				t.Errorf("%d requests, want %d", got, row.want)
			}
			if !row.class(err) || !strings.Contains(err.Error(), row.text) || !strings.HasPrefix(err.Error(), "ulb-1: ") {
				t.Errorf("got %q, want the right class and %q in it", err, row.text)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
		})
	}
}

func TestAReadSurvivesWhatPasses(t *testing.T) {
	good := listed(vserver("a", "Roundrobin", 1))
	for name, fault := range map[string]reply{
		"throttled": refuse(153), "HTTP 502": raw(502, ""), "reset": cut("", true), "empty": raw(200, ""), "live object said to be gone": refuse(4103),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, map[string]reply{"DescribeULB": found, "DescribeVServer": first(1, fault, good)})
			r, err := balancer(t, c.config("ulb-1")).Read(t.Context())
			if err != nil || len(r.Backends) != 1 {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{302, 307} {
		elsewhere := newCloud(t, nil)
		away := func(w http.ResponseWriter, _ url.Values, _ int) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
		}
		c := newCloud(t, map[string]reply{"DescribeULB": away, "UpdateBackendAttribute": away})
		b := balancer(t, c.config("ulb-1"))
		if _, err := b.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "redirected") {
			t.Errorf("HTTP %d: got %v", status, err)
		}
		out := b.Write(t.Context(), []ulb.Change{{Backend: ulb.Backend{ID: "b"}}})
		if out[0].State != ulb.Unknown {
			t.Errorf("HTTP %d: got %+v", status, out[0])
		}
	}
}

func TestAHungAttemptIsGivenUpAndRepeated(t *testing.T) {
	c := newCloud(t, nil)
	c.replies = map[string]reply{"DescribeULB": first(1, hang(t), found), "DescribeVServer": listed(vserver("a", "Roundrobin", 1))}
	config := c.config("ulb-1")
	config.PerAttempt = 50 * time.Millisecond
	if _, err := balancer(t, config).Read(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRetryAfterIsHeededAndOverallEndsIt(t *testing.T) {
	later := func(w http.ResponseWriter, _ url.Values, _ int) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	c := newCloud(t, map[string]reply{"DescribeULB": later})
	config := c.config("ulb-1")
	config.Overall = 100 * time.Millisecond
	_, err := balancer(t, config).Read(t.Context())
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "HTTP 429") {
		t.Errorf("got %v, want the deadline and what came before it", err)
	}
	if got := len(c.asked("DescribeULB")); got != 1 {
		t.Errorf("%d requests before Retry-After was over", got)
	}
}

func TestCancellingAReadReturnsAtOnceAndSaysSo(t *testing.T) {
	c := newCloud(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	still := hang(t)
	c.replies = map[string]reply{"DescribeULB": func(w http.ResponseWriter, form url.Values, nth int) {
		cancel(errors.New("operator left"))
		still(w, form, nth)
	}}
	began := time.Now()
	_, err := balancer(t, c.config("ulb-1")).Read(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
}

func TestAPageIsSteppedByWhatCame(t *testing.T) {
	for name, announced := range map[string]any{"honest total": 45, "total too low": 7, "no total": nil} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, map[string]reply{"DescribeULB": found, "DescribeVServer": func(w http.ResponseWriter, form url.Values, _ int) {
				offset, _ := strconv.Atoi(form.Get("Offset"))
				page := []object{}
				for i := offset; i < min(offset+20, 45); i++ { // the gateway's own cap, whatever was asked for
					page = append(page, vserver(strconv.Itoa(i), "Roundrobin", 1))
				}
				write(w, form, 0, object{"TotalCount": announced, "DataSet": page})
			}})
			r, err := balancer(t, c.config("ulb-1")).Read(t.Context())
			if err != nil || len(r.Listeners) != 45 || len(r.Backends) != 45 {
				t.Errorf("got %d listeners and %d backends, %v", len(r.Listeners), len(r.Backends), err)
			}
		})
	}
}

func TestAnEndlessListEnds(t *testing.T) {
	c := newCloud(t, map[string]reply{"DescribeULB": found, "DescribeVServer": func(w http.ResponseWriter, form url.Values, nth int) {
		var page []object
		for i := range 500 {
			page = append(page, object{"VServerId": fmt.Sprintf("v-%d-%d", nth, i)})
		}
		write(w, form, 0, object{"TotalCount": 1 << 30, "DataSet": page})
	}})
	if _, err := balancer(t, c.config("ulb-1")).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "no end") {
		t.Errorf("got %v", err)
	}
}

func TestAnUnknownBalancerIsNotFound(t *testing.T) {
	for name, replies := range map[string]map[string]reply{
		"empty list":      {"DescribeULB": ok(object{"TotalCount": 0, "DataSet": []object{}})},
		"null list":       {"DescribeULB": ok(nil)},
		"RetCode 4086":    {"DescribeULB": refuse(4086)},
		"other ones only": {"DescribeULB": ok(object{"TotalCount": 1, "DataSet": []object{{"ULBId": "ulb-2"}}})},
		"gone since":      {"DescribeULB": first(1, found, ok(nil)), "DescribeVServer": ok(object{"TotalCount": 0})},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, replies)
			if r, err := balancer(t, c.config("ulb-1")).Read(t.Context()); !is[*ulb.NotFoundError](err) {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func TestABalancerWithoutListenersIsEmptyNotGone(t *testing.T) {
	c := newCloud(t, reading())
	r, err := balancer(t, c.config("ulb-1")).Read(t.Context())
	if err != nil || len(r.Backends) != 0 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestOnlyTheListenersNamedAreSeen(t *testing.T) {
	c := newCloud(t, reading(vserver("a", "Roundrobin", 2), vserver("b", "Roundrobin", 3)))
	config := c.config("ulb-1/gates")
	config.VServers = []string{"vserver-b/gate"}
	r, err := balancer(t, config).Read(t.Context())
	if err != nil || len(r.Listeners) != 1 || len(r.Backends) != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
	config.VServers = []string{"vserver-b", "vserver-x"}
	if _, err := balancer(t, config).Read(t.Context()); !is[*ulb.NotFoundError](err) || !strings.Contains(err.Error(), "vserver-x") {
		t.Errorf("got %v", err)
	}
	out := balancer(t, c.config("ulb-1")).Write(t.Context(), nil)
	if len(out) != 0 {
		t.Errorf("got %+v", out)
	}
	out = balancer(t, config).Write(t.Context(), []ulb.Change{{Backend: ulb.Backend{ID: "x", Listener: "vserver-a"}}})
	if out[0].State != ulb.Refused {
		t.Errorf("a backend of a listener that is not ours: got %+v", out[0])
	}
}
