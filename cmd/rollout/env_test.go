package main

import (
	"io"
	"testing"
)

// TestTheFlagsThatNameAServiceAreInTheCommandsThatArePrinted: as they were given, and as a shell takes them.
func TestTheFlagsThatNameAServiceAreInTheCommandsThatArePrinted(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{"--state-dir", "/srv/state"}, "--state-dir /srv/state"},
		{[]string{"-c", "games/cn.yaml", "--state-dir=my state"}, "-c games/cn.yaml --state-dir 'my state'"},
	} {
		e := &env{stdout: io.Discard, stderr: io.Discard}
		cmd := newRootCommand(e)
		cmd.SetArgs(append(tt.args, "version"))
		if err := cmd.Execute(); err != nil {
			t.Fatal(err)
		}
		if e.again != tt.want {
			t.Errorf("%q: got %q, want %q", tt.args, e.again, tt.want)
		}
	}
}
