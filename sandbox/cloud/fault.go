package cloud

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is one thing that goes wrong with the API. Kind says what, and [Kinds]
// lists them; the fields before Code say when, the others give details that
// depend on the kind.
type Fault struct {
	Kind     string
	Rate     float64       // of the matching calls it hits, 0 to 1; 0 is all of them (for flaky 0.3)
	Count    int           // it is over after so many hits; 0 is no limit, but 1 for flip and recreate
	After    int           // so many matching calls pass unharmed first
	Actions  []string      // the calls it concerns; read stands for Describe… and Get…, write for the others; empty is all
	Backends []string      // only calls that name one of these backend ids; empty is all
	For      time.Duration // it is over this long after Break; 0 is not before Mend

	Code     int           // RetCode, HTTP status, SubRetCode, TotalCount or page length, as the kind wants
	Delay    time.Duration // how long it hangs, lags, comes late, or until Retry-After is over
	Value    string        // the variant, backend id or text, as the kind wants
	Executed bool          // for the kinds that answer in the call's stead: it is carried out before
}

// Kind is an entry of the fault menu.
type Kind struct {
	Name string
	Says string // one line for a person, with the fields it heeds

	stage stage
	code  int // what Code is when it is 0
}

type stage int

const (
	instead stage = iota // answers in the call's stead; carried out only if Fault.Executed
	sending              // carried out, then the answer is spoilt on its way
	writing              // changes what a write does
	telling              // changes what an answer says
	acting               // someone else acts
	mixing               // draws one of the others
)

// Kinds returns the fault menu.
func Kinds() []Kind {
	return []Kind{
		{"retcode", "answers RetCode Code (150) with HTTP 200; Value: the message", instead, codeOutsideService},
		{"expired", "credentials are over: RetCode Code (171; 174 for a token)", instead, codeBadSignature},
		{"http", "answers HTTP status Code (500); Delay: Retry-After; Value json: with a JSON body", instead, 500},
		{"redirect", "answers HTTP Code (302; 307 keeps the body) to a path where the API answers; Value: another Location", instead, 302},
		{"reset", "resets the connection without an answer", instead, 0},
		{"fin", "closes the connection without an answer", instead, 0},
		{"hang", "does not answer, closes after Delay; 0: until the client leaves or Close", instead, 0},
		{"object", "answers {}", instead, 0},
		{"null", "answers null", instead, 0},
		{"html", "answers a captive portal's page with HTTP 200", instead, 0},
		{"empty", "answers HTTP 200 with no body", instead, 0},
		{"truncated", "carries the call out, sends half the answer, closes", sending, 0},
		{"reset-body", "carries the call out, sends half the answer, resets", sending, 0},
		{"slow", "carries the call out, dribbles the answer over Delay (1s)", sending, 0},
		{"string", "RetCode comes as a string; Code: carried in it, without being carried out", telling, 0},
		{"weight", "Weight in answers is Value: missing, null, string, float or bool", telling, 0},
		{"enabled", "Enabled in answers is Value: missing, null, string, float or bool", telling, 0},
		{"dataset", "the list in answers is Value: null, missing or object", telling, 0},
		{"total", "TotalCount in answers is Code", telling, 0},
		{"health-array", "HealthCheckConfig and StickinessConfig are arrays, as in the document's sample", telling, 0},
		{"lag", "describe answers show the state of Delay (1s) ago", telling, 0},
		{"page-cap", "no page is longer than Code (20)", telling, 20},
		{"latency", "the answer takes Delay (1s) longer", telling, 0},
		{"partial", "every second attribute of a batch fails with SubRetCode Code (4104), RetCode 0", writing, codeUpdateFailed},
		{"sub", "a single update answers SubRetCode Code (1) under RetCode 0, nothing is done", writing, 1},
		{"silent", "writes answer RetCode 0, nothing is done", writing, 0},
		{"late", "writes answer RetCode 0 and take effect after Delay (1s)", writing, 0},
		{"lie", "describe shows the write, the balancer ignores it", writing, 0},
		{"zero", "Weight 0 is Value: accepted, refused or one", writing, 0},
		{"flip", "someone toggles Enabled of backend Value (any) before a call, or Delay after Break", acting, 0},
		{"recreate", "someone re-creates backend Value (any), enabled, weight 1, new id, before a call, or Delay after Break", acting, 0},
		{"flaky", "one of RetCode 153 or 150, HTTP 500 or 502, reset before or after execution, hang after it; Delay: of the hang (200ms)", mixing, 0},
	}
}

// variants returns what Value may be for kinds that want one of a few words.
func variants(kind string) []string {
	switch kind {
	case "weight", "enabled":
		return []string{"missing", "null", "string", "float", "bool"}
	case "dataset":
		return []string{"null", "missing", "object"}
	case "zero":
		return []string{"accepted", "refused", "one"}
	}
	return nil
}

