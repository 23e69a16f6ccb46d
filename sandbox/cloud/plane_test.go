package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// board is a plane that remembers what it is told.
type board struct {
	mu      sync.Mutex
	has     map[string]string // by listener id: a on 1, b off 1
	applied int
	refuses error
	mute    error
	healthy map[string]bool
}

func (p *board) Apply(_ context.Context, listenerID string, backends []Backend) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuses != nil {
		return p.refuses
	}
	var all []string
	for _, b := range backends {
		all = append(all, fmt.Sprint(b.ID, map[bool]string{true: " on ", false: " off "}[b.Enabled], b.Weight))
	}
	if p.has == nil {
		p.has = map[string]string{}
	}
	p.has[listenerID] = strings.Join(all, ", ")
	p.applied++
	return nil
}

func (p *board) Healthy(context.Context, string) (map[string]bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.healthy, p.mute
}

func (p *board) reads() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.has[front]
}

func (p *board) set(f func(*board)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// beyond is a listener nothing of which could be listened at or dialled here.
func beyond(method string) Balancer {
	return clb(Listener{Front: "192.0.2.1:6150", Method: method, Backends: []Backend{
		{ID: "a", Host: "192.0.2.4", Port: 6150, Enabled: true, Weight: 7},
		{ID: "b", Host: "192.0.2.5", Port: 6150, Weight: 3},
	}})
}

func planed() (Options, *board) {
	o, p := quiet(), &board{}
	o.Plane = p
	return o, p
}

func write(t *testing.T, c *Cloud, id, field, value string) answer {
	t.Helper()
	return call1(t, c, "UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", id, field, value)
}

func TestAPlaneHasEveryWriteBeforeTheAPIAnswers(t *testing.T) {
	o, p := planed()
	o.Spread, o.ReadLag = time.Hour, time.Hour // the plane is no late worker
	c := start(t, o, beyond("WeightRoundrobin"))
	steps := []struct{ id, field, value, want string }{
		{"a", "Enabled", "1", "a on 7, b off 3"},
		{"b", "Enabled", "1", "a on 7, b on 3"},
		{"a", "Weight", "0", "a off 1, b on 3"},
		{"a", "Weight", "9", "a on 9, b on 3"},
		{"b", "Enabled", "0", "a on 9, b off 3"},
	}
	for _, s := range steps {
		if code := write(t, c, s.id, s.field, s.value).code(); code != "0" {
			t.Fatalf("%v: RetCode %s", s, code)
		}
		if got := p.reads(); got != s.want {
			t.Errorf("%s %s %s: the plane has %q, want %q", s.id, s.field, s.value, got, s.want)
		}
	}
	call1(t, c, "UpdateVServerAttribute", "ULBId", "ulb-1", "VServerId", front, "Method", "Roundrobin")
	if got, want := p.reads(), "a on 1, b off 1"; got != want {
		t.Errorf("under Roundrobin the plane has %q, want %q", got, want)
	}
	if err := c.Set("b", func(is *Backend) { is.Enabled = true }); err != nil {
		t.Fatal(err)
	}
	if got, want := p.reads(), "a on 1, b on 1"; got != want {
		t.Errorf("after a foreign hand the plane has %q, want %q", got, want)
	}
	before := p.applied
	call1(t, c, "DescribeVServer", "ULBId", "ulb-1")
	if p.applied != before {
		t.Error("the plane was told again though nothing changed")
	}
	if got := c.Front(front); got != "192.0.2.1:6150" {
		t.Errorf("the front is %s, want the plane's", got)
	}
}

func TestAPlaneHearsOfFaultyWritesWhatTheBalancerWould(t *testing.T) {
	o, p := planed()
	c := start(t, o, beyond(""))
	for _, kind := range []string{"lie", "silent"} {
		if err := c.Break(Fault{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		write(t, c, "a", "Enabled", "0")
		if got, want := p.reads(), "a on 1, b off 1"; got != want {
			t.Errorf("%s: the plane has %q, want %q", kind, got, want)
		}
		c.Mend("")
	}
	if err := c.Break(Fault{Kind: "late", Delay: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	write(t, c, "b", "Enabled", "1")
	eventually(t, "the late write is there", func() bool { return p.reads() == "a on 1, b on 1" })
	if err := c.Break(Fault{Kind: "flip", Value: "a", Delay: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the flip is there", func() bool { return p.reads() == "a off 1, b on 1" })
}

func TestWhatAPlaneRefusesIsAnsweredAndOfferedAgain(t *testing.T) {
	o, p := planed()
	c := start(t, o, beyond(""))
	p.set(func(p *board) { p.refuses = errors.New("no room") })
	got := write(t, c, "b", "Enabled", "1")
	if got.code() != "150" || !strings.Contains(fmt.Sprint(got["Message"]), "listener vserver-1: no room") {
		t.Errorf("answered %v, want RetCode 150 and the plane's words", got)
	}
	if err := c.steering.err(); err == nil {
		t.Error("nothing is known of what the plane does not have")
	}
	p.set(func(p *board) { p.refuses = nil })
	if got := write(t, c, "a", "Enabled", "0").code(); got != "0" {
		t.Errorf("RetCode %s for the next write", got)
	}
	if got, want := p.reads(), "a off 1, b on 1"; got != want {
		t.Errorf("the plane has %q, want both changes, %q", got, want)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v, though the plane has all", err)
	}
}

func TestAPlaneIsOfferedAgainWithoutAWriteToo(t *testing.T) {
	o, p := planed()
	o.HealthEvery = 2 * time.Millisecond
	c := start(t, o, beyond(""))
	p.set(func(p *board) { p.refuses = errors.New("no room") })
	write(t, c, "b", "Enabled", "1")
	p.set(func(p *board) { p.refuses = nil })
	eventually(t, "the plane has the change", func() bool { return p.reads() == "a on 1, b on 1" })
}

func TestTheHealthOfAPlaneIsToldAsLateAsThatOfProbes(t *testing.T) {
	for _, lag := range []time.Duration{0, time.Hour} {
		o, p := planed()
		o.HealthEvery, o.StatusLag = 2*time.Millisecond, lag
		p.healthy = map[string]bool{"a": false, "nobody": true}
		c := start(t, o, beyond(""))
		eventually(t, "a is abnormal", func() bool { return truth(t, c, "a").Status == 1 })
		if got := truth(t, c, "b").Status; got != 0 {
			t.Errorf("b has Status %d, of which the plane said nothing", got)
		}
		if got, want := field(t, c, 0, "Status"), fmt.Sprint(bit(lag == 0)); got != want {
			t.Errorf("lag %v: told Status %s, want %s", lag, got, want)
		}
		p.set(func(p *board) { p.healthy, p.mute = map[string]bool{"a": true}, errors.New("asleep") })
		eventually(t, "the silence is known", func() bool { return c.steering.err() != nil })
		if got := truth(t, c, "a").Status; got != 1 {
			t.Errorf("a has Status %d from an answer that was an error", got)
		}
		p.set(func(p *board) { p.mute = nil })
		eventually(t, "a is healthy", func() bool { return truth(t, c, "a").Status == 0 && c.steering.err() == nil })
	}
}

func TestSkipDisabledLeavesTheStatusOfDisabledBackendsStaleWithAPlaneToo(t *testing.T) {
	o, p := planed()
	o.HealthEvery, o.SkipDisabled = 2*time.Millisecond, true
	p.healthy = map[string]bool{"a": false, "b": false}
	c := start(t, o, beyond(""))
	eventually(t, "a is abnormal", func() bool { return truth(t, c, "a").Status == 1 })
	if got := truth(t, c, "b").Status; got != 0 {
		t.Errorf("the disabled b has Status %d, want the one it had", got)
	}
}

func TestStartAndTheAPIRefuseWhatNoPlaneDoes(t *testing.T) {
	for _, tt := range []struct {
		name, front, method, want string
		refuses                   error
	}{
		{"no front", "", "", "a plane listens there", nil},
		{"no port", "192.0.2.1:0", "", "its port must be given", nil},
		{"another method", "192.0.2.1:1", "Leastconn", "method Leastconn: a plane knows", nil},
		{"a plane that refuses", "192.0.2.1:1", "", "vserver-1: no such backend", errors.New("no such backend")},
	} {
		o, p := planed()
		p.refuses = tt.refuses
		c, err := Start(t.Context(), o, []Balancer{clb(Listener{Front: tt.front, Method: tt.method})})
		if err == nil {
			c.Close()
			t.Errorf("%s: started", tt.name)
		} else if strings.Count(err.Error(), tt.want) != 1 {
			t.Errorf("%s: got %q, want it to hold %q once", tt.name, err, tt.want)
		}
	}
	o, p := planed()
	c := start(t, o, beyond(""))
	for _, call := range [][]string{
		{"AllocateBackend", "ULBId", "ulb-1", "VServerId", front, "ResourceType", "UHost", "ResourceIP", "192.0.2.6"},
		{"ReleaseBackend", "ULBId", "ulb-1", "BackendId", "a"},
		{"UpdateBackendAttribute", "ULBId", "ulb-1", "BackendId", "a", "Port", "6151"},
		{"UpdateVServerAttribute", "ULBId", "ulb-1", "VServerId", front, "Method", "Leastconn"},
	} {
		if got := call1(t, c, call[0], call[1:]...); got.code() != "150" {
			t.Errorf("%v: answered %v, want RetCode 150", call, got)
		}
	}
	if err := c.Break(Fault{Kind: "recreate"}); err == nil {
		t.Error("no error for a backend to re-create")
	}
	if got, want := p.reads(), "a on 1, b off 1"; got != want {
		t.Errorf("the plane has %q, want %q as at Start", got, want)
	}
}
