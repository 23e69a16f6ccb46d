package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

func TestAppendGivesWhatAReaderWillFind(t *testing.T) {
	dir, s, r := begun(t)
	empty := plans.Seconds(1234567 * time.Nanosecond)
	got := add(t, r,
		plans.Event{Version: 9, Seq: 99, What: plans.Counted, Sessions: &plans.Sessions{Total: 3, Empty: &empty, ByHost: map[string]int{}}},
		plans.Event{What: plans.Ran, Output: "\xff", Sick: []string{}},
		note("last"))
	es := read(t, dir)
	if !reflect.DeepEqual(got, es[1:]) {
		t.Errorf("got %+v; want %+v", got, es[1:])
	}
	for i, e := range es {
		if e.Seq != int64(i+1) || e.Version != plans.Version || e.At.Location() != time.UTC || time.Since(e.At) > time.Minute {
			t.Errorf("event %d: got number %d, version %d, at %v", i+1, e.Seq, e.Version, e.At)
		}
		if e.Boot != es[0].Boot || e.Up < es[0].Up || bootID() != "" && (e.Boot == "" || e.Up == 0) {
			t.Errorf("event %d: got boot %q, up %v after %q, %v", i+1, e.Boot, e.Up, es[0].Boot, es[0].Up)
		}
	}
	must(t, s.Close())
	_, state, err := lock(t, dir).Continue("r1")
	if err != nil || !reflect.DeepEqual(state, plans.Fold(slices.Values(es))) {
		t.Errorf("got %+v, %v; want the fold of the events", state, err)
	}
}

func TestARunBeginsOnce(t *testing.T) {
	dir, s, _ := begun(t)
	if _, _, err := s.Begin("r2", note("")); err == nil {
		t.Error("a second run began beside an open one")
	}
	must(t, s.Close())
	s = lock(t, dir)
	if _, _, err := s.Begin("r1", note("again")); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.Begin("../r3", note("")); err == nil {
		t.Error("a run began outside")
	}
	if es := read(t, dir); len(es) != 1 || es[0].Note != "first" {
		t.Errorf("got %+v", es)
	}
	if _, _, err := s.Continue("r9"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v; want that there is none", err)
	}
}

func TestABeginningThatWasCutShortIsNoRun(t *testing.T) {
	dir := tempDir(t)
	s := lock(t, dir)
	must(t, os.MkdirAll(runDir(dir, ".beginning"), 0o700), os.WriteFile(journalPath(dir, ".beginning"), []byte(`{"v":1`), 0o600))
	if id, ok, err := Latest(dir); ok || err != nil {
		t.Errorf("got %q, %v, %v", id, ok, err)
	}
	if _, _, err := s.Begin("r1", note("first")); err != nil {
		t.Error(err)
	}
	if ids, err := Runs(dir); !slices.Equal(ids, []string{"r1"}) || err != nil {
		t.Errorf("got %q, %v", ids, err)
	}
}

func TestRunsAreInTheOrderOfTheirBeginnings(t *testing.T) {
	dir := tempDir(t)
	if ids, err := Runs(dir); len(ids) != 0 || err != nil {
		t.Errorf("before the first: got %q, %v", ids, err)
	}
	want := []string{"z9", "7f3a", "b0", "a1"}
	for i, id := range want {
		s := lock(t, dir)
		s.stamp = func() plans.Stamp { return plans.Stamp{At: noon.AddDate(0, 0, -i)} } // a clock that runs backwards
		_, _, err := s.Begin(id, note(""))
		must(t, err, s.Close())
		if got, ok, err := Latest(dir); got != id || !ok || err != nil {
			t.Errorf("got %q, %v, %v; want %q", got, ok, err, id)
		}
	}
	if ids, err := Runs(dir); !slices.Equal(ids, want) || err != nil {
		t.Errorf("got %q, %v; want %q", ids, err, want)
	}
}

// failing is a disk whose operations fail as told. A write that fails has written half of it.
type failing struct {
	disk
	write, sync, truncate error
}

func (f *failing) Write(b []byte) (int, error) {
	if f.write == nil {
		return f.disk.Write(b)
	}
	n, _ := f.disk.Write(b[:len(b)/2])
	return n, &os.PathError{Op: "write", Path: "journal.jsonl", Err: f.write}
}

func (f *failing) Sync() error {
	if f.sync != nil {
		return f.sync
	}
	return f.disk.Sync()
}

func (f *failing) Truncate(n int64) error {
	if f.truncate != nil {
		return f.truncate
	}
	return f.disk.Truncate(n)
}

