package cloud

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// seen is what a plain HTTP client sees of a call.
func seen(t testing.TB, c *Cloud, client *http.Client, action string, pairs ...string) string {
	t.Helper()
	resp, err := client.PostForm(c.URL(), form(action, pairs...))
	if err != nil {
		return kindOfError(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	text := fmt.Sprintf("%d %s", resp.StatusCode, body)
	if err != nil {
		return fmt.Sprintf("%d, then %s", resp.StatusCode, kindOfError(err))
	}
	for _, name := range []string{"Retry-After", "Location"} {
		if v := resp.Header.Get(name); v != "" {
			text += " " + name + " " + v
		}
	}
	return text
}

func kindOfError(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case isReset(err):
		return "reset"
	case asTimeout(err, &timeout):
		return "timeout"
	case strings.Contains(err.Error(), "unexpected EOF"):
		return "cut short"
	case strings.Contains(err.Error(), "EOF"):
		return "closed"
	default:
		return err.Error()
	}
}

func TestEachFaultIsSeenByAPlainClientAndExecutesOrNot(t *testing.T) {
	const body502 = "502 <html><body><h1>502 Bad Gateway</h1></body></html>"
	tests := []struct {
		fault    Fault
		want     string // begins with
		executed bool
	}{
		{Fault{Kind: "retcode"}, `200 {"RetCode":150,"Action":"UpdateBackendAttributeResponse","Message":"Service unavailable"}`, false},
		{Fault{Kind: "retcode", Code: 110}, `200 {"RetCode":110,`, false},
		{Fault{Kind: "retcode", Code: 110, Executed: true}, `200 {"RetCode":110,`, true},
		{Fault{Kind: "retcode", Code: 130}, `200 {"RetCode":130,`, false},
		{Fault{Kind: "retcode", Code: 153}, `200 {"RetCode":153,`, false},
		{Fault{Kind: "retcode", Code: 294}, `200 {"RetCode":294,`, false},
		{Fault{Kind: "retcode", Code: 299}, `200 {"RetCode":299,`, false},
		{Fault{Kind: "retcode", Code: 4103}, `200 {"RetCode":4103,`, false},
		{Fault{Kind: "retcode", Code: 4104, Value: "忙"}, `200 {"RetCode":4104,"Action":"UpdateBackendAttributeResponse","Message":"忙"}`, false},
		{Fault{Kind: "expired"}, `200 {"RetCode":171,"Action":"UpdateBackendAttributeResponse","Message":"Signature VerifyAC Error"}`, false},
		{Fault{Kind: "expired", Code: 174}, `200 {"RetCode":174,`, false},
		{Fault{Kind: "http"}, "500 <html>", false},
		{Fault{Kind: "http", Code: 429}, "429 <html><body><h1>429 Too Many Requests</h1></body></html> Retry-After 1", false},
		{Fault{Kind: "http", Code: 503, Delay: 2500 * time.Millisecond}, "503 <html><body><h1>503 Service Unavailable</h1></body></html> Retry-After 3", false},
		{Fault{Kind: "http", Code: 502, Executed: true}, body502, true},
		{Fault{Kind: "http", Code: 504, Value: "json"}, `504 {"RetCode":150,`, false},
		{Fault{Kind: "redirect"}, "302  Location /moved", false},
		{Fault{Kind: "redirect", Code: 307, Value: "/login"}, "307  Location /login", false},
		{Fault{Kind: "reset"}, "reset", false},
		{Fault{Kind: "reset", Executed: true}, "reset", true},
		{Fault{Kind: "fin"}, "closed", false},
		{Fault{Kind: "hang", Delay: 20 * time.Millisecond}, "closed", false},
		{Fault{Kind: "hang", Executed: true}, "timeout", true},
		{Fault{Kind: "object"}, "200 {}", false},
		{Fault{Kind: "null"}, "200 null", false},
		{Fault{Kind: "html"}, "200 <html>", false},
		{Fault{Kind: "empty"}, "200 ", false},
		{Fault{Kind: "truncated"}, "200, then cut short", true},
		{Fault{Kind: "reset-body"}, "200, then reset", true},
		{Fault{Kind: "slow", Delay: 40 * time.Millisecond}, `200 {"RetCode":0,"Action":"UpdateBackendAttributeResponse"}`, true},
		{Fault{Kind: "slow", Delay: time.Hour}, "200, then timeout", true},
		{Fault{Kind: "latency", Delay: time.Millisecond}, `200 {"RetCode":0,`, true},
		{Fault{Kind: "string"}, `200 {"Action":"UpdateBackendAttributeResponse","RetCode":"0"}`, true},
		{Fault{Kind: "string", Code: 171}, `200 {"Action":"UpdateBackendAttributeResponse","Message":"Signature VerifyAC Error","RetCode":"171"}`, false},
		{Fault{Kind: "silent"}, `200 {"RetCode":0,`, false},
		{Fault{Kind: "sub"}, `200 {"RetCode":0,"Action":"UpdateBackendAttributeResponse","BackendSet":[{"BackendId":"backend-1","SubRetCode":1,`, false},
	}
	for _, tt := range tests {
		name := fmt.Sprintf("%s %d %s executed %v", tt.fault.Kind, tt.fault.Code, tt.fault.Value, tt.fault.Executed)
		t.Run(name, func(t *testing.T) {
			c := start(t, quiet(), world()...)
			if err := c.Break(tt.fault); err != nil {
				t.Fatal(err)
			}
			client := *plain
			if strings.Contains(tt.want, "timeout") {
				client.Timeout = 300 * time.Millisecond
			}
			got := seen(t, c, &client, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "0")
			if !strings.HasPrefix(got, tt.want) || tt.want == "200 " && got != tt.want {
				t.Errorf("the client saw %q, want %q", got, tt.want)
			}
			if got := !truth(t, c, "backend-1").Enabled; got != tt.executed {
				t.Errorf("executed %v, want %v", got, tt.executed)
			}
			r := c.Requests()
			if len(r) != 1 || r[0].Applied != tt.executed || !slices.Equal(r[0].Faults, []string{tt.fault.Kind}) {
				t.Errorf("logged %+v, want one request, applied %v, by %s", r, tt.executed, tt.fault.Kind)
			}
			c.Mend(tt.fault.Kind)
			if got := call1(t, c, "DescribeULB").code(); got != "0" {
				t.Errorf("after Mend: RetCode %s", got)
			}
		})
	}
}

func TestEachShapeFaultChangesTheAnswerItIsMeantFor(t *testing.T) {
	tests := []struct {
		fault  Fault
		action string
		pairs  []string
		want   string
		not    string
	}{
		{Fault{Kind: "weight", Value: "missing"}, "DescribeVServer", nil, `"BackendId":"backend-1"`, `"Weight"`},
		{Fault{Kind: "weight", Value: "null"}, "DescribeVServer", nil, `"Weight":null`, `"Weight":7`},
		{Fault{Kind: "weight", Value: "string"}, "DescribeVServer", nil, `"Weight":"7"`, `"Weight":7`},
		{Fault{Kind: "weight", Value: "float"}, "DescribeULB", nil, `"Weight":7.0`, `"Weight":7,`},
		{Fault{Kind: "weight", Value: "bool"}, "DescribeVServer", nil, `"Weight":true`, `"Weight":7`},
		{Fault{Kind: "enabled", Value: "missing"}, "DescribeVServer", nil, `"BackendId":"backend-1"`, `"Enabled"`},
		{Fault{Kind: "enabled", Value: "bool"}, "DescribeVServer", nil, `"Enabled":true`, `"Enabled":1`},
		{Fault{Kind: "enabled", Value: "string"}, "DescribeVServer", nil, `"Enabled":"0"`, `"Enabled":0`},
		{Fault{Kind: "enabled", Value: "null"}, "DescribeListeners", []string{"LoadBalancerId", "alb-1"}, `"Enabled":null,"Id":"ars-1"`, `"Enabled":true,"Id"`},
		{Fault{Kind: "dataset", Value: "null"}, "DescribeVServer", nil, `"DataSet":null`, `backend-1`},
		{Fault{Kind: "dataset", Value: "missing"}, "DescribeVServer", nil, `"TotalCount":2`, `DataSet`},
		{Fault{Kind: "dataset", Value: "object"}, "DescribeNLBListeners", []string{"NLBId", "nlb-1"}, `"Listeners":{}`, `nrs-1`},
		{Fault{Kind: "total", Code: 7}, "DescribeVServer", nil, `"TotalCount":7`, `"TotalCount":2`},
		{Fault{Kind: "page-cap", Code: 1}, "DescribeVServer", nil, `"TotalCount":2`, `"vserver-2"`},
		{Fault{Kind: "health-array"}, "DescribeListeners", []string{"LoadBalancerId", "alb-1"}, `"HealthCheckConfig":[{`, `"StickinessConfig":{`},
		{Fault{Kind: "partial"}, "UpdateBackendBatch", []string{
			"ULBId", "ulb-1", "Attributes.0.BackendId", "backend-1", "Attributes.0.Weight", "9",
			"Attributes.1.BackendId", "backend-2", "Attributes.1.Weight", "9",
		}, `{"RetCode":0,"Action":"UpdateBackendBatchResponse","BackendSet":[{"BackendId":"backend-1","SubRetCode":0,"SubMessage":""},{"BackendId":"backend-2","SubRetCode":4104,`, "4093"},
	}
	for _, tt := range tests {
		t.Run(tt.fault.Kind+" "+tt.fault.Value, func(t *testing.T) {
			c := start(t, quiet(), world()...)
			clean := string(post(t, c, form(tt.action, tt.pairs...)))
			if strings.Contains(clean, tt.want) && tt.fault.Value != "missing" && tt.fault.Kind != "page-cap" {
				t.Fatalf("the clean answer holds %s already", tt.want)
			}
			if err := c.Break(tt.fault); err != nil {
				t.Fatal(err)
			}
			got := string(post(t, c, form(tt.action, tt.pairs...)))
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want it to hold %s", got, tt.want)
			}
			if strings.Contains(got, tt.not) {
				t.Errorf("got %s, want it not to hold %s", got, tt.not)
			}
		})
	}
}

