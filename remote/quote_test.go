package remote

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// sh returns what the real sh prints for script on its standard output.
func sh(t testing.TB, script, stdin string) string {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sh -c %q: %v", script, err)
	}
	return string(out)
}

func hostile(f *testing.F) {
	for _, s := range []string{"", "a", "'", "''", `\`, `\'`, "$(id)", "`id`", "a\nb", "\n", "-n", "--", "*", "~", "!x", "é", "\xff\xfe", "\r", "%s", `\0101`, "a'\"b", "\x01\x7f", "\\c", "x\n\n"} {
		f.Add(s)
	}
}

func FuzzAQuotedValueReachesTheShellUnchanged(f *testing.F) {
	hostile(f)
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Quote(s)
		if strings.ContainsRune(s, 0) {
			if !errors.Is(err, ErrNUL) {
				t.Fatalf("got %q, %v: want ErrNUL", q, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := sh(t, "printf %s "+q, ""); got != s {
			t.Errorf("got %q, want %q", got, s)
		}
		if got := sh(t, "f() { printf '%s ' $#; }; f x"+q+"x", ""); got != "1 " {
			t.Errorf("%q is not one word", q)
		}
	})
}

// The starter is given to a real sh as sshd would, with the script on its
// input, and what follows the script must be left for the script to read.
func FuzzAScriptReachesTheShellUnchanged(f *testing.F) {
	hostile(f)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			return
		}
		script := "printf %s " + quote(s) + "; cat"
		out := sh(t, starter()+" 2>/dev/null", oneLine(script)+"rest\n"+s)
		_, got, _ := strings.Cut(out, "\n") // the mark
		if want := s + "rest\n" + s; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestAScriptCutShortIsNotRun(t *testing.T) {
	whole := oneLine("echo ran; echo to its end")
	for n := range len(whole) {
		out, _ := exec.Command("/bin/sh", "-c", "printf %s "+quote(whole[:n])+" | "+starter()+" 2>/dev/null").Output()
		if strings.Contains(string(out), "ran") {
			t.Fatalf("ran after %d of %d bytes", n, len(whole))
		}
	}
}

func FuzzAGroupIsNeverOneThatKillMustNotSee(f *testing.F) {
	f.Add("rollout-group:-12\n")
	f.Add("rollout-group:1")
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := group(s); ok && n >= -1 && n <= 1 {
			t.Errorf("%q gave %d", s, n)
		}
	})
}
