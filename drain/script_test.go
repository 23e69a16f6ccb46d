package drain

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestPortRanges(t *testing.T) {
	tests := []struct {
		name  string
		ports []int
		want  string
	}{
		{"eight in a row", []int{6203, 6200, 6201, 6202, 6207, 6206, 6205, 6204}, "[6200-6207]"},
		{"two runs and one alone", []int{6200, 6201, 6150, 6151, 80}, "[80 6150-6151 6200-6201]"},
		{"one given twice", []int{6200, 6200}, "[6200]"},
		{"none", nil, "no port to count on is given"},
		{"too high", []int{6200, 65536}, "65536 is not a port"},
		{"too low", []int{0}, "0 is not a port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ranges, err := portRanges(tt.ports)
			got := fmt.Sprint(ranges)
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestHexAddrIsAsProcShowsIt(t *testing.T) {
	tests := []struct{ name, addr, want string }{
		{"IPv4", "127.0.77.1", "014D007F"},
		{"IPv6 loopback", "::1", "00000000000000000000000001000000"},
		{"IPv6", "2001:db8::1:2", "B80D0120000000000000000002000100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hexAddr(netip.MustParseAddr(tt.addr)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestScriptSettings(t *testing.T) {
	var odd []int
	for p := 6001; p < 6101; p += 2 {
		odd = append(odd, p)
	}
	tests := []struct {
		name   string
		target Target
		want   string // a line of the script, or the error
	}{
		{"one range", Target{Ports: []int{6200, 6201}}, "filter='( ( sport >= :6200 and sport <= :6201 ) )'"},
		{"two", Target{Ports: []int{6200, 6201, 80}}, "filter='( sport = :80 or ( sport >= :6200 and sport <= :6201 ) )'"},
		{"very many ranges are asked for as one", Target{Ports: odd}, "filter='( ( sport >= :6001 and sport <= :6099 ) )'"},
		{"an address", Target{Ports: odd, Bind: "::ffff:127.0.77.1"}, "bindhex='014D007F'"},
		{"not an address", Target{Ports: odd, Bind: "'; rm -rf /"}, `the address "'; rm -rf /" to count on is not one of a machine`},
		{"no address of a machine", Target{Ports: odd, Bind: "0.0.0.0"}, `the address "0.0.0.0" to count on is not one of a machine`},
		{"an address with a zone", Target{Ports: odd, Bind: "fe80::1%$(reboot)"}, `the address "fe80::1%$(reboot)" to count on is not one of a machine`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, err := script(tt.target, time.Second)
			if err != nil {
				if err.Error() != tt.want {
					t.Errorf("got error %q, want %q", err, tt.want)
				}
				return
			}
			if !strings.Contains(code, tt.want+"\n") {
				t.Errorf("got %q, want a line %q", strings.SplitN(code, "\n", 8)[:7], tt.want)
			}
		})
	}
}
