package config

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse wants every input to give a Config that is written and read back
// the same, whose fleet can be made, or Faults that can be printed.
func FuzzParse(f *testing.F) {
	for _, name := range samples {
		f.Add([]byte(sample(f, name)))
	}
	base := sample(f, "command.yaml")
	for _, test := range badInputs {
		if len(test.changes[0].to) < 4096 {
			f.Add([]byte(strings.Replace(base, test.changes[0].from, test.changes[0].to, 1)))
		}
	}
	f.Add([]byte("<<: &a {<<: *a}\n"))
	f.Add([]byte("? !!binary x\n: [*a]\n"))
	f.Add([]byte("service: &s \"\\u2028\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("rollout.yaml", data, env)
		if err != nil {
			var faults *Faults
			if !errors.As(err, &faults) || len(faults.All) == 0 || err.Error() == "" {
				t.Fatalf("%T: %v", err, err)
			}
			for _, f := range faults.All {
				if f.Line < 1 || f.Col < 1 || f.Message == "" || strings.ContainsAny(f.Error()+f.Source, "\n\r\x00\x1b") {
					t.Fatalf("bad fault %+v", f)
				}
			}
			return
		}
		roundTrip(t, c)
		if _, err := c.Fleet(); err != nil && !errors.Is(err, ErrNeedsMasters) && !errors.Is(err, ErrNeedsBalancer) {
			t.Fatalf("accepted, but no fleet: %v", err)
		}
	})
}
