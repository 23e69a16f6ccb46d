package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

var update = flag.Bool("update", false, "write the golden states, and the golden journals that are missing")

// A journal of this directory was written by a released format and is never written again: every later build must replay it.
const goldenDir = "testdata/journals/v1"

func TestJournalsOfThisAndEarlierReleasesReplay(t *testing.T) {
	if *update {
		writeGoldens(t)
	}
	paths, err := filepath.Glob(filepath.Join(goldenDir, "*.jsonl"))
	if err != nil || len(paths) != len(stories(t)) {
		t.Fatalf("got %q, %v; want a journal for each of %d stories", paths, err, len(stories(t)))
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			must(t, err)
			es, _, err := parse(data)
			must(t, err)
			got, err := json.MarshalIndent(plans.Fold(slices.Values(es)), "", "  ")
			must(t, err)
			got = append(got, '\n')
			state := path[:len(path)-len(".jsonl")] + ".json"
			if *update {
				must(t, os.WriteFile(state, got, 0o644))
			}
			want, err := os.ReadFile(state)
			must(t, err)
			if !bytes.Equal(got, want) {
				t.Errorf("the state is another: got\n%s\nwant\n%s", got, want)
			}
			if n := bytes.Count(data, []byte("\n")); n != len(es) {
				t.Errorf("got %d events of %d lines", len(es), n)
			}
		})
	}
}

// Every kind of event is in some golden journal, so that none can change its meaning unseen.
func TestTheGoldenJournalsTellEveryKindOfEvent(t *testing.T) {
	seen := map[plans.What]bool{}
	paths, _ := filepath.Glob(filepath.Join(goldenDir, "*.jsonl"))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		must(t, err)
		es, _, err := parse(data)
		must(t, err)
		for _, e := range es {
			seen[e.What] = true
		}
	}
	for _, w := range []plans.What{
		plans.Planned, plans.Resumed, plans.Began, plans.Looked, plans.Writing, plans.Wrote, plans.Counted, plans.Running, plans.Ran,
		plans.Noted, plans.Ended, plans.Failed, plans.Asked, plans.Paused, plans.Held, plans.Interrupted, plans.Done, plans.Aborted,
		plans.Called, plans.Alarmed, plans.Tried, plans.Adopted, plans.Overruled,
	} {
		if !seen[w] {
			t.Errorf("no golden journal tells %s", w)
		}
	}
}

func writeGoldens(t *testing.T) {
	t.Helper()
	must(t, os.MkdirAll(goldenDir, 0o755))
	for name, es := range stories(t) {
		path := filepath.Join(goldenDir, name+".jsonl")
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		dir := tempDir(t)
		s := lock(t, dir)
		s.stamp = ticking()
		r, _, err := s.Begin("r1", es[0])
		must(t, err)
		add(t, r, es[1:]...)
		data, err := os.ReadFile(journalPath(dir, "r1"))
		must(t, err, os.WriteFile(path, data, 0o644))
	}
}
