package groups

import (
	"net"
	"slices"
	"strconv"
	"strings"
)

// twins remembers which machine first had each name, host and address. A
// machine that comes twice agrees in several of them and is one fault, not
// three.
type twins map[string]int

// twin is an earlier machine, and in what a later one is the same.
type twin struct {
	of   int
	same string // e.g. "name, host (10.9.0.4)"
}

func (t twins) add(i int, m Machine) []twin {
	keys := []struct{ what, value string }{
		{"name", m.Name},
		{"host", m.sshHost()},
		{"address", m.backendHost()},
	}
	same := map[int][]string{}
	value := map[int]string{}
	for _, k := range keys {
		if k.value == "" {
			continue
		}
		id := k.what + " " + k.value
		first, seen := t[id]
		if !seen {
			t[id] = i
			continue
		}
		// The address is worth a word only where it tells more than the host.
		if k.what == "address" && slices.Contains(same[first], "host") {
			continue
		}
		same[first] = append(same[first], k.what)
		value[first] = k.value
	}
	var found []twin
	for of, what := range same {
		found = append(found, twin{of: of, same: strings.Join(what, " and ") + " (" + value[of] + ")"})
	}
	slices.SortFunc(found, func(a, b twin) int { return a.of - b.of })
	return found
}

// sshHost is where ssh goes. Two machines behind one address on two ports of
// sshd (a port forward) are two machines.
func (m Machine) sshHost() string {
	if m.Host == "" || m.Port == 0 {
		return fold(m.Host)
	}
	return net.JoinHostPort(fold(m.Host), strconv.Itoa(m.Port))
}
