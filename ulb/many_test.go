package ulb_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/ulb"
)

func TestABatchSaysForEachBackendWhatBecameOfIt(t *testing.T) {
	c := newCloud(t, map[string]reply{"UpdateBackendBatch": ok(object{"BackendSet": []object{
		{"BackendId": "fine", "SubRetCode": 0, "SubMessage": ""},
		{"BackendId": "gone", "SubRetCode": 4093, "SubMessage": "node not exist"},
		{"BackendId": "busy", "SubRetCode": "153", "SubMessage": "later"},
		{"BackendId": "mute"},
		{"BackendId": "other", "SubRetCode": 1},
	}})})
	config := c.config("ulb-1")
	config.Batch = true
	var changes []ulb.Change
	for _, id := range []string{"gone", "fine", "left out", "busy", "mute"} {
		changes = append(changes, ulb.Change{Backend: ulb.Backend{ID: id}})
	}
	out := balancer(t, config).Write(t.Context(), changes)
	for i, want := range []ulb.State{ulb.Refused, ulb.Done, ulb.Unknown, ulb.Refused, ulb.Unknown} {
		if out[i].State != want || out[i].ID != changes[i].Backend.ID {
			t.Errorf("got %s %s (%v), want %s", out[i].ID, out[i].State, out[i].Err, want)
		}
	}
	if !is[*ulb.NotFoundError](out[0].Err) {
		t.Errorf("got %v", out[0].Err)
	}
	var refused *ulb.RefusedError
	if !errors.As(out[3].Err, &refused) || !refused.Retry {
		t.Errorf("throttled backend: got %+v", out[3].Err)
	}
}

func TestARefusalOfAListProvesNothingAboutItsParts(t *testing.T) {
	changes := []ulb.Change{{Backend: ulb.Backend{ID: "t-1", Listener: "l"}}, {Backend: ulb.Backend{ID: "t-2", Listener: "l"}}}
	for code, want := range map[int]ulb.State{4093: ulb.Unknown, 4104: ulb.Unknown, 153: ulb.Refused, 171: ulb.Refused, 110: ulb.Unknown} {
		c := newCloud(t, map[string]reply{"UpdateTargetsAttribute": refuse(code)})
		for _, o := range balancer(t, c.config("alb-1")).Write(t.Context(), changes) {
			if o.State != want || !is[*ulb.APIError](o.Err) {
				t.Errorf("RetCode %d: got %s, %v; want %s", code, o.State, o.Err, want)
			}
		}
	}
}

func TestFourThousandEightHundredBackendsGoInTwenties(t *testing.T) {
	const n = 4800
	for _, row := range []struct {
		id, action, field string
		listeners, want   int
	}{
		{"ulb-1", "UpdateBackendBatch", "Attributes.%d.BackendId", 7, n / 20},
		{"alb-1", "UpdateTargetsAttribute", "Targets.%d.Id", 96, 96 * 3}, // 50 each: 20, 20, 10
		{"nlb-1", "UpdateNLBTargetsAttribute", "Targets.%d.Id", 1, n / 20},
	} {
		t.Run(row.id, func(t *testing.T) {
			c := newCloud(t, map[string]reply{row.action: func(w http.ResponseWriter, form url.Values, _ int) {
				var set []object
				for i := 0; form.Has(fmt.Sprintf(row.field, i)); i++ {
					set = append(set, object{"BackendId": form.Get(fmt.Sprintf(row.field, i)), "SubRetCode": 0})
				}
				write(w, form, 0, object{"BackendSet": set})
			}})
			config := c.config(row.id)
			config.Batch = row.id == "ulb-1"
			var changes []ulb.Change
			owner := map[string]string{}
			for i := range n {
				b := ulb.Backend{ID: fmt.Sprintf("b-%d", i), Listener: fmt.Sprintf("l-%d", i%row.listeners)}
				owner[b.ID] = b.Listener
				changes = append(changes, ulb.Change{Backend: b})
			}
			for i, o := range balancer(t, config).Write(t.Context(), changes) {
				if o.State != ulb.Done || o.ID != changes[i].Backend.ID {
					t.Fatalf("outcome %d: %+v", i, o)
				}
			}
			times := map[string]int{}
			for _, form := range c.asked(row.action) {
				size := 0
				for ; form.Has(fmt.Sprintf(row.field, size)); size++ {
					id := form.Get(fmt.Sprintf(row.field, size))
					times[id]++
					if l := form.Get("ListenerId"); l != "" && l != owner[id] {
						t.Errorf("%s of %s sent to %s", id, owner[id], l)
					}
				}
				if size < 1 || size > 20 {
					t.Errorf("a request about %d backends", size)
				}
			}
			if got := len(c.asked(row.action)); got != row.want || len(times) != n {
				t.Errorf("%d requests about %d backends, want %d about %d", got, len(times), row.want, n)
			}
		})
	}
}

