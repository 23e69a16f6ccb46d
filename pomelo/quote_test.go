package pomelo

import (
	"os/exec"
	"strings"
	"testing"
)

// FuzzAQuotedWordReachesTheShell asks a real sh.
func FuzzAQuotedWordReachesTheShell(f *testing.F) {
	for _, s := range []string{"", "a", "'", "''", `\'`, "$(id)", "`id`", "a\nb", "-n", "*", "\xff", "'\"'", "%s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			return // no argument of a program can hold it; remote refuses it
		}
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+quote(s)+"; f() { printf '<%s>' $#; }; f x"+quote(s)+"x").Output()
		if err != nil || string(out) != s+"<1>" {
			t.Errorf("got %q, %v; want %q and one word", out, err, s)
		}
	})
}
