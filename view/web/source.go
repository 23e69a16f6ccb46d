package web

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Source is where the runs of a service are.
type Source interface {
	// Runs gives their ids, the newest last.
	Runs() ([]string, error)
	// Read gives the events of a run so far. With an error it gives those before what cannot be read.
	Read(run string) ([]plans.Event, error)
	// Follow yields the events of a run whose Seq is above after, also those still to come, until ctx ends. An error is the last it yields.
	Follow(ctx context.Context, run string, after int64) iter.Seq2[plans.Event, error]
	// Log gives the end of what commands have printed on a machine, as it was printed. An error that wraps fs.ErrNotExist: nothing.
	Log(run, machine string) (string, error)
	// Holder says who holds the lock now.
	Holder() (Holder, error)
}

// Holder is the process that holds the lock of a service. Its zero: nobody does.
type Holder struct {
	Held  bool
	Run   string    // that it carries out; empty: not known
	Who   string    // in words, with its command
	Since time.Time // zero: not known
}

// Config is what a dashboard needs.
type Config struct {
	Service string
	Source  Source
	// Ask leaves a request for the process that carries the run out. Nil: the dashboard only reads.
	Ask func(run string, r plans.Request) error
	Log *slog.Logger // required
}
