package app_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/seed59ee9cdc/rollout/sandbox/lan"
)

// TestMain runs the tests as the operator of a lan where that is possible.
func TestMain(m *testing.M) {
	lan.Boot()
	if err := lan.Possible(); err != nil || lan.Inside() {
		os.Exit(m.Run())
	}
	code, err := lan.Enter(os.Args[1:], nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}
