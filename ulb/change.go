package ulb

import (
	"errors"
	"fmt"
)

// maxWeight is the largest weight UCloud documents.
const maxWeight = 100

// Change is one wish for one backend. It names a state to reach, so to ask for it twice does no harm.
type Change struct {
	Backend Backend // as last read: its ID and Listener address it, Heeds and Stored decide whether a weight is sent
	Weight  int     // 0: off (Enabled=0 and nothing else is sent). 1 to 100: on, and with this weight where the method heeds weights
}

// weightSent tells whether the request has to name the weight.
func (c Change) weightSent() bool {
	return c.Weight > 0 && c.Backend.Heeds && c.Backend.Stored != c.Weight
}

// check refuses what must not be sent.
func (c Change) check() error {
	switch {
	case c.Backend.ID == "":
		return errors.New("backend without an id")
	case c.Weight < 0:
		return fmt.Errorf("backend %s: weight %d: less than 0", c.Backend.ID, c.Weight)
	case c.weightSent() && c.Weight > maxWeight:
		return fmt.Errorf("backend %s: weight %d: more than %d", c.Backend.ID, c.Weight, maxWeight)
	}
	return nil
}

// enabled is the switch the change asks for, in CLB's spelling.
func (c Change) enabled() int {
	if c.Weight > 0 {
		return 1
	}
	return 0
}

// State is what is known of a write.
type State int

const (
	// Unknown is a write nobody can tell about: the answer did not come, or was not UCloud's. It may take effect later.
	Unknown State = iota
	// Done is a write UCloud accepted. Only the next Read proves it.
	Done
	// Refused is a write that was surely not carried out; its error is a *RefusedError.
	Refused
)

// String is the state in lower case.
func (s State) String() string {
	switch s {
	case Done:
		return "done"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// Outcome is what became of one Change.
type Outcome struct {
	ID    string // of the backend
	State State
	Err   error // nil when Done; a *RefusedError when Refused; anything else when Unknown
}

// outcome sorts an error of a write.
func outcome(id string, err error) Outcome {
	var refused *RefusedError
	switch {
	case err == nil:
		return Outcome{ID: id, State: Done}
	case errors.As(err, &refused):
		return Outcome{ID: id, State: Refused, Err: err}
	}
	return Outcome{ID: id, State: Unknown, Err: err}
}
