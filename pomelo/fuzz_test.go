package pomelo

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func FuzzRead(f *testing.F) {
	f.Add([]byte(seedServer))
	for _, s := range []string{"", "{", "null", "[]", "5", `{"a": null}`, `{"a": [null, 5, {}]}`, `{"a": [{"clusterCount": 1e9}]}`,
		`{"a": [{"clusterCount": "9999999999", "port": "1e999++"}]}`, "\ufeff{}", "{\"a\":\n[{\"id\": \"\\ud800\"}]}", strings.Repeat("[", 20000)} {
		f.Add([]byte(s))
	}
	g := corpus{rand.New(rand.NewPCG(1, 1))}
	for range 20 {
		f.Add([]byte(g.servers()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"servers.json", "master.json", "adminUser.json", "adminServer.json"} {
			c, err := Read(seed(map[string]string{name: string(data)}), "production")
			for _, e := range sentenceErrors(errors.Join(err, c.Check([]string{"connector"}, nil))) {
				var fault *Fault
				if !errors.As(e, &fault) || !strings.HasPrefix(fault.File, "config/") || !strings.HasPrefix(e.Error(), fault.File) {
					t.Fatalf("names no file: %v", e)
				}
				if lines := strings.Count(string(data), "\n") + 1; fault.File == "config/"+name && fault.Line > lines {
					t.Fatalf("line %d of %d: %v", fault.Line, lines, e)
				}
			}
			for _, m := range c.Group("g", []string{"connector"}).Machines {
				for _, p := range m.Ports {
					if p < 1 || p > 65535 {
						t.Fatalf("port %d on %s", p, m.Host)
					}
				}
			}
			_ = Isolated(c, c, []string{"connector"})
		}
	})
}

// sentenceErrors takes joined errors apart, to the Faults.
func sentenceErrors(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok && err != nil {
		return []error{err}
	}
	if err == nil {
		return nil
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, sentenceErrors(e)...)
	}
	return all
}
