package rollout_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

func TestEveryPackageHasOnePackageCommentInDocGo(t *testing.T) {
	for name, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("package %s has no package comment", name)
		}
		for _, f := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(name, f), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatalf("%s/%s: %v", name, f, err)
			}
			if got, want := parsed.Doc != nil, f == "doc.go"; got != want {
				t.Errorf("%s/%s: has a package comment: %v, want %v", name, f, got, want)
			}
		}
	}
}

// lines is the longest a file of code may be: past it, the design is wrong.
const lines = 400

func TestNoFileIsTooLongToHoldInMind(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n := 0
		for _, c := range b {
			if c == '\n' {
				n++
			}
		}
		if n > lines {
			t.Errorf("%s has %d lines, more than %d", path, n, lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
