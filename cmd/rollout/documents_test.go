package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/schema/proof"
)

// tells is what a command prints for programs: the documents that want names, in order and each once though it may come often. Where another test
// types it, that is told by its file and by what stands there.
type tells struct {
	command string
	args    []string
	want    string
	file    string
}

// TestEveryCommandTellsProgramsByItsSchema types every command there is in a pretend world, in an order in which each has something to tell.
func TestEveryCommandTellsProgramsByItsSchema(t *testing.T) {
	b := newSoil(t).bed(t)
	b.config.SSH.KnownHosts = ""
	b.write()
	rows := []tells{
		{"rollout version", nil, "version", ""},
		{"rollout trust", []string{"--yes"}, "trust", ""},
		{"rollout lock status", nil, "lock", ""},
		{"rollout status", nil, "status", ""},
		{"rollout abort", []string{"--yes"}, "result", ""},
		{"rollout check", nil, "check", ""},
		{"rollout check", []string{"--offline"}, "check", ""},
		{"rollout plan", []string{"--ref", "v1.1.0"}, "plan", ""},
		{"rollout start", []string{"--ref", "v1.1.0", "--yes", "-o", "jsonl"}, "event result", ""},
		{"rollout status", nil, "status", ""},
		{"rollout status", []string{"--from-cloud"}, "cloud", ""},
		{"rollout history", nil, "history", ""},
		{"rollout report", nil, "report", ""},
		{"rollout report", []string{"--format", "json"}, "report", ""},
		{"rollout resume", nil, "result", ""},
		{"rollout rollback", []string{"--yes"}, "result", ""},
		{"rollout report", nil, "report", ""},
		{"rollout init", nil, `[]string{"init"}`, "init_test.go"},
		{"rollout notify test", nil, `types("notify", "test", "-o", "json")`, "notify_test.go"}, // which holds all that is typed at a desk
		{"rollout dashboard", nil, `"dashboard --listen 127.0.0.1:0 -o json"`, "dashboard_test.go"},
		{"rollout pause", nil, "pause", ""},
		{"rollout sandbox run", nil, "documents sandbox\n", "testdata/script/sandbox.txtar"},
		{"rollout sandbox serve", nil, "documents sandbox.world\n", "testdata/script/sandbox.txtar"},
		{"rollout schema", nil, "exec rollout schema report\n", "testdata/script/about.txtar"}, // a schema is no document
	}
	for _, row := range rows {
		if row.file != "" {
			if text, err := os.ReadFile(row.file); err != nil || !strings.Contains(string(text), row.want) {
				t.Errorf("%s: %s does not hold %s: %v", row.command, row.file, row.want, err)
			}
			continue
		}
		if row.command == "rollout pause" {
			b.underWay()
		}
		args := append(strings.Fields(row.command)[1:], row.args...)
		if !slices.Contains(args, "-o") {
			args = append(args, "-o", "json")
		}
		code, out, errs := b.run(args...)
		names, err := proof.Output([]byte(out))
		if got := strings.Join(slices.Compact(names), " "); err != nil || got != row.want {
			t.Errorf("rollout %s: exit %d, got the documents %q (%v), want %q\n%s", strings.Join(args, " "), code, got, err, row.want, errs)
		}
	}
	for _, path := range leaves(newRootCommand(&env{})) {
		if !slices.ContainsFunc(rows, func(r tells) bool { return r.command == path }) {
			t.Errorf("%s has no row: what does it tell programs?", path)
		}
	}
}

// underWay makes the newest run one that this process carries out.
func (b *bed) underWay() {
	b.t.Helper()
	id, ok, err := journal.Latest(b.state)
	b.must(err)
	if !ok {
		b.t.Fatal("there is no run")
	}
	store, err := journal.Lock(b.state, journal.Holder{User: "ann", Host: "deploy1", PID: os.Getpid(), Run: id, Command: "rollout start", Since: time.Now().UTC()})
	b.must(err)
	b.t.Cleanup(func() { _ = store.Close() })
}

// leaves gives the path of each command that does something itself.
func leaves(c *cobra.Command) []string {
	var all []string
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" && sub.Name() != "completion" {
			all = append(all, leaves(sub)...)
		}
	}
	if len(all) == 0 && c.Runnable() {
		all = []string{c.CommandPath()}
	}
	return all
}

func TestAnErrorIsToldProgramsByItsSchema(t *testing.T) {
	d := newDesk(t)
	for _, args := range [][]string{{"resume"}, {"report"}, {"report", "r1"}, {"report", "--format", "pdf"}, {"-c", filepath.Join(d.dir, "none.yaml"), "check"}} {
		code, out, errs := d.types(append(args, "-o", "json")...)
		names, err := proof.Output([]byte(errs))
		if err != nil || code == 0 || out != "" || !slices.Equal(names, []string{"error"}) {
			t.Errorf("%v: exit %d, %q, %v\n%s", args, code, names, err, errs)
		}
	}
}

func TestWhatIsNotInASchemaIsFound(t *testing.T) {
	d := newDesk(t)
	_, out, _ := d.types("version", "-o", "json")
	for name, spoilt := range map[string]string{
		"nothing":          "",
		"no JSON":          "so far so good",
		"another document": strings.Replace(out, "rollout.version/v1", "rollout.nosuch/v1", 1),
		"another version":  strings.Replace(out, "rollout.version/v1", "rollout.version/v2", 1),
		"a new field":      strings.Replace(out, `"go"`, `"more": 1, "go"`, 1),
		"a field missing":  strings.Replace(out, `"go"`, `"gone"`, 1),
		"another type":     strings.Replace(out, `"format": 1`, `"format": "1"`, 1),
	} {
		if spoilt == out {
			t.Fatalf("%s: the document was not changed: %s", name, out)
		}
		if names, err := proof.Output([]byte(spoilt)); err == nil {
			t.Errorf("%s: passes as %q: %s", name, names, spoilt)
		}
	}
	if _, err := proof.Output([]byte(out)); err != nil {
		t.Error(err)
	}
}

// printed demands that what a program in a script has just printed is these documents, by their schemas: documents NAME...
func printed(ts *testscript.TestScript, neg bool, args []string) {
	names, err := proof.Output([]byte(ts.ReadFile("stdout")))
	ts.Check(err)
	if neg || !slices.Equal(names, args) {
		ts.Fatalf("got the documents %q, want %q", names, args)
	}
}
