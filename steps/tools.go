package steps

import (
	"context"
	"errors"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
)

// Look is one reading of the load balancer.
type Look struct {
	Weights map[string]int    // backend → weight; 0 takes no new connections
	Addrs   map[string]string // backend → host:port
	Sick    []string          // backends it reports as not healthy
}

// Traffic reads and writes the weights of the backends.
type Traffic interface {
	// Look reads every backend. An error that more tries cannot cure wraps ErrDenied.
	Look(ctx context.Context) (Look, error)
	// Write sends one request for each backend, or one for several, and never repeats one: what was not answered is Unknown.
	Write(ctx context.Context, weights map[string]int) []plans.Answer
}

// ErrDenied says that the load balancer refuses our credentials: repeating the call is of no use.
var ErrDenied = errors.New("credentials refused")

// ErrUnsent is wrapped by an error of a Shell where the call surely has not brought its command about, and never will.
var ErrUnsent = errors.New("it was not sent")

// Result is how a command ended.
type Result struct {
	Code   int
	Output string // the end of what it printed
}

// Shell runs a command on its machine.
type Shell interface {
	// Run gives the command's exit code. An error means that its outcome is not known: it may have run, or may still; unless it wraps ErrUnsent. A command
	// with an ID begins once at most: where it has begun before, Run waits for its end.
	Run(ctx context.Context, c plans.Command, within time.Duration) (Result, error)
	// Ask tells what has become of a command with an ID. It begins nothing.
	Ask(ctx context.Context, c plans.Command) (Begun, error)
}

// Begun is what a machine knows of a command.
type Begun string

// What may have become of a command.
const (
	Absent Begun = "absent" // it has not begun
	Going  Begun = "going"  // it runs
	Over   Begun = "over"   // it has ended, and the machine knows how
	Lost   Begun = "lost"   // it began, and nobody will ever know how it ended
)

// Prober tries a port.
type Prober interface {
	// Probe says whether the port answers a connect; false where it is refused. An error means that this is not known.
	Probe(ctx context.Context, p plans.Ports, port int) (bool, error)
}

// Front connects through the load balancer, as a player does.
type Front interface {
	// Try makes n new connections and gives, for each host of the plan that answered, how many it did. An error says that this is not known.
	Try(ctx context.Context, n int) (map[string]int, error)
}

// Gates asks gates where they send players.
type Gates interface {
	// Ask gives the host:port that the gate at a port names for the users 0 to n-1, and how often it names each.
	Ask(ctx context.Context, of plans.Ports, port int, g plans.Gates) (map[string]int, error)
}

// Sessions counts the sessions on the watched ports of a group's machines.
type Sessions interface {
	Counter(group string, watch []plans.Ports) drain.Counter
}

// Roll calls the processes of a service that knows them by name.
type Roll interface {
	// Call gives every process of the service that runs on the machines of a group, also those nobody asked for. The group's master is asked
	// which of them it knows, or, where it is not to be asked, taken to know all. An error means that this is not known, and names the machine
	// or the master that could not be asked.
	Call(ctx context.Context, group string, master bool) ([]plans.Found, error)
}

// Journal keeps the events of a run.
type Journal interface {
	// Append numbers, stamps and syncs an event. After an error nothing more may be done to the world.
	Append(ctx context.Context, e plans.Event) (plans.Event, error)
	// Requests appends what has been asked from elsewhere since the last call, and gives those events.
	Requests(ctx context.Context) ([]plans.Event, error)
}

// Tools are the hands and eyes of a run.
type Tools struct {
	Traffic  Traffic
	Shell    Shell
	Prober   Prober
	Sessions Sessions
	Roll     Roll          // nil where no step wants processes
	Gates    Gates         // nil where no step asks gates
	Front    Front         // nil where no shift tries the load balancer
	Clock    drain.Clock   // nil: this machine's
	Alone    bool          // one thing after another in the calling goroutine, as a simulation wants it
	By       string        // user@host of this process
	PID      int           //
	Floor    int64         // the highest token that a machine has begun a command of this service for: this process's is higher
	LookEach time.Duration // while waiting: between two looks at the load balancer; 0: 4 s
	Leave    time.Duration // after a cancel: how long a command under way is waited for; 0: 5 s
}

// ErrJournal says that an event could not be recorded, and that therefore nothing more was done.
var ErrJournal = errors.New("the journal cannot be written")

// ErrInterrupted says that the run's context was cancelled. The state says whether anything had been touched.
var ErrInterrupted = errors.New("interrupted")

// ErrPaused says that the run stopped because it was asked to, or at a drain's deadline.
var ErrPaused = errors.New("paused")

// ErrAborted says that everything was put back as it was found.
var ErrAborted = errors.New("aborted")

// ErrStays is wrapped by what holds a run that was asked to abort and cannot: a group is half-way through a restart, and stays closed.
var ErrStays = errors.New("it stays closed")

// HeldError says that the run stopped part-way after a failure.
type HeldError struct {
	Safe bool  // a group is proven to take new connections
	Err  error // what failed
}

// Error says what failed.
func (e *HeldError) Error() string { return e.Err.Error() }

// Unwrap gives what failed.
func (e *HeldError) Unwrap() error { return e.Err }

// RefusedError says that the run ended before anything was touched, because something it needs was not so.
type RefusedError struct{ Err error }

// Error says what was not so.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap gives what was not so.
func (e *RefusedError) Unwrap() error { return e.Err }
