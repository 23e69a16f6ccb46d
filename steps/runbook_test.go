package steps_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTheRunbookCoversEveryReasonToStop takes each sentence by which a run stops from the code and looks for it in the runbook.
func TestTheRunbookCoversEveryReasonToStop(t *testing.T) {
	books := map[string]string{"docs/runbook.md": "", "docs/zh-CN/runbook.md": ""}
	for name := range books {
		book, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		books[name] = string(book)
	}
	elsewhere := map[string]bool{ // no reason by themselves: what surrounds them, or what cannot happen to a plan that was checked
		"waited": true, "not reached within": true, "waited 15s": true, "it took too long": true, "interrupted": true, "paused": true, "aborted": true,
		"asked by": true, "nobody knows how to": true, "both groups would be closed": true, "credentials refused": true, "the journal cannot be written": true,
		"no process came up": true, "start:": true, "stop:": true, "exit": true, "status on": true, ": it began, and its machine has lost it": true,
	}
	verb := regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)
	seen := 0
	for _, text := range reasons(t) {
		longest := ""
		for _, part := range verb.Split(text, -1) {
			if part = strings.Trim(part, " :(),"); len(part) > len(longest) {
				longest = part
			}
		}
		if len(longest) < 5 || elsewhere[longest] {
			continue
		}
		seen++
		for name, book := range books {
			if !strings.Contains(book, longest) {
				t.Errorf("%s says nothing of %q", name, text)
			}
		}
	}
	if seen < 15 {
		t.Errorf("%d sentences found, want 15 at least", seen)
	}
}

// reasons gives the formats of the errors in the code of steps.
func reasons(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "Errorf" || s.Sel.Name == "New") && len(n.Args) > 0 {
					all = append(all, literal(n.Args[0]))
				}
			case *ast.CompositeLit:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "stop" && len(n.Elts) == 2 {
					if call, ok := n.Elts[1].(*ast.CallExpr); ok && len(call.Args) > 0 {
						all = append(all, literal(call.Args[0]))
					}
				}
			}
			return true
		})
	}
	return all
}

func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
		text, _ := strconv.Unquote(l.Value)
		return text
	}
	return ""
}
