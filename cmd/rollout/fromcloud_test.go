package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/ulb"
)

// TestABackendIsToldAsTheConsoleShowsIt: there it is on or off, and a weight is kept while it is off.
func TestABackendIsToldAsTheConsoleShowsIt(t *testing.T) {
	var out bytes.Buffer
	one, five := 1, 5
	d := cloudDoc{Backends: []cloudBackend{
		{ID: "b1", Addr: "10.9.0.4:6150", Before: &one}, {ID: "b2", Addr: "10.9.0.5:6150", Weight: 1, Before: &five}, {ID: "b3", Addr: "10.9.0.6:6150", Weight: 1, Before: &one},
	}}
	if err := (&env{stdout: &out}).cloud(d, ulb.Reading{ID: "ulb-x"}); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(out.String(), "\n")
	if want := "  b1 (10.9.0.4:6150) is off and was on with weight 1\n  b2 (10.9.0.5:6150) is on with weight 1 and was on with weight 5\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
