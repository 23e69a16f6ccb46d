package plans

import "time"

// What says what an event tells.
type What string

// The events of a run. Each is written before the next act is begun.
const (
	Planned     What = "planned"     // Plan: what will be done from here on
	Resumed     What = "resumed"     // a process takes the run up, for the first time or again: By, PID
	Began       What = "began"       // a step begins
	Looked      What = "looked"      // Weights and Sick as the load balancer reports them
	Writing     What = "writing"     // Weights: an intent, on disk before its requests are sent
	Wrote       What = "wrote"       // Answers: what became of the requests of the intent before it
	Counted     What = "counted"     // Sessions of Group
	Called      What = "called"      // Found: the processes of Group, all there and in order
	Running     What = "running"     // Command: an intent, on disk before it is sent to its host
	Ran         What = "ran"         // Command, Code: it ended; Error: its outcome is not known, or by EndedBy that it has not begun
	Noted       What = "noted"       // Note: what is being waited for, a retry, a warning
	Alarmed     What = "alarmed"     // Group, the one that serves, is hurt while the other is out: Error; without one it is well again
	Tried       What = "tried"       // Hits: which hosts answered connections made through the load balancer
	Adopted     What = "adopted"     // By let Weights, which somebody else had set, stand: from here on they are as found
	Overruled   What = "overruled"   // By lets the run overwrite Weights, which somebody else had set
	Ended       What = "ended"       // a step ended well
	Failed      What = "failed"      // a step failed: Error
	Asked       What = "asked"       // By asked for a Request from elsewhere
	Paused      What = "paused"      // stopped between two steps because it was asked to, or at a drain's deadline
	Held        What = "held"        // stopped after a failure; Safe says whether a group is proven to serve
	Interrupted What = "interrupted" // stopped by a signal
	Done        What = "done"        // both groups are updated and everything is as it was found
	Aborted     What = "aborted"     // everything that could be put back is put back
)

// Request is what another terminal may ask of a run under way.
type Request string

// The requests.
const (
	AskPause  Request = "pause"  // stop after the step under way
	AskAbort  Request = "abort"  // put everything back and stop
	AskResume Request = "resume" // take back a pause that was asked for and has not come yet
)

// Stamp says when an event was written: on the wall, for people, and on a clock that only goes forward, for deadlines.
type Stamp struct {
	At   time.Time `json:"at"`
	Boot string    `json:"boot,omitempty"` // boot id of the machine rollout runs on; empty: not known
	Up   Seconds   `json:"up,omitempty"`   // CLOCK_BOOTTIME: since that boot, sleep included
}

// Since gives the time from an earlier stamp to s and whether it is proven: both were taken in the same boot.
func (s Stamp) Since(earlier Stamp) (time.Duration, bool) {
	if s.Boot == "" || s.Boot != earlier.Boot || s.Up < earlier.Up {
		return 0, false
	}
	return (s.Up - earlier.Up).Duration(), true
}

// Sub gives the time from an earlier stamp to s: what is proven, else what the wall says, which may be less than nothing.
func (s Stamp) Sub(earlier Stamp) time.Duration {
	if d, proven := s.Since(earlier); proven {
		return d
	}
	return s.At.Sub(earlier.At)
}

// Sessions is one count of a group's sessions.
type Sessions struct {
	Total  int               `json:"total"`
	ByHost map[string]int    `json:"by_host,omitempty"`
	Unread map[string]string `json:"unread,omitempty"` // host → why its count is not known. Unknown is never zero
	Empty  *Seconds          `json:"empty,omitempty"`  // forecast: from now until none is left
}

// Known says whether every machine's count was read.
func (s Sessions) Known() bool { return len(s.Unread) == 0 }

// Outcome is what became of one request that changes a backend.
type Outcome string

// The outcomes of a write.
const (
	Accepted Outcome = "accepted" // the answer said so; only a look proves it
	Refused  Outcome = "refused"  // surely not done
	Unknown  Outcome = "unknown"  // it may have been done, or may yet be
)

// Answer is the outcome of one write.
type Answer struct {
	Backend string  `json:"backend"`
	Outcome Outcome `json:"outcome"`
	Error   string  `json:"error,omitempty"`
	Again   bool    `json:"again,omitempty"` // refused for a passing reason: worth another try
}

// Event is one line of the journal. Seq and the Stamp are set by the journal when it is written, never by its author.
type Event struct {
	Version int   `json:"v"`
	Seq     int64 `json:"seq"`
	Stamp
	What     What           `json:"what"`
	Step     int            `json:"step"`              // index into the plan's steps; -1: of no step
	Group    string         `json:"group,omitempty"`   //
	Plan     *Plan          `json:"plan,omitempty"`    //
	Weights  map[string]int `json:"weights,omitempty"` // by backend
	Sick     []string       `json:"sick,omitempty"`    // backends the load balancer reports as not healthy
	Answers  []Answer       `json:"answers,omitempty"`
	Hits     map[string]int `json:"hits,omitempty"` // by host: connections it answered
	Sessions *Sessions      `json:"sessions,omitempty"`
	Found    []Found        `json:"found,omitempty"`
	Command  *Command       `json:"command,omitempty"`
	Code     int            `json:"code,omitempty"`     // exit code of Command
	Output   string         `json:"output,omitempty"`   // the end of what Command printed
	EndedBy  string         `json:"ended_by,omitempty"` // drain: zero or deadline; a command: lost or absent
	Cut      *int           `json:"cut,omitempty"`      // sessions open at the moment the restart began
	Request  Request        `json:"request,omitempty"`
	Safe     bool           `json:"safe,omitempty"` // held: a group is proven to take new connections
	By       string         `json:"by,omitempty"`
	PID      int            `json:"pid,omitempty"`
	Floor    int64          `json:"floor,omitempty"` // resumed: the highest token that a machine has begun a command of this service for
	Note     string         `json:"note,omitempty"`
	Error    string         `json:"error,omitempty"`
}
