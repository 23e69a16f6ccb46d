package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Ports are port numbers, rising, each once. In the file they are one number,
// one range such as 6150-6157, or a list of both.
type Ports []int

// mostPorts bounds one list: every port is asked on every machine.
const mostPorts = 4096

// String writes them as in the file: "6150-6157, 6200".
func (p Ports) String() string { return strings.Join(p.ranges(), ", ") }

// ranges are the ports with neighbours drawn together.
func (p Ports) ranges() []string {
	var out []string
	for i := 0; i < len(p); {
		j := i
		for j+1 < len(p) && p[j+1] == p[j]+1 {
			j++
		}
		if i == j {
			out = append(out, strconv.Itoa(p[i]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", p[i], p[j]))
		}
		i = j + 1
	}
	return out
}

func (p Ports) clone() []int { return slices.Clone([]int(p)) }

var (
	portRange = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?$`)
	portPlus  = regexp.MustCompile(`^([0-9]{1,9})\+\+$`)
)

// parsePorts reads one item of a list of ports. The two texts are the Message
// and Hint of a Fault; "" is no problem.
func parsePorts(text string) (Ports, string, string) {
	if m := portPlus.FindStringSubmatch(text); m != nil {
		return nil, fmt.Sprintf("%q does not say where it ends", text), "write " + m[1] + "- and the last port"
	}
	m := portRange.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Sprintf("%q is no port", text), "write 6150 or 6150-6157"
	}
	first, _ := strconv.Atoi(m[1])
	last := first
	if m[2] != "" {
		last, _ = strconv.Atoi(m[2])
	}
	for _, p := range []int{first, last} {
		if p < 1 || p > 65535 {
			return nil, fmt.Sprintf("port %d is not between 1 and 65535", p), ""
		}
	}
	if last < first {
		return nil, text + " runs backwards", fmt.Sprintf("write %d-%d", last, first)
	}
	if last-first >= mostPorts {
		return nil, fmt.Sprintf("%s is more than %d ports", text, mostPorts), ""
	}
	var ports Ports
	for port := first; port <= last; port++ {
		ports = append(ports, port)
	}
	return ports, "", ""
}