func TestAfterAFailedWriteNothingIsAcknowledged(t *testing.T) {
	for _, c := range []struct {
		name string
		disk failing
	}{
		{"write", failing{write: syscall.EIO}},
		{"sync", failing{sync: syscall.EIO}},
		{"no room and no way back", failing{write: syscall.ENOSPC, truncate: syscall.EIO}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, s, r := begun(t)
			add(t, r, note("second"))
			whole := r.f
			c.disk.disk = whole
			r.f = &c.disk
			if _, err := r.Append(t.Context(), note("third")); !errors.Is(err, ErrBroken) {
				t.Errorf("got %v; want ErrBroken", err)
			}
			r.f = whole // the disk is well again: that changes nothing
			for _, what := range []plans.What{plans.Noted, plans.Writing, plans.Held, plans.Failed} {
				if _, err := r.Append(t.Context(), plans.Event{What: what}); !errors.Is(err, ErrBroken) {
					t.Errorf("%s: got %v; want ErrBroken", what, err)
				}
			}
			if es := read(t, dir); len(es) != 2 {
				t.Errorf("got %d events; want the 2 that were acknowledged", len(es))
			}
			must(t, s.Close())
			if _, state, err := lock(t, dir).Continue("r1"); err != nil || state.Seq != 2 {
				t.Errorf("got event %d, %v; want 2", state.Seq, err)
			}
		})
	}
}

// tight is a disk that has no room until the reserve is gone.
type tight struct {
	disk
	reserve string
}

func (f tight) Write(b []byte) (int, error) {
	if _, err := os.Stat(f.reserve); err == nil {
		n, _ := f.disk.Write(b[:10])
		return n, syscall.ENOSPC
	}
	return f.disk.Write(b)
}

func TestOnAFullDiskTheEndOfTheRunIsStillTold(t *testing.T) {
	for _, c := range []struct {
		name  string
		first plans.Event
		told  bool
	}{
		{"full at an intent", plans.Event{What: plans.Writing}, false},
		{"full at the end itself", plans.Event{What: plans.Failed, Error: "restart"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, s, r := begun(t)
			log, err := r.Log("m1")
			must(t, err)
			defer log.Close()
			r.f = tight{r.f, r.reserve}
			if _, err := r.Append(t.Context(), c.first); (err == nil) != c.told || err != nil && !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("got %v", err)
			}
			if n, err := log.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
				t.Errorf("the log: got %d, %v", n, err)
			}
			if _, err := r.Append(t.Context(), plans.Event{What: plans.Writing}); !errors.Is(err, ErrBroken) {
				t.Errorf("an intent on a full disk: got %v; want ErrBroken", err)
			}
			add(t, r, plans.Event{What: plans.Held, Error: "no space left", Safe: true})
			es := read(t, dir)
			if es[len(es)-1].What != plans.Held || (len(es) == 3) != c.told {
				t.Errorf("got %+v", es)
			}
			if info, err := os.Stat(runDir(dir, "r1") + "/log/m1.log"); err != nil || info.Size() != 0 {
				t.Errorf("the log has eaten the reserve: %v, %v", info, err)
			}
			must(t, s.Close())
			r, _, err = lock(t, dir).Continue("r1")
			must(t, err)
			if info, err := os.Stat(r.reserve); err != nil || info.Size() != reserveSize {
				t.Errorf("the reserve was not made again: %v", err)
			}
		})
	}
}

func TestAfterTheEndOfItsContextNothingIsWritten(t *testing.T) {
	dir, _, r := begun(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Append(ctx, note("late")); !errors.Is(err, context.Canceled) || errors.Is(err, ErrBroken) {
		t.Errorf("got %v", err)
	}
	add(t, r, note("recorded without cancel"))
	if es := read(t, dir); len(es) != 2 {
		t.Errorf("got %d events", len(es))
	}
}

func TestAnEventTooLongIsRefusedAndHarmsNothing(t *testing.T) {
	dir, _, r := begun(t)
	if _, err := r.Append(t.Context(), note(strings.Repeat("x", longest))); err == nil || errors.Is(err, ErrBroken) {
		t.Errorf("got %v", err)
	}
	add(t, r, note("next"))
	if es := read(t, dir); len(es) != 2 {
		t.Errorf("got %d events", len(es))
	}
}

func TestAClosedRunIsNotAddedTo(t *testing.T) {
	_, s, r := begun(t)
	must(t, s.Close())
	if _, err := r.Append(t.Context(), note("late")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestAppendsAtOnceAreOneChain(t *testing.T) {
	dir, _, r := begun(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 10 {
				if _, err := r.Append(t.Context(), note(fmt.Sprint(i, k))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n, done := 0, false; !done; {
		es := read(t, dir) // while it is written
		if len(es) < n {
			t.Errorf("got %d events after %d", len(es), n)
		}
		n = len(es)
		done = n == 41 || t.Failed()
	}
	wg.Wait()
}

func BenchmarkAppend(b *testing.B) {
	_, _, r := begun(b)
	e := plans.Event{What: plans.Looked, Weights: map[string]int{}}
	for i := range 48 {
		e.Weights[fmt.Sprintf("backend-%04d", i)] = 1
	}
	for b.Loop() {
		if _, err := r.Append(b.Context(), e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	dir, _, r := begun(b)
	for range 1000 {
		add(b, r, note("as long as most events are, with a sentence or two"))
	}
	for b.Loop() {
		if es := read(b, dir); len(es) != 1001 {
			b.Fatal(len(es))
		}
	}
}
