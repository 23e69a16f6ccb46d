package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Holder is the process that holds the lock, as it described itself.
type Holder struct {
	User    string    `json:"user"`
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Run     string    `json:"run"`     // id; empty until it is known
	Command string    `json:"command"` // as typed, without arguments: rollout start
	Since   time.Time `json:"since"`   // UTC
}

// String gives "ann@deploy1 (pid 4242) since 2026-03-01 14:31:01 UTC, rollout start, run 7f3a".
func (h Holder) String() string {
	s := fmt.Sprintf("%s@%s (pid %d) since %s", h.User, h.Host, h.PID, h.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
	if h.Command != "" {
		s += ", " + h.Command
	}
	if h.Run != "" {
		s += ", run " + h.Run
	}
	return s
}

// LockedError says that another process holds the lock. It ends with that process; there is nothing to break.
type LockedError struct {
	Holder Holder
	Known  bool // the holder has said who it is
}

// Error names the holder.
func (e *LockedError) Error() string {
	if !e.Known {
		return "the lock is held by another rollout, which has not said who it is"
	}
	return "the lock is held by " + e.Holder.String()
}

// Who says whether the lock of a state directory is held right now, and by whom: a zero Holder where that is held but not known. A
// directory that does not exist is not held.
func Who(dir string) (Holder, bool, error) {
	// A shared lock is refused exactly while somebody has the exclusive one. It is let go at once, and Lock tries more than once.
	l := flock.New(filepath.Join(dir, "lock"), flock.SetFlag(os.O_RDONLY|noFollow))
	free, err := l.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Holder{}, false, nil
	case err != nil:
		return Holder{}, false, fmt.Errorf("lock: %w", err)
	case free:
		if err := l.Close(); err != nil {
			return Holder{}, false, fmt.Errorf("lock: %w", err)
		}
		return Holder{}, false, nil
	}
	h, _ := readHolder(dir)
	return h, true, nil
}

// readHolder gives what the holder has said of itself, and false where it has not, or not yet.
func readHolder(dir string) (Holder, bool) {
	var h Holder
	b, err := os.ReadFile(holderPath(dir))
	if err != nil || json.Unmarshal(b, &h) != nil || h.PID == 0 {
		return Holder{}, false
	}
	return h, true
}

// writeHolder is not durable: who holds the lock is of no interest after a loss of power.
func writeHolder(dir string, h Holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if err := replace(holderPath(dir), append(b, '\n'), false); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

func holderPath(dir string) string { return filepath.Join(dir, "holder.json") }
