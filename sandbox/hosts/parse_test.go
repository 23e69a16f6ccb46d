package hosts

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPortsAreReadAsAnOperatorWritesThem(t *testing.T) {
	for _, c := range []struct {
		text string
		want []int // nil: refused
	}{
		{"6150", []int{6150}}, {"6150-6152", []int{6150, 6151, 6152}}, {"1,3 5-6", []int{1, 3, 5, 6}},
		{"6152-6150", nil}, {"0", nil}, {"65536", nil}, {"x", nil}, {"1-", nil},
	} {
		got, err := parsePorts(c.text)
		if (err != nil) != (c.want == nil) {
			t.Errorf("%q: got error %v", c.text, err)
		}
		if diff := cmp.Diff(got, c.want); diff != "" && err == nil {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

func FuzzPortsAreValidOrRefused(f *testing.F) {
	f.Add("6150-6157,6200")
	f.Add("1-65535,1-65535")
	f.Fuzz(func(t *testing.T, text string) {
		ports, err := parsePorts(text)
		if err != nil {
			return
		}
		for _, p := range ports {
			if p < 1 || p > 65535 {
				t.Fatalf("%q: got port %d", text, p)
			}
		}
		again, err := parsePorts(joinPorts(ports))
		if err != nil || !cmp.Equal(again, ports) {
			t.Fatalf("%q: got %v, %v when written and read again", text, again, err)
		}
	})
}

func TestAnActWithoutItsEndIsStillAnAct(t *testing.T) {
	got := parseActs("2026-01-02T03:04:05Z start 7 begun\n2026-01-02T03:04:06Z start 7 exit 0\n" +
		"2026-01-02T03:05:00Z stop 8 begun\nan operator was here\n2026-01-02T03:05:01Z start 9 exit 1\n")
	want := []Act{
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "start", 0},
		{time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC), "stop", -1},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func FuzzActsNeverPanic(f *testing.F) {
	f.Add("2026-01-02T03:04:05Z start 7 begun\n2026-01-02T03:04:06Z start 7 exit 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got, most := len(parseActs(text)), strings.Count(text, "begun"); got > most {
			t.Fatalf("got %d acts of %d lines", got, most)
		}
	})
}

func FuzzAQuotedWordIsOneWordToARealShell(f *testing.F) {
	f.Add("it's $HOME `x` \\ \"\n*")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) {
			return
		}
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+quote(text)).Output()
		if err != nil || string(out) != text {
			t.Fatalf("%q: got %q, %v", text, out, err)
		}
	})
}

func TestAProcessRefusesWhatItCannotRun(t *testing.T) {
	for _, c := range []struct{ name, args, says string }{
		{"no role", "--ports 1", "neither gate nor connector"},
		{"unknown flag", "--role gate --roll", "roll"},
		{"stray word", "--role gate up", `"up" is not a flag`},
		{"bad ports", "--role gate --ports 9-1", "not a range"},
		{"no release", "--role connector --release-file /nowhere/RELEASE", "release: "},
		{"no peers", "--role gate --release-file " + os.Args[0] + " --peers /nowhere/peers", "peers: "},
		{"no world", "--role gate --lease /nowhere/lease", "lease: "},
	} {
		err := Process(context.Background(), strings.Fields(c.args))
		if err == nil {
			t.Errorf("%s: got no error", c.name)
			continue
		}
		contains(t, err.Error(), c.says)
	}
}
