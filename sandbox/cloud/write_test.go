package cloud

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// state3 is what an update can change.
func state3(b Backend) string {
	return fmt.Sprintf("enabled %v weight %d backup %v", b.Enabled, b.Weight, b.IsBackup)
}

func TestAnUpdateChangesOnlyWhatItSends(t *testing.T) {
	const clbUpdate, albUpdate, nlbUpdate = "UpdateBackendAttribute", "UpdateTargetsAttribute", "UpdateNLBTargetsAttribute"
	tests := []struct {
		name   string
		action string
		id     string
		pairs  []string
		want   string
	}{
		{"clb enabled", clbUpdate, "backend-1", []string{"Enabled", "0"}, "enabled false weight 7 backup false"},
		{"clb weight", clbUpdate, "backend-1", []string{"Weight", "100"}, "enabled true weight 100 backup false"},
		{"clb backup", clbUpdate, "backend-2", []string{"IsBackup", "0"}, "enabled false weight 3 backup false"},
		{"clb nothing", clbUpdate, "backend-1", nil, "enabled true weight 7 backup false"},
		{"alb enabled", albUpdate, "ars-2", []string{"Targets.0.Enabled", "true"}, "enabled true weight 3 backup true"},
		{"alb weight", albUpdate, "ars-2", []string{"Targets.0.Weight", "9"}, "enabled false weight 9 backup true"},
		{"nlb enabled", nlbUpdate, "nrs-1", []string{"Targets.0.Enabled", "false"}, "enabled false weight 7 backup false"},
		{"nlb knows no backup", nlbUpdate, "nrs-1", []string{"Targets.0.IsBackup", "true"}, "enabled true weight 7 backup false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, quiet(), world()...)
			pairs := map[string][]string{
				clbUpdate: {"ULBId", "ulb-1", "BackendId", tt.id},
				albUpdate: {"LoadBalancerId", "alb-1", "ListenerId", "als-1", "Targets.0.Id", tt.id},
				nlbUpdate: {"NLBId", "nlb-1", "ListenerId", "nls-1", "Targets.0.Id", tt.id},
			}[tt.action]
			if got := call1(t, c, tt.action, append(pairs, tt.pairs...)...).code(); got != "0" {
				t.Fatalf("RetCode %s", got)
			}
			if got := state3(truth(t, c, tt.id)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestABadUpdateIsRefusedAndChangesNothing(t *testing.T) {
	in := func(action string, pairs ...string) []string { return append([]string{action}, pairs...) }
	many := []string{"UpdateTargetsAttribute", "LoadBalancerId", "alb-1", "ListenerId", "als-1"}
	for i := range 21 {
		many = append(many, "Targets."+strconv.Itoa(i)+".Id", "ars-1", "Targets."+strconv.Itoa(i)+".Enabled", "false")
	}
	tests := []struct {
		name string
		call []string
		want string
	}{
		{"unknown CLB", in("UpdateBackendAttribute", "ULBId", "ulb-9", "BackendId", "backend-1", "Enabled", "0"), "4103"},
		{"an ALB's id for a CLB's", in("UpdateBackendAttribute", "ULBId", "alb-1", "BackendId", "ars-1", "Enabled", "0"), "4103"},
		{"unknown backend", in("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-9", "Enabled", "0"), "4093"},
		{"another balancer's backend", in("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "ars-1", "Enabled", "0"), "4093"},
		{"no CLB", in("UpdateBackendAttribute", "BackendId", "backend-1", "Enabled", "0"), "220"},
		{"weight 101", in("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Weight", "101", "Enabled", "0"), "4997"},
		{"weight -1", in("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Weight", "-1", "Enabled", "0"), "4997"},
		{"a weight that is none", in("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Weight", "x", "Enabled", "0"), "230"},
		{"Enabled 2", in("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "2"), "230"},
		{"port 0", in("UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Port", "0", "Enabled", "0"), "4550"},
		{"an empty batch", in("UpdateBackendBatch", "ULBId", "ulb-1"), "220"},
		{"no targets", in("UpdateTargetsAttribute", "LoadBalancerId", "alb-1", "ListenerId", "als-1"), "230"},
		{"21 targets", many, "230"},
		{"one unknown target among good ones", in("UpdateTargetsAttribute", "LoadBalancerId", "alb-1", "ListenerId", "als-1",
			"Targets.0.Id", "ars-1", "Targets.0.Enabled", "false", "Targets.1.Id", "ars-9"), "4148"},
		{"unknown listener", in("UpdateNLBTargetsAttribute", "NLBId", "nlb-1", "ListenerId", "als-1", "Targets.0.Id", "nrs-1"), "4143"},
		{"release of what is not there", in("ReleaseBackend", "ULBId", "ulb-1", "BackendId", "backend-9"), "4093"},
		{"to Backup with backends in place", in("UpdateVServerAttribute", "ULBId", "ulb-1", "VServerId", "vserver-1", "Method", "Backup"), "4104"},
		{"a method of the other listen type", in("UpdateVServerAttribute", "ULBId", "ulb-1", "VServerId", "vserver-2", "Method", "Leastconn"), "230"},
		{"a timeout out of range", in("UpdateVServerAttribute", "ULBId", "ulb-1", "VServerId", "vserver-2", "ClientTimeout", "30"), "4121"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, quiet(), world()...)
			before := fmt.Sprint(c.Snapshot())
			if got := call1(t, c, tt.call[0], tt.call[1:]...).code(); got != tt.want {
				t.Errorf("RetCode %s, want %s", got, tt.want)
			}
			if got := fmt.Sprint(c.Snapshot()); got != before {
				t.Errorf("became\n%s\nfrom\n%s", got, before)
			}
			if r := c.Requests(); len(r) != 1 || r[0].Applied || strconv.Itoa(r[0].RetCode) != tt.want {
				t.Errorf("logged %+v, want one request, not applied, RetCode %s", r, tt.want)
			}
		})
	}
}

func TestABatchFailsBackendByBackendUnderRetCode0(t *testing.T) {
	c := start(t, quiet(), world()...)
	// As the document's own sample spells it, and from 1.
	a := call1(t, c, "UpdateBackendBatch", "ULBId", "ulb-1",
		"Attribute.1.BackendId", "backend-9", "Attribute.1.Enabled", "0",
		"Attribute.2.BackendId", "backend-1", "Attribute.2.Weight", "101",
		"Attribute.10.BackendId", "backend-2", "Attribute.10.Enabled", "1")
	if a.code() != "0" {
		t.Fatalf("RetCode %s, want 0", a.code())
	}
	for i, want := range []string{"backend-9 4093", "backend-1 4997", "backend-2 0"} {
		if got := fmt.Sprint(a.at("BackendSet", i, "BackendId"), " ", a.at("BackendSet", i, "SubRetCode")); got != want {
			t.Errorf("BackendSet %d: %s, want %s", i, got, want)
		}
	}
	if !truth(t, c, "backend-2").Enabled || truth(t, c, "backend-1").Weight != 7 {
		t.Errorf("the snapshot is %v", c.Snapshot()[0])
	}
	if r := c.Requests()[0]; !r.Applied || r.Changes[0].SubCode != 4093 || r.Changes[2].Backend != "backend-2" {
		t.Errorf("logged %+v", r)
	}
	o := quiet()
	o.BatchMax, o.StrictParams = 1, true
	strict := start(t, o, world()...)
	if got := call1(t, strict, "UpdateBackendBatch", "ULBId", "ulb-1", "Attribute.0.BackendId", "backend-1").code(); got != "220" {
		t.Errorf("the singular, strictly: RetCode %s, want 220", got)
	}
	if got := call1(t, strict, "UpdateBackendBatch", "ULBId", "ulb-1", "Attributes.0.BackendId", "backend-1", "Attributes.1.BackendId", "backend-2").code(); got != "4120" {
		t.Errorf("a batch too large: RetCode %s, want 4120", got)
	}
}

func TestWeight0IsTakenAsTheOptionsOrAFaultSay(t *testing.T) {
	tests := []struct {
		name   string
		option ZeroWeight
		fault  string
		code   string
		weight int
	}{
		{"accepted", ZeroAccepted, "", "0", 0},
		{"refused", ZeroRefused, "", "4997", 7},
		{"stored as 1", ZeroAsOne, "", "0", 1},
		{"accepted by a fault", ZeroRefused, "accepted", "0", 0},
		{"refused by a fault", ZeroAccepted, "refused", "4997", 7},
		{"stored as 1 by a fault", ZeroAccepted, "one", "0", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := quiet()
			o.ZeroWeight = tt.option
			c := start(t, o, world()...)
			if tt.fault != "" {
				if err := c.Break(Fault{Kind: "zero", Value: tt.fault}); err != nil {
					t.Fatal(err)
				}
			}
			if got := call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Weight", "0").code(); got != tt.code {
				t.Errorf("RetCode %s, want %s", got, tt.code)
			}
			if got := truth(t, c, "backend-1").Weight; got != tt.weight {
				t.Errorf("weight %d, want %d", got, tt.weight)
			}
		})
	}
}

func TestUnderBackupEnabledAndWeightAreAcceptedAndIgnored(t *testing.T) {
	c := start(t, quiet(), clb(Listener{Method: "Backup", Backends: []Backend{{ID: "b", Enabled: true, Weight: 5}}}))
	if got := call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "b", "Enabled", "0", "Weight", "9").code(); got != "0" {
		t.Errorf("RetCode %s, want 0", got)
	}
	if got, want := state3(truth(t, c, "b")), "enabled true weight 5 backup false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if c.Requests()[0].Applied {
		t.Error("logged as applied")
	}
}

func TestABackendComesAndGoes(t *testing.T) {
	o := quiet()
	o.Quota = 3
	c := start(t, o, world()...)
	add := func(pairs ...string) answer {
		return call1(t, c, "AllocateBackend", append([]string{"ULBId", "ulb-1", "VServerId", "vserver-1", "ResourceType", "UHost"}, pairs...)...)
	}
	for _, tt := range []struct {
		name  string
		pairs []string
		want  string
	}{
		{"unknown VServer", []string{"VServerId", "vserver-9", "ResourceId", "uhost-1"}, "4088"},
		{"the same address", []string{"ResourceId", "uhost-1", "Port", "6150"}, "4109"},
		{"a resource nobody knows", []string{"ResourceId", "uhost-9"}, "63032"},
		{"the port of a PacketsTransmit listener", []string{"VServerId", "vserver-2", "ResourceId", "uhost-1", "Port", "6150"}, "4118"},
		{"no type", []string{"ResourceType", "", "ResourceId", "uhost-1"}, "220"},
	} {
		if got := add(tt.pairs...).code(); got != tt.want {
			t.Errorf("%s: RetCode %s, want %s", tt.name, got, tt.want)
		}
	}
	a := add("ResourceId", "uhost-1", "Port", "6151")
	id := fmt.Sprint(a["BackendId"])
	if got := truth(t, c, id); got.Host != "10.9.0.4" || !got.Enabled || got.Weight != 1 {
		t.Errorf("the new backend is %+v, want uhost-1's host, enabled, weight 1", got)
	}
	if got := add("ResourceId", "uhost-1", "Port", "6152").code(); got != "4090" {
		t.Errorf("beyond the quota: RetCode %s, want 4090", got)
	}
	if got := field(t, c, 2, "BackendId"); got != id {
		t.Errorf("described third: %s, want %s", got, id)
	}
	if got := call1(t, c, "ReleaseBackend", "ULBId", "ulb-1", "BackendId", id).code(); got != "0" {
		t.Errorf("release: RetCode %s", got)
	}
	if got := call1(t, c, "ReleaseBackend", "ULBId", "ulb-1", "BackendId", id).code(); got != "4093" {
		t.Errorf("second release: RetCode %s, want 4093", got)
	}
	if got := field(t, c, 2, "BackendId"); got != "<nil>" {
		t.Errorf("after the release %s is still described", got)
	}
	if got := add("ResourceIP", "10.9.0.9", "Enabled", "0").code(); got != "0" {
		t.Errorf("in the room made free, by address: RetCode %s", got)
	}
}

func TestDescribeIsAsOldAsReadLag(t *testing.T) {
	o := quiet()
	o.ReadLag = time.Hour
	c := start(t, o, world()...)
	call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "0")
	call1(t, c, "ReleaseBackend", "ULBId", "ulb-1", "BackendId", "backend-2")
	if got := field(t, c, 0, "Enabled"); got != "1" {
		t.Errorf("told Enabled %s within the lag, want 1", got)
	}
	if got := field(t, c, 1, "BackendId"); got != "backend-2" {
		t.Errorf("told %s within the lag, want the released backend-2", got)
	}
	o.ReadLag = 50 * time.Millisecond
	c = start(t, o, world()...)
	call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "0")
	eventually(t, "the write is told", func() bool { return field(t, c, 0, "Enabled") == "0" })
}

