package cloud

import (
	"slices"
	"sync"
	"time"
)

// Request is one call of the API as it was answered.
type Request struct {
	At      time.Time
	Action  string   // as asked for, "" when none was
	Changes []Change // what it asked to change, in its order; nil for reads
	RetCode int      // of the answer; -1 when a fault sent none
	Status  int      // HTTP status; 0 when a fault sent none
	Applied bool     // at least one of the changes was made, or will be made late
	Faults  []string // kinds of the faults that hit it
}

// Change is what a request asked to change in one backend. Nil fields were not
// sent.
type Change struct {
	Backend  string // its id
	Enabled  *bool
	Weight   *int
	Port     *int
	IsBackup *bool
	SubCode  int // SubRetCode it was answered with in a batch
}

// requestsKept is how many requests the log holds: far more than a test makes,
// and little enough for a cloud that is left running.
const requestsKept = 100_000

type requestLog struct {
	mu  sync.Mutex
	all []Request
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) >= requestsKept {
		l.all = slices.Delete(l.all, 0, requestsKept/10)
	}
	l.all = append(l.all, r)
}

// Requests returns the calls so far in the order in which they were answered,
// also those that were refused or whose answer a fault swallowed; the oldest
// are forgotten beyond 100,000.
func (c *Cloud) Requests() []Request {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return slices.Clone(c.log.all)
}
