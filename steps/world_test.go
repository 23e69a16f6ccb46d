package steps_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// world is everything a run touches: a load balancer, machines and players, on the clock of a synctest bubble. It notes every
// promise that is broken.
type world struct {
	mu      sync.Mutex
	plan    plans.Plan
	weights map[string]int
	closed  map[string]time.Time // group → since when it takes nobody; its sessions end a minute later
	up      map[string]bool      // host → its processes run
	stops   map[string]int
	starts  map[string]int
	broken  []string
	stay    int // sessions that never end by themselves

	lookErr  func() error
	answer   func(id string, w int) (plans.Outcome, bool) // outcome and whether it takes effect
	sick     map[string]bool
	exit     map[string]int // "act host" → exit code
	deaf     map[string]bool
	unread   map[string]bool
	bare     map[string]bool // hosts that take no players
	noStop   map[string]bool // a stop does nothing there
	sessions map[string]int  // group → sessions while open
	begun    map[string]bool // host and id of a command → it has begun, and ended at once
}

func newWorld(change ...func(*plans.Options)) *world {
	return newWorldOf(plans.Lines{Stop: "stop", Start: "start", Status: "status"}, change...)
}

func newWorldOf(recipe plans.Recipe, change ...func(*plans.Options)) *world {
	before := map[string]plans.Backend{}
	group := func(name string, from int) groups.Group {
		g := groups.Group{Name: name}
		for i := from; i < from+3; i++ {
			host := fmt.Sprintf("10.9.0.%d", i)
			g.Machines = append(g.Machines, groups.Machine{Name: fmt.Sprintf("game-%d", i), Host: host, Ports: []int{6150, 6200}, Sessions: []int{6200}})
			before[fmt.Sprintf("b%d", i)] = plans.Backend{Addr: host + ":6150", Host: host, Group: name, Weight: i}
		}
		return g
	}
	o := plans.Options{ID: "r", Service: "game", OnFail: "hold", Settle: 5 * time.Second, Shift: 2 * time.Minute, DrainWithin: 3 * time.Minute,
		DrainStable: 5 * time.Second, Draining: plans.Draining{Interval: plans.Seconds(time.Second), OnDeadline: plans.Cut},
		RestartWithin: 90 * time.Second, KillAfter: 20 * time.Second, CheckWithin: 2 * time.Minute, CheckStable: 10 * time.Second}
	for _, c := range change {
		c(&o)
	}
	p := plans.Build(groups.Fleet{First: group("group2", 4), Second: group("group1", 1)}, recipe, before, o)
	w := &world{plan: p, weights: p.Weights(), closed: map[string]time.Time{}, up: map[string]bool{}, stops: map[string]int{}, starts: map[string]int{},
		sick: map[string]bool{}, exit: map[string]int{}, deaf: map[string]bool{}, unread: map[string]bool{}, noStop: map[string]bool{},
		sessions: map[string]int{"group1": 100, "group2": 100}, begun: map[string]bool{}}
	for _, m := range p.Machines {
		w.up[m.Host] = true
	}
	return w
}

func (w *world) tools() steps.Tools {
	return steps.Tools{Traffic: w, Shell: w, Prober: w, Sessions: w, By: "liu@ops", PID: 1}
}

func (w *world) violate(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// full says whether every backend of a group has the weight it was found with and its machine runs.
func (w *world) full(group string) bool {
	for id, b := range w.plan.Before {
		if b.Group == group && (b.Serve() > 0 && w.weights[id] != b.Serve() || !w.up[b.Host]) {
			return false
		}
	}
	return true
}

func (w *world) Look(context.Context) (steps.Look, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lookErr != nil {
		if err := w.lookErr(); err != nil {
			return steps.Look{}, err
		}
	}
	l := steps.Look{Weights: maps.Clone(w.weights), Addrs: map[string]string{}}
	for id, b := range w.plan.Before {
		l.Addrs[id] = b.Addr
		if w.sick[id] || !w.up[b.Host] {
			l.Sick = append(l.Sick, id)
		}
	}
	return l, nil
}

func (w *world) Write(_ context.Context, weights map[string]int) []plans.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	var as []plans.Answer
	for _, id := range slices.Sorted(maps.Keys(weights)) {
		a, effect := plans.Answer{Backend: id, Outcome: plans.Accepted}, true
		if w.answer != nil {
			a.Outcome, effect = w.answer(id, weights[id])
			a.Again = true
		}
		if effect {
			w.set(id, weights[id])
		}
		as = append(as, a)
	}
	return as
}

func (w *world) set(id string, weight int) {
	g := w.plan.Before[id].Group
	if weight > 0 && !w.up[w.plan.Before[id].Host] {
		w.violate("%s opened while its machine is down", id)
	}
	w.weights[id] = weight
	if !w.full("group1") && !w.full("group2") {
		w.violate("no group in full service after %s=%d", id, weight)
	}
	delete(w.closed, g)
	if w.off(g) {
		w.closed[g] = time.Now()
	}
}

// fall makes a backend sick or well, at any moment of a run.
func (w *world) fall(id string, sick bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sick[id] = sick
}

func (w *world) off(group string) bool {
	for id, b := range w.plan.Before {
		if b.Group == group && w.weights[id] > 0 {
			return false
		}
	}
	return true
}

