package cloud

import (
	"math/rand/v2"
	"time"
)

// effects are what the faults that hit one call do to it.
type effects struct {
	names   []string // of the faults, for the log
	spoilt  *Fault   // how the answer is spoilt, or what comes in its stead
	instead bool     // the call is not carried out
	silent  bool
	lie     bool
	late    time.Duration
	latency time.Duration
	lag     time.Duration
	page    int
	partial int    // SubRetCode of the attributes that fail
	sub     int    // SubRetCode of the single update
	zero    string // how a Weight of 0 is taken; "" is as the options say
	shapes  []Fault
	acts    []Fault
}

// add lets one more fault hit the call.
func (e *effects) add(f Fault, at stage, lot *rand.Rand) {
	if at == mixing {
		f = flaky(f.Delay, lot)
		e.names = append(e.names, "flaky")
		at = instead
	}
	e.names = append(e.names, f.Kind)
	switch at {
	case instead, sending:
		if e.spoilt == nil {
			e.spoilt, e.instead = &f, at == instead && !f.Executed
		}
	case writing:
		e.addWrite(f)
	case telling:
		e.addTold(f)
	case acting:
		e.acts = append(e.acts, f)
	case mixing: // replaced above
	}
}

func (e *effects) addWrite(f Fault) {
	switch f.Kind {
	case "partial":
		e.partial = f.Code
	case "sub":
		e.sub = f.Code
	case "silent":
		e.silent = true
	case "late":
		e.late = f.Delay
	case "lie":
		e.lie = true
	case "zero":
		e.zero = f.Value
	}
}

func (e *effects) addTold(f Fault) {
	switch f.Kind {
	case "lag":
		e.lag = f.Delay
	case "page-cap":
		e.page = f.Code
	case "latency":
		e.latency += f.Delay
	case "string":
		e.shapes = append(e.shapes, f)
		e.instead = e.instead || f.Code != 0
	default:
		e.shapes = append(e.shapes, f)
	}
}

// flaky draws one of the ways a call fails in practice, each as likely.
func flaky(hang time.Duration, lot *rand.Rand) Fault {
	menu := []Fault{
		{Kind: "retcode", Code: 153},
		{Kind: "retcode", Code: codeOutsideService},
		{Kind: "http", Code: 500},
		{Kind: "http", Code: 502},
		{Kind: "reset"},
		{Kind: "reset", Executed: true},
		{Kind: "hang", Executed: true, Delay: hang},
	}
	return menu[lot.IntN(len(menu))]
}
