package groups

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestAFitFleetHasNoFault(t *testing.T) {
	if err := seed().Check(false); err != nil {
		t.Errorf("the seed's machines: %v", err)
	}
	five := seed()
	five.First.Machines = five.First.Machines[:2]
	if err := five.Check(false); err != nil {
		t.Errorf("two and three machines: %v", err)
	}
	ported := seed()
	ported.First.Machines[0].Host, ported.First.Machines[0].Port = "198.51.100.1", 1001
	ported.First.Machines[1].Host, ported.First.Machines[1].Port = "198.51.100.1", 1002
	ported.First.Machines[0].Address, ported.First.Machines[1].Address = "10.9.0.4", "10.9.0.5"
	if err := ported.Check(false); err != nil {
		t.Errorf("two machines behind two forwarded ports: %v", err)
	}
}

func TestEachFaultIsReported(t *testing.T) {
	tests := []struct {
		name   string
		spoil  func(f *Fleet)
		uneven bool
		want   []string
	}{
		{"machine in both groups", func(f *Fleet) { f.First.Machines[0] = f.Second.Machines[0]; f.First.Master = "" }, false,
			[]string{"game-1 is in both groups: game-1 has the same name and host (10.9.0.1)"}},
		{"same host under another name", func(f *Fleet) { f.Second.Machines[0].Host = "10.9.0.4" }, false,
			[]string{"game-1 is in both groups: game-4 has the same host (10.9.0.4)"}},
		{"same host, mapped address", func(f *Fleet) { f.First.Machines[1].Host = "::ffff:10.9.0.4" }, false,
			[]string{"game-4 and game-5 have the same host (10.9.0.4)"}},
		{"same host, other case", func(f *Fleet) { f.First.Machines[0].Host = "Game.example"; f.First.Machines[1].Host = "game.example." }, false,
			[]string{"game-4 and game-5 have the same host (game.example)"}},
		{"same address", func(f *Fleet) { f.First.Machines[1].Address = "10.9.0.6" }, false,
			[]string{"game-5 and game-6 have the same address (10.9.0.6)"}},
		{"same name", func(f *Fleet) { f.First.Machines[2].Name = "game-5" }, false,
			[]string{"game-5 is there twice, with the same name (game-5)"}},
		{"empty group", func(f *Fleet) { f.First.Machines = nil; f.First.Master = "" }, false,
			[]string{"group2 has no machine"}},
		{"uneven", func(f *Fleet) { f.First.Machines = f.First.Machines[:1] }, false,
			[]string{"group2 has 1 machine and group1 has 3 machines: say `uneven: true` if the smaller one can carry everyone"}},
		{"uneven and said so", func(f *Fleet) { f.First.Machines = f.First.Machines[:1] }, true, nil},
		{"master elsewhere", func(f *Fleet) { f.First.Master = "game-1" }, false,
			[]string{"group2: its master game-1 is none of its machines"}},
		{"equal group names", func(f *Fleet) { f.First.Name = "group1" }, false,
			[]string{"both groups are called group1"}},
		{"bad group name", func(f *Fleet) { f.First.Name = "../x" }, false,
			[]string{`"../x" is no valid group name: use letters, digits, dot, underscore and dash`}},
		{"no group name", func(f *Fleet) { f.Second.Name = "" }, false,
			[]string{"the second group has no name"}},
		{"name like a flag", func(f *Fleet) { f.First.Machines[1].Name = "--help" }, false,
			[]string{`"--help" is no valid machine name: use letters, digits, dot, underscore and dash`}},
		{"no machine name", func(f *Fleet) { f.First.Machines[1].Name = "" }, false,
			[]string{"10.9.0.5 has no name"}},
		{"no host", func(f *Fleet) { f.First.Machines[1].Host = "" }, false,
			[]string{"game-5 has no host"}},
		{"ports out of range", func(f *Fleet) {
			f.First.Machines[1].Ports = []int{0, 6150}
			f.First.Machines[1].Sessions = []int{65536, 65536}
			f.First.Machines[1].Port = -1
		}, false, []string{
			"game-5: port -1 is not between 1 and 65535",
			"game-5: port 0 is not between 1 and 65535",
			"game-5: port 65536 is not between 1 and 65535",
		}},
		{"no session ports", func(f *Fleet) { f.First.Machines[0].Sessions = nil; f.First.Machines[2].Sessions = nil }, false,
			[]string{"group2: no session ports to count on game-4, game-6"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := seed()
			test.spoil(&f)
			var got string
			if err := f.Check(test.uneven); err != nil {
				got = err.Error()
			}
			if want := strings.Join(test.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAllFaultsComeAtOnceAndSayWhere(t *testing.T) {
	f := seed()
	f.First.Master = "game-9"
	f.First.Machines[1].Host = "10.9.0.1"
	f.Second.Machines[2].Sessions = nil
	err := f.Check(false)
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("%T is not a joined error", err)
	}
	type place struct {
		group, machine int
		what           string
	}
	var got []place
	for _, e := range joined.Unwrap() {
		var fault *Fault
		if !errors.As(e, &fault) {
			t.Fatalf("%v is no Fault", e)
		}
		got = append(got, place{fault.Group, fault.Machine, fault.What})
	}
	want := []place{{0, -1, "master"}, {1, -1, "sessions"}, {1, 0, ""}}
	if !slices.Equal(got, want) {
		t.Errorf("places %v, want %v", got, want)
	}
	if !errors.Is(err, ErrNoSessionPorts) {
		t.Errorf("%v is not ErrNoSessionPorts", err)
	}
}

func TestAnUnsplitListIsCheckedToo(t *testing.T) {
	ms := seed().Machines()
	if err := CheckMachines(ms); err != nil {
		t.Errorf("the seed's machines: %v", err)
	}
	ms[3].Host = ms[0].Host
	got := CheckMachines(ms)
	if want := "game-4 and game-1 have the same host (10.9.0.4)"; got == nil || got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestNamesThatCouldBeMistaken(t *testing.T) {
	for name, want := range map[string]bool{
		"game-4": true, "a": true, "_x": true, "G.2": true, "0": true, strings.Repeat("a", 64): true,
		"": false, "-h": false, ".": false, "..": false, ".x": false, "a b": false, "a/b": false, "a\n": false,
		"$(x)": false, "名": false, strings.Repeat("a", 65): false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("ValidName(%q) is %v, want %v", name, got, want)
		}
	}
}