// checked returns f with its kind's defaults and the kind's stage, or says what
// is wrong with it: a fault that is misspelt must not pass for one survived.
func (f Fault) checked() (Fault, stage, error) {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == f.Kind })
	if i < 0 {
		names := make([]string, len(kinds))
		for at, k := range kinds {
			names[at] = k.Name
		}
		return f, 0, fmt.Errorf("fault %q: no such kind; there are %s", f.Kind, strings.Join(names, ", "))
	}
	if v := variants(f.Kind); v != nil && !slices.Contains(v, f.Value) {
		return f, 0, fmt.Errorf("fault %s: value %q is none of %s", f.Kind, f.Value, strings.Join(v, ", "))
	}
	if !(f.Rate >= 0 && f.Rate <= 1) {
		return f, 0, fmt.Errorf("fault %s: rate %v is not between 0 and 1", f.Kind, f.Rate)
	}
	if f.Count < 0 || f.After < 0 || f.For < 0 || f.Delay < 0 {
		return f, 0, fmt.Errorf("fault %s: count, after, for and delay cannot be negative", f.Kind)
	}
	if f.Code == 0 {
		f.Code = kinds[i].code
	}
	if f.Kind == "http" && (f.Code < 400 || f.Code > 599) || f.Kind == "redirect" && (f.Code < 300 || f.Code > 399) {
		return f, 0, fmt.Errorf("fault %s: %d is not such an HTTP status", f.Kind, f.Code)
	}
	switch f.Kind {
	case "flip", "recreate":
		f.Count = positive(f.Count, 1)
	case "flaky":
		if f.Rate == 0 {
			f.Rate = 0.3
		}
		if f.Delay == 0 {
			f.Delay = 200 * time.Millisecond
		}
	case "slow", "late", "lag", "latency":
		if f.Delay == 0 {
			f.Delay = time.Second
		}
	}
	return f, kinds[i].stage, nil
}

// faults are those broken now.
type faults struct {
	mu   sync.Mutex
	list []*broken
	lot  *rand.Rand
}

// broken is a fault with its count.
type broken struct {
	Fault
	stage stage
	since time.Time
	seen  int // matching calls
	hits  int
}

func newFaults(seed uint64) *faults { return &faults{lot: rand.New(rand.NewPCG(seed, 0))} }

// Break lets a fault happen from now on. Several may be active: of those that
// spoil the answer the first one broken wins, the others add up. An error says
// that there is no such fault.
func (c *Cloud) Break(f Fault) error {
	f, at, err := f.checked()
	if err != nil {
		return err
	}
	if f.Kind == "recreate" && c.o.Plane != nil {
		return errors.New("fault recreate: a plane's backends are those of its start; use flip")
	}
	if at == acting && f.Delay > 0 {
		c.later(f.Delay, func() { c.meddle(f) })
		return nil
	}
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.list = append(c.faults.list, &broken{Fault: f, stage: at, since: time.Now()})
	return nil
}

// Mend ends all faults of a kind, "" all of any kind. What they did stays.
func (c *Cloud) Mend(kind string) {
	c.faults.mu.Lock()
	defer c.faults.mu.Unlock()
	c.faults.list = slices.DeleteFunc(c.faults.list, func(b *broken) bool { return kind == "" || b.Kind == kind })
}

// draw returns the faults that hit a call on some backends.
func (f *faults) draw(now time.Time, action string, backends []string) effects {
	f.mu.Lock()
	defer f.mu.Unlock()
	var e effects
	for _, b := range f.list {
		if b.hit(f.lot, now, action, backends) {
			e.add(b.Fault, b.stage, f.lot)
		}
	}
	return e
}

// hit counts a call and reports whether the fault strikes it.
func (b *broken) hit(lot *rand.Rand, now time.Time, action string, backends []string) bool {
	switch {
	case b.Count > 0 && b.hits >= b.Count,
		b.For > 0 && now.Sub(b.since) >= b.For,
		len(b.Actions) > 0 && !slices.ContainsFunc(b.Actions, func(a string) bool { return concerns(a, action) }),
		len(b.Backends) > 0 && !slices.ContainsFunc(b.Backends, func(id string) bool { return slices.Contains(backends, id) }):
		return false
	}
	if b.seen++; b.seen <= b.After {
		return false
	}
	if b.Rate > 0 && lot.Float64() >= b.Rate {
		return false
	}
	b.hits++
	return true
}

// concerns reports whether a word of Fault.Actions means an action.
func concerns(word, action string) bool {
	switch word {
	case "read":
		return reads(action)
	case "write":
		return !reads(action)
	default:
		return word == action
	}
}

func reads(action string) bool {
	return strings.HasPrefix(action, "Describe") || strings.HasPrefix(action, "Get")
}