// open gives the sessions on a group now.
func (w *world) open(group string) int {
	since, ok := w.closed[group]
	if !ok {
		return w.sessions[group]
	}
	return max(w.stay, w.sessions[group]-int(time.Since(since).Seconds()*float64(w.sessions[group])/60))
}

func (w *world) group(host string) string {
	for _, m := range w.plan.Machines {
		if m.Host == host {
			return m.Group
		}
	}
	return ""
}

// Ask knows each command that has begun.
func (w *world) Ask(_ context.Context, c plans.Command) (steps.Begun, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.deaf[c.Host]:
		return "", errors.New("ssh: connection refused")
	case w.begun[c.Host+c.ID]:
		return steps.Over, nil
	}
	return steps.Absent, nil
}

func (w *world) Run(_ context.Context, c plans.Command, _ time.Duration) (steps.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf[c.Host] {
		return steps.Result{}, errors.New("ssh: connection refused")
	}
	if c.ID != "" && w.begun[c.Host+c.ID] { // begun before: this is how it ended
		return steps.Result{}, nil
	}
	w.begun[c.Host+c.ID] = true
	if code := w.exit[plans.Key(c.Host, c.Do)]; code != 0 {
		return steps.Result{Code: code, Output: "starting\nEADDRINUSE 6203\n"}, nil
	}
	switch c.Do {
	case plans.DoStop:
		g := w.group(c.Host)
		if !w.off(g) {
			w.violate("stop on %s while it takes new connections", c.Host)
		}
		if n := w.open(g); n > 0 && w.up[c.Host] && time.Since(w.closed[g]) < 3*time.Minute {
			w.violate("stop on %s cuts %d sessions before the deadline", c.Host, n)
		}
		if w.up[c.Host] {
			w.stops[c.Host]++
		}
		w.up[c.Host] = w.up[c.Host] && w.noStop[c.Host]
	case plans.DoStart:
		w.starts[c.Host]++
		w.up[c.Host] = true
	case plans.DoStatus:
		if !w.up[c.Host] {
			return steps.Result{Code: 3}, nil
		}
	}
	return steps.Result{}, nil
}

func (w *world) Probe(_ context.Context, p plans.Ports, _ int) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf[p.Host] {
		return false, errors.New("ssh: connection refused")
	}
	return w.up[p.Host], nil
}

// counter counts one group of a world.
type counter struct {
	w     *world
	group string
}

func (w *world) Counter(group string, _ []plans.Ports) drain.Counter { return counter{w, group} }

func (c counter) Count(context.Context) (drain.Reading, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	n := c.w.open(c.group)
	r := drain.Reading{Total: n, ByHost: map[string]int{}, Unread: map[string]string{}, At: time.Now(), Full: true}
	for i, h := range c.w.plan.Hosts(c.group) {
		if c.w.bare[h] {
			continue
		}
		if c.w.unread[h] {
			r.Unread[h] = "ssh: connection lost"
			continue
		}
		r.ByHost[h] = n / 3
		if i == 0 {
			r.ByHost[h] = n - 2*(n/3)
		}
	}
	return r, nil
}

// book is a journal in memory that can end its process at an event, before or after that is kept.
type book struct {
	es     []plans.Event
	die    int // at the event of this number; 0: never
	kept   bool
	dead   bool // it has ended
	ask    plans.Request
	askAt  int
	booted time.Time
}

var errDead = errors.New("killed")

func (b *book) Append(_ context.Context, e plans.Event) (plans.Event, error) {
	n := len(b.es) + 1
	b.dead = b.dead || b.die == n && !b.kept
	if b.dead {
		return e, errDead
	}
	e.Seq, e.Stamp = int64(n), plans.Stamp{At: time.Now(), Boot: "b", Up: plans.Seconds(time.Since(b.booted))}
	b.es = append(b.es, e)
	if b.die == n {
		b.dead = true
		return e, errDead
	}
	return e, nil
}

func (b *book) Requests(ctx context.Context) ([]plans.Event, error) {
	if b.ask == "" || len(b.es) < b.askAt {
		return nil, nil
	}
	e, err := b.Append(ctx, plans.Event{What: plans.Asked, Step: -1, Request: b.ask, By: "wang@ops"})
	b.ask = ""
	return []plans.Event{e}, err
}

func (b *book) state() plans.State { return plans.Fold(slices.Values(b.es)) }

// open begins a run of w.
func begin(w *world) *book {
	b := &book{booted: time.Now()}
	if _, err := b.Append(context.Background(), plans.Event{What: plans.Planned, Step: -1, Plan: &w.plan}); err != nil {
		panic(err)
	}
	return b
}

// whole demands what must be true of w after every run: no promise broken; and, where the run is done, everything as it was found
// and each machine restarted once.
func (w *world) whole(t *testing.T, done bool) {
	t.Helper()
	if len(w.broken) > 0 {
		t.Fatalf("promises broken:\n%s", strings.Join(w.broken, "\n"))
	}
	if !done {
		return
	}
	if got, want := w.weights, w.plan.Weights(); !maps.Equal(got, want) {
		t.Errorf("got weights %v, want %v", got, want)
	}
	for _, m := range w.plan.Machines {
		if w.stops[m.Host] != 1 || w.starts[m.Host] != 1 {
			t.Errorf("%s was stopped %d times and started %d times, want once each", m.Name, w.stops[m.Host], w.starts[m.Host])
		}
	}
}
