package config

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// field is one key of the file, as the tags of a struct field describe it.
type field struct {
	key      string
	index    int
	typ      reflect.Type
	required bool
	enum     []string
	min, max string
	def      []string
	is       string // the form of a text
	expand   bool   // ${NAME} is allowed
	bare     bool   // a lone value stands for the struct, or for the list
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	portsType    = reflect.TypeFor[Ports]()
	secretType   = reflect.TypeFor[Secret]()
)

// fieldsOf lists the keys of a struct in the order they are declared.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		sf := t.Field(i)
		key := sf.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		f := field{
			key: key, index: i, typ: sf.Type,
			is: sf.Tag.Get("is"), bare: sf.Tag.Get("bare") != "",
			expand: sf.Tag.Get("expand") != "" || sf.Type == secretType,
		}
		for tag := range strings.SplitSeq(sf.Tag.Get("jsonschema"), ",") {
			name, value, _ := strings.Cut(tag, "=")
			switch name {
			case "required":
				f.required = true
			case "enum":
				f.enum = append(f.enum, value)
			case "minimum":
				f.min = value
			case "maximum":
				f.max = value
			case "default":
				f.def = append(f.def, value)
			}
		}
		all = append(all, f)
	}
	return all
}

// bareField is the field that a lone value stands for.
func bareField(t reflect.Type) (field, bool) {
	fields := fieldsOf(t)
	i := slices.IndexFunc(fields, func(f field) bool { return f.bare && f.typ.Kind() != reflect.Slice })
	if i < 0 {
		return field{}, false
	}
	return fields[i], true
}

// setDefaults fills a struct and the structs in it. What may be absent stays
// nil and gets its defaults when the key comes.
func setDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		at := v.Field(f.index)
		if at.Kind() == reflect.Struct {
			setDefaults(at)
		}
		f.setDefault(at)
	}
}

func (f field) setDefault(v reflect.Value) {
	if len(f.def) == 0 {
		return
	}
	switch {
	case v.Type() == durationType:
		v.SetInt(int64(tagDuration(f.def[0])))
	case v.CanInt():
		v.SetInt(tagInt(f.def[0]))
	case v.Kind() == reflect.String:
		v.SetString(f.def[0])
	case v.Kind() == reflect.Array:
		for i, text := range f.def {
			v.Index(i).SetString(text)
		}
	case v.Kind() == reflect.Slice:
		s := reflect.MakeSlice(v.Type(), len(f.def), len(f.def))
		for i, text := range f.def {
			s.Index(i).SetString(text)
		}
		v.Set(s)
	}
}

// paths lists every key of the file with the way to it, e.g. "drain.deadline",
// by its last part. Keys inside lists are left out.
func paths(t reflect.Type, under string, into map[string][]string) {
	for _, f := range fieldsOf(t) {
		into[f.key] = append(into[f.key], under+f.key)
		s := f.typ
		if s.Kind() == reflect.Pointer {
			s = s.Elem()
		}
		if s.Kind() == reflect.Struct {
			paths(s, under+f.key+".", into)
		}
	}
}
