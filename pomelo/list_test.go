package pomelo

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheTableOfPomeloList(t *testing.T) {
	text := string(recorded(t, "list.txt"))
	want := []Process{
		{"cluster-server-connector-0", "connector", 9400, 66.91, 30.57, 13.47, 6 * time.Second},
		{"cluster-server-connector-1", "connector", 9401, 67.36, 30.57, 13.46, 6 * time.Second},
		{"cluster-server-connector-2", "connector", 9402, 67.32, 30.57, 13.48, 6 * time.Second},
		{"gate-1", "gate", 9399, 67.50, 30.57, 13.36, 6 * time.Second},
		{"master-server-1", "master", 9392, 65.91, 29.07, 12.81, 6 * time.Second},
	}
	warned := strings.Replace(text, "gate-1 ", "(node:1) Warning: x\n(Use `node --trace-warnings ...` to show it)\ngate-1 ", 1)
	for name, text := range map[string]string{
		"as printed":      text,
		"no colours":      colour.ReplaceAllString(text, ""),
		"lines of a PC":   strings.ReplaceAll(text, "\n", "\r\n"),
		"warnings inside": warned,
	} {
		if got, err := ParseList(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
}

const tableHead = "serverId serverType pid rss(M) heapTotal(M) heapUsed(M) uptime(m)\n"

func TestTablesOfOtherKinds(t *testing.T) {
	got, err := ParseList(tableHead + "a b  7 gate 12 1 2 3 0.01\n")
	if want := (Process{"a b  7", "gate", 12, 1, 2, 3, 600 * time.Millisecond}); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("an id with spaces: got %v, %v, want %v", got, err, want)
	}
	if got, err := ParseList(tableHead); err != nil || got == nil || len(got) != 0 {
		t.Errorf("nobody: got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"": `pomelo list: no table, so no master listens there: its last line is ""`,
		"try to connect 127.0.0.1:1\n\x1b[32m[INFO] \x1b[39m exit ...\n(node:5) Warning: x": `pomelo list: no table, so no master listens there: its last line is "[INFO]  exit ..."`,
		tableHead + "a gate x 1 2 3 4":          `pomelo list: line 2: "a gate x 1 2 3 4" is no process: x is no number`,
		tableHead + "a gate 1 1 2 3 4\n\noops":  `pomelo list: line 4: "oops" has not the seven columns of a process`,
		tableHead + "gate 1 1 2 3 4":            `pomelo list: line 2: no type`,
		tableHead + "a gate 0 1 2 3 4":          `pomelo list: line 2: process a: pid 0`,
		tableHead + "a gate undefined 1 2 3 4 ": `pomelo list: line 2: "a gate undefined 1 2 3 4" is no process: undefined is no number`,
	} {
		if got, err := ParseList(text); err == nil || err.Error() != want || errors.Is(err, ErrDenied) {
			t.Errorf("%q: got %v, %v, want %s", text, got, err, want)
		}
	}
	denied := "try to connect 127.0.0.1:3005\nFail to connect to admin console server.\x1b[31mclient auth failed with username or password error\x1b[39m\n"
	if got, err := ParseList(denied); !errors.Is(err, ErrDenied) || !strings.HasSuffix(err.Error(), "password error") {
		t.Errorf("got %v, %v, want ErrDenied", got, err)
	}
}

func TestIDsAreInNaturalOrder(t *testing.T) {
	want := []string{"1", "2", "10", "a", "a-1", "a-1-2", "a-1-10", "a-2", "a-010", "a-10", "a-11", "a-99999999999999999999998", "a-99999999999999999999999", "aa", "b-1"}
	for range 100 {
		got := slices.Clone(want)
		rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		slices.SortFunc(got, natural)
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func FuzzParseList(f *testing.F) {
	f.Add(string(recorded(f, "list.txt")))
	for _, s := range []string{"", tableHead, tableHead + "a gate 1 1 2 3 4\n", tableHead + "a b gate 1 1e309 NaN -0 0x1p-2", "\x1b[31mserverId", "Fail to connect to admin console server."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseList(text)
		if err != nil && (all != nil || strings.ContainsAny(err.Error(), "\x1b\n")) {
			t.Fatalf("got %v, %q", all, err)
		}
		if err == nil && all == nil {
			t.Fatal("no error and no list")
		}
		if !slices.IsSortedFunc(all, func(a, b Process) int { return natural(a.ID, b.ID) }) {
			t.Fatalf("not in order: %v", all)
		}
		for _, p := range all {
			if p.PID < 1 || p.Uptime < 0 || p.ID == "" || p.Type == "" {
				t.Fatalf("got %+v", p)
			}
		}
	})
}
