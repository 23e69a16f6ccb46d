package ulb_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/ulb"
)

// script answers without a network: the balancer itself is known, everything else is the body under test.
func script(body []byte) transportFunc {
	return func(r *http.Request) (*http.Response, error) {
		text := string(body)
		switch action := r.URL.Query().Get("Action"); action {
		case "DescribeULB":
			text = `{"RetCode":0,"Action":"DescribeULBResponse","DataSet":[{"ULBId":"ulb-1"}]}`
		case "DescribeLoadBalancers":
			text = `{"RetCode":0,"Action":"DescribeLoadBalancersResponse","LoadBalancers":[{"LoadBalancerId":"alb-1"}]}`
		case "DescribeNetworkLoadBalancers":
			text = `{"RetCode":0,"Action":"DescribeNetworkLoadBalancersResponse","NLBs":[{"NLBId":"nlb-1"}]}`
		default:
			text = strings.ReplaceAll(text, "%s", action+"Response")
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"RetCode":0,"Action":"%s","TotalCount":1,"DataSet":[{"ULBId":"ulb-1","VServerId":"v","Method":"WeightRoundrobin","BackendSet":[{"BackendId":"b","Enabled":1,"Weight":0,"Status":0}]}]}`,
		`{"RetCode":0,"Action":"%s","TotalCount":1,"Listeners":[{"ListenerId":"l","ListenerPort":"80","StickinessConfig":[{"Enabled":true}],"Targets":[{"Id":"t","Enabled":true,"Weight":null}]}]}`,
		`{"RetCode":0,"Action":"%s","BackendSet":[{"BackendId":"b-1","SubRetCode":"1","SubMessage":7}]}`,
		`{"RetCode":"153","Action":"%s","Message":["x"]}`, `{}`, `null`, `[]`, ``, `"`, `{"RetCode":1e99}`, `{"RetCode":-1,"Action":"%s"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, id := range []string{"ulb-1", "alb-1", "nlb-1"} {
			b, err := ulb.New(ulb.Config{ID: id, Attempts: 1, Batch: id == "ulb-1", Transport: script(body), Settings: ulb.Settings{
				Credentials: ulb.Credentials{PublicKey: publicKey, PrivateKey: privateKey}, Region: "cn-bj2",
			}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			r, err := b.Read(t.Context())
			seen := map[string]bool{}
			for _, k := range r.Backends {
				if err != nil || k.ID == "" || seen[k.ID] || k.Enabled != (k.Weight > 0) {
					t.Errorf("got %+v, %v", k, err)
				}
				seen[k.ID] = true
			}
			if err == nil {
				_, _ = r.Check(true), r.Warnings()
			}
			for _, o := range b.Write(t.Context(), []ulb.Change{{Backend: ulb.Backend{ID: "b-1"}}, {Backend: ulb.Backend{ID: "b-2"}}}) {
				if (o.Err == nil) != (o.State == ulb.Done) || o.ID == "" {
					t.Errorf("got %+v", o)
				}
			}
		}
	})
}
