package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Store is a state directory whose lock this process holds, until Close or its death.
type Store struct {
	dir    string
	holder Holder
	lock   *flock.Flock
	stamp  func() plans.Stamp

	mu  sync.Mutex
	run *Run // the one that is open
}

// Lock makes dir where it is missing, mode 0700, and takes its lock for h, without waiting for a holder to end. It fails with a
// [*LockedError] while another process holds it, and refuses a directory that is a symbolic link, belongs to somebody else or may be
// written by others. A zero Since is now.
func Lock(dir string, h Holder) (*Store, error) {
	if err := prepare(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lock")
	f, err := open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	_ = f.Close() // opened to be looked at
	l := flock.New(path, flock.SetFlag(os.O_RDWR|noFollow))
	if err := acquire(l); err != nil {
		if locked := (*LockedError)(nil); errors.As(err, &locked) {
			locked.Holder, locked.Known = readHolder(dir)
		}
		return nil, fmt.Errorf("state directory %s: %w", dir, err)
	}
	if h.Since.IsZero() {
		h.Since = time.Now().UTC().Truncate(time.Second)
	}
	s := &Store{dir: dir, holder: h, lock: l, stamp: stamps()}
	if err := writeHolder(dir, h); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// acquire tries for a moment: Who holds a shared lock for some microseconds, and a new holder takes some to say who it is.
func acquire(l *flock.Flock) error {
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	ok, err := l.TryLockContext(ctx, 10*time.Millisecond)
	switch {
	case ok:
		return nil
	case err == nil, errors.Is(err, context.DeadlineExceeded):
		return &LockedError{}
	}
	return err
}

// Leave ends the open run and keeps the lock, so that another run may be begun.
func (s *Store) Leave() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil
	}
	err := s.run.close()
	s.run = nil
	return err
}

// Close ends the open run and lets the lock go. Events are durable already: it writes nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lock.Locked() {
		return nil // a second Close must not touch what another holder has written
	}
	var err error
	if s.run != nil {
		err = s.run.close()
		s.run = nil
	}
	if rm := os.Remove(holderPath(s.dir)); !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return errors.Join(err, s.lock.Close()) // last: what is above is for the holder to do
}
