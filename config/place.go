package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// place is where a key stands in the file. Items of a list and the file itself
// have no key node.
type place struct{ key, value *yaml.Node }

// fault records a mistake at a node.
func (d *decoder) fault(path string, n *yaml.Node, message, hint string) {
	d.faultAt(n.Line, n.Column, path, message, hint)
}

func (d *decoder) faultAt(line, col int, path, message, hint string) {
	text, caret := d.lines.show(line, col)
	d.faults = append(d.faults, Fault{
		File: d.file, Line: line, Col: col, Key: path,
		Message: message, Hint: hint, Source: text, Caret: caret,
	})
}

// faultKey records a mistake at the key of a path or, where it is absent, at
// the nearest key above it.
func (d *decoder) faultKey(path, message, hint string) {
	for at := path; ; at = above(at) {
		p, ok := d.at[at]
		switch {
		case ok && p.key != nil:
			d.fault(path, p.key, message, hint)
			return
		case ok:
			d.fault(path, p.value, message, hint)
			return
		}
	}
}

// faultValue records a mistake at the value of a path, which must be there.
func (d *decoder) faultValue(path, message, hint string) {
	d.fault(path, d.at[path].value, message, hint)
}

// given says whether a key is in the file, be its value good or bad.
func (d *decoder) given(path string) bool {
	_, ok := d.at[path]
	return ok
}

// faulty says whether a mistake is recorded at this path or below it.
func (d *decoder) faulty(path string) bool {
	for _, f := range d.faults {
		if f.Key == path || strings.HasPrefix(f.Key, path+".") || strings.HasPrefix(f.Key, path+"[") {
			return true
		}
	}
	return false
}

// unreadable says whether a section is there but is none, so that nothing in
// it can be called missing.
func (d *decoder) unreadable(path string) bool {
	return slices.ContainsFunc(d.faults, func(f Fault) bool { return f.Key == path })
}

// above is the path one level up: "a.b[0]" → "a.b" → "a" → "".
func above(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func under(path, key string) string {
	if !plainKey.MatchString(key) {
		key = quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// quote shows a text of the file in a message, cut to a readable length.
func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return fmt.Sprintf("%q", s)
}
