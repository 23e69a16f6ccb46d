package pomelo

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestTheSeedsGroupIsFortyEightProcessesOnThreeMachines(t *testing.T) {
	var b strings.Builder
	for _, s := range read(t, seed(nil)).Servers {
		fmt.Fprintf(&b, "%s:%d %s %s %d %s:%d\n", s.File, s.Line, s.ID, s.Host, s.Port, s.ClientHost, s.ClientPort)
	}
	if *update {
		if err := os.WriteFile("testdata/seed.golden", []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/seed.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestCountsAndPlusesMeanWhatTheyMeanInJavaScript(t *testing.T) {
	// Each entry stands alone under "a"; what comes out is id, port and host.
	for name, row := range map[string]struct{ entries, want string }{
		"a count in words":                  {`{"clusterCount": "2", "port": "10++"}`, "0=10 1=11"},
		"the text 0 is true and counts 0":   {`{"clusterCount": "0", "port": "10++"}`, ""},
		"the number 0 is false":             {`{"id": "p", "clusterCount": 0, "port": "10++"}`, "p=10++"},
		"null is false":                     {`{"id": "p", "clusterCount": null, "port": 10}`, "p=10"},
		"the empty text is false":           {`{"id": "p", "clusterCount": "", "port": 10}`, "p=10"},
		"false is false":                    {`{"id": "p", "clusterCount": false, "port": 10}`, "p=10"},
		"true is no number":                 {`{"clusterCount": true, "port": 10}`, ""},
		"a broken count in words":           {`{"clusterCount": "1.9", "port": "10++"}`, "0=10"},
		"a broken count":                    {`{"clusterCount": 2.9, "port": "10++"}`, "0=10 1=11"},
		"letters":                           {`{"clusterCount": "x", "port": "10++"}`, ""},
		"less than none":                    {`{"clusterCount": -1, "port": "10++"}`, ""},
		"hexadecimal":                       {`{"clusterCount": "0x2", "port": "10++"}`, "0=10 1=11"},
		"a list of one":                     {`{"clusterCount": [2], "port": "10++"}`, "0=10 1=11"},
		"a count with pluses counts":        {`{"clusterCount": "2++", "port": "10++"}`, "0=10 1=11"},
		"a large number is read as written": {`{"clusterCount": 2e21, "port": "10++"}`, "0=10 1=11"},
		"space before":                      {`{"clusterCount": " \u00a02 ", "port": "10++"}`, "0=10 1=11"},
		"pluses alone stay":                 {`{"clusterCount": 2, "port": "++"}`, "0=++ 1=++"},
		"pluses first stay":                 {`{"clusterCount": 2, "port": "++6++"}`, "0=++6++ 1=++6++"},
		"letters before pluses":             {`{"clusterCount": 2, "port": "ab++"}`, "0=NaN 1=NaN"},
		"pluses in the middle":              {`{"clusterCount": 2, "port": "6++1"}`, "0=6 1=7"},
		"a plain port is the same for all":  {`{"clusterCount": 2, "port": 10}`, "0=10 1=10"},
		"below none":                        {`{"clusterCount": 2, "port": "-1++"}`, "0=-1 1=0"},
		"over the top":                      {`{"clusterCount": 2, "port": "65535++"}`, "0=65535 1=65536"},
		"a list with pluses":                {`{"clusterCount": 2, "port": ["5", "a", "6++"]}`, "0=5 1=6"},
		"an id with pluses is a number":     {`{"clusterCount": 2, "id": "7++", "port": 10}`, "7=10 8=10"},
		"numbers run on":                    {`{"clusterCount": 2, "port": 10}, {"clusterCount": 1, "port": 10}`, "0=10 1=10 2=10"},
		"a plain one between":               {`{"clusterCount": 1, "port": 1}, {"id": "p", "port": 2}, {"clusterCount": 1, "port": 3}`, "0=1 p=2 1=3"},
		"a broken count begins anew":        {`{"clusterCount": 2, "port": 1}, {"clusterCount": "x"}, {"clusterCount": 1, "port": 3}`, "0=3 1=1"},
		"less than none goes back":          {`{"clusterCount": -1}, {"clusterCount": 2, "port": 3}`, "-1=3 0=3"},
		"the last of an id is started":      {`{"id": "p", "port": 1}, {"id": "p", "port": 2}`, "p=2"},
		"no id is one id":                   {`{"port": 1}, {"port": 2}`, "=2"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := servers(`{"a": [` + row.entries + `]}`)
			var got []string
			for _, s := range c.Servers {
				p, _ := text(s.Fields["port"])
				got = append(got, strings.TrimPrefix(s.ID, "cluster-server-a-")+"="+p)
			}
			if g := strings.Join(got, " "); g != row.want {
				t.Errorf("got %q, want %q", g, row.want)
			}
		})
	}
}

func TestEveryFieldWithPlusesCounts(t *testing.T) {
	c, err := servers(`{"a": [{"clusterCount": 2, "host": "10.9.0.1", "port": "10++", "cpu": "0++", "note": "b1++"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Servers[0].Fields, c.Servers[1].Fields)
	want := "map[clusterCount:2 cpu:0 host:10.9.0.1 id:cluster-server-a-0 note:NaN port:10 serverType:a]" +
		" map[clusterCount:2 cpu:1 host:10.9.0.1 id:cluster-server-a-1 note:NaN port:11 serverType:a]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestACountThatWouldFillTheMemoryIsRefused(t *testing.T) {
	c, err := servers(`{"a": [{"clusterCount": 4e9, "host": "h", "port": "1++"}]}`)
	if len(c.Servers) != 0 {
		t.Errorf("got %d servers", len(c.Servers))
	}
	wantSentences(t, err, `config/servers.json:1:9: clusterCount: "4000000000" makes it more than 10000 processes`)
}

func TestOnlyTheWordTrueMakesAFrontend(t *testing.T) {
	for v, want := range map[string]bool{`true`: true, `"true"`: true, `1`: false, `"TRUE"`: false, `"yes"`: false, `false`: false} {
		c, _ := servers(`{"a": [{"id": "p", "host": "h", "frontend": ` + v + `}]}`)
		if got := c.Servers[0].Frontend; got != want {
			t.Errorf("frontend %s: got %v, want %v", v, got, want)
		}
	}
}
