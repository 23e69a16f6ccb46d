package groups

import (
	"errors"
	"fmt"
	"net"
)

// StrayError is a backend that belongs to no machine.
type StrayError struct{ Addr string }

// Error names the backend.
func (e *StrayError) Error() string { return fmt.Sprintf("backend %s belongs to no machine", e.Addr) }

// BareError is a machine that no backend stands for.
type BareError struct{ Machine, Group, Host string }

// Error names the machine, and the host at which the balancer should know it.
func (e *BareError) Error() string {
	return fmt.Sprintf("%s of %s has no backend at %s", e.Machine, e.Group, e.Host)
}

// Match tells which machine each backend stands for: backend (host:port, as
// the load balancer writes it) → Machine.Name. A machine may have many
// backends, one per port.
//
// A machine without a backend would be restarted although nothing says that
// its traffic is gone, and a backend without a machine would be forgotten by
// every shift; so both are faults, and all are reported at once, as joined
// StrayErrors and BareErrors. The map holds what did match.
func (f Fleet) Match(addrs []string) (map[string]string, error) {
	at := map[string]string{}
	for _, m := range f.Machines() {
		at[m.backendHost()] = m.Name
	}
	matched := map[string]string{}
	has := map[string]bool{}
	var faults []error
	for _, addr := range addrs {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			faults = append(faults, fmt.Errorf("backend %q is not host:port", addr))
			continue
		}
		name, ok := at[fold(host)]
		if !ok {
			faults = append(faults, &StrayError{addr})
			continue
		}
		matched[addr] = name
		has[name] = true
	}
	for _, g := range f.Groups() {
		for _, m := range g.Machines {
			if !has[m.Name] && !m.Inner {
				faults = append(faults, &BareError{m.label(), g.Name, m.backendHost()})
			}
		}
	}
	return matched, errors.Join(faults...)
}
