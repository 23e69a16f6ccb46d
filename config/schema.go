package config

import (
	"embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/invopop/jsonschema"
)

// SchemaID names the schema; editors and SchemaStore know it by this.
const SchemaID = "https://github.com/seed59ee9cdc/rollout/rollout.schema.json"

// The files that hold the structs: their comments describe the keys.
//
//go:embed config.go balancer.go ssh.go fleet.go recipe.go release.go drain.go outside.go
var sources embed.FS

// Schema is the JSON Schema (draft 2020-12) of rollout.yaml, made of the
// structs the file is read into. It accepts every file Parse accepts, YAML's
// merge keys aside; what stands between keys, such as two machines with one
// host, only Parse knows.
func Schema() ([]byte, error) {
	comments, err := readComments(sources)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	r := jsonschema.Reflector{
		Anonymous:                  true,
		ExpandedStruct:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		Mapper:                     mapType,
		LookupComment: func(t reflect.Type, field string) string {
			if field == "" {
				return comments[t.Name()]
			}
			return comments[t.Name()+"."+field]
		},
	}
	s := r.Reflect(Config{})
	s.ID, s.Title = SchemaID, "rollout.yaml"
	complete(s, reflect.TypeFor[Config]())
	for _, t := range structs(reflect.TypeFor[Config](), nil) {
		if def := s.Definitions[t.Name()]; def != nil {
			complete(def, t)
			s.Definitions[t.Name()] = withBare(def, t)
		}
	}
	exclusions(s)
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return append(data, '\n'), nil
}

// mapType describes the types that look otherwise in the file than in Go.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case durationType:
		return &jsonschema.Schema{Type: "string", Pattern: durationPattern}
	case portsType:
		one := []*jsonschema.Schema{
			{Type: "integer", Minimum: "1", Maximum: "65535"},
			{Type: "string", Pattern: portRange.String()},
		}
		return &jsonschema.Schema{AnyOf: append(one, &jsonschema.Schema{
			Type: "array", Items: &jsonschema.Schema{AnyOf: one},
		})}
	case secretType:
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// complete adds to the schema of a struct what only our own tags say: forms,
// lone values for lists, and that x- keys are free.
func complete(s *jsonschema.Schema, t reflect.Type) {
	s.PatternProperties = map[string]*jsonschema.Schema{"^x-": jsonschema.TrueSchema}
	s.AdditionalProperties = jsonschema.FalseSchema
	for _, f := range fieldsOf(t) {
		p, ok := s.Properties.Get(f.key)
		if !ok {
			continue
		}
		value := p
		if p.Type == "array" {
			value = p.Items
		}
		// With ${NAME} in it the text has its form only later.
		if value.Type == "string" && value.Pattern == "" && !f.expand {
			value.Pattern = formOf(f.is).pattern
		}
		if f.bare && p.Type == "array" {
			list := *p
			list.Description = ""
			s.Properties.Set(f.key, &jsonschema.Schema{
				AnyOf: []*jsonschema.Schema{value, &list}, Description: p.Description,
			})
		}
	}
}

// withBare lets a lone value stand for a struct that allows it.
func withBare(s *jsonschema.Schema, t reflect.Type) *jsonschema.Schema {
	f, ok := bareField(t)
	if !ok {
		return s
	}
	lone, _ := s.Properties.Get(f.key)
	keys := *s
	keys.Description = ""
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{lone, &keys}, Description: s.Description}
}

// exclusions are the choices at the top of the file.
func exclusions(s *jsonschema.Schema) {
	need := func(keys ...string) *jsonschema.Schema { return &jsonschema.Schema{Required: keys} }
	s.AllOf = []*jsonschema.Schema{
		{OneOf: []*jsonschema.Schema{need("pomelo"), need("systemd"), need("command")}},
		{OneOf: []*jsonschema.Schema{need("groups"), need("machines", "split")}},
	}
}

// structs lists the struct types below t, each once.
func structs(t reflect.Type, all []reflect.Type) []reflect.Type {
	for _, f := range fieldsOf(t) {
		e := f.typ
		for e.Kind() == reflect.Pointer || e.Kind() == reflect.Slice {
			e = e.Elem()
		}
		if e.Kind() == reflect.Struct && !slices.Contains(all, e) {
			all = structs(e, append(all, e))
		}
	}
	return all
}
