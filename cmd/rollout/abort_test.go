package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
)

// TestAnAbortDoesNotWaitForAProcessThatIsGone: the one it has asked dies before it answers, or says its last word and dies.
func TestAnAbortDoesNotWaitForAProcessThatIsGone(t *testing.T) {
	for _, row := range []struct {
		name string
		last []plans.Event
		code int
		want string
	}{
		{"killed", nil, 1, "the process that carried run 20260301-120000-7f3a out (pid 7) has ended without putting anything back: `rollout abort` again does it from here"},
		{"ended well", []plans.Event{{What: plans.Aborted, Step: -1, Note: "every backend is as it was found"}}, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk(t)
			d.keeps(begun()...)
			const run = "20260301-120000-7f3a"
			store, err := journal.Lock(filepath.Join(d.state, "game"), journal.Holder{User: "ann", Host: "deploy1", PID: os.Getpid(), Run: run, Command: "rollout start"})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			j, _, err := store.Continue(run)
			if err != nil {
				t.Fatal(err)
			}
			type end struct {
				code int
				errs string
			}
			ended := make(chan end, 1)
			go func() {
				code, _, errs := d.types("abort", "--yes")
				ended <- end{code, errs}
			}()
			for asked := []plans.Event(nil); len(asked) == 0; time.Sleep(5 * time.Millisecond) {
				if asked, err = j.Requests(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range row.last {
				if _, err := j.Append(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-ended:
				if got.code != row.code || !strings.Contains(got.errs, row.want) {
					t.Errorf("got exit %d, %s, want %d and %q", got.code, got.errs, row.code, row.want)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it waits still")
			}
		})
	}
}
