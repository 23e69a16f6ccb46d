package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// soon ends a follower that waits for what does not come.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestAFollowerSeesEveryEventInOrder(t *testing.T) {
	dir, _, r := begun(t)
	add(t, r, note("second"), note("third"))
	written := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 30 && err == nil; i++ {
			_, err = r.Append(context.WithoutCancel(t.Context()), note(fmt.Sprint(i)))
		}
		written <- err
	}()
	next := int64(3)
	for e, err := range follow(soon(t), dir, "r1", 2, time.Millisecond) {
		if err != nil || e.Seq != next {
			t.Fatalf("got event %d, %v; want %d", e.Seq, err, next)
		}
		if next++; next == 34 {
			break
		}
	}
	must(t, <-written)
	if next != 34 {
		t.Errorf("the follower ended before event %d", next)
	}
}

func TestFollowingEndsWithItsContext(t *testing.T) {
	dir, _, _ := begun(t)
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	n := 0
	for _, err := range Follow(ctx, dir, "r1", 0) {
		must(t, err)
		n++
		cancel()
	}
	if n != 1 {
		t.Errorf("got %d events; want 1", n)
	}
}

func TestAFollowerDoesNotMindALineThatIsTakenBack(t *testing.T) {
	dir, _, r := begun(t)
	path := journalPath(dir, "r1")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	defer f.Close()
	_, err = f.WriteString(`{"v":1,"seq":2,"at":"2026-`)
	must(t, err)
	second := time.AfterFunc(20*time.Millisecond, func() { // by then the half line was looked at more than once
		if err := r.repair(); err != nil {
			t.Error(err)
		}
		if _, err := r.Append(context.Background(), note("second")); err != nil {
			t.Error(err)
		}
	})
	defer second.Stop()
	var got []string
	for e, err := range follow(soon(t), dir, "r1", 0, time.Millisecond) {
		must(t, err)
		if got = append(got, e.Note); len(got) == 2 {
			break
		}
	}
	if !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("got %q", got)
	}
}

func TestAFollowerIsToldOfDamageOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, path string)
		want   func(error) bool
	}{
		{"a line that is no record", func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString("hello\n")
			must(t, err, f.Close())
		}, func(err error) bool { c := (*CorruptError)(nil); return errors.As(err, &c) && c.Line == 2 }},
		{"a journal that became shorter", func(t *testing.T, path string) { must(t, os.Truncate(path, 10)) },
			func(err error) bool { return err != nil }},
		{"no run", func(t *testing.T, path string) { must(t, os.Remove(path)) },
			func(err error) bool { return errors.Is(err, os.ErrNotExist) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, _, _ := begun(t)
			if c.name == "no run" {
				c.change(t, journalPath(dir, "r1"))
			}
			var got []error
			for e, err := range follow(soon(t), dir, "r1", 0, time.Millisecond) {
				if err == nil {
					c.change(t, journalPath(dir, "r1"))
					continue
				}
				if e.Seq != 0 || e.What != plans.What("") {
					t.Errorf("an event came with the error: %+v", e)
				}
				got = append(got, err)
			}
			if len(got) != 1 || !c.want(got[0]) {
				t.Errorf("got %v", got)
			}
		})
	}
}
