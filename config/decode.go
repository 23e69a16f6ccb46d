package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// decoder fills structs from nodes and collects every mistake on the way. It
// is our own walk, because the library's stops at wrong types without the
// column, merges silently and suggests nothing.
type decoder struct {
	file   string
	env    func(string) (string, bool)
	untold bool // nobody is to be told: notify may name variables that are not set
	lines  source
	at     map[string]place    // path → where it stands
	known  map[string][]string // key → the paths where it belongs
	faults []Fault
}

// value fills v from a node. What it cannot use it leaves as it was.
func (d *decoder) value(v reflect.Value, n *yaml.Node, path string, f field) {
	n = follow(n)
	if !d.usable(n, path) {
		return
	}
	switch t := v.Type(); {
	case t == durationType:
		d.duration(v, n, path, f)
	case t == portsType:
		d.ports(v, n, path)
	case v.Kind() == reflect.String:
		d.text(v, n, path, f)
	case v.CanInt():
		d.number(v, n, path, f)
	case v.Kind() == reflect.Bool:
		d.truth(v, n, path)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		if t.Elem().Kind() == reflect.Struct {
			setDefaults(v.Elem())
		}
		d.value(v.Elem(), n, path, f)
	case v.Kind() == reflect.Struct:
		d.structure(v, n, path)
	default:
		d.list(v, n, path, f)
	}
}

// usable refuses what no key takes: nothing at all, and explicit tags.
func (d *decoder) usable(n *yaml.Node, path string) bool {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.fault(path, n, "is empty", "give it a value or remove the key")
		return false
	}
	if n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str" {
		d.fault(path, n, "the tag "+quote(n.Tag)+" is not supported", "")
		return false
	}
	return true
}

// structure fills a struct from a mapping, or from a lone value where the
// struct allows it.
func (d *decoder) structure(v reflect.Value, n *yaml.Node, path string) {
	if bare, ok := bareField(v.Type()); ok && n.Kind == yaml.ScalarNode {
		d.value(v.Field(bare.index), n, path, bare)
		return
	}
	if n.Kind != yaml.MappingNode {
		d.wrongKind(n, path, "a map of keys")
		return
	}
	fields := fieldsOf(v.Type())
	for _, p := range d.pairs(n, path, nil) {
		at := under(path, p.name)
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == p.name })
		if i < 0 {
			d.fault(at, p.key, "unknown key", d.meant(p.name, fields))
			continue
		}
		d.at[at] = place{p.key, follow(p.value)}
		d.value(v.Field(fields[i].index), p.value, at, fields[i])
	}
	for _, f := range fields {
		if at := under(path, f.key); f.required && !d.given(at) {
			d.faultKey(at, "is required", "")
		}
	}
}

// meant guesses what an unknown key should be: one like it on this level, else
// the same key on another.
func (d *decoder) meant(name string, here []field) string {
	var keys []string
	for _, f := range here {
		keys = append(keys, f.key)
	}
	if k := nearest(name, keys); k != "" {
		return "did you mean " + k + "?"
	}
	switch ways := d.known[name]; {
	case slices.Contains(ways, name):
		return "it belongs to the top level"
	case len(ways) > 0 && len(ways) <= 3:
		return "did you mean " + strings.Join(ways, " or ") + "?"
	}
	return ""
}

// list fills a slice, or an array that must come out full.
func (d *decoder) list(v reflect.Value, n *yaml.Node, path string, f field) {
	items := n.Content
	switch {
	case n.Kind == yaml.ScalarNode && f.bare:
		items = []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode:
		d.wrongKind(n, path, "a list")
		return
	}
	if v.Kind() == reflect.Array {
		if len(items) != v.Len() {
			d.fault(path, n, fmt.Sprintf("needs exactly %d items, has %d", v.Len(), len(items)), "")
			return
		}
		for i, item := range items {
			d.item(v.Index(i), item, path, i, f)
		}
		return
	}
	if len(items) == 0 {
		v.SetZero()
		return
	}
	s := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if e := s.Index(i); e.Kind() == reflect.Struct {
			setDefaults(e)
		}
		d.item(s.Index(i), item, path, i, f)
	}
	v.Set(s)
}

func (d *decoder) item(v reflect.Value, n *yaml.Node, path string, i int, f field) {
	at := path + "[" + strconv.Itoa(i) + "]"
	// A lone value that stands for the list has the list's own place.
	if list := d.at[path]; list.value == n {
		at = path
	}
	if !d.given(at) {
		d.at[at] = place{value: n}
	}
	f.required = false
	d.value(v, n, at, f)
}

// follow gives what an alias stands for. bomb has refused loops.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// wrongKind says what a value must be and what it is, and never what it holds:
// it may be a secret.
func (d *decoder) wrongKind(n *yaml.Node, path, want string) {
	is := map[yaml.Kind]string{yaml.MappingNode: "a map of keys", yaml.SequenceNode: "a list"}[n.Kind]
	if is == "" {
		is = "a single value"
	}
	d.fault(path, n, "must be "+want+", is "+is, "")
}
