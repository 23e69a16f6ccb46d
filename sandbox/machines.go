package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"

	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// The ports of every machine.
const (
	sshPort        = 59622
	firstGate      = 6150
	firstConnector = 6200
)

// most is how many machines a group may have: the two groups take five subnets of 250 addresses.
const most = 600

// machines lays out two groups on a subnet of 127/8 that nobody uses now: game-1 to game-n are the group updated last, as in a
// fleet whose first machines are the oldest.
func machines(groups [2]string, each, ports int) ([]hosts.Machine, error) {
	if each > most {
		return nil, fmt.Errorf("%d machines in a group, and %d at most fit the addresses of one world", each, most)
	}
	second, third, found := 0, 0, false
	for range 50 {
		// 127.0 is everybody's; any other subnet is nobody's but another sandbox's.
		second, third = 1+rand.IntN(250), rand.IntN(250)
		if found = free(fmt.Sprintf("127.%d.%d.1", second, third)); found {
			break
		}
	}
	if !found {
		return nil, errors.New("no free addresses on 127.0.0.0/8: this system must let programs listen on all of 127.0.0.0/8, as Linux does")
	}
	var ms []hosts.Machine
	for g, group := range []string{groups[1], groups[0]} {
		for i := range each {
			n := g*each + i + 1
			m := hosts.Machine{Name: fmt.Sprintf("game-%d", n), Host: fmt.Sprintf("127.%d.%d.%d", second, third+(n-1)/250, 1+(n-1)%250), SSHPort: sshPort, Group: group}
			for p := range ports {
				m.Gates, m.Connectors = append(m.Gates, firstGate+p), append(m.Connectors, firstConnector+p)
			}
			ms = append(ms, m)
		}
	}
	return ms, nil
}

// free says whether nobody listens on a machine's address yet.
func free(host string) bool {
	for _, port := range []int{sshPort, firstGate, firstConnector} {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

// backends gives a backend for every gate of every machine.
func backends(ms []hosts.Machine) []cloud.Backend {
	var bs []cloud.Backend
	for _, m := range ms {
		for _, port := range m.Gates {
			bs = append(bs, cloud.Backend{ResourceID: "uhost-" + m.Name, Name: m.Name, Host: m.Host, Port: port, Enabled: true, Weight: 1})
		}
	}
	return bs
}
