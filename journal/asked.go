package journal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// asking is a request as it lies in a file.
type asking struct {
	Request plans.Request `json:"request"`
	By      string        `json:"by"`
	At      time.Time     `json:"at"`
}

// Ask leaves a request, asked by user@host, for the process that has the run, which takes it between two acts; it is durable when Ask
// returns. It does not look whether there is such a process ([Who] does): what nobody takes waits for the one that continues the run.
func Ask(dir, id string, r plans.Request, by string) error {
	if r == "" {
		return errors.New("request: it is empty")
	}
	if err := checkName("run", id); err != nil {
		return err
	}
	b, err := json.Marshal(asking{Request: r, By: by, At: time.Now().UTC().Truncate(time.Millisecond)})
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	asked := filepath.Join(runDir(dir, id), "asked")
	if err := os.Mkdir(asked, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("request to run %s: %w", id, err)
	}
	name := fmt.Sprintf("%020d-%.8s.json", time.Now().UnixNano(), rand.Text()) // sorts by time
	if err := replace(filepath.Join(asked, name), append(b, '\n'), true); err != nil {
		return fmt.Errorf("request to run %s: %w", id, err)
	}
	return nil
}

// Requests appends what was asked of the run and not taken yet as asked events, oldest first, and gives them. A request is removed
// after it was appended, so that a kill in between makes it come twice and never not at all. A file that is no request is set aside under
// a name that ends in .bad, and noted. Where no file can be opened for want of descriptors nothing is wrong with the journal, which is open: what was asked
// waits for the next call.
func (r *Run) Requests(ctx context.Context) ([]plans.Event, error) {
	asked := filepath.Join(r.dir, "asked")
	entries, err := os.ReadDir(asked) // in order of names
	if errors.Is(err, fs.ErrNotExist) || noDescriptor(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("requests to run %s: %w", r.id, err)
	}
	var events []plans.Event
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		e, ok, err := r.request(ctx, filepath.Join(asked, entry.Name()))
		if ok {
			events = append(events, e)
		}
		if err != nil {
			return events, err
		}
	}
	return events, nil
}

// request takes one file. True says that its request was appended, also where the file could not be removed.
func (r *Run) request(ctx context.Context, path string) (plans.Event, bool, error) {
	var a asking
	b, err := os.ReadFile(path)
	if noDescriptor(err) {
		return plans.Event{}, false, nil
	}
	if err != nil {
		return plans.Event{}, false, fmt.Errorf("request to run %s: %w", r.id, err)
	}
	if err := json.Unmarshal(b, &a); err != nil || a.Request == "" {
		if err := os.Rename(path, path+".bad"); err != nil {
			return plans.Event{}, false, fmt.Errorf("request to run %s: %w", r.id, err)
		}
		_, err := r.Append(ctx, plans.Event{What: plans.Noted, Step: -1, Note: "asked/" + filepath.Base(path) + " is not a request and was set aside"})
		return plans.Event{}, false, err
	}
	e, err := r.Append(ctx, plans.Event{
		What: plans.Asked, Step: -1, Request: a.Request, By: a.By, Note: "asked at " + a.At.Format(time.RFC3339),
	})
	if err != nil {
		return plans.Event{}, false, err
	}
	if err := os.Remove(path); err != nil {
		return e, true, fmt.Errorf("request to run %s: %w", r.id, err)
	}
	return e, true, nil
}

// noDescriptor says whether a file could not be opened since this process, or its host, has as many open as it may.
func noDescriptor(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
