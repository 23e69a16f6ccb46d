//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package hosts

import (
	"errors"
	"os"
	"os/exec"
)

// errUnix is why there is no sandbox here; the rest of the binary must build all the same.
var errUnix = errors.New("the sandbox needs a Unix: /bin/sh, signals and process groups")

func ownGroup(*exec.Cmd)                          {}
func signalGroup(int, string) error               { return errUnix }
func groupLives(int) bool                         { return false }
func ending(state *os.ProcessState) (int, string) { return state.ExitCode(), "" }
func detach()                                     {}
func ignoreTerm()                                 {}
func grantLease(string) (*os.File, error)         { return nil, errUnix }
func awaitLease(*os.File) error                   { return errUnix }
func runs(int, string) bool                       { return false }
func killHard(int)                                {}
