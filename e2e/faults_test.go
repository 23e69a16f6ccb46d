//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed59ee9cdc/rollout/config"
)

// fault is an entry of the menu, as the program prints it.
type fault struct {
	Name, Says, End string
	Exit            []int
	Cuts            bool
}

// broken is how an update of a world with a fault ended, as the world saw it.
type broken struct {
	Error    string
	Sessions struct{ Cut int }
	Connect  struct{ Failed int }
	Restarts map[string]int
	Weights  map[string]int // by machine:port
	Releases map[string]struct{ After string }
}

// menu gives the faults that the program offers.
func menu(t *testing.T) []fault {
	t.Helper()
	out, err := exec.Command(binary, "sandbox", "run", "--fault", "list", "-o", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Schema string
		Faults []fault
	}
	if err := json.Unmarshal(out, &d); err != nil || d.Schema != "rollout.sandbox.faults/v1" {
		t.Fatalf("%v in %s", err, out)
	}
	return d.Faults
}

// ends says, by fault, what must be so in the world once the update has ended. The first group of its two is that of game-3 and game-4.
var ends = map[string]func(broken) error{
	"api-flaky": updated, "api-5xx": updated, "api-throttle": updated, "api-lag": updated, "api-late": updated, "ssh-drop": updated, "slow-start": updated,
	"api-silent": untouched, "api-lies": untouched, "machine-dies": untouched, "serving-group-hurt": untouched,
	"ssh-hang": firstOff, "restart-fails": firstOff, "disk-full": firstOff,
	"restart-noop":     func(b broken) error { return errors.Join(firstOff(b), restarted(b, "game-3", 0)) },
	"count-fails":      func(b broken) error { return errors.Join(firstOff(b), unrestarted(b)) },
	"drain-never-ends": func(b broken) error { return errors.Join(firstOff(b), unrestarted(b)) },
	"hand-edit": func(b broken) error {
		err := unrestarted(b)
		edited := slices.Sorted(weightsOf(b, "game-1", "game-2"))
		if !slices.Equal(edited, []int{1, 1, 1, 7}) {
			err = errors.Join(err, fmt.Errorf("the serving group has weights %v, want 1, 1, 1 and the 7 of somebody else", edited))
		}
		return errors.Join(err, weigh(b, 0, "game-3", "game-4"))
	},
}

func updated(b broken) error {
	err := weigh(b, 1, "game-1", "game-2", "game-3", "game-4")
	for m, r := range b.Releases {
		err = errors.Join(err, restarted(b, m, 1))
		if r.After != "v1.1.0" {
			err = errors.Join(err, fmt.Errorf("%s runs %q, want v1.1.0", m, r.After))
		}
	}
	if b.Connect.Failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d connects failed", b.Connect.Failed))
	}
	return err
}

func untouched(b broken) error {
	return errors.Join(weigh(b, 1, "game-1", "game-2", "game-3", "game-4"), unrestarted(b))
}

func firstOff(b broken) error {
	return errors.Join(weigh(b, 1, "game-1", "game-2"), weigh(b, 0, "game-3", "game-4"), restarted(b, "game-1", 0), restarted(b, "game-2", 0))
}

func unrestarted(b broken) error {
	var err error
	for m := range b.Restarts {
		err = errors.Join(err, restarted(b, m, 0))
	}
	return err
}

func restarted(b broken, machine string, want int) error {
	if got := b.Restarts[machine]; got != want {
		return fmt.Errorf("%s was restarted %d times, want %d", machine, got, want)
	}
	return nil
}

func weigh(b broken, want int, machines ...string) error {
	for w := range weightsOf(b, machines...) {
		if w != want {
			return fmt.Errorf("weights are %v, want %d on %v", b.Weights, want, machines)
		}
	}
	return nil
}

// weightsOf gives the weights of the backends of some machines.
func weightsOf(b broken, machines ...string) func(func(int) bool) {
	return func(yield func(int) bool) {
		for at, w := range b.Weights {
			if name, _, _ := strings.Cut(at, ":"); slices.Contains(machines, name) && !yield(w) {
				return
			}
		}
	}
}

func TestEveryFaultEndsAsTheMenuSays(t *testing.T) {
	for _, f := range menu(t) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			end, known := ends[f.Name]
			if !known {
				t.Fatal("nobody says how the world must be after this fault")
			}
			cmd := exec.CommandContext(t.Context(), binary, "sandbox", "run", "-o", "json", "--machines", "2", "--ports", "2", "--players", "40", "--game", "3s", "--fault", f.Name)
			var out, log bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &log
			err := cmd.Run()
			exit := (*exec.ExitError)(nil)
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			output{stdout: out.String()}.valid(t, cmd.Args)
			said := out.String() + log.String()
			if code := cmd.ProcessState.ExitCode(); !slices.Contains(f.Exit, code) {
				t.Errorf("exit %d, want one of %v", code, f.Exit)
			}
			if !strings.Contains(said, f.End) {
				t.Errorf("its end does not say %q", f.End)
			}
			var b broken
			if err := json.Unmarshal(out.Bytes(), &b); err != nil {
				t.Fatalf("%v in %s", err, said)
			}
			if len(b.Weights) != 8 || len(b.Restarts) != 4 {
				t.Errorf("%d backends and %d machines, want 8 and 4", len(b.Weights), len(b.Restarts))
			}
			if b.Sessions.Cut > 0 && !f.Cuts {
				t.Errorf("%d sessions cut, want none", b.Sessions.Cut)
			}
			for m, n := range b.Restarts {
				if n > 1 {
					t.Errorf("%s was restarted %d times, want once at most", m, n)
				}
			}
			if err := end(b); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Log(said)
			}
		})
	}
}

func TestAFullDiskIsMendedAndTheRunGoesOn(t *testing.T) {
	t.Parallel()
	w := bring(t, "--ports", "2", "--players", "40", "--game", "3s", "--deadline", "30s", "--fault", "disk-full")
	c, err := config.Load(filepath.Join(w.dir, "rollout.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	w.state = c.State.Dir
	contains(t, w.must(1, "start", "--yes", "--ref", "v1.1.0"), "no space left", filepath.Join(w.state, c.Service))
	contains(t, w.must(6, "status", "--exit-code"), "HELD", " resume")
	if err := os.Remove(filepath.Join(w.state, "ballast")); err != nil {
		t.Fatal(err)
	}
	w.must(0, "resume")
	w.restartedOnce()
	w.nobodyNoticed()
}
