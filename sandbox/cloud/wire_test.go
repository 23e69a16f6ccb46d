package cloud

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// world is one balancer of each family, with nothing drawn and nothing dialled.
func world() []Balancer {
	backends := func(prefix string) []Backend {
		return []Backend{
			{ID: prefix + "1", ResourceID: "uhost-1", Name: "game-1", Host: "10.9.0.4", Port: 6150, Enabled: true, Weight: 7},
			{ID: prefix + "2", ResourceID: "uhost-2", Name: "game-2", Host: "10.9.0.5", Port: 6150, Weight: 3, IsBackup: true, Status: 1},
		}
	}
	return []Balancer{
		{ID: "ulb-1", Name: "gates", Listeners: []Listener{
			{ID: "vserver-1", Name: "gate", Port: 6150, Method: "WeightRoundrobin", Backends: backends("backend-")},
			{ID: "vserver-2", Name: "spare", Port: 6151, ListenType: PacketsTransmit, ClientTimeout: 90 * time.Second},
		}},
		{ID: "alb-1", Name: "web", Listeners: []Listener{{ID: "als-1", Name: "ws", Port: 443, Backends: backends("ars-")}}},
		{ID: "nlb-1", Name: "net", Listeners: []Listener{{ID: "nls-1", Name: "tcp", Port: 6150, Method: "WeightRoundRobin", Backends: backends("nrs-")}}},
	}
}

