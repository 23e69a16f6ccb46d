package remote

import (
	"bytes"
	"strings"
	"testing"
)

func TestAnExcerptKeepsBothEndsOfAnyOutput(t *testing.T) {
	for _, row := range []struct {
		name        string
		size, chunk int
		gone        string
	}{
		{"nothing", 0, 1, ""},
		{"a little", 10, 3, ""},
		{"exactly the head", excerptHalf, 1000, ""},
		{"exactly all", 2 * excerptHalf, 4096, ""},
		{"one byte more", 2*excerptHalf + 1, 4096, "[… 1 bytes left out …]"},
		{"in one write", 10 * excerptHalf, 10 * excerptHalf, "[… 262144 bytes left out …]"},
		{"in many", 10 * excerptHalf, 777, "[… 262144 bytes left out …]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			all := make([]byte, row.size)
			for i := range all {
				all[i] = 'a' + byte(i%26)
			}
			var e excerpt
			for c := range slicesOf(all, row.chunk) {
				e.add(c)
			}
			want := string(all)
			if row.gone != "" {
				want = string(all[:excerptHalf]) + "\n" + row.gone + "\n" + string(all[len(all)-excerptHalf:])
			}
			if got := e.String(); got != want {
				t.Errorf("got %d bytes, want %d", len(got), len(want))
			}
			if n := min(5000, row.size); e.last(5000) != string(all[row.size-n:]) {
				t.Errorf("last: got %d bytes, want the last %d", len(e.last(5000)), n)
			}
			if len(e.tail) > 3*excerptHalf && row.chunk < excerptHalf {
				t.Errorf("holds %d bytes", len(e.tail))
			}
		})
	}
}

func slicesOf(b []byte, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for r := bytes.NewBuffer(b); r.Len() > 0; {
			if !yield(r.Next(n)) {
				return
			}
		}
	}
}

func TestASealedCaptureTakesNoMore(t *testing.T) {
	var out strings.Builder
	k := &capture{output: &out}
	w := k.into(&k.stdout)
	_, _ = w.Write([]byte("before"))
	k.seal()
	if n, err := w.Write([]byte("after")); n != 5 || err != nil {
		t.Errorf("got %d, %v: a writer that fails would hold the command up", n, err)
	}
	if out.String() != "before" || k.stdout.String() != "before" {
		t.Errorf("got %q and %q", out.String(), k.stdout.String())
	}
}
