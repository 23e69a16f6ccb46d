package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// simBook is the journal of a simulated run: what it has taken is durable. On a full disk it keeps room for the events that end a run, as the
// journal on disk does.
type simBook struct {
	es     []plans.Event
	state  plans.State // the fold of es
	full   bool        // the disk is
	broken bool        // for this process
	boot   string
	up     time.Duration // of the world when this computer was started
	asks   []plans.Request
	asked  time.Duration // when an abort was asked for; 0: it was not
	taken  bool          // the process has been told of it
}

var errFull = errors.New("no space left on device")

// Append keeps an event.
func (s *sim) Append(_ context.Context, e plans.Event) (plans.Event, error) {
	s.enter()
	b := &s.book
	b.broken = b.broken || b.full
	if b.broken && e.What != plans.Failed && e.What != plans.Held && e.What != plans.Paused && e.What != plans.Interrupted {
		s.judge.broke = true
		s.leave()
		return plans.Event{}, errFull
	}
	e = s.keep(e)
	s.leave()
	return e, nil
}

// keep takes an event in, whoever writes it.
func (s *sim) keep(e plans.Event) plans.Event {
	b := &s.book
	e.Version, e.Seq = plans.Version, int64(len(b.es)+1)
	e.Stamp = plans.Stamp{At: s.Now().Round(0), Boot: b.boot, Up: plans.Seconds(s.now - b.up)}
	if s.mix.paper {
		e = paper(e)
	}
	b.es = append(b.es, e)
	b.state = b.state.Apply(e)
	if s.tracing {
		line, _ := json.Marshal(struct {
			plans.Event
			Plan *struct{} `json:"plan,omitempty"`
		}{Event: e})
		s.say("[%d] %s", e.Seq, line)
	}
	s.judge.event(s, e)
	return e
}

// paper gives an event as it is read back.
func paper(e plans.Event) plans.Event {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	var back plans.Event
	if err := json.Unmarshal(line, &back); err != nil {
		panic(err)
	}
	return back
}

// Requests gives what has been asked from elsewhere.
func (s *sim) Requests(ctx context.Context) ([]plans.Event, error) {
	var es []plans.Event
	for len(s.book.asks) > 0 {
		what := s.book.asks[0]
		e, err := s.Append(ctx, plans.Event{What: plans.Asked, Step: -1, Request: what, By: "wang@ops"})
		if err != nil {
			return es, err
		}
		s.book.asks = s.book.asks[1:]
		es = append(es, e)
		s.book.taken = s.book.taken || what == plans.AskAbort
	}
	return es, nil
}

func (s *sim) folded() plans.State { return plans.Fold(slices.Values(s.book.es)) }