func TestEveryActionAnswersInItsDocumentedShape(t *testing.T) {
	tests := []struct {
		golden string
		action string
		pairs  []string
	}{
		{"DescribeULB", "DescribeULB", []string{"ULBId", "ulb-1"}},
		{"DescribeULBSimple", "DescribeULBSimple", nil},
		{"DescribeVServer", "DescribeVServer", []string{"ULBId", "ulb-1", "VServerId", "vserver-1"}},
		{"UpdateBackendAttribute", "UpdateBackendAttribute", []string{"ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "0"}},
		{"UpdateBackendBatch", "UpdateBackendBatch", []string{
			"ULBId", "ulb-1", "Attributes.0.BackendId", "backend-1", "Attributes.0.Weight", "5", "Attributes.1.BackendId", "backend-x",
		}},
		{"AllocateBackend", "AllocateBackend", []string{
			"ULBId", "ulb-1", "VServerId", "vserver-1", "ResourceType", "UHost", "ResourceId", "uhost-1", "Port", "6158",
		}},
		{"ReleaseBackend", "ReleaseBackend", []string{"ULBId", "ulb-1", "BackendId", "backend-2"}},
		{"UpdateVServerAttribute", "UpdateVServerAttribute", []string{"ULBId", "ulb-1", "VServerId", "vserver-1", "Method", "Roundrobin"}},
		{"DescribeLoadBalancers", "DescribeLoadBalancers", []string{"LoadBalancerIds.0", "alb-1", "Limit", "100", "Offset", "0"}},
		{"DescribeLoadBalancersDetail", "DescribeLoadBalancers", []string{"ShowDetail", "true"}},
		{"DescribeListeners", "DescribeListeners", []string{"LoadBalancerId", "alb-1", "ListenerId", "als-1"}},
		{"UpdateTargetsAttribute", "UpdateTargetsAttribute", []string{
			"LoadBalancerId", "alb-1", "ListenerId", "als-1", "Targets.0.Id", "ars-1", "Targets.0.Enabled", "false",
		}},
		{"DescribeNetworkLoadBalancers", "DescribeNetworkLoadBalancers", []string{"NLBIds.0", "nlb-1", "ShowDetail", "true"}},
		{"DescribeNLBListeners", "DescribeNLBListeners", []string{"NLBId", "nlb-1"}},
		{"UpdateNLBTargetsAttribute", "UpdateNLBTargetsAttribute", []string{
			"NLBId", "nlb-1", "ListenerId", "nls-1", "Targets.0.Id", "nrs-1", "Targets.0.Enabled", "false", "Targets.0.Weight", "9",
		}},
		{"GetRegion", "GetRegion", []string{"Region", "", "ProjectId", ""}},
		{"GetProjectList", "GetProjectList", []string{"Region", "", "ProjectId", ""}},
		{"refusal", "DescribeVServer", []string{"ULBId", "ulb-nowhere"}},
	}
	for _, tt := range tests {
		t.Run(tt.golden, func(t *testing.T) {
			c := start(t, quiet(), world()...)
			var got bytes.Buffer
			if err := json.Indent(&got, post(t, c, form(tt.action, tt.pairs...)), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			file := filepath.Join("testdata", tt.golden+".json")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
		})
	}
}

func TestARequestMayComeAsFormAsJSONOrAsGet(t *testing.T) {
	asJSON := func(action string, f map[string]any) *http.Request {
		f["Action"], f["PublicKey"], f["Region"], f["ProjectId"] = action, "pub", "cn-bj2", "org-1"
		f["Signature"] = signature(f, "priv")
		body, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := http.NewRequest("POST", "/any/path?Action="+action, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	one := json.Number("1")
	update := form("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-2", "Enabled", "1")
	posted, _ := http.NewRequest("POST", "/?Action=UpdateBackendAttribute", strings.NewReader(update.Encode()))
	posted.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	posted.Header.Set("Cookie", "")
	posted.Header.Set("Csrf-Token", "")
	got, _ := http.NewRequest("GET", "/?"+update.Encode(), nil)
	tests := []struct {
		name string
		r    *http.Request
	}{
		{"form", posted},
		{"get", got},
		{"json, Enabled 1", asJSON("UpdateBackendBatch", map[string]any{"ULBId": "ulb-1", "Attributes": []any{map[string]any{"BackendId": "backend-2", "Enabled": one}}})},
		{"json, Enabled true", asJSON("UpdateBackendBatch", map[string]any{"ULBId": "ulb-1", "Attributes": []any{map[string]any{"BackendId": "backend-2", "Enabled": true}}})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, quiet(), world()...)
			tt.r.URL.Scheme, tt.r.URL.Host = "http", strings.TrimPrefix(c.URL(), "http://")
			resp, err := plain.Do(tt.r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if got := decode(t, body).code(); got != "0" {
				t.Fatalf("RetCode %s: %s", got, body)
			}
			if !truth(t, c, "backend-2").Enabled {
				t.Error("the backend is still disabled")
			}
			if got, want := resp.Header.Get("Content-Type"), "application/json; charset=utf-8"; got != want {
				t.Errorf("Content-Type %q, want %q", got, want)
			}
			id := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
			if got := resp.Header.Get("X-UCLOUD-REQUEST-UUID"); !id.MatchString(got) {
				t.Errorf("request id %q is no UUID", got)
			}
		})
	}
}

func TestTheGatewayChecksInItsOrder(t *testing.T) {
	// Every row's request has the faults of all rows below it too: a check that
	// came too late would answer with one of their codes.
	tests := []struct {
		name  string
		spoil func(f url.Values)
		want  string
	}{
		{"no action", func(f url.Values) { f.Del("Action") }, "160"},
		{"no signature", func(f url.Values) { f.Del("Signature") }, "170"},
		{"unknown key", func(f url.Values) { f.Set("PublicKey", "who") }, "172"},
		{"a token nobody gave", func(f url.Values) { f.Set("SecurityToken", "t") }, "174"},
		{"bad signature", func(f url.Values) { f.Set("Signature", "0") }, "171"},
		{"unknown action", func(f url.Values) { f.Set("Action", "MakeCoffee") }, "161"},
		{"unknown project", func(f url.Values) { f.Set("ProjectId", "org-2") }, "292"},
		{"foreign region", func(f url.Values) { f.Set("Region", "cn-sh2") }, "230"},
		{"no such balancer", func(f url.Values) { f.Set("ULBId", "ulb-9") }, "4103"},
		{"nothing wrong", func(url.Values) {}, "0"},
	}
	c := start(t, quiet(), world()...)
	for row := range tests {
		t.Run(tests[row].name, func(t *testing.T) {
			f := form("DescribeULB")
			for i := len(tests) - 1; i >= row; i-- {
				tests[i].spoil(f)
			}
			if f.Get("Signature") != "" && f.Get("Signature") != "0" {
				all := map[string]any{}
				for name := range f {
					all[name] = f.Get(name)
				}
				f.Set("Signature", signature(all, "priv"))
			}
			body := post(t, c, f)
			if got := decode(t, body).code(); got != tests[row].want {
				t.Errorf("RetCode %s, want %s: %s", got, tests[row].want, body)
			}
		})
	}
	if got := call1(t, c, "DescribeULB", "Region", "").code(); got != "220" {
		t.Errorf("no region: RetCode %s, want 220", got)
	}
	t.Run("a bearer's token", func(t *testing.T) {
		r, _ := http.NewRequest("GET", c.URL()+"/?Action=DescribeULB", nil)
		r.Header.Set("Authorization", "Bearer t")
		resp, err := plain.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if got := decode(t, body).code(); got != "174" {
			t.Errorf("RetCode %s, want 174", got)
		}
	})
}

func TestASecurityTokenIsDemandedWhenThereIsOne(t *testing.T) {
	o := quiet()
	o.SecurityToken = "sts"
	c := start(t, o, world()...)
	if got := call1(t, c, "DescribeULB").code(); got != "174" {
		t.Errorf("without the token: RetCode %s, want 174", got)
	}
	if got := call1(t, c, "DescribeULB", "SecurityToken", "sts").code(); got != "0" {
		t.Errorf("with the token: RetCode %s, want 0", got)
	}
}

func TestAnUnknownULBIsAnsweredAsTheOptionsSay(t *testing.T) {
	for _, tt := range []struct {
		option int
		want   string
	}{{0, "4103"}, {4086, "4086"}, {-1, "0"}} {
		o := quiet()
		o.UnknownULB = tt.option
		c := start(t, o, world()...)
		a := call1(t, c, "DescribeULB", "ULBId", "ulb-9")
		if a.code() != tt.want {
			t.Errorf("UnknownULB %d: RetCode %s, want %s", tt.option, a.code(), tt.want)
		}
		if set, ok := a["DataSet"].([]any); tt.option < 0 && (!ok || len(set) != 0) {
			t.Errorf("UnknownULB %d: DataSet %v, want an empty one", tt.option, a["DataSet"])
		}
	}
}

func TestPagesAreWhatLimitOffsetAndTheCapAllow(t *testing.T) {
	var many []Balancer
	for i := range 45 {
		many = append(many, Balancer{ID: fmt.Sprintf("ulb-%02d", i)})
	}
	many[0].Listeners = make([]Listener, 30)
	tests := []struct {
		name    string
		pageCap int
		action  string
		pairs   []string
		first   string
		want    int
	}{
		{"DescribeULB gives 20 unasked", 0, "DescribeULB", nil, "ulb-00", 20},
		{"DescribeULBSimple gives all", 0, "DescribeULBSimple", nil, "ulb-00", 45},
		{"as asked", 0, "DescribeULB", []string{"Limit", "100"}, "ulb-00", 45},
		{"from an offset", 0, "DescribeULB", []string{"Limit", "10", "Offset", "40"}, "ulb-40", 5},
		{"beyond the end", 0, "DescribeULB", []string{"Offset", "45"}, "", 0},
		{"a cap below the limit", 20, "DescribeULBSimple", []string{"Limit", "100", "Offset", "20"}, "ulb-20", 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := quiet()
			o.PageCap = tt.pageCap
			c := start(t, o, many...)
			a := call1(t, c, tt.action, tt.pairs...)
			if got := len(a["DataSet"].([]any)); got != tt.want {
				t.Errorf("%d in the page, want %d", got, tt.want)
			}
			if got := fmt.Sprint(a.at("DataSet", 0, "ULBId")); tt.first != "" && got != tt.first {
				t.Errorf("the page begins with %s, want %s", got, tt.first)
			}
			if got := fmt.Sprint(a["TotalCount"]); got != "45" {
				t.Errorf("TotalCount %s, want 45", got)
			}
		})
	}
	t.Run("VServers", func(t *testing.T) {
		c := start(t, quiet(), many...)
		a := call1(t, c, "DescribeVServer", "ULBId", "ulb-00", "Limit", "100", "Offset", "25")
		if got, total := len(a["DataSet"].([]any)), fmt.Sprint(a["TotalCount"]); got != 5 || total != "30" {
			t.Errorf("%d of %s VServers, want 5 of 30", got, total)
		}
	})
	t.Run("no number", func(t *testing.T) {
		c := start(t, quiet(), many...)
		for _, limit := range []string{"-1", "many"} {
			if got := call1(t, c, "DescribeULB", "Limit", limit).code(); got != "230" {
				t.Errorf("Limit %s: RetCode %s, want 230", limit, got)
			}
		}
	})
}
