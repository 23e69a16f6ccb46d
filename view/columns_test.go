package view

import (
	"strings"
	"testing"
)

func TestChineseTakesTwoColumns(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int
	}{
		{"", 0}, {"game-1", 6}, {"网关一", 6}, {"游戏-5", 6}, {"，。", 4}, {"ｆｕｌｌ", 8}, {"한글", 4}, {"かな", 4},
		{"✔ ✖ ◌ · – ≤ → █ ░", 17}, {"e\u0301", 1}, {"😀", 2}, {"𠀀", 2}, {"…", 1},
	} {
		if got := columns(tt.in); got != tt.want {
			t.Errorf("columns(%q) = %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestACutTextFitsAndSaysThatItIsCut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{
		{"game-1", 6, "game-1"}, {"game-10", 6, "game-…"}, {"网关一", 6, "网关一"}, {"网关一号", 6, "网关…"}, {"网关一号", 7, "网关一…"}, {"ab", 1, "…"},
	} {
		if got := cut(tt.in, tt.n); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func FuzzFlow(f *testing.F) {
	f.Add("a bb ccc", 4)
	f.Add("网关一 of 24", 3)
	f.Add("😀😀", 1)
	f.Add("exit 1: EADDRINUSE", 10)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 2 + (n%40+40)%40 // a wide character needs two
		s = oneLine(s)
		ls := wrap(s, n)
		for _, l := range ls {
			if columns(l) > n {
				t.Fatalf("wrap(%q, %d) has the line %q of %d columns", s, n, l, columns(l))
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(ls, "")), ""), strings.Join(strings.Fields(s), ""); got != want {
			t.Fatalf("wrap(%q, %d) lost something: %q", s, n, ls)
		}
		if c := cut(s, n); columns(c) > n {
			t.Fatalf("cut(%q, %d) = %q of %d columns", s, n, c, columns(c))
		}
		if p := pad(cut(s, n), n); columns(p) != n {
			t.Fatalf("pad to %d gave %q of %d columns", n, p, columns(p))
		}
	})
}
