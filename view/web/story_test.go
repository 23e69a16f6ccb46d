package web

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
)

var noon = time.Date(2026, 11, 22, 14, 30, 52, 0, time.UTC)

// shelf is a source of runs in memory.
type shelf struct {
	mu     sync.Mutex
	ids    []string
	runs   map[string][]plans.Event
	logs   map[string]string // by run and machine
	holder Holder
	reads  int                                             // of whole runs
	broken error                                           // what every reading ends with
	follow func(yield func(e plans.Event, err error) bool) // in place of following; nil: what is added comes
}

func (s *shelf) Runs() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids), nil
}

func (s *shelf) Read(run string) ([]plans.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	es, ok := s.runs[run]
	if !ok {
		return nil, fmt.Errorf("run %s: %w", run, fs.ErrNotExist)
	}
	return slices.Clone(es), s.broken
}

func (s *shelf) Follow(ctx context.Context, run string, after int64) iter.Seq2[plans.Event, error] {
	if s.follow != nil {
		return s.follow
	}
	return func(yield func(plans.Event, error) bool) {
		for {
			es, err := s.Read(run)
			for _, e := range es {
				if e.Seq > after {
					after = e.Seq
					if !yield(e, nil) {
						return
					}
				}
			}
			if err != nil {
				yield(plans.Event{}, err)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
}

func (s *shelf) Log(run, machine string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text, ok := s.logs[run+" "+machine]; ok {
		return text, s.broken
	}
	return "", fmt.Errorf("log of run %s: %w", run, fs.ErrNotExist)
}

func (s *shelf) Holder() (Holder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holder, nil
}

// add adds events to a run.
func (s *shelf) add(run string, es ...plans.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil {
		s.runs = map[string][]plans.Event{}
	}
	if _, ok := s.runs[run]; !ok {
		s.ids = append(s.ids, run)
	}
	s.runs[run] = append(s.runs[run], es...)
}

func (s *shelf) config() Config {
	return Config{Service: "game", Source: s, Log: slog.New(slog.DiscardHandler)}
}

// fleet gives the plan of a fleet with so many machines in each group and so many backends each.
func fleet(t testing.TB, id string, machines, backends int) plans.Plan {
	t.Helper()
	f := groups.Fleet{First: groups.Group{Name: "group2"}, Second: groups.Group{Name: "group1"}}
	before := map[string]plans.Backend{}
	var ports []int
	for i := range backends {
		ports = append(ports, 6200+i)
	}
	for i := range 2 * machines {
		g := &f.Second
		if i >= machines {
			g = &f.First
		}
		host := fmt.Sprintf("10.9.%d.%d", i/250, i%250+1)
		g.Machines = append(g.Machines, groups.Machine{Name: fmt.Sprintf("game-%03d", i+1), Host: host, Ports: ports, Sessions: ports})
		for _, p := range ports {
			before[fmt.Sprintf("backend-%03d-%d", i+1, p)] = plans.Backend{Addr: fmt.Sprintf("%s:%d", host, p), Host: host, Group: g.Name, Weight: 1}
		}
	}
	p := plans.Build(f, plans.Lines{Dir: "/srv", Stop: "stop", Start: "start", Status: "status"}, before, plans.Options{
		ID: id, Service: "game", Balancer: "ulb-x", By: "liu@ci", Release: "v1.8.2", Was: "v1.8.1", Made: noon, OnFail: "hold", Settle: 5 * time.Second, Shift: 2 * time.Minute,
		DrainWithin: 3 * time.Minute, DrainStable: 5 * time.Second, Draining: plans.Draining{Interval: plans.Seconds(time.Second), OnDeadline: plans.Cut},
		RestartWithin: 90 * time.Second, KillAfter: 20 * time.Second, CheckWithin: 2 * time.Minute, CheckStable: 10 * time.Second,
	})
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

// story tells the events of a run that is still draining its first group after so many counts.
func story(t testing.TB, p plans.Plan, counts int) []plans.Event {
	t.Helper()
	var es []plans.Event
	at := time.Duration(0)
	tell := func(e plans.Event) {
		e.Version, e.Seq = plans.Version, int64(len(es)+1)
		e.Stamp = plans.Stamp{At: noon.Add(at), Boot: "boot", Up: plans.Seconds(time.Hour + at)}
		es = append(es, e)
		at += time.Second
	}
	off := p.Weights()
	var answers []plans.Answer
	for _, id := range slices.Sorted(maps.Keys(p.Before)) {
		if p.Before[id].Group == p.First {
			off[id] = 0
			answers = append(answers, plans.Answer{Backend: id, Outcome: plans.Accepted})
		}
	}
	answers[0].Outcome, answers[0].Error = plans.Refused, "RetCode 160: try later"
	tell(plans.Event{What: plans.Planned, Step: -1, Plan: &p})
	tell(plans.Event{What: plans.Resumed, Step: -1, By: "liu@ci", PID: 4412})
	tell(plans.Event{What: plans.Began, Step: 0, Group: p.First})
	tell(plans.Event{What: plans.Looked, Step: 0, Weights: p.Weights()})
	tell(plans.Event{What: plans.Writing, Step: 0, Weights: off})
	tell(plans.Event{What: plans.Wrote, Step: 0, Answers: answers})
	tell(plans.Event{What: plans.Looked, Step: 0, Weights: off})
	tell(plans.Event{What: plans.Ended, Step: 0, Group: p.First})
	tell(plans.Event{What: plans.Began, Step: 1, Group: p.First})
	hosts := p.Hosts(p.First)
	for n := range counts {
		c := plans.Sessions{ByHost: map[string]int{}}
		for i, h := range hosts {
			c.ByHost[h] = max(0, 400+i-n)
			c.Total += c.ByHost[h]
		}
		tell(plans.Event{What: plans.Counted, Step: 1, Group: p.First, Sessions: &c})
	}
	return es
}

// end tells the end of a run.
func end(es []plans.Event) plans.Event {
	last := es[len(es)-1]
	return plans.Event{Version: plans.Version, Seq: last.Seq + 1, Stamp: plans.Stamp{At: last.At.Add(time.Second)}, What: plans.Done, Step: -1}
}
