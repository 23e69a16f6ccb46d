package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// The folders of the manual hold a page for each command and nothing else.
const (
	pagesForReaders = "../../docs/cli"
	pagesForMan     = "../../packaging/man"
)

// TestTheManualIsWhatTheCommandsSay holds the pages to the help of the commands. `make docs` writes them anew.
func TestTheManualIsWhatTheCommandsSay(t *testing.T) {
	want := manual(t)
	for _, dir := range []string{pagesForReaders, pagesForMan} {
		if *updateScripts {
			rewrite(t, dir, want)
		}
		there, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range there {
			if _, ok := want[path]; !ok {
				t.Errorf("%s is of no command; run make docs", path)
			}
		}
	}
	for path, page := range want {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v; run make docs", err)
			continue
		}
		if string(got) != page {
			t.Errorf("%s is stale; run make docs", path)
		}
	}
}

// TestTheManualIsTheSameForEverybody: a page that shows the home directory or the day would be stale on the next machine.
func TestTheManualIsTheSameForEverybody(t *testing.T) {
	here := manual(t)
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "UCLOUD_REGION", "ROLLOUT_STATE_DIR"} {
		t.Setenv(name, "/somewhere/else")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	t.Chdir(t.TempDir())
	if diff := cmp.Diff(here, manual(t)); diff != "" {
		t.Errorf("the manual depends on where it is made:\n%s", diff)
	}
}

// manual gives the pages of all commands by their paths.
func manual(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	var add func(*cobra.Command)
	add = func(c *cobra.Command) {
		c.DisableAutoGenTag = true // it has the day in it
		c.Long = fenced(c.Long)
		name := strings.ReplaceAll(c.CommandPath(), " ", "_")
		pages[filepath.Join(pagesForReaders, name+".md")] = markdown(t, c)
		pages[filepath.Join(pagesForMan, strings.ReplaceAll(name, "_", "-")+".1")] = roff(t, c)
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				add(sub)
			}
		}
	}
	root := newRootCommand(&env{lookup: func(string) (string, bool) { return "", false }})
	root.InitDefaultCompletionCmd()
	add(root)
	return pages
}

// markdown is the page for readers, with its headings one level up: it is a page of its own.
func markdown(t *testing.T, c *cobra.Command) string {
	t.Helper()
	var b bytes.Buffer
	if err := doc.GenMarkdown(c, &b); err != nil {
		t.Fatal(err)
	}
	up := strings.NewReplacer("\n## ", "\n# ", "\n### ", "\n## ", "\n#### ", "\n### ")
	return "<!-- Made of the command's help by make docs. -->" + up.Replace("\n"+b.String())
}

// roff is the page for man. It has no date: a day on which nothing changed must not make it stale.
func roff(t *testing.T, c *cobra.Command) string {
	t.Helper()
	var b bytes.Buffer
	if err := doc.GenMan(c, &doc.GenManHeader{Section: "1", Date: &time.Time{}, Manual: "rollout"}, &b); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(b.String(), `"Jan 0001"`, `""`, 1)
}

// fenced marks the indented lines of a help text as they are to stay: Markdown would join them to a paragraph.
func fenced(text string) string {
	var b strings.Builder
	within := false
	for line := range strings.Lines(text + "\n") {
		if indented := strings.HasPrefix(line, "  "); indented != within {
			b.WriteString(map[bool]string{true: "\n```\n", false: "```\n"}[indented])
			within = indented
		}
		if within {
			line = strings.TrimPrefix(line, "  ")
		}
		b.WriteString(line)
	}
	if within {
		b.WriteString("```\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// rewrite makes dir hold its pages and no others.
func rewrite(t *testing.T, dir string, pages map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, page := range pages {
		if filepath.Dir(path) != dir {
			continue
		}
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
