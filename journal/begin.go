package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Begin starts a run with its first event and gives that event as it was written. Either the run is there with its first event, also
// after a kill or a loss of power, or it is not there at all. A Store has one run open at a time.
func (s *Store) Begin(id string, first plans.Event) (*Run, plans.Event, error) {
	if err := checkName("run", id); err != nil {
		return nil, plans.Event{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return nil, plans.Event{}, fmt.Errorf("run %s: %w", id, err)
	}
	if _, err := os.Lstat(runDir(s.dir, id)); !errors.Is(err, fs.ErrNotExist) {
		return nil, plans.Event{}, fmt.Errorf("run %s: %s exists already", id, runDir(s.dir, id))
	}
	e, err := s.create(id, first)
	if err != nil {
		return nil, plans.Event{}, fmt.Errorf("run %s: %w", id, err)
	}
	r, _, err := s.open(id)
	return r, e, err
}

// create builds the run under a name that no reader takes for one, and moves it into place when it is durable.
func (s *Store) create(id string, first plans.Event) (plans.Event, error) {
	staged := runDir(s.dir, ".beginning")
	if err := os.RemoveAll(staged); err != nil { // of a process that was killed here
		return plans.Event{}, err
	}
	if err := os.Mkdir(staged, dirMode); err != nil {
		return plans.Event{}, err
	}
	e, err := s.stage(staged, id, first)
	if err == nil {
		err = os.Rename(staged, runDir(s.dir, id))
	}
	if err != nil {
		return plans.Event{}, errors.Join(err, os.RemoveAll(staged))
	}
	return e, syncDir(filepath.Join(s.dir, "runs"))
}

func (s *Store) stage(staged, id string, first plans.Event) (plans.Event, error) {
	n, err := lastNumber(s.dir)
	if err != nil {
		return plans.Event{}, err
	}
	if err := replace(filepath.Join(staged, "number"), []byte(strconv.Itoa(n+1)+"\n"), true); err != nil {
		return plans.Event{}, err
	}
	path := filepath.Join(staged, "journal.jsonl")
	f, err := open(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return plans.Event{}, err
	}
	r := s.newRun(id, file{f}, start(path))
	e, err := r.append(first)
	if err = errors.Join(err, r.close()); err == nil {
		err = syncDir(staged)
	}
	return e, err
}

// Continue opens a run that was begun before and gives its state, the fold of all its events. A last line whose writing broke off
// was never acknowledged: it is cut away. Damage is refused with a [*CorruptError], a newer format with a [*VersionError].
func (s *Store) Continue(id string) (*Run, plans.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return nil, plans.State{}, fmt.Errorf("run %s: %w", id, err)
	}
	return s.open(id)
}

// ready says whether a run may be opened.
func (s *Store) ready() error {
	switch {
	case !s.lock.Locked():
		return errors.New("the lock was let go")
	case s.run != nil:
		return fmt.Errorf("run %s is open already", s.run.id)
	}
	return nil
}

func (s *Store) open(id string) (*Run, plans.State, error) {
	in, c, err := look(s.dir, id)
	if err != nil {
		return nil, plans.State{}, err
	}
	defer in.Close()
	var state plans.State
	if err := c.readAll(in, func(e plans.Event) bool {
		state = state.Apply(e)
		return true
	}); err != nil {
		return nil, plans.State{}, err
	}
	out, err := open(c.path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return nil, plans.State{}, fmt.Errorf("run %s: %w", id, err)
	}
	r := s.newRun(id, file{out}, c)
	s.holder.Run = id
	// Sync: what a killed process has written and not synced is made durable before anything is built on it.
	if err := errors.Join(r.repair(), r.f.Sync(), keepReserve(r.reserve), writeHolder(s.dir, s.holder)); err != nil {
		return nil, plans.State{}, errors.Join(fmt.Errorf("run %s: %w", id, err), r.close())
	}
	s.run = r
	return r, state, nil
}
