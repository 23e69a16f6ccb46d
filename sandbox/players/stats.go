package players

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Stats is what happened to the players.
type Stats struct {
	Players  int
	Playing  int   // players in a game now
	Frozen   int   // of these, frozen
	Begun    int64 // games
	Finished int64 // games that their player ended
	Cut      int64 // games that somebody else ended, but for FrozenCut
	// FrozenCut is the games that somebody else ended and whose player had been frozen: it had gone away first.
	FrozenCut int64
	Failed    Failed
	// By what the connector said when the game began:
	BegunByRelease   map[string]int64
	BegunByGroup     map[string]int64
	PlayingByMachine map[string]int
	// The time from the end of a player's game to the beginning of the next, the walk to the connector included.
	// The percentiles are 8 % too high at most.
	WaitP50, WaitP99, WaitMax time.Duration
	Incidents                 []Incident // the first hundred cuts and failures, oldest first
}

// Failed is the ways in which a player did not get into a game. After each the player pauses and begins again at the
// balancer, so that the total is also the number of retries.
type Failed struct {
	BalancerRefused  int64 // no connection to the balancer, or not in time
	BalancerClosed   int64 // the connection ended, or timed out, before a gate answered
	GateNonsense     int64 // a gate's answer was not one
	ConnectorRefused int64 // no connection to the connector that the gate named, or not in time
	ConnectorClosed  int64 // the connector did not welcome the player
}

// Total is the sum.
func (f Failed) Total() int64 {
	return f.BalancerRefused + f.BalancerClosed + f.GateNonsense + f.ConnectorRefused + f.ConnectorClosed
}

// Incident is one cut or failure.
type Incident struct {
	At    time.Time
	User  int
	Where Where
	Addr  string // host:port the player talked to
	Error string
}

// Where names the point of a player's way at which something went wrong.
type Where string

// The points of the way, in order. At Game it is a cut, at the others a failure.
const (
	ToBalancer  Where = "to balancer"
	AtGate      Where = "at gate"
	Answer      Where = "gate's answer"
	ToConnector Where = "to connector"
	AtConnector Where = "at connector"
	Game        Where = "game"
)

const incidentsKept = 100

// book is where the players write.
type book struct {
	mu         sync.Mutex
	start      time.Time
	s          Stats
	waits      waits
	beginnings map[string]*beginnings // by group
}

func newBook(players int) *book {
	return &book{start: time.Now(), beginnings: map[string]*beginnings{}, s: Stats{Players: players, BegunByRelease: map[string]int64{}, BegunByGroup: map[string]int64{},
		PlayingByMachine: map[string]int{}}}
}

func (b *book) stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.s
	s.BegunByRelease, s.BegunByGroup = maps.Clone(s.BegunByRelease), maps.Clone(s.BegunByGroup)
	s.PlayingByMachine = maps.Clone(s.PlayingByMachine)
	s.Incidents = slices.Clone(s.Incidents)
	s.WaitP50, s.WaitP99, s.WaitMax = b.waits.quantile(0.50), b.waits.quantile(0.99), b.waits.max
	return s
}

// begun is a game's beginning; wait is negative for a player's first.
func (b *book) begun(w welcome, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.Begun++
	b.s.Playing++
	b.s.BegunByRelease[w.Release]++
	b.s.BegunByGroup[w.Group]++
	b.s.PlayingByMachine[w.Machine]++
	of := b.beginnings[w.Group]
	if of == nil {
		of = &beginnings{}
		b.beginnings[w.Group] = of
	}
	of.add(time.Since(b.start))
	if wait >= 0 {
		b.waits.add(wait)
	}
}

// over is a game's end.
func (b *book) over(w welcome, e ending) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.Playing--
	b.s.PlayingByMachine[w.Machine]--
	if e.frozen {
		b.s.Frozen--
	}
	switch {
	case e.cut != nil && e.thawed:
		b.s.FrozenCut++
	case e.cut != nil:
		b.s.Cut++
		b.keep(*e.cut)
	case e.finished:
		b.s.Finished++
	}
}

func (b *book) failed(in Incident) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch in.Where {
	case ToBalancer:
		b.s.Failed.BalancerRefused++
	case AtGate:
		b.s.Failed.BalancerClosed++
	case Answer:
		b.s.Failed.GateNonsense++
	case ToConnector:
		b.s.Failed.ConnectorRefused++
	case AtConnector:
		b.s.Failed.ConnectorClosed++
	}
	b.keep(in)
}

// keep is called with the lock held.
func (b *book) keep(in Incident) {
	if len(b.s.Incidents) < incidentsKept {
		b.s.Incidents = append(b.s.Incidents, in)
	}
}