func TestRequestsTellWhatWasAskedAndDone(t *testing.T) {
	c := start(t, quiet(), world()...)
	call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "0", "Weight", "5")
	call1(t, c, "DescribeVServer", "ULBId", "ulb-1")
	got := c.Requests()
	if len(got) != 2 {
		t.Fatalf("%d requests, want 2", len(got))
	}
	w := got[0]
	if w.Action != "UpdateBackendAttribute" || !w.Applied || w.Status != 200 || w.At.IsZero() || len(w.Changes) != 1 {
		t.Errorf("logged %+v", w)
	}
	change, _ := json.Marshal(w.Changes[0])
	if want := `{"Backend":"backend-1","Enabled":false,"Weight":5,"Port":null,"IsBackup":null,"SubCode":0}`; string(change) != want {
		t.Errorf("the change is %s, want %s", change, want)
	}
	if r := got[1]; r.Applied || r.Changes != nil {
		t.Errorf("a read is logged as %+v", r)
	}
}

func TestSubAnswersAddTheBackendSetOfTheSample(t *testing.T) {
	o := quiet()
	o.SubAnswers = true
	c := start(t, o, world()...)
	a := call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "backend-1", "Enabled", "0")
	if got, want := fmt.Sprintf("%v %v", a.at("BackendSet", 0, "BackendId"), a.at("BackendSet", 0, "SubRetCode")), "backend-1 0"; got != want {
		t.Errorf("BackendSet holds %s, want %s", got, want)
	}
}

func TestTimelinesForgetOnlyWhatNobodyCanSee(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	line := since(time.Time{}, 0)
	for i := 1; i <= 100; i++ {
		line.add(t0.Add(time.Duration(i)*time.Second), i, 10*time.Second)
	}
	now := t0.Add(100 * time.Second)
	for back := range 11 {
		if got, ok := line.asOf(now.Add(-time.Duration(back) * time.Second)); !ok || got != 100-back {
			t.Errorf("%d s ago it was %d, %v, want %d", back, got, ok, 100-back)
		}
	}
	if len(line) > 12 {
		t.Errorf("%d moments are kept, want at most 12", len(line))
	}
	if next, ok := line.after(now.Add(-1500 * time.Millisecond)); !ok || !next.Equal(t0.Add(99*time.Second)) {
		t.Errorf("the next change is at %v, %v", next, ok)
	}
	if _, ok := line.after(now); ok {
		t.Error("a change after the last one")
	}
	if _, ok := since(t0, 1).asOf(t0.Add(-1)); ok {
		t.Error("a value before it began")
	}
}
