package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"
)

// Marshal writes the file that Parse reads as this Config, Path and Sum aside.
// Only what differs from the defaults is written. Secrets are written as they
// are, so the file must be readable by its owner only.
func (c Config) Marshal() ([]byte, error) {
	root, err := writeStruct(reflect.ValueOf(c))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	data, err := yaml.Dump(root, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return data, nil
}

// writeStruct writes the fields that differ from their defaults, and those that
// are required.
func writeStruct(v reflect.Value) (*yaml.Node, error) {
	def := reflect.New(v.Type()).Elem()
	setDefaults(def)
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fieldsOf(v.Type()) {
		at := v.Field(f.index)
		same := reflect.DeepEqual(at.Interface(), def.Field(f.index).Interface())
		if !f.required && (same || f.unset(at)) {
			continue
		}
		value, err := writeValue(at, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.key, err)
		}
		n.Content = append(n.Content, plainNode(f.key), value)
	}
	return n, nil
}

// unset says whether a value only stands for the default: it is nothing, where
// the file could not say nothing. So a Config may be put together by hand.
func (f field) unset(v reflect.Value) bool {
	switch {
	case v.Kind() == reflect.Slice:
		return v.Len() == 0
	case !v.IsZero():
		return false
	case v.Type() == durationType:
		return f.min != "" && tagDuration(f.min) > 0
	case v.CanInt():
		return f.min != "" && tagInt(f.min) > 0
	}
	return v.Kind() != reflect.Bool
}

func writeValue(v reflect.Value, f field) (*yaml.Node, error) {
	switch {
	case v.Type() == durationType:
		return plainNode(writeDuration(time.Duration(v.Int()))), nil
	case v.Type() == portsType:
		return writePorts(v.Interface().(Ports)), nil
	case v.Kind() == reflect.String:
		text := v.String()
		if f.expand {
			text = unexpand(text)
		}
		return textNode(text), nil
	case v.CanInt():
		return plainNode(strconv.FormatInt(v.Int(), 10)), nil
	case v.Kind() == reflect.Bool:
		return plainNode(strconv.FormatBool(v.Bool())), nil
	case v.Kind() == reflect.Pointer:
		return writeValue(v.Elem(), f)
	case v.Kind() == reflect.Struct:
		return writeStruct(v)
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		return writeList(v, f)
	}
	return nil, fmt.Errorf("a %s cannot be written", v.Kind())
}

func writeList(v reflect.Value, f field) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	if v.Type().Elem().Kind() != reflect.Struct {
		n.Style = yaml.FlowStyle
	}
	for i := range v.Len() {
		item, err := writeValue(v.Index(i), f)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		if short(item) {
			item.Style = yaml.FlowStyle
		}
		n.Content = append(n.Content, item)
	}
	return n, nil
}

// short says whether an item of a list reads best on one line: a machine does.
func short(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool {
		return c.Kind != yaml.ScalarNode || len(c.Value) > 40
	})
}

func writePorts(p Ports) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, r := range p.ranges() {
		n.Content = append(n.Content, plainNode(r))
	}
	return n
}

// plainNode is a key, a number, a duration or the like: nothing that needs
// quotes.
func plainNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text}
}

var needsNoQuotes = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9/._-]*$|^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`)

// textNode is a text. Whatever might be read as something else is quoted.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: yaml.DoubleQuotedStyle}
	if needsNoQuotes.MatchString(text) && !looksOtherwise(text) {
		n.Style = 0
	}
	return n
}

// looksOtherwise says whether YAML, old or new, takes a bare word for a truth
// or for nothing.
func looksOtherwise(text string) bool {
	switch strings.ToLower(text) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}
