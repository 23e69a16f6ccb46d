package groups

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// zoned makes one machine per letter, in the zone of that letter.
func zoned(zones string) []Machine {
	var ms []Machine
	for i, z := range zones {
		m := machine("m"+strconv.Itoa(i), "10.0.0."+strconv.Itoa(i))
		m.Zone = string(z)
		ms = append(ms, m)
	}
	return ms
}

func zonesOf(g Group) string {
	var s strings.Builder
	for _, m := range g.Machines {
		s.WriteString(m.Zone)
	}
	return s.String()
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name          string
		zones         string
		by            Rule
		first, second string
	}{
		{"by order, even", "abcd", ByOrder, "ab", "cd"},
		{"by order, odd: the first is smaller", "abc", ByOrder, "a", "bc"},
		{"by zone, whole zones", "ababab", ByZone, "aaa", "bbb"},
		{"by zone, three whole zones", "aabbcccc", ByZone, "aabb", "cccc"},
		{"by zone, odd whole zones", "aabbb", ByZone, "aa", "bbb"},
		{"by zone, one zone is dealt", "aaaa", ByZone, "aa", "aa"},
		{"by zone, three equal zones are dealt", "aabbcc", ByZone, "abc", "abc"},
		{"by zone, dealing goes on over odd zones", "aaabbbccc", ByZone, "abbc", "aabcc"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Split(zoned(test.zones), test.by, [2]string{"one", "two"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := zonesOf(f.First); got != test.first {
				t.Errorf("first %s, want %s", got, test.first)
			}
			if got := zonesOf(f.Second); got != test.second {
				t.Errorf("second %s, want %s", got, test.second)
			}
			if f.First.Name != "one" || f.Second.Name != "two" {
				t.Errorf("names %s, %s, want one, two", f.First.Name, f.Second.Name)
			}
		})
	}
}

func TestBothHalvesHoldEveryMachineOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var zones strings.Builder
		for range 2 + r.IntN(40) {
			zones.WriteByte(byte('a' + r.IntN(5)))
		}
		ms := zoned(zones.String())
		for _, by := range []Rule{ByOrder, ByZone} {
			f, err := Split(ms, by, [2]string{"one", "two"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Check(false); err != nil {
				t.Fatalf("%s by %s: %v", zones.String(), by, err)
			}
			if len(f.Machines()) != len(ms) {
				t.Fatalf("%s by %s: %d machines, want %d", zones.String(), by, len(f.Machines()), len(ms))
			}
			if by != ByZone {
				continue
			}
			// A zone is whole on one side, or shared out evenly.
			mixed := false
			for z := 'a'; z < 'f'; z++ {
				a, b := strings.Count(zonesOf(f.First), string(z)), strings.Count(zonesOf(f.Second), string(z))
				mixed = mixed || a > 0 && b > 0
			}
			for z := 'a'; z < 'f'; z++ {
				a, b := strings.Count(zonesOf(f.First), string(z)), strings.Count(zonesOf(f.Second), string(z))
				if d := a - b; mixed && (d < -1 || d > 1) {
					t.Fatalf("%s: zone %c is %d and %d", zones.String(), z, a, b)
				}
			}
		}
	}
}

func TestTheIdleSideOfTheBalancerIsFirst(t *testing.T) {
	f, err := Split(seed().Machines(), ByULB, [2]string{"one", "two"}, map[string]bool{
		"game-1": true, "game-2": false, "game-3": true, "game-4": false, "game-5": true, "game-6": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(f.First.Machines), []string{"game-4", "game-6", "game-2"}; !slices.Equal(got, want) {
		t.Errorf("first %v, want %v", got, want)
	}
	if got, want := names(f.Second.Machines), []string{"game-5", "game-1", "game-3"}; !slices.Equal(got, want) {
		t.Errorf("second %v, want %v", got, want)
	}
}

func TestAnImpossibleSplitSaysWhy(t *testing.T) {
	ms := zoned("aabb")
	unzoned := zoned("aab")
	unzoned[0].Zone, unzoned[2].Zone = "", ""
	all := func(on bool) map[string]bool {
		return map[string]bool{"m0": on, "m1": on, "m2": on, "m3": on}
	}
	tests := []struct {
		name string
		ms   []Machine
		by   Rule
		on   map[string]bool
		want string
	}{
		{"one machine", ms[:1], ByOrder, nil, "split by order: 1 machine cannot form two groups"},
		{"none", nil, ByZone, nil, "split by zone: 0 machines cannot form two groups"},
		{"unknown rule", ms, "size", nil, `split by "size": use order, zone or ulb`},
		{"no zone", unzoned, ByZone, nil, "split by zone: m0 has no zone\nsplit by zone: m2 has no zone"},
		{"all on", ms, ByULB, all(true), "split by ulb: every machine takes new connections now, so none can be the first group"},
		{"all off", ms, ByULB, all(false), "split by ulb: no machine takes new connections now, so none can be the second group"},
		{"unknown is not off", ms, ByULB, map[string]bool{"m0": true, "m1": true, "m2": true},
			"split by ulb: nothing is known of m3 at the load balancer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Split(test.ms, test.by, [2]string{"one", "two"}, test.on)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