func TestALateWriteComesLate(t *testing.T) {
	c := start(t, quiet(), world()...)
	if err := c.Break(Fault{Kind: "late", Delay: 80 * time.Millisecond, Count: 1}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	off(t, c, "backend-1")
	// A write in between is not undone by the fields the late one does not name.
	call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Weight", "9")
	eventually(t, "the late write", func() bool { return !truth(t, c, "backend-1").Enabled })
	if got := time.Since(began); got < 80*time.Millisecond {
		t.Errorf("it came after %v, before its time", got)
	}
	if got := truth(t, c, "backend-1").Weight; got != 9 {
		t.Errorf("weight %d, want 9", got)
	}
}

func TestALieIsToldByTheAPIAndNotBelievedByTheDataPlane(t *testing.T) {
	a, b := newGate(t, "a"), newGate(t, "b")
	c := start(t, quiet(), clb(Listener{Backends: []Backend{a.Backend, b.Backend}}))
	if err := c.Break(Fault{Kind: "lie"}); err != nil {
		t.Fatal(err)
	}
	off(t, c, "a")
	if got := field(t, c, 0, "Enabled"); got != "0" {
		t.Errorf("told Enabled %s, want 0", got)
	}
	if got := visits(t, c.Front(front), 20)["a"]; got == 0 {
		t.Error("a gets no connection any more, want the data plane to ignore the write")
	}
	if !truth(t, c, "a").Enabled {
		t.Error("the snapshot repeats the lie")
	}
}

func TestALagFaultMakesDescribeOld(t *testing.T) {
	c := start(t, quiet(), world()...)
	if err := c.Break(Fault{Kind: "lag", Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	off(t, c, "backend-1")
	if got := field(t, c, 0, "Enabled"); got != "1" {
		t.Errorf("told Enabled %s, want the old 1", got)
	}
	c.Mend("lag")
	if got := field(t, c, 0, "Enabled"); got != "0" {
		t.Errorf("without the lag told Enabled %s, want 0", got)
	}
}

func TestSomeoneElseActs(t *testing.T) {
	t.Run("flip before the second write", func(t *testing.T) {
		c := start(t, quiet(), world()...)
		if err := c.Break(Fault{Kind: "flip", Value: "backend-2", Actions: []string{"write"}, After: 1}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{false, true, true} {
			call1(t, c, "DescribeULB")
			call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Weight", "5")
			if got := truth(t, c, "backend-2").Enabled; got != want {
				t.Errorf("after write %d backend-2 is enabled %v, want %v", i+1, got, want)
			}
		}
	})
	t.Run("flip of any after a while", func(t *testing.T) {
		c := start(t, quiet(), world()...)
		before := fmt.Sprint(c.Snapshot())
		if err := c.Break(Fault{Kind: "flip", Delay: 10 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a backend is flipped", func() bool { return fmt.Sprint(c.Snapshot()) != before })
	})
	t.Run("recreate", func(t *testing.T) {
		c := start(t, quiet(), world()...)
		if err := c.Break(Fault{Kind: "recreate", Value: "backend-1"}); err != nil {
			t.Fatal(err)
		}
		if got := call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "0").code(); got != "4093" {
			t.Errorf("a write to the old id: RetCode %s, want 4093", got)
		}
		a := call1(t, c, "DescribeVServer", "ULBId", "ulb-1")
		again := a.at("DataSet", 0, "BackendSet", 1)
		if id, ip, weight := field(t, c, 1, "BackendId"), field(t, c, 1, "PrivateIP"), field(t, c, 1, "Weight"); id == "backend-1" || ip != "10.9.0.4" || weight != "1" {
			t.Errorf("re-created as %v, want 10.9.0.4 under a new id with weight 1", again)
		}
		if got := field(t, c, 2, "BackendId"); got != "<nil>" {
			t.Errorf("a third backend %s", got)
		}
	})
}

func TestAFaultHitsWhatItSaysAndNoMore(t *testing.T) {
	tests := []struct {
		name  string
		fault Fault
		want  string // x hit, . not: describe and update in turn, of backend-1 and backend-2 in turn
	}{
		{"always", Fault{}, "xxxxxxxx"},
		{"three times", Fault{Count: 3}, "xxx....."},
		{"after two", Fault{After: 2, Count: 2}, "..xx...."},
		{"one action", Fault{Actions: []string{"DescribeVServer"}}, "x.x.x.x."},
		{"reads", Fault{Actions: []string{"read"}}, "x.x.x.x."},
		{"writes", Fault{Actions: []string{"write"}, Count: 2}, ".x.x...."},
		{"one backend", Fault{Backends: []string{"backend-2"}}, "...x...x"},
		{"over", Fault{For: 1}, "........"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, quiet(), world()...)
			tt.fault.Kind, tt.fault.Code = "retcode", 153
			if err := c.Break(tt.fault); err != nil {
				t.Fatal(err)
			}
			got := ""
			for i := range 8 {
				code := ""
				if i%2 == 0 {
					code = call1(t, c, "DescribeVServer").code()
				} else {
					code = call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", fmt.Sprint("backend-", 1+i/2%2), "Weight", "5").code()
				}
				got += map[string]string{"153": "x", "0": "."}[code]
			}
			if got != tt.want {
				t.Errorf("hits %s, want %s", got, tt.want)
			}
		})
	}
}

func TestFlakyFailsAtItsRateInAllItsWaysAndTheSameForASeed(t *testing.T) {
	const n = 300
	run := func() (string, map[string]int, int) {
		c := start(t, quiet(), world()...)
		if err := c.Break(Fault{Kind: "flaky", Rate: 0.3, Delay: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		var order strings.Builder
		ways := map[string]int{}
		failed := 0
		for range n {
			got := seen(t, c, plain, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Weight", "5")
			if !strings.HasPrefix(got, `200 {"RetCode":0`) {
				failed++
			}
			r := c.Requests()[len(c.Requests())-1]
			way := fmt.Sprint(got, r.Applied)
			ways[way]++
			order.WriteString(way)
		}
		return order.String(), ways, failed
	}
	order, ways, failed := run()
	if share := float64(failed) / n; share < 0.2 || share > 0.4 {
		t.Errorf("%.2f of the calls failed, want about 0.3", share)
	}
	if len(ways) != 8 {
		t.Errorf("%d ways to be answered, want 7 failures and success: %v", len(ways), ways)
	}
	if again, _, _ := run(); again != order {
		t.Error("the same seed failed differently")
	}
}

func TestAClientThatFollowsARedirectIsSeenToAskTwice(t *testing.T) {
	c := start(t, quiet(), world()...)
	if err := c.Break(Fault{Kind: "redirect", Code: 307}); err != nil {
		t.Fatal(err)
	}
	follows := &http.Client{Transport: plain.Transport, Timeout: plain.Timeout}
	if got := seen(t, c, follows, "DescribeULB"); !strings.HasPrefix(got, `200 {"RetCode":0`) {
		t.Errorf("the client saw %q", got)
	}
	if got := len(c.Requests()); got != 2 {
		t.Errorf("%d requests, want 2", got)
	}
}

func TestAFaultThatIsNoneIsRefused(t *testing.T) {
	c := start(t, quiet(), world()...)
	for want, f := range map[string]Fault{
		"no such kind":       {Kind: "gremlins"},
		"value \"odd\"":      {Kind: "weight", Value: "odd"},
		"rate 2":             {Kind: "http", Rate: 2},
		"200 is not":         {Kind: "http", Code: 200},
		"500 is not":         {Kind: "redirect", Code: 500},
		"cannot be negative": {Kind: "reset", Count: -1},
	} {
		if err := c.Break(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Break(%+v): %v, want an error with %q", f, err, want)
		}
	}
}
