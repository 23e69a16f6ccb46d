package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/schema"
	"github.com/seed59ee9cdc/rollout/view"
)

// documents are all that is printed for programs, by the name of their schema.
var documents = map[string]any{
	"check": checkDoc{}, "cloud": cloudDoc{}, "dashboard": dashboardDoc{}, "error": errorDoc{}, "event": plans.Event{}, "history": view.HistoryDoc{}, "init": initDoc{}, "lock": lockDoc{},
	"notify": notifyDoc{},
	"pause":  pauseDoc{}, "plan": view.PlanDoc{}, "processes": processesDoc{}, "report": view.ReportDoc{}, "result": view.ResultDoc{}, "sandbox": sandboxDoc{},
	"sandbox.faults": faultsDoc{}, "sandbox.world": worldDoc{}, "status": view.StatusDoc{}, "trust": trustDoc{}, "version": versionDoc{},
}

func TestSchemasAreThoseOfTheDocuments(t *testing.T) {
	comments := map[string]string{}
	for _, dir := range []string{".", "../../view", "../../plans", "../../journal", "../../sandbox"} {
		readComments(t, dir, comments)
	}
	for name, doc := range documents {
		got := schemaOf(t, name, reflect.TypeOf(doc), comments)
		file := filepath.Join("..", "..", "schema", name+".json")
		if *updateScripts {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != string(got) {
			t.Errorf("%s is stale (%v): run `go test ./cmd/rollout -run Schemas -update` and read the difference", file, err)
		}
	}
	if names := schema.Names(); !*updateScripts && !slices.Equal(names, slices.Sorted(maps.Keys(documents))) {
		t.Errorf("the program has the schemas %q, and prints the documents %q", names, slices.Sorted(maps.Keys(documents)))
	}
}

// Who prints a document that is not in the table, or one without a type, is found by its words.
func TestNoDocumentIsWithoutASchema(t *testing.T) {
	named, loose := regexp.MustCompile(`"rollout\.([a-z.]+)/v1"`), regexp.MustCompile(`(document|writeJSON)\([^)]*map\[string\]any`)
	for _, dir := range []string{".", "../../view"} {
		files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				if _, ok := documents[m[1]]; !ok {
					t.Errorf("%s: the document %s is not in the table", file, m[1])
				}
			}
			if m := loose.Find(text); m != nil {
				t.Errorf("%s: %s: a document without a type has no schema", file, m)
			}
		}
	}
}

// schemaOf makes the schema of a document.
func schemaOf(t *testing.T, name string, doc reflect.Type, comments map[string]string) []byte {
	t.Helper()
	r := jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, AllowAdditionalProperties: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[plans.Seconds]() {
				return &jsonschema.Schema{Type: "number"}
			}
			return nil
		},
		LookupComment: func(t reflect.Type, field string) string {
			return comments[strings.TrimSuffix(t.Name()+"."+field, ".")]
		},
	}
	s := r.ReflectFromType(doc)
	s.ID, s.Title = jsonschema.ID("https://github.com/seed59ee9cdc/rollout/schema/"+name+".json"), "rollout."+name+"/v1"
	if p, ok := s.Properties.Get("schema"); ok {
		p.Const, p.Description = s.Title, ""
	}
	nullable(s, doc)
	for _, of := range within(doc, nil) {
		if def := s.Definitions[of.Name()]; def != nil {
			nullable(def, of)
		}
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// nullable lets a pointer that is always written be null.
func nullable(s *jsonschema.Schema, of reflect.Type) {
	for _, f := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type.Kind() != reflect.Pointer || strings.Contains(options, "omit") {
			continue
		}
		if p, ok := s.Properties.Get(name); ok {
			value := *p
			value.Description = ""
			s.Properties.Set(name, &jsonschema.Schema{AnyOf: []*jsonschema.Schema{&value, {Type: "null"}}, Description: p.Description})
		}
	}
}

// within lists the structs below a type, each once.
func within(of reflect.Type, all []reflect.Type) []reflect.Type {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return within(of.Elem(), all)
	case reflect.Struct:
	default:
		return all
	}
	if of == reflect.TypeFor[time.Time]() || slices.Contains(all, of) {
		return all
	}
	all = append(all, of)
	for i := range of.NumField() {
		if of.Field(i).IsExported() {
			all = within(of.Field(i).Type, all)
		}
	}
	return all
}

// No two structs of one document may share a name, since their schemas would.
func TestTheStructsOfADocumentHaveNamesOfTheirOwn(t *testing.T) {
	for name, doc := range documents {
		seen := map[string]reflect.Type{}
		for _, of := range within(reflect.TypeOf(doc), nil) {
			if other, twice := seen[of.Name()]; twice {
				t.Errorf("%s: %s and %s have one name", name, other, of)
			}
			seen[of.Name()] = of
		}
	}
}

// readComments reads what the structs and fields of a directory say of themselves.
func readComments(t *testing.T, dir string, into map[string]string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE || strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, spec := range g.Specs {
				named := spec.(*ast.TypeSpec)
				into[named.Name.Name] = worded(named.Doc, g.Doc)
				st, ok := named.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range st.Fields.List {
					for _, n := range field.Names {
						into[named.Name.Name+"."+n.Name] = worded(field.Doc, field.Comment)
					}
				}
			}
		}
	}
}

// worded gives the first comment there is, as one paragraph.
func worded(comments ...*ast.CommentGroup) string {
	for _, c := range comments {
		if text := strings.Join(strings.Fields(c.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}
