package groups

import (
	"net/netip"
	"strings"
)

// Machine is one computer that runs the service.
type Machine struct {
	// Name is what people call it, unique in the fleet: 1 to 64 of
	// [A-Za-z0-9._-], not starting with a dot or a dash.
	Name string
	// Host is where ssh finds it: a name or an address, without user or port.
	Host string
	// Address is what the load balancer knows it by, in case that is not Host.
	Address string
	// Zone is the availability zone it stands in; only a split by zone needs it.
	Zone string
	// Bind is the local address its services are bound to; "" is any.
	Bind string
	// Ports must answer a TCP connect when the machine is healthy.
	Ports []int
	// Sessions are the ports that hold the sessions a drain waits for. They may
	// lie outside Ports, and the balancer need not know them.
	Sessions []int
	// Inner says that the load balancer does not know it, as a machine without
	// gates: it has no backend. One without Ports, too, takes no players at all.
	Inner bool
	// User logs in over ssh; "" leaves it to the settings of the whole fleet.
	User string
	// Port is sshd's; 0 leaves it to the settings of the whole fleet.
	Port int
}

// backendHost is the host part by which a backend names this machine, in the
// one spelling that is compared.
func (m Machine) backendHost() string {
	if m.Address != "" {
		return fold(m.Address)
	}
	return fold(m.Host)
}

// label is how a fault speaks of a machine that may lack a name.
func (m Machine) label() string {
	switch {
	case m.Name != "":
		return m.Name
	case m.Host != "":
		return m.Host
	}
	return "a machine"
}

// fold brings a host into one spelling: addresses in their short form, an
// IPv4-mapped IPv6 address as IPv4, names in lower case.
func fold(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
