package pomelo

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"testing/fstest"
)

// answer is what Pomelo makes of one directory.
type answer struct {
	Throws  string
	Master  map[string]any
	Servers map[string]map[string]any
}

func TestPomeloItselfReadsAFileAsWeDo(t *testing.T) {
	pomelo := os.Getenv("ROLLOUT_POMELO")
	if pomelo == "" {
		t.Skip("ROLLOUT_POMELO is not set to the path of a node_modules/pomelo (npm install pomelo@2.2.7 --ignore-scripts)")
	}
	const many = 600
	g := corpus{rand.New(rand.NewPCG(2, 27))}
	all := make([]fstest.MapFS, many)
	dirs := make([]string, many)
	root := t.TempDir()
	for i := range all {
		all[i], dirs[i] = g.one(), filepath.Join(root, strconv.Itoa(i))
		if err := os.CopyFS(dirs[i], all[i]); err != nil {
			t.Fatal(err)
		}
	}
	answers := ask(t, pomelo, dirs)
	if len(answers) != many {
		t.Fatalf("got %d answers, want %d", len(answers), many)
	}
	var equal, threw, processes int
	for i, a := range answers {
		c, err := Read(all[i], "production")
		if got, want := errors.Is(err, ErrThrows), a.Throws != ""; got != want {
			t.Errorf("%s\nthrows: got %v (%v), want %v (%s)", dump(all[i]), got, err, want, a.Throws)
			continue
		}
		if a.Throws != "" {
			threw++
			equal++
			continue
		}
		got := map[string]map[string]any{}
		for _, s := range c.Servers {
			key := s.ID
			if _, ok := s.Fields["id"]; !ok {
				key = "undefined"
			}
			got[key] = exact(s.Fields).(map[string]any)
		}
		if len(got) != len(a.Servers) || len(got) > 0 && !reflect.DeepEqual(got, a.Servers) {
			t.Errorf("%s\ngot  %v\nwant %v", dump(all[i]), got, a.Servers)
			continue
		}
		if id, _ := a.Master["id"].(string); c.Master.ID != id {
			t.Errorf("%s\nmaster: got %q, want %q", dump(all[i]), c.Master.ID, id)
			continue
		}
		equal++
		processes += len(got)
	}
	t.Logf("%d of %d configurations equal: %d processes, and %d at which pomelo throws", equal, many, processes, threw)
	if threw > many/2 || processes < many {
		t.Errorf("too little to compare: %d threw, %d processes", threw, processes)
	}
}

// ask has one node process read every directory.
func ask(t *testing.T, pomelo string, dirs []string) []answer {
	t.Helper()
	list, err := json.Marshal(dirs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/expand.js", "env=production")
	cmd.Env = append(os.Environ(), "POMELO="+pomelo, "DIRS="+string(list), "POMELO_LOGGER=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	out = bytes.TrimSpace(out) // what Pomelo logs comes before the last line
	out = out[bytes.LastIndexByte(out, '\n')+1:]
	var answers []answer
	if err := json.Unmarshal(out, &answers); err != nil {
		t.Fatalf("node's answer: %v\n%.500s", err, out)
	}
	return answers
}

// exact says the numbers JSON has no word for as the script does.
func exact(v any) any {
	switch x := v.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return "number " + number(x)
		}
		return x + 0 // JSON knows no -0
	case []any:
		list := make([]any, len(x))
		for i, e := range x {
			list[i] = exact(e)
		}
		return list
	case map[string]any:
		fields := map[string]any{}
		for k, e := range x {
			fields[k] = exact(e)
		}
		return fields
	}
	return v
}

func dump(files fstest.MapFS) string {
	var b bytes.Buffer
	for name, f := range files {
		b.WriteString(name + ": " + string(f.Data) + "\n")
	}
	return b.String()
}
