package drain

import (
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// countScript counts on the machine; script puts its settings before it.
//
//go:embed count.sh
var countScript string

const (
	// fewLeft is up to how many sessions ss -E runs beside the count. It makes
	// the tail of a drain seen within milliseconds (measured: 14 ms against
	// 82 ms), and a flood of events would only make it late.
	fewLeft = 200
	// pairedUpTo is up to how many sockets a machine remembers to tell sessions
	// from probes. Among more than that a probe makes no difference.
	pairedUpTo = 2000
	// share is how much of one processor of a machine counting may take, in
	// percent: a count each second of 100,000 sessions would take 28.
	share = 2
	// grownAfter is for how long a socket must have been seen to be a session.
	// A balancer's probe lasts a few milliseconds.
	grownAfter = 200 * time.Millisecond
	// manyRanges is from how many ranges of ports on ss is asked for all ports
	// between the first and the last, and the awk alone picks.
	manyRanges = 16
)

// portRange is the ports from first to last, both included.
type portRange struct{ first, last int }

func (r portRange) String() string {
	if r.first == r.last {
		return strconv.Itoa(r.first)
	}
	return fmt.Sprintf("%d-%d", r.first, r.last)
}

// filter is the range in the language of ss.
func (r portRange) filter() string {
	if r.first == r.last {
		return fmt.Sprintf("sport = :%d", r.first)
	}
	return fmt.Sprintf("( sport >= :%d and sport <= :%d )", r.first, r.last)
}

// script is the whole program for one machine. It is an error if t cannot be
// watched. Nothing of t reaches the shell but numbers and an address that was
// parsed.
func script(t Target, interval time.Duration) (string, error) {
	ranges, err := portRanges(t.Ports)
	if err != nil {
		return "", err
	}
	bind, bindHex := "", ""
	if t.Bind != "" {
		addr, err := netip.ParseAddr(t.Bind)
		if err != nil || addr.Zone() != "" || addr.IsUnspecified() {
			return "", fmt.Errorf("the address %q to count on is not one of a machine", t.Bind)
		}
		addr = addr.Unmap()
		bind, bindHex = addr.String(), hexAddr(addr)
	}
	var list, filters []string
	for _, r := range ranges {
		list = append(list, r.String())
		filters = append(filters, r.filter())
	}
	if len(ranges) > manyRanges {
		filters = []string{portRange{ranges[0].first, ranges[len(ranges)-1].last}.filter()}
	}
	settings := fmt.Sprintf("ranges='%s'\nfilter='( %s )'\nbind='%s'\nbindhex='%s'\ninterval=%d\nfew=%d\npairs=%d\nshare=%d\nyoung=%d\n",
		strings.Join(list, " "), strings.Join(filters, " or "), bind, bindHex,
		max(interval.Milliseconds(), 1), fewLeft, pairedUpTo, share, grownAfter.Milliseconds())
	return settings + countScript, nil
}

// portRanges joins ports into as few ranges as there can be, in order.
func portRanges(ports []int) ([]portRange, error) {
	if len(ports) == 0 {
		return nil, errors.New("no port to count on is given")
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(ports)))
	var ranges []portRange
	for _, p := range sorted {
		if p < 1 || p > 65535 {
			return nil, fmt.Errorf("%d is not a port", p)
		}
		if n := len(ranges); n > 0 && ranges[n-1].last == p-1 {
			ranges[n-1].last = p
			continue
		}
		ranges = append(ranges, portRange{p, p})
	}
	return ranges, nil
}

// hexAddr is an address as /proc/net/tcp and tcp6 show it: words of four
// bytes, each as a little-endian machine reads it.
func hexAddr(a netip.Addr) string {
	b := a.AsSlice()
	for i := 0; i+4 <= len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	return strings.ToUpper(hex.EncodeToString(b))
}
