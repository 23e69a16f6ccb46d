package config

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
)

func TestSchemaIsThePublished(t *testing.T) {
	got, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	published := filepath.Join("..", "schema", "rollout.schema.json")
	if *update {
		if err := os.WriteFile(published, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the schema differs from %s; run make docs and read the difference", published)
	}
}

func TestSchemaAcceptsWhatIsAccepted(t *testing.T) {
	v := newValidator(t)
	for _, name := range samples {
		t.Run(name, func(t *testing.T) {
			for _, fault := range v.check(decode(t, sample(t, name))) {
				t.Error(fault)
			}
		})
	}
}

func TestSchemaRefusesMistakes(t *testing.T) {
	v := newValidator(t)
	base := sample(t, "command.yaml")
	for _, name := range []string{
		"unknown key", "spoken duration", "duration without unit", "port without end", "number out of range",
		"text is a number", "missing keys", "unknown choice", "service like a path", "relative directory",
		"two recipes", "no recipe", "groups and machines", "machines without split", "three names",
	} {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(badInputs, func(b struct {
				name    string
				changes []change
			}) bool {
				return b.name == name
			})
			if faults := v.check(decode(t, spoil(t, base, badInputs[i].changes))); len(faults) == 0 {
				t.Error("accepted")
			}
		})
	}
}

// TestEveryKeyIsDescribed keeps a new field from coming without a comment, or
// from a file that the schema does not read its comments from.
func TestEveryKeyIsDescribed(t *testing.T) {
	comments, err := readComments(sources)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range structs(reflect.TypeFor[Config](), []reflect.Type{reflect.TypeFor[Config]()}) {
		for _, f := range fieldsOf(s) {
			if name := s.Name() + "." + s.Field(f.index).Name; comments[name] == "" {
				t.Errorf("%s has no comment", name)
			}
		}
	}
}

// TestTagsMakeSense reads every default, range and form once, and wants each
// default to be one that the file could hold.
func TestTagsMakeSense(t *testing.T) {
	for _, s := range structs(reflect.TypeFor[Config](), []reflect.Type{reflect.TypeFor[Config]()}) {
		for _, f := range fieldsOf(s) {
			where := s.Name() + "." + f.key
			for _, text := range append([]string{f.min, f.max}, f.def...) {
				switch {
				case text == "":
				case f.typ == durationType:
					if d := tagDuration(text); d < tagDuration(f.min) || d > tagDuration(f.max) {
						t.Errorf("%s: %s is out of its range", where, text)
					}
				case f.typ.Kind() == reflect.Int:
					if i := tagInt(text); i < tagInt(f.min) || f.max != "" && i > tagInt(f.max) {
						t.Errorf("%s: %s is out of its range", where, text)
					}
				case len(f.enum) > 0 && !slices.Contains(f.enum, text):
					t.Errorf("%s: default %s is no choice", where, text)
				}
			}
			if f.is != "" && f.is != "shell" && f.is != "path" && formOf(f.is).say == "" {
				t.Errorf("%s: no form is called %s", where, f.is)
			}
			for _, text := range f.def {
				if f.is != "" && !formOf(f.is).ok(text) {
					t.Errorf("%s: default %s has not the form %s", where, text, f.is)
				}
			}
		}
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Load([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// validator knows the part of JSON Schema that the schema uses, and fails on
// any other keyword.
type validator struct {
	t    *testing.T
	root map[string]any
}

func newValidator(t *testing.T) validator {
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	v := validator{t: t}
	if err := json.Unmarshal(data, &v.root); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v validator) check(value any) []string { return v.at("", v.root, value) }

func (v validator) at(path string, schema, value any) []string {
	if schema == true {
		return nil
	}
	if schema == false {
		return []string{path + ": not allowed"}
	}
	s := schema.(map[string]any)
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, path+": "+fmt.Sprintf(format, args...))
	}
	for keyword, want := range s {
		switch keyword {
		case "$schema", "$id", "$defs", "title", "description", "default", "properties", "patternProperties":
		case "additionalProperties", "required":
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/$defs/")
			faults = append(faults, v.at(path, v.root["$defs"].(map[string]any)[name], value)...)
		case "type":
			if got := jsonType(value); got != want {
				fault("is %s, want %s", got, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), value) {
				fault("%v is none of %v", value, want)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(want.(string)).MatchString(text) {
				fault("%q does not match %s", text, want)
			}
		case "minimum", "maximum":
			n, ok := value.(int)
			if ok && (keyword == "minimum" && float64(n) < want.(float64) || keyword == "maximum" && float64(n) > want.(float64)) {
				fault("%d is beyond the %s %v", n, keyword, want)
			}
		case "minItems", "maxItems":
			list, ok := value.([]any)
			if n := float64(len(list)); ok && (keyword == "minItems" && n < want.(float64) || keyword == "maxItems" && n > want.(float64)) {
				fault("has %v items, beyond %s %v", n, keyword, want)
			}
		case "items":
			list, _ := value.([]any)
			for i, item := range list {
				faults = append(faults, v.at(fmt.Sprintf("%s[%d]", path, i), want, item)...)
			}
		case "allOf":
			for _, one := range want.([]any) {
				faults = append(faults, v.at(path, one, value)...)
			}
		case "anyOf", "oneOf":
			fits := 0
			for _, one := range want.([]any) {
				if len(v.at(path, one, value)) == 0 {
					fits++
				}
			}
			if most := map[string]int{"anyOf": math.MaxInt, "oneOf": 1}[keyword]; fits < 1 || fits > most {
				fault("fits %d of %s", fits, keyword)
			}
		default:
			v.t.Errorf("the schema has the keyword %s, which this test does not know", keyword)
		}
	}
	return append(faults, v.object(path, s, value)...)
}

func (v validator) object(path string, s map[string]any, value any) []string {
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	var faults []string
	required, _ := s["required"].([]any)
	for _, key := range required {
		if _, ok := object[key.(string)]; !ok {
			faults = append(faults, fmt.Sprintf("%s: %s is missing", path, key))
		}
	}
	properties, ok := s["properties"].(map[string]any)
	if !ok {
		return faults
	}
	for key, item := range object {
		schema, known := properties[key]
		if !known && strings.HasPrefix(key, "x-") {
			schema, known = s["patternProperties"].(map[string]any)["^x-"], true
		}
		if !known {
			schema = s["additionalProperties"]
		}
		faults = append(faults, v.at(path+"."+key, schema, item)...)
	}
	return faults
}

func jsonType(value any) string {
	switch value.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int:
		return "integer"
	case nil:
		return "null"
	}
	return fmt.Sprintf("%T", value)
}
