package drain

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestCommandCountsOrSaysWhyNot(t *testing.T) {
	answer := func(text string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return text, err }
	}
	tests := []struct {
		name string
		run  func(context.Context) (string, error)
		want int
		why  string
	}{
		{"a number", answer(" 12\n", nil), 12, ""},
		{"zero", answer("0\n", nil), 0, ""},
		{"nothing", answer("\n", nil), 0, "the answer is empty, not a number"},
		{"negative", answer("-1", nil), 0, `the answer is not a whole number: "-1"`},
		{"two numbers", answer("1 2", nil), 0, `the answer is not a whole number: "1 2"`},
		{"too large", answer("99999999999999999999", nil), 0, `the answer is too large a number: "99999999999999999999"`},
		{"words", answer("0 sessions", nil), 0, `the answer is not a whole number: "0 sessions"`},
		{"zero, but it did not end well", answer("0", errors.New("exit 1")), 0, "exit 1"},
		{"hangs", func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }, 0, "no answer within 10s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := Command(func(ctx context.Context, host string) (string, error) {
					if host == "b" {
						return "3", nil
					}
					return tt.run(ctx)
				}, []string{"a", "b", "b"})
				got, err := c.Count(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got.Unread["a"] != tt.why || got.ByHost["a"] != tt.want || got.Total != tt.want+3 {
					t.Errorf("got %+v, want %d and 3, unread %q", got, tt.want, tt.why)
				}
				if got.Full != (tt.why == "") || got.At.IsZero() {
					t.Errorf("got full %t at %s", got.Full, got.At)
				}
			})
		})
	}
}

func TestCommandWithoutHostsIsNotZero(t *testing.T) {
	got, err := Command(nil, nil).Count(t.Context())
	if err != nil || got.Known() || got.Full {
		t.Errorf("got %+v, %v, want nothing known", got, err)
	}
}

func TestAnInterruptedCommandTellsNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	hang := func(ctx context.Context, _ string) (string, error) { <-ctx.Done(); return "", ctx.Err() }
	got, err := Command(hang, []string{"a"}).Count(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || got.Unread != nil {
		t.Errorf("got %+v, %v, want the zero reading and the context's error", got, err)
	}
}

func FuzzParseCount(f *testing.F) {
	for _, s := range []string{"0", " 12\n", "-1", "0x10", "1e3", "٣", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseCount(text)
		if n < 0 || err != nil && n != 0 {
			t.Fatalf("got %d, %v from %q", n, err, text)
		}
		if err == nil && n == 0 && !hasZero(text) {
			t.Fatalf("got zero from %q", text)
		}
	})
}

func hasZero(text string) bool {
	for _, r := range text {
		if r == '0' {
			return true
		}
	}
	return false
}
