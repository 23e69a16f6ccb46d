package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/seed59ee9cdc/rollout/plans"
)

// ErrBroken says that the journal could not be written. Who gets it must stop acting: nothing more can be recorded.
var ErrBroken = errors.New("nothing more can be recorded")

// Run is a run that this process may add to.
type Run struct {
	id      string
	dir     string // of the run
	reserve string
	stamp   func() plans.Stamp

	mu     sync.Mutex
	f      disk
	at     chain // the end of what is durable
	broken error // the first error of a write
	closed bool
	spare  bool // the disk was full and the reserve has been given up for the events that end a run
}

func (s *Store) newRun(id string, f disk, at chain) *Run {
	return &Run{id: id, dir: runDir(s.dir, id), reserve: filepath.Join(s.dir, "reserve"), stamp: s.stamp, f: f, at: at}
}

// Append numbers and stamps e, adds it to the journal and gives it as it was written and as every reader will find it. When it
// returns without error the event is on disk: one write, one fdatasync. After the first error of either, every later call fails with
// [ErrBroken] and so does this one, since what the kernel still keeps of a failed sync is not known. On a full disk the reserve is given up,
// and failed, held, paused and interrupted may still be appended; nothing else. Where ctx has ended nothing is written: record with
// context.WithoutCancel.
func (r *Run) Append(ctx context.Context, e plans.Event) (plans.Event, error) {
	if err := ctx.Err(); err != nil {
		return plans.Event{}, fmt.Errorf("journal of run %s: %w", r.id, err)
	}
	return r.append(e)
}

func (r *Run) append(e plans.Event) (plans.Event, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return plans.Event{}, fmt.Errorf("journal of run %s: %w", r.id, os.ErrClosed)
	}
	if r.broken != nil && (!r.spare || !ending(e.What)) {
		return plans.Event{}, r.refusal()
	}
	e.Version, e.Seq, e.Stamp = plans.Version, r.at.seq+1, r.stamp()
	line, err := r.at.seal(e)
	if err != nil {
		return plans.Event{}, fmt.Errorf("journal of run %s: %w", r.id, err)
	}
	next := r.at
	e, err = next.take(line[:len(line)-1]) // read back before it is written: what cannot be read is never written
	if err != nil {
		return plans.Event{}, fmt.Errorf("journal of run %s: %w", r.id, err)
	}
	if err := r.write(line, e.What); err != nil {
		return plans.Event{}, r.refusal()
	}
	r.at = next
	return e, nil
}

// write adds a line and syncs it. For want of room it gives up the reserve, and tries once more where the line ends the run.
func (r *Run) write(line []byte, what plans.What) error {
	err := r.put(line)
	if err == nil {
		return nil
	}
	first := r.broken == nil
	if first {
		r.broken = err
	}
	if back := r.repair(); back != nil { // a line after half a line would be damage
		r.spare = false
		return errors.Join(err, back)
	}
	if r.spare = first && full(err); !r.spare {
		return err
	}
	if gone := release(r.reserve); gone != nil {
		r.broken = errors.Join(r.broken, gone)
	}
	if !ending(what) {
		return err
	}
	if err = r.put(line); err != nil {
		r.spare = false
		return errors.Join(err, r.repair())
	}
	return nil
}

func (r *Run) put(line []byte) error {
	if _, err := r.f.Write(line); err != nil {
		return err
	}
	return r.f.Sync()
}

// repair cuts away what is behind the last record that was acknowledged.
func (r *Run) repair() error { return r.f.Truncate(r.at.off) }

func (r *Run) refusal() error {
	return fmt.Errorf("journal of run %s: %w: %w", r.id, ErrBroken, r.broken)
}

// ending says whether an event only tells how a run stopped: nothing is done after it.
func ending(w plans.What) bool {
	return w == plans.Failed || w == plans.Held || w == plans.Paused || w == plans.Interrupted
}

func (r *Run) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	return r.f.Close()
}

// stopped says whether nothing but the end of the run is to be written any more.
func (r *Run) stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken != nil || r.closed
}
