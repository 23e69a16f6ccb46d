package hosts

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
)

// Machine is one machine of the pretend world.
type Machine struct {
	Name, Host string // game-4, 127.0.1.4: everything of this machine listens on Host only
	SSHPort    int    // 0: Start picks a free one and says which in Hosts.Machines
	Dir        string // the machine's own root; empty: <Options.Dir>/machines/<Name>
	Group      string // group2: gates name only connectors of their own group
	Gates      []int  // the ports of the gates
	Connectors []int  // the ports of the connectors, which hold the sessions
}

// SSHAddr is host:port of the machine's ssh server.
func (m Machine) SSHAddr() string { return net.JoinHostPort(m.Host, strconv.Itoa(m.SSHPort)) }

func (m Machine) game(parts ...string) string {
	return filepath.Join(append([]string{m.Dir, "game"}, parts...)...)
}

// run is the directory of pid files. Its path is an argument of every process of the machine, which is how a pid is known
// to be still that process and not another that got the same number.
func (m Machine) run() string { return m.game("run") }

// peers lists the connectors of the group as host:port, by machine and then by port: userId mod its length is the player's.
func peers(machines []Machine, group string) []string {
	var list []string
	for _, m := range machines {
		if m.Group != group {
			continue
		}
		for _, port := range m.Connectors {
			list = append(list, net.JoinHostPort(m.Host, strconv.Itoa(port)))
		}
	}
	return list
}

// settle checks the machines and fills in what was left to us.
func settle(dir string, machines []Machine) ([]Machine, error) {
	if len(machines) == 0 {
		return nil, errors.New("a world without machines")
	}
	settled := slices.Clone(machines)
	var faults []error
	names, addrs := map[string]bool{}, map[string]string{}
	for i := range settled {
		m := &settled[i]
		if m.Name == "" || m.Name != filepath.Base(m.Name) || names[m.Name] {
			faults = append(faults, fmt.Errorf("machine %q: a name must be there, fit a file name and be used once", m.Name))
		}
		names[m.Name] = true
		if ip := net.ParseIP(m.Host); ip == nil || !ip.IsLoopback() {
			faults = append(faults, fmt.Errorf("machine %s: host %q is not a loopback address", m.Name, m.Host))
		}
		for _, port := range slices.Concat(m.Gates, m.Connectors, []int{m.SSHPort}) {
			addr := net.JoinHostPort(m.Host, strconv.Itoa(port))
			if other, taken := addrs[addr]; taken && port != 0 {
				faults = append(faults, fmt.Errorf("machine %s: %s is already taken by %s", m.Name, addr, other))
			}
			addrs[addr] = m.Name
		}
		if m.Dir == "" {
			m.Dir = filepath.Join(dir, "machines", m.Name)
		}
		abs, err := filepath.Abs(m.Dir)
		if err != nil {
			faults = append(faults, fmt.Errorf("machine %s: %w", m.Name, err))
		}
		m.Dir = abs
	}
	return settled, errors.Join(faults...)
}
