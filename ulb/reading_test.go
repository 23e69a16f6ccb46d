package ulb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/ulb"
)

func TestWhatCannotBeWorkedWithIsRefused(t *testing.T) {
	one := func(method string, b ulb.Backend) ulb.Reading {
		return ulb.Reading{Listeners: []ulb.Listener{{ID: "l-1", Name: "gate", Method: method}}, Backends: []ulb.Backend{b}}
	}
	on := ulb.Backend{ID: "b-1", Enabled: true, Stored: 5, Heeds: true, Host: "10.9.0.4", Port: 6150}
	zero, off := on, on
	zero.Stored, off.Stored, off.Enabled = 0, 0, false
	unheeded := zero
	unheeded.Heeds = false
	for _, row := range []struct {
		name string
		r    ulb.Reading
		ramp bool
		want string // in the error; empty: none
	}{
		{"weighted", one("WeightRoundrobin", on), false, ""},
		{"weighted, with ramp", one("weightroundrobin ", on), true, ""},
		{"round robin", one("Roundrobin", on), false, ""},
		{"round robin, with ramp", one("Roundrobin", on), true, "listener l-1 (gate): method Roundrobin"},
		{"weighted by connections, with ramp", one("WeightLeastConn", on), true, "a ramp needs WeightRoundrobin"},
		{"main and standby", one("Backup", on), false, "method Backup"},
		{"main and standby, in another spelling", one(" BACKUP", on), false, "method Backup"},
		{"on with weight 0", one("WeightRoundrobin", zero), false, "backend b-1 (10.9.0.4:6150): enabled with weight 0"},
		{"off with weight 0", one("WeightRoundrobin", off), false, ""},
		{"on with weight 0 that nobody heeds", one("Roundrobin", unheeded), false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.r.Check(row.ramp)
			if (err == nil) != (row.want == "") || (err != nil && !strings.Contains(err.Error(), row.want)) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestEveryFaultOfABalancerIsToldAtOnce(t *testing.T) {
	r := ulb.Reading{Listeners: []ulb.Listener{{ID: "a", Method: "Backup"}, {ID: "b", Method: "Backup"}}}
	if err := r.Check(false); err == nil || !strings.Contains(err.Error(), "listener a") || !strings.Contains(err.Error(), "listener b") {
		t.Errorf("got %v", err)
	}
}

func TestAnEnabledBackendOfWeight0CountsAsOn(t *testing.T) {
	set := vserver("a", "WeightRoundrobin", 1)
	set["BackendSet"].([]object)[0]["Weight"] = 0
	c := newCloud(t, reading(set))
	r, err := balancer(t, c.config("ulb-1")).Read(t.Context())
	if err != nil || r.Backends[0].Weight != 1 || r.Backends[0].Stored != 0 {
		t.Errorf("got %+v, %v", r.Backends, err)
	}
}

func TestAHealthThatIsNotToldIsNotGood(t *testing.T) {
	set := vserver("a", "Roundrobin", 1)
	delete(set["BackendSet"].([]object)[0], "Status")
	c := newCloud(t, reading(set))
	if r, err := balancer(t, c.config("ulb-1")).Read(t.Context()); err != nil || r.Backends[0].Healthy {
		t.Errorf("got %+v, %v", r.Backends, err)
	}
}

func TestPersistenceIsWarnedOf(t *testing.T) {
	change := func(fields object) object {
		set := vserver("a", "Roundrobin", 1)
		for k, v := range fields {
			set[k] = v
		}
		return set
	}
	for _, row := range []struct {
		name  string
		set   object
		want  string // in the one warning; empty: none
		lasts time.Duration
	}{
		{"proxy over TCP", change(nil), "", 0},
		{"proxy with cookie", change(object{"PersistenceType": "ServerInsert", "Protocol": "HTTP"}), "cookie", 0},
		{"packets by address", change(object{"ListenType": "PacketsTransmit", "ClientTimeout": 900}), "client address: new connections of theirs may still reach one that is off for 15m0s", 900 * time.Second},
		{"packets without", change(object{"ListenType": "PacketsTransmit", "ClientTimeout": 0}), "", 0},
		{"by source", change(object{"Method": "Source"}), "method Source", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCloud(t, reading(row.set))
			r, err := balancer(t, c.config("ulb-1")).Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var all string
			for _, w := range r.Warnings() {
				all += w.Error() + "\n"
			}
			if (all == "") != (row.want == "") || !strings.Contains(all, row.want) || r.Listeners[0].Lasts != row.lasts {
				t.Errorf("got %q, %s", all, r.Listeners[0].Lasts)
			}
		})
	}
}
