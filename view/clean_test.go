package view

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanTakesOutWhatChangesATerminal(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"plain text stays", "start: ok\n  2 left", "start: ok\n  2 left"},
		{"Chinese stays", "网关一: 正常", "网关一: 正常"},
		{"colour", "\x1b[31;1mError\x1b[0m: 5", "Error: 5"},
		{"cursor and erase", "a\x1b[2J\x1b[1;1Hb", "ab"},
		{"title ended by BEL", "a\x1b]0;owned\ab", "ab"},
		{"link ended by ST", "\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\", "here"},
		{"title that does not end keeps what follows", "\x1b]0;disk full", "0;disk full"},
		{"title that ends in another line keeps both", "\x1b]0;disk\nfull\a", "0;disk\nfull"},
		{"eight-bit colour", "a\u009b31mb", "ab"},
		{"two bytes", "a\x1b7b\x1b(Bc", "abc"},
		{"escape before Chinese", "\x1b网", "网"},
		{"escape at the end", "a\x1b", "a"},
		{"backspaces", "ab\b\bok", "abok"},
		{"progress bar", "10%\r20%\r\n", "10%\n20%\n"},
		{"tab", "a\tb", "a b"},
		{"turned writing", "a\u202eb\u2066c", "abc"},
		{"line separator", "a\u2028b", "a\nb"},
		{"not UTF-8", "a\xff\xfeb", "a\ufffd\ufffdb"},
		{"NUL and DEL", "a\x00b\x7f", "ab"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in); got != tt.want {
				t.Errorf("Clean(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// harmless says what is wrong with a text that goes to a terminal; empty where nothing is.
func harmless(s string) string {
	if !utf8.ValidString(s) {
		return "it is not UTF-8"
	}
	for _, r := range s {
		if r != '\n' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)) {
			return fmt.Sprintf("it has the control character %U", r)
		}
	}
	return ""
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "ok", "\x1b[31mred\x1b[0m", "\x1b]0;t\a", "\x1b]0;t", "\x1b(0", "\x1b", "\r\n", "\r", "\xff", "\u009b1m", "\u202e", "\x1b\x1b[m", "\x1b[\x1b[31m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if bad := harmless(got); bad != "" {
			t.Fatalf("Clean(%q) = %q: %s", s, got, bad)
		}
		if again := Clean(got); again != got {
			t.Fatalf("Clean(%q) = %q, and again %q", s, got, again)
		}
		if harmless(s) == "" && !strings.ContainsAny(s, "\u2028\u2029") && got != s {
			t.Fatalf("Clean(%q) = %q, and nothing was to be taken out", s, got)
		}
	})
}
