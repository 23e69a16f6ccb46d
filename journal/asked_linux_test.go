package journal

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// TestARequestWaitsWhileNoFileCanBeOpened: whoever fills the table of descriptors does not end a run, whose journal is open.
func TestARequestWaitsWhileNoFileCanBeOpened(t *testing.T) {
	dir, _, r := begun(t)
	must(t, Ask(dir, "r1", plans.AskPause, "bob@laptop"))
	asked := filepath.Join(runDir(dir, "r1"), "asked")
	files, err := os.ReadDir(asked)
	must(t, err)
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	none := limit
	none.Cur = 0
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	_, open := os.Open(asked)
	es, err := r.Requests(t.Context())
	_, ok, alone := r.request(t.Context(), filepath.Join(asked, files[0].Name())) // the folder took the last
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	if open == nil {
		t.Fatal("a file could be opened")
	}
	if len(es) != 0 || err != nil || ok || alone != nil {
		t.Errorf("without a descriptor: got %+v, %v; of one request %v, %v", es, err, ok, alone)
	}
	if es, err := r.Requests(t.Context()); len(es) != 1 || es[0].Request != plans.AskPause || err != nil {
		t.Errorf("afterwards: got %+v, %v; want the request", es, err)
	}
}
