package groups

import (
	"slices"
	"strconv"
	"testing"
)

// seed is the layout of six machines in two groups: gates on 6150-6157 behind
// the balancer, connectors on 6200-6207 beside it.
func seed() Fleet {
	f := Fleet{
		First:  Group{Name: "group2", Master: "game-4"},
		Second: Group{Name: "group1", Master: "game-1"},
	}
	for i := 1; i <= 6; i++ {
		m := machine("game-"+strconv.Itoa(i), "10.9.0."+strconv.Itoa(i))
		if i > 3 {
			f.First.Machines = append(f.First.Machines, m)
		} else {
			f.Second.Machines = append(f.Second.Machines, m)
		}
	}
	return f
}

func machine(name, host string) Machine {
	m := Machine{Name: name, Host: host}
	for p := range 8 {
		m.Ports = append(m.Ports, 6150+p, 6200+p)
		m.Sessions = append(m.Sessions, 6200+p)
	}
	return m
}

func names(ms []Machine) []string {
	var all []string
	for _, m := range ms {
		all = append(all, m.Name)
	}
	return all
}

func TestTheSeedsMachinesAreInOrder(t *testing.T) {
	f := seed()
	if got, want := names(f.Machines()), []string{"game-4", "game-5", "game-6", "game-1", "game-2", "game-3"}; !slices.Equal(got, want) {
		t.Errorf("machines %v, want %v", got, want)
	}
	if got, want := f.Second.Hosts(), []string{"10.9.0.1", "10.9.0.2", "10.9.0.3"}; !slices.Equal(got, want) {
		t.Errorf("hosts %v, want %v", got, want)
	}
	if got := f.Groups(); got[0].Name != "group2" || got[1].Name != "group1" {
		t.Errorf("groups %s, %s, want group2, group1", got[0].Name, got[1].Name)
	}
}

func TestMachinesOfAFleetAreACopy(t *testing.T) {
	f := seed()
	f.Machines()[0].Name = "other"
	if got := f.First.Machines[0].Name; got != "game-4" {
		t.Errorf("writing to Machines() changed the fleet: %s, want game-4", got)
	}
}
