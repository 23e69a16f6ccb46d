package config

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
)

// readComments reads the comments of structs and their fields from Go source:
// "Drain" and "Drain.Deadline" → the comment as one line. So a key is
// described in one place only.
func readComments(files fs.FS) (map[string]string, error) {
	comments := map[string]string{}
	names, err := fs.Glob(files, "*.go")
	if err != nil {
		return nil, fmt.Errorf("comments: %w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("comments: %w", err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("comments: %w", err)
		}
		for _, decl := range file.Decls {
			if types, ok := decl.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				commentsOf(types, comments)
			}
		}
	}
	return comments, nil
}

func commentsOf(types *ast.GenDecl, comments map[string]string) {
	for _, spec := range types.Specs {
		named, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		comments[named.Name.Name] = oneLine(types.Doc)
		body, ok := named.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range body.Fields.List {
			for _, n := range f.Names {
				comments[named.Name.Name+"."+n.Name] = oneLine(f.Doc)
			}
		}
	}
}

func oneLine(doc *ast.CommentGroup) string {
	return strings.Join(strings.Fields(doc.Text()), " ")
}
