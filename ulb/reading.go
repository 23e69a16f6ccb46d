package ulb

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Backend is one address the balancer may send connections to: one port of one machine behind one listener.
type Backend struct {
	ID       string // BackendId or target id. UCloud gives a new one when the backend is re-created, so never keep it as configuration
	Listener string // id of the listener it is behind
	Resource string // id of the machine, such as "uhost-abc"; empty for a bare address
	Host     string // private address
	Port     int
	Weight   int  // the one number callers need: 0 takes no new connections, 1 and more does
	Enabled  bool // UCloud's switch
	Stored   int  // the weight as UCloud keeps it, 0 to 100; also 0 when it did not tell
	Healthy  bool // by UCloud's health check, up to 12 s late; worth nothing while not Enabled
	Heeds    bool // whether the listener's method heeds weights
	Standby  bool // IsBackup; only the method Backup uses it
}

// weigh fills in Weight. An enabled backend counts as on whatever its stored weight: nobody documents that weight 0 keeps
// new connections away, and to take it for off would let a machine be restarted under traffic. Check refuses such a one.
func (b Backend) weigh() Backend {
	switch {
	case !b.Enabled:
		b.Weight = 0
	case b.Stored < 1:
		b.Weight = 1
	default:
		b.Weight = b.Stored
	}
	return b
}

// Listener is one port of the balancer, with the method that spreads connections over its backends. UCloud calls it VServer
// (CLB) or listener (ALB, NLB).
type Listener struct {
	ID       string
	Name     string
	Protocol string        // "TCP", "HTTP", …
	Mode     string        // CLB only: "RequestProxy" or "PacketsTransmit"
	Method   string        // as UCloud spells it: "WeightRoundrobin", "Source", …
	Port     int           // the first one where a range is served
	Sticky   string        // how a known client is sent to the backend it had: "cookie", "client address", or "" when it is not
	Lasts    time.Duration // how long it is; 0 when there is no such rule, or UCloud does not tell
}

// is compares a method with a name; UCloud's own documents differ in case and have trailing spaces.
func (l Listener) is(method string) bool {
	return strings.EqualFold(strings.TrimSpace(l.Method), method)
}

// heeds tells whether the method looks at weights.
func (l Listener) heeds() bool { return l.is("WeightRoundrobin") || l.is("WeightLeastConn") }

// String names the listener for a person.
func (l Listener) String() string {
	if l.Name == "" {
		return "listener " + l.ID
	}
	return "listener " + l.ID + " (" + l.Name + ")"
}

// Reading is what UCloud said about a balancer at one moment. Every backend id in it is there once, every backend's
// listener is in it.
type Reading struct {
	ID        string
	Name      string
	Listeners []Listener
	Backends  []Backend
}

// Flaw is something about a balancer, or about the keys to it, that a person should change.
type Flaw struct {
	What string // what is wrong, and where
	Fix  string // what to change, and where
}

// Error is both.
func (f *Flaw) Error() string { return f.What + ": " + f.Fix }

// Check says everything that makes the balancer unfit to be worked with, as joined Flaws, or nil. With ramp it also demands
// that weights are shares of the new connections.
func (r Reading) Check(ramp bool) error {
	var faults []error
	for _, l := range r.Listeners {
		if l.is("Backup") {
			faults = append(faults, &Flaw{fmt.Sprintf("%s: method Backup is main and standby: UCloud changes neither Enabled nor Weight there", l),
				"choose another method for it in the console, such as Roundrobin"})
			continue
		}
		if ramp && !l.is("WeightRoundrobin") {
			faults = append(faults, &Flaw{fmt.Sprintf("%s: method %s does not share out by weight: a ramp needs WeightRoundrobin", l, strings.TrimSpace(l.Method)),
				"choose WeightRoundrobin for it in the console, or leave ulb.ramp and ulb.shift: weight out of rollout.yaml"})
		}
	}
	for _, b := range r.Backends {
		if b.Heeds && b.Enabled && b.Stored < 1 {
			faults = append(faults, &Flaw{fmt.Sprintf("backend %s (%s:%d): enabled with weight 0: UCloud does not say what that does", b.ID, b.Host, b.Port),
				"disable it in the console, or give it a weight of 1 to 100"})
		}
	}
	return errors.Join(faults...)
}

// Warnings are what works but may surprise: clients that are sent back to a backend they had.
func (r Reading) Warnings() []*Flaw {
	var all []*Flaw
	for _, l := range r.Listeners {
		if l.Sticky != "" {
			until := ""
			if l.Lasts > 0 {
				until = fmt.Sprintf(" for %s after their last packet", l.Lasts)
			}
			all = append(all, &Flaw{fmt.Sprintf("%s: known clients are kept on their backend by %s: new connections of theirs may still reach one that is off%s", l, l.Sticky, until), l.loosen()})
		}
		if l.is("Source") || l.is("SourceHash") {
			all = append(all, &Flaw{fmt.Sprintf("%s: method %s spreads by client address over the backends that are on: each change sends other clients elsewhere too", l, strings.TrimSpace(l.Method)),
				"choose another method for it in the console, such as Roundrobin, unless clients must come back to the same backend"})
		}
	}
	return all
}

// loosen says how clients are no longer kept. Turning it off "may cut current connections", says UCloud, hence the warning.
func (l Listener) loosen() string {
	const when = ", at a quiet hour: UCloud says that changing it may cut connections"
	if l.Mode == "PacketsTransmit" {
		return "set its ClientTimeout to 0 in the console" + when
	}
	return "turn session persistence off for it in the console" + when
}
