package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

func TestWhatIsAskedIsAppendedOnceAndInOrder(t *testing.T) {
	dir, _, r := begun(t)
	if es, err := r.Requests(t.Context()); len(es) != 0 || err != nil {
		t.Errorf("nothing asked: got %+v, %v", es, err)
	}
	for i, q := range []plans.Request{plans.AskPause, plans.AskAbort, plans.AskPause} {
		must(t, Ask(dir, "r1", q, fmt.Sprintf("bob%d@laptop", i)))
	}
	es, err := r.Requests(t.Context())
	if err != nil || len(es) != 3 {
		t.Fatalf("got %+v, %v", es, err)
	}
	for i, want := range []plans.Request{plans.AskPause, plans.AskAbort, plans.AskPause} {
		e := es[i]
		if e.What != plans.Asked || e.Request != want || e.By != fmt.Sprintf("bob%d@laptop", i) || e.Step != -1 || e.Seq != int64(i+2) || e.Note == "" {
			t.Errorf("got %+v; want %s", e, want)
		}
	}
	if got := read(t, dir); len(got) != 4 {
		t.Errorf("got %d events in the journal; want 4", len(got))
	}
	if es, err := r.Requests(t.Context()); len(es) != 0 || err != nil {
		t.Errorf("asked twice: got %+v, %v", es, err)
	}
}

func TestARequestThatIsNotRecordedIsNotLost(t *testing.T) {
	dir, s, r := begun(t)
	must(t, Ask(dir, "r1", plans.AskAbort, "bob@laptop"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if es, err := r.Requests(ended); len(es) != 0 || err == nil {
		t.Errorf("got %+v, %v", es, err)
	}
	must(t, s.Close())
	r, _, err := lock(t, dir).Continue("r1")
	must(t, err)
	if es, err := r.Requests(t.Context()); len(es) != 1 || err != nil {
		t.Errorf("got %+v, %v; want the request", es, err)
	}
}

func TestAFileThatIsNoRequestIsNotedAndSetAside(t *testing.T) {
	dir, _, r := begun(t)
	asked := filepath.Join(runDir(dir, "r1"), "asked")
	must(t, os.Mkdir(asked, 0o700), os.WriteFile(filepath.Join(asked, "0.json"), []byte("{"), 0o600),
		os.WriteFile(filepath.Join(asked, ".new-1"), []byte("{"), 0o600), Ask(dir, "r1", plans.AskPause, "bob@laptop"))
	for range 2 {
		if _, err := r.Requests(t.Context()); err != nil {
			t.Error(err)
		}
	}
	es := read(t, dir)
	if len(es) != 3 || es[1].What != plans.Noted || es[2].Request != plans.AskPause {
		t.Errorf("got %+v", es)
	}
	if _, err := os.Stat(filepath.Join(asked, "0.json.bad")); err != nil {
		t.Error(err)
	}
}

func TestNothingIsAskedOfNobody(t *testing.T) {
	dir, _, _ := begun(t)
	for _, c := range []struct {
		name, id string
		request  plans.Request
	}{
		{"a run that is not there", "r9", plans.AskPause},
		{"outside of the runs", "../runs/r1", plans.AskPause},
		{"nothing", "r1", ""},
	} {
		if err := Ask(dir, c.id, c.request, "bob@laptop"); err == nil {
			t.Errorf("%s: got no error", c.name)
		}
	}
}
