package groups

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ErrNoSessionPorts is inside the Fault of a group whose machines name no port
// that holds sessions: nothing could be counted, so no drain could end well.
// A caller that still has to read the ports from elsewhere may leave it out.
var ErrNoSessionPorts = errors.New("no session ports")

// Fault is one thing wrong with a fleet, and where. Check and CheckMachines
// join them; errors.As finds one, and the Unwrap() []error of the joined error
// lists them all.
type Fault struct {
	// Group is 0 for the first group, 1 for the second, -1 for the fleet.
	Group int
	// Machine is the index in the group's machines, -1 for the group itself.
	// With Group -1 it is the index in the list that was checked.
	Machine int
	// What is the part at fault: "name", "host", "ports", "sessions",
	// "machines" or "master"; "" is the whole machine, group or fleet.
	What string
	// Err is a sentence that names the group or the machine.
	Err error
}

// Error is the sentence.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap gives errors.Is the cause.
func (f *Fault) Unwrap() error { return f.Err }

var validName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)

// ValidName says whether a name may stand for a service, group or machine: it
// is put into paths, lock names and command lines, so it is 1 to 64 of
// [A-Za-z0-9._-] and does not start with a dot or a dash.
func ValidName(name string) bool { return validName.MatchString(name) }

// Check finds everything that makes a fleet unfit to be updated one group at a
// time, and returns it as joined Faults; nil when it is fit. Sizes may differ
// by one; by more only with uneven, since the smaller group must carry
// everyone while the other one is out.
func (f Fleet) Check(uneven bool) error {
	var faults []error
	for i, g := range f.Groups() {
		faults = append(faults, checkGroup(i, g)...)
	}
	if f.First.Name == f.Second.Name && f.First.Name != "" {
		faults = append(faults, faultf(1, -1, "name", "both groups are called %s", f.First.Name))
	}
	a, b := len(f.First.Machines), len(f.Second.Machines)
	if a > 0 && b > 0 && (a-b > 1 || b-a > 1) && !uneven {
		faults = append(faults, faultf(-1, -1, "", "%s has %s and %s has %s: say `uneven: true` if the smaller one can carry everyone",
			f.First.label(0), count(a), f.Second.label(1), count(b)))
	}
	faults = append(faults, checkMachines(f.Machines(), f.place)...)
	return errors.Join(faults...)
}

// CheckMachines finds what is wrong with a list that is not split yet: names,
// hosts, addresses and ports. The Group of each Fault is -1.
func CheckMachines(ms []Machine) error {
	return errors.Join(checkMachines(ms, func(i int) (int, int) { return -1, i })...)
}

// place turns an index into Machines() into the group and the index there.
func (f Fleet) place(i int) (int, int) {
	if n := len(f.First.Machines); i >= n {
		return 1, i - n
	}
	return 0, i
}

func checkGroup(i int, g Group) []error {
	var faults []error
	add := func(what, format string, args ...any) {
		faults = append(faults, faultf(i, -1, what, format, args...))
	}
	name := g.label(i)
	if g.Name == "" {
		add("name", "%s has no name", name)
	} else if !ValidName(g.Name) {
		add("name", "%q is no valid group name: use letters, digits, dot, underscore and dash", g.Name)
	}
	if len(g.Machines) == 0 {
		add("machines", "%s has no machine", name)
	}
	if g.Master != "" && !slices.ContainsFunc(g.Machines, func(m Machine) bool { return m.Name == g.Master }) {
		add("master", "%s: its master %s is none of its machines", name, g.Master)
	}
	var without []string
	for _, m := range g.Machines {
		if len(m.Sessions) == 0 && (!m.Inner || len(m.Ports) > 0) {
			without = append(without, m.label())
		}
	}
	if len(without) > 0 || len(g.Machines) > 0 && !slices.ContainsFunc(g.Machines, func(m Machine) bool { return len(m.Sessions) > 0 }) {
		if len(without) == 0 {
			without = []string{"any of its machines"}
		}
		add("sessions", "%s: %w to count on %s", name, ErrNoSessionPorts, strings.Join(without, ", "))
	}
	return faults
}

func checkMachines(ms []Machine, place func(int) (int, int)) []error {
	var faults []error
	twins := twins{}
	for i, m := range ms {
		group, at := place(i)
		add := func(what, format string, args ...any) {
			faults = append(faults, faultf(group, at, what, format, args...))
		}
		if m.Name == "" {
			add("name", "%s has no name", m.label())
		} else if !ValidName(m.Name) {
			add("name", "%q is no valid machine name: use letters, digits, dot, underscore and dash", m.Name)
		}
		if m.Host == "" {
			add("host", "%s has no host", m.label())
		}
		for _, p := range m.badPorts() {
			add("ports", "%s: port %d is not between 1 and 65535", m.label(), p)
		}
		for _, t := range twins.add(i, m) {
			other := ms[t.of]
			g, _ := place(t.of)
			switch {
			case g != group:
				add("", "%s is in both groups: %s has the same %s", m.label(), other.label(), t.same)
			case m.label() == other.label():
				add("", "%s is there twice, with the same %s", m.label(), t.same)
			default:
				add("", "%s and %s have the same %s", other.label(), m.label(), t.same)
			}
		}
	}
	return faults
}

// badPorts are the ports that no machine can have. Port 0 of ssh is a default.
func (m Machine) badPorts() []int {
	var bad []int
	for _, p := range slices.Concat(m.Ports, m.Sessions) {
		if p < 1 || p > 65535 {
			bad = append(bad, p)
		}
	}
	if m.Port < 0 || m.Port > 65535 {
		bad = append(bad, m.Port)
	}
	slices.Sort(bad)
	return slices.Compact(bad)
}

func (g Group) label(i int) string {
	if g.Name != "" {
		return g.Name
	}
	return [2]string{"the first group", "the second group"}[i]
}

func count(machines int) string {
	if machines == 1 {
		return "1 machine"
	}
	return fmt.Sprintf("%d machines", machines)
}

func faultf(group, machine int, what, format string, args ...any) error {
	return &Fault{Group: group, Machine: machine, What: what, Err: fmt.Errorf(format, args...)}
}