func TestNoMoreWritesAtOnceThanAllowed(t *testing.T) {
	var now, most atomic.Int32
	c := newCloud(t, map[string]reply{"UpdateBackendAttribute": func(w http.ResponseWriter, form url.Values, _ int) {
		for n := now.Add(1); ; {
			if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		<-time.After(2 * time.Millisecond) // long enough that the others come
		now.Add(-1)
		write(w, form, 0, nil)
	}})
	config := c.config("ulb-1")
	config.Parallel = 4
	var changes []ulb.Change
	for i := range 60 {
		changes = append(changes, ulb.Change{Backend: ulb.Backend{ID: fmt.Sprint(i)}})
	}
	balancer(t, config).Write(t.Context(), changes)
	if got := most.Load(); got < 2 || got > 4 {
		t.Errorf("%d at once, want up to 4", got)
	}
}

func TestRefusedCredentialsAreNotTriedForEveryBackend(t *testing.T) {
	c := newCloud(t, map[string]reply{"UpdateBackendAttribute": refuse(295)})
	config := c.config("ulb-1")
	config.Parallel = 3
	var changes []ulb.Change
	for i := range 100 {
		changes = append(changes, ulb.Change{Backend: ulb.Backend{ID: fmt.Sprint(i)}})
	}
	for _, o := range balancer(t, config).Write(t.Context(), changes) {
		if o.State != ulb.Refused || !is[*ulb.AuthError](o.Err) {
			t.Fatalf("got %+v", o)
		}
	}
	if got := len(c.asked("UpdateBackendAttribute")); got > 6 {
		t.Errorf("%d requests with credentials that were refused", got)
	}
}

func TestAChangeThatMakesNoSenseIsNotSent(t *testing.T) {
	c := newCloud(t, map[string]reply{"UpdateBackendAttribute": ok(nil)})
	b := func(id string) ulb.Backend { return ulb.Backend{ID: id, Heeds: true, Stored: 1} }
	out := balancer(t, c.config("ulb-1")).Write(t.Context(), []ulb.Change{
		{Backend: b("twice"), Weight: 1}, {Backend: b("fine"), Weight: 1}, {Backend: b("twice"), Weight: 0},
		{Backend: b("heavy"), Weight: 101}, {Backend: b("light"), Weight: -1}, {Backend: b("")},
	})
	for i, want := range []ulb.State{ulb.Refused, ulb.Done, ulb.Refused, ulb.Refused, ulb.Refused, ulb.Refused} {
		if out[i].State != want {
			t.Errorf("%q: got %s, %v", out[i].ID, out[i].State, out[i].Err)
		}
	}
	if got := len(c.asked("UpdateBackendAttribute")); got != 1 {
		t.Errorf("%d requests, want the one that makes sense", got)
	}
}

func TestReadsAndWritesMayRunAtOnce(t *testing.T) {
	replies := reading(vserver("a", "WeightRoundrobin", 8))
	replies["UpdateBackendAttribute"] = func(w http.ResponseWriter, form url.Values, nth int) {
		if nth%5 == 0 {
			refuse(153)(w, form, nth)
			return
		}
		ok(nil)(w, form, nth)
	}
	c := newCloud(t, replies)
	b := balancer(t, c.config("ulb-1"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			r, err := b.Read(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			var changes []ulb.Change
			for _, k := range r.Backends {
				changes = append(changes, ulb.Change{Backend: k, Weight: 2})
			}
			for _, o := range b.Write(t.Context(), changes) {
				if o.State == ulb.Unknown {
					t.Errorf("got %+v", o)
				}
			}
		})
	}
	all.Wait()
}
