package ulb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/ulb"
)

var foundALB = ok(object{"TotalCount": 1, "LoadBalancers": []object{{"LoadBalancerId": "alb-1", "Name": "gates"}}})

func TestALBIsReadInEverySpellingOfItsDocuments(t *testing.T) {
	const targets = `"Targets":[{"Id":"ars-1","ResourceId":"uhost-1","ResourceIP":"10.9.0.4","Port":6150,"Enabled":true,"State":"Healthy","Weight":3},
		{"Id":"ars-2","ResourceIP":"10.9.0.5","Port":6150,"Enabled":false,"State":"Unhealthy","Weight":9,"IsBackup":true}]`
	for name, listener := range map[string]string{
		"as the model has it":    `"ListenerPort":443,"ListenerProtocol":"HTTPS","HealthCheckConfig":{"Enabled":true},"StickinessConfig":{"Enabled":true,"Type":"ServerInsert"}`,
		"as the samples have it": `"ListenerPort":"443","ListenerProtocol":"HTTPS","HealthCheckConfig":[{"Enabled":true}],"StickinessConfig":[{"Enabled":true}]`,
		"with the other names":   `"ListenPort":443,"ListenProtocol":"HTTPS","HealthCheckConfig":[],"StickinessConfig":[{"Enabled":true}]`,
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, map[string]reply{"DescribeLoadBalancers": foundALB, "DescribeListeners": raw(200,
				`{"RetCode":0,"Action":"%s","TotalCount":1,"Listeners":[{"ListenerId":"als-1","Name":"gate","Scheduler":"WeightRoundrobin",`+listener+`,`+targets+`}]}`)})
			r, err := balancer(t, c.config("alb-1")).Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := ulb.Listener{ID: "als-1", Name: "gate", Protocol: "HTTPS", Method: "WeightRoundrobin", Port: 443, Sticky: "cookie"}
			if r.Name != "gates" || len(r.Listeners) != 1 || r.Listeners[0] != want {
				t.Errorf("got %+v, want %+v", r.Listeners, want)
			}
			on := ulb.Backend{ID: "ars-1", Listener: "als-1", Resource: "uhost-1", Host: "10.9.0.4", Port: 6150, Weight: 3, Enabled: true, Stored: 3, Healthy: true, Heeds: true}
			off := ulb.Backend{ID: "ars-2", Listener: "als-1", Host: "10.9.0.5", Port: 6150, Stored: 9, Heeds: true, Standby: true}
			if len(r.Backends) != 2 || r.Backends[0] != on || r.Backends[1] != off {
				t.Errorf("got %+v", r.Backends)
			}
			if got := c.asked("DescribeLoadBalancers")[0].Get("LoadBalancerIds.0"); got != "alb-1" {
				t.Errorf("asked for %q", got)
			}
		})
	}
}

func TestNLBIsRead(t *testing.T) {
	c := newCloud(t, map[string]reply{
		"DescribeNetworkLoadBalancers": ok(object{"NLBs": []object{{"NLBId": "nlb-1", "Name": "gates"}}}),
		"DescribeNLBListeners": ok(object{"TotalCount": 1, "Listeners": []object{{
			"ListenerId": "nls-1", "Name": "gate", "Protocol": "TCP", "Scheduler": "WeightLeastConn ", "StartPort": 6150, "EndPort": 6157,
			"StickinessTimeout": 90, "HealthCheckConfig": object{"Interval": 2},
			"Targets": []object{{"Id": "nrs-1", "ResourceIP": "10.9.0.4", "Port": 6150, "Enabled": true, "State": "Healthy", "Weight": 3}},
		}}}),
	})
	r, err := balancer(t, c.config("nlb-1")).Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := ulb.Listener{ID: "nls-1", Name: "gate", Protocol: "TCP", Method: "WeightLeastConn ", Port: 6150, Sticky: "client address", Lasts: 90 * time.Second}
	b := ulb.Backend{ID: "nrs-1", Listener: "nls-1", Host: "10.9.0.4", Port: 6150, Weight: 3, Enabled: true, Stored: 3, Healthy: true, Heeds: true}
	if len(r.Listeners) != 1 || r.Listeners[0] != l || len(r.Backends) != 1 || r.Backends[0] != b {
		t.Errorf("got %+v", r)
	}
	if got := c.asked("DescribeNetworkLoadBalancers")[0].Get("NLBIds.0"); got != "nlb-1" {
		t.Errorf("asked for %q", got)
	}
}

func TestATargetThatDoesNotSayWhetherItIsOnIsNotOff(t *testing.T) {
	target := []object{{"Id": "t-1", "Weight": 3, "State": "Healthy"}}
	c := newCloud(t, map[string]reply{
		"DescribeLoadBalancers":        foundALB,
		"DescribeListeners":            ok(object{"TotalCount": 1, "Listeners": []object{{"ListenerId": "l", "Targets": target}}}),
		"DescribeNetworkLoadBalancers": ok(object{"NLBs": []object{{"NLBId": "nlb-1"}}}),
		"DescribeNLBListeners":         ok(object{"TotalCount": 1, "Listeners": []object{{"ListenerId": "l", "Targets": target}}}),
	})
	for _, id := range []string{"alb-1", "nlb-1"} {
		if r, err := balancer(t, c.config(id)).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "whether backend t-1 is enabled") {
			t.Errorf("%s: got %+v, %v", id, r, err)
		}
	}
}

func TestTheBalancersIDChoosesTheFamilyOrIsRefused(t *testing.T) {
	c := newCloud(t, nil)
	for _, id := range []string{"", "ulb", "ulb-", "clb-1", "ULB-1", "vserver-1", "9f1c2a3b"} {
		if _, err := ulb.New(c.config(id), nil); err == nil {
			t.Errorf("%q was taken", id)
		}
	}
	for _, id := range []string{"ulb-1", "alb-1", "nlb-1", "ulb-1/gates"} {
		if _, err := ulb.New(c.config(id), nil); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestNewSaysEverythingThatIsWrong(t *testing.T) {
	_, err := ulb.New(ulb.Config{ID: "alb-1", Batch: true, Parallel: -1, Settings: ulb.Settings{BaseURL: "http://example.com"}}, nil)
	for _, want := range []string{"batch", "below 0", "key pair", "region", "plain http"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
