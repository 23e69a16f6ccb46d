package journal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/plans"
)

// journalOf gives a small journal with awkward contents, and its events.
func journalOf(t testing.TB) ([]byte, []plans.Event) {
	t.Helper()
	dir, s, r := begun(t)
	s.stamp, r.stamp = ticking(), ticking()
	add(t, r,
		plans.Event{What: plans.Writing, Weights: map[string]int{"b-1": 0, "b-2": 7}},
		plans.Event{What: plans.Ran, Command: &plans.Command{Host: "10.9.0.4", Line: "a && b > c"}, Output: "\x1b[31m\x00 \xff \u2028 \"}\n"},
		plans.Event{What: plans.Counted, Group: "one", Sessions: &plans.Sessions{Unread: map[string]string{"10.9.0.4": "ss: not found"}}},
		note(`,"prev":"`+strings.Repeat("0", 64)+`","crc":"00000000"}`))
	b, err := os.ReadFile(journalPath(dir, "r1"))
	must(t, err)
	return b, read(t, dir)
}

// parse reads a journal from memory.
func parse(data []byte) ([]plans.Event, chain, error) {
	c := start("journal.jsonl")
	var es []plans.Event
	err := c.readAll(bytes.NewReader(data), func(e plans.Event) bool {
		es = append(es, e)
		return true
	})
	return es, c, err
}

func TestACutAtEveryByteLosesNoWholeRecord(t *testing.T) {
	data, events := journalOf(t)
	dir := tempDir(t)
	must(t, os.MkdirAll(runDir(dir, "r1"), 0o700), os.Chmod(dir, 0o700))
	s := lock(t, dir)
	for n := range len(data) + 1 {
		whole := bytes.Count(data[:n], []byte("\n"))
		must(t, os.WriteFile(journalPath(dir, "r1"), data[:n], 0o600))
		if whole == 0 { // a run begins with its first event whole: what is less is damage
			var damaged *CorruptError
			if es, err := Read(dir, "r1"); !errors.As(err, &damaged) || len(es) > 0 {
				t.Fatalf("cut at byte %d: got %d records, %v; want a CorruptError", n, len(es), err)
			}
			if _, _, err := s.Continue("r1"); !errors.As(err, &damaged) {
				t.Fatalf("cut at byte %d and continued: got %v; want a CorruptError", n, err)
			}
			continue
		}
		got := read(t, dir)
		if len(got) != whole || !reflect.DeepEqual(got, events[:whole]) {
			t.Fatalf("cut at byte %d: got %d records; want the first %d", n, len(got), whole)
		}
		if n%17 != 0 { // opening and syncing each is slow, reading is not
			continue
		}
		r, state, err := s.Continue("r1")
		if err != nil || state.Seq != int64(whole) {
			t.Fatalf("cut at byte %d: got state of event %d, %v; want %d", n, state.Seq, err, whole)
		}
		add(t, r, note("after"))
		must(t, r.close())
		s.run = nil
		if got := read(t, dir); len(got) != whole+1 || got[whole].Note != "after" {
			t.Fatalf("cut at byte %d and continued: got %d records", n, len(got))
		}
	}
}

func TestNoChangedBitGoesUnnoticed(t *testing.T) {
	data, events := journalOf(t)
	last := bytes.LastIndexByte(data[:len(data)-1], '\n')
	for i := range data {
		for bit := range 8 {
			if i <= last && bit != i%8 {
				continue
			}
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << bit
			got, _, err := parse(damaged)
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Offset > int64(i) {
				t.Fatalf("byte %d bit %d: got %v; want a CorruptError at or before it", i, bit, err)
			}
			if len(got) != corrupt.Line-1 || len(got) > 0 && !reflect.DeepEqual(got, events[:len(got)]) {
				t.Fatalf("byte %d bit %d: got %d events before line %d", i, bit, len(got), corrupt.Line)
			}
		}
	}
}

func TestWhatWasEditedIsRefused(t *testing.T) {
	data, _ := journalOf(t)
	lines := bytes.SplitAfter(data, []byte("\n"))
	lines = lines[:len(lines)-1]
	join := func(ls ...[]byte) []byte { return bytes.Join(ls, nil) }
	for _, c := range []struct {
		name string
		data []byte
		line int
		want string
	}{
		{"a line removed", join(lines[0], lines[2]), 2, "does not follow"},
		{"the first line removed", join(lines[1:]...), 1, "does not follow"},
		{"two lines exchanged", join(lines[0], lines[2], lines[1]), 2, "does not follow"},
		{"a line twice", join(lines[0], lines[1], lines[1]), 3, "does not follow"},
		{"an empty line", join(lines[0], []byte("\n")), 2, "too short"},
		{"a whole last line with a wrong checksum", join(lines[0], bytes.Replace(lines[1], []byte("b-1"), []byte("b-9"), 1)), 2, "checksum"},
		{"zeros of a lost write before a newline", join(lines[0], make([]byte, 512), []byte("\n")), 2, "prev and crc"},
		{"carriage returns", bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")), 1, "prev and crc"},
		{"a line that never ends", join(lines[0], make([]byte, longest+1)), 2, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := parse(c.data)
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) || corrupt.Line != c.line || !strings.Contains(corrupt.Reason, c.want) {
				t.Errorf("got %v; want line %d, %q", err, c.line, c.want)
			}
		})
	}
}

