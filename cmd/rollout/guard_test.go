package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
)

// obeyed gives the lines that a runner of GitHub Actions would take for a command, as its ActionCommand.cs reads them: it trims white space, as .NET
// knows it, at the front for :: and looks for ##[ anywhere.
func obeyed(log string) []string {
	var all []string
	for line := range strings.FieldsFuncSeq(log, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") {
			all = append(all, line)
		}
	}
	return all
}

func TestARunnerObeysNoLineThatIsOnlyShown(t *testing.T) {
	for name, c := range map[string]struct{ said, want string }{
		"a command":            {"::error::owned\n", ": :error::owned\n"},
		"after blanks":         {" \t\u00a0\u3000::add-mask::a\n", " \t\u00a0\u3000: :add-mask::a\n"},
		"after what is hidden": {"\u200b\ufeff\x00::group::x\n", "\u200b\ufeff\x00: :group::x\n"},
		"after a return":       {"50%\r::stop-commands::x\r\n", "50%\r: :stop-commands::x\r\n"},
		"the old form":         {"ok ##[set-env name=PATH;]/x ##[b]\n", "ok ## [set-env name=PATH;]/x ## [b]\n"},
		"hashes in a row":      {"####[error]x\n", "#### [error]x\n"},
		"three colons":         {":::error::x\n", ": ::error::x\n"},
		"what is none":         {"10.9.0.4: a::b [#1] # [x]\n\n", "10.9.0.4: a::b [#1] # [x]\n\n"},
		"without an end":       {"::error::x", ": :error::x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var whole, bytewise bytes.Buffer
			g := &guard{out: &whole}
			_, _ = g.Write([]byte(c.said))
			g.flush()
			if whole.String() != c.want {
				t.Errorf("got %q, want %q", whole.String(), c.want)
			}
			g = &guard{out: &bytewise}
			for i := range len(c.said) {
				_, _ = g.Write([]byte{c.said[i]})
			}
			g.flush()
			if bytewise.String() != c.want {
				t.Errorf("written byte by byte: got %q, want %q", bytewise.String(), c.want)
			}
		})
	}
}

func FuzzARunnerObeysNothingThatIsOnlyShown(f *testing.F) {
	f.Add("::error::x", "\r##[a]")
	f.Add("#", "#[a]b")
	f.Add(":", ":warning::x\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		var out bytes.Buffer
		g := &guard{out: &out}
		_, _ = g.Write([]byte(a))
		_, _ = g.Write([]byte(b))
		g.flush()
		if all := obeyed(out.String()); len(all) > 0 {
			t.Errorf("%q and %q: obeyed are %q", a, b, all)
		}
		g.command("::group::x")
		if all := obeyed(out.String()); len(all) != 1 {
			t.Errorf("our own command is not obeyed: %q", out.String())
		}
	})
}

// TestADocumentIsPrintedAsItIs: what a program reads must be the same on GitHub, so nothing in it may look like a command.
func TestADocumentIsPrintedAsItIs(t *testing.T) {
	doc := map[string]any{"error": "x ##[add-path]/x\n::error::owned\n", "##[a]": 1}
	for _, format := range []string{"json", "jsonl", "yaml"} {
		var there, here bytes.Buffer
		g := &guard{out: &there}
		if err := (&env{stdout: g, flags: globals{output: format}}).document(doc); err != nil {
			t.Fatal(err)
		}
		g.flush()
		if all := obeyed(there.String()); len(all) > 0 {
			t.Errorf("%s: obeyed are %q", format, all)
		}
		if format == "yaml" { // there it is JSON, which is YAML
			format = "json"
		}
		if err := (&env{stdout: &here, flags: globals{output: format}}).document(doc); err != nil {
			t.Fatal(err)
		}
		if there.String() != here.String() {
			t.Errorf("%s: got %s, want %s", format, there.String(), here.String())
		}
	}
}
