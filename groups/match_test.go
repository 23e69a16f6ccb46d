package groups

import (
	"fmt"
	"strings"
	"testing"
)

// gates are the 48 backends of the seed's balancer.
func gates() []string {
	var addrs []string
	for i := 1; i <= 6; i++ {
		for p := 6150; p <= 6157; p++ {
			addrs = append(addrs, fmt.Sprintf("10.9.0.%d:%d", i, p))
		}
	}
	return addrs
}

func TestEveryGateOfTheSeedHasItsMachine(t *testing.T) {
	got, err := seed().Match(gates())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 48 {
		t.Errorf("%d backends matched, want 48", len(got))
	}
	if got["10.9.0.4:6157"] != "game-4" {
		t.Errorf("10.9.0.4:6157 is %q, want game-4", got["10.9.0.4:6157"])
	}
}

func TestABackendIsMatchedByAddressNotByHost(t *testing.T) {
	f := seed()
	f.First.Machines[0].Host, f.First.Machines[0].Address = "game-4.internal", "fd00::4"
	addrs := append(gates()[:24], "[FD00:0::4]:6150", "[::ffff:10.9.0.5]:6150", "10.9.0.6:6150")
	got, err := f.Match(addrs)
	if err != nil {
		t.Fatal(err)
	}
	if got["[FD00:0::4]:6150"] != "game-4" || got["[::ffff:10.9.0.5]:6150"] != "game-5" {
		t.Errorf("matched %v", got)
	}
}

func TestAllThatDoesNotMatchIsReportedAtOnce(t *testing.T) {
	addrs := append(gates()[:32], "10.9.0.7:6150", "10.9.0.8", "10.9.0.7:6151")
	got, err := seed().Match(addrs)
	want := strings.Join([]string{
		"backend 10.9.0.7:6150 belongs to no machine",
		`backend "10.9.0.8" is not host:port`,
		"backend 10.9.0.7:6151 belongs to no machine",
		"game-5 of group2 has no backend at 10.9.0.5",
		"game-6 of group2 has no backend at 10.9.0.6",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if len(got) != 32 {
		t.Errorf("%d backends matched, want the 32 that do", len(got))
	}
}