// sealed gives a line with the given JSON, as another version of rollout might have written it.
func sealed(c *chain, object string) []byte {
	line := []byte(strings.TrimSuffix(object, "}") + beforePrev + c.prev)
	return fmt.Appendf(line, "%s%08x%s\n", beforeCRC, crc32.Checksum(line, castagnoli), end)
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		name, object, want string
	}{
		{"fields that this build does not know", `{"v":1,"seq":1,"at":"2026-03-01T12:00:00Z","what":"noted","step":-1,"note":"n","mood":{"of":["the","day"]}}`, ""},
		{"an event that this build does not know", `{"v":1,"seq":1,"at":"2026-03-01T12:00:00Z","what":"pondered","step":-1,"note":"n"}`, ""},
		{"a newer version", `{"v":2,"seq":1,"at":"2026-03-01T12:00:00Z","what":"noted","step":-1}`, "format version 2"},
		{"a newer version with other types", `{"v":3,"seq":1,"at":17,"what":["noted"]}`, "format version 3"},
		{"no version", `{"seq":1,"at":"2026-03-01T12:00:00Z","what":"noted","step":-1}`, "no version 0"},
		{"this version with other types", `{"v":1,"seq":1,"at":17}`, "damaged"},
		{"a gap in the numbers", `{"v":1,"seq":2,"at":"2026-03-01T12:00:00Z","what":"noted"}`, "event 2 follows event 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := start("")
			es, _, err := parse(sealed(&at, c.object))
			if c.want == "" && (err != nil || len(es) != 1 || es[0].Note != "n" || plans.State{}.Apply(es[0]).Seq != 1) {
				t.Errorf("got %+v, %v", es, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v; want an error with %q", err, c.want)
			}
			if newer := (*VersionError)(nil); errors.As(err, &newer) != strings.HasPrefix(c.want, "format version") {
				t.Errorf("got %T", err)
			}
		})
	}
}

func TestNoKeyOfAnEventIsTheEnvelopes(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[plans.Event]()) {
		if key, _, _ := strings.Cut(f.Tag.Get("json"), ","); key == "prev" || key == "crc" {
			t.Errorf("plans.Event.%s has the key %q", f.Name, key)
		}
	}
}

func TestACommandLineIsLegible(t *testing.T) {
	data, _ := journalOf(t)
	if !bytes.Contains(data, []byte(`"a && b > c"`)) {
		t.Errorf("got %s", data)
	}
	if i := bytes.IndexFunc(data, func(c rune) bool { return c < ' ' && c != '\n' }); i >= 0 {
		t.Errorf("a control character at byte %d: %q", i, data[i])
	}
}

func FuzzRead(f *testing.F) {
	data, _ := journalOf(f)
	f.Add(data)
	f.Add(data[:len(data)-1])
	f.Add(data[:len(data)/2])
	f.Add(bytes.ToUpper(data))
	f.Add([]byte("\n"))
	f.Add([]byte(`{"v":1,"seq":1}` + "\n"))
	at := start("")
	f.Add(sealed(&at, `{"v":1,"seq":1,"plan":{"steps":null},"sessions":{"empty":-1}}`))
	f.Add(sealed(&at, `{"v":1,"seq":1e0,"Seq":7}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		es, c, err := parse(data)
		if c.off > int64(len(data)) || c.line != len(es) || c.seq != int64(len(es)) {
			t.Fatalf("stopped after line %d, byte %d, event %d, having given %d events of %d bytes", c.line, c.off, c.seq, len(es), len(data))
		}
		for i, e := range es {
			if e.Seq != int64(i+1) {
				t.Fatalf("event %d has the number %d", i+1, e.Seq)
			}
		}
		again, _, clean := parse(data[:c.off])
		if c.off == 0 {
			clean = nil // nothing is not a journal, and said to be none
		}
		if clean != nil || !reflect.DeepEqual(again, es) {
			t.Fatalf("the good part of what gave %v: got %v and other events", err, clean)
		}
	})
}

func FuzzEvent(f *testing.F) {
	f.Add(`{"v":1,"seq":1,"at":"2026-03-01T12:00:00Z","what":"noted","step":-1,"note":"n"}`)
	f.Add(`{"v":1,"seq":1,"what":"counted","step":7,"group":"one","sessions":{"total":-1},"cut":3}`)
	f.Add(`{"v":1,"seq":1,"what":"planned","plan":{"steps":[{"kind":"drain","within":-1}]}}`)
	f.Add(`{"v":1,"seq":1,"up":1e308}`)
	f.Add(`{"v":2,"seq":"1"}`)
	f.Fuzz(func(t *testing.T, object string) {
		at := start("")
		es, c, err := parse(sealed(&at, object))
		if (err == nil) != (len(es) == 1) {
			// an object with a newline in it is two lines
			if err == nil {
				t.Fatalf("got %d events without an error", len(es))
			}
			return
		}
		for _, e := range es {
			if e.Seq != 1 || e.Version != plans.Version || c.line != 1 {
				t.Fatalf("took %+v", e)
			}
			plans.State{}.Apply(e)
		}
	})
}
