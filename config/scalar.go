package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"
)

// text fills a string, after ${NAME} where that is allowed. A field that may
// be a secret never has its value quoted.
func (d *decoder) text(v reflect.Value, n *yaml.Node, path string, f field) {
	if n.Kind != yaml.ScalarNode {
		d.wrongKind(n, path, "a text")
		return
	}
	if n.Tag != "!!str" {
		hint := "put it in quotes"
		if !f.expand {
			hint = `write "` + n.Value + `" in quotes`
		}
		d.fault(path, n, "must be a text, is "+kindOf(n), hint)
		return
	}
	text := n.Value
	switch {
	case strings.TrimSpace(text) == "":
		d.fault(path, n, "is empty", "give it a value or remove the key")
		return
	case f.expand:
		var problems []string
		text, problems = expand(text, d.env)
		if d.untold && len(problems) > 0 && strings.HasPrefix(path, "notify") {
			return
		}
		for _, p := range problems {
			d.fault(path, n, p, "")
		}
		if len(problems) > 0 {
			return
		}
	case strings.Contains(text, "${") && f.is != "shell":
		d.fault(path, n, "${…} is allowed in url, secret and password only", "")
		return
	}
	if r, bad := badRune(text, f.is == "shell"); bad {
		d.fault(path, n, "holds "+runeName(r)+", which cannot stand here", "")
		return
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, text) {
		hint := ""
		if k := nearest(text, f.enum); k != "" {
			hint = "did you mean " + k + "?"
		}
		d.fault(path, n, quote(text)+" is none of "+strings.Join(f.enum, ", "), hint)
		return
	}
	if form := formOf(f.is); !form.ok(text) {
		message := "must be " + form.say
		if !f.expand {
			message = quote(text) + " is not " + form.say
		}
		d.fault(path, n, message, "")
		return
	}
	v.SetString(text)
}

func runeName(r rune) string {
	switch r {
	case 0:
		return "a NUL"
	case '\n':
		return "a line break"
	case '\r':
		return "a carriage return"
	}
	return fmt.Sprintf("the character %U", r)
}

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})$`)

func (d *decoder) number(v reflect.Value, n *yaml.Node, path string, f field) {
	if n.Kind != yaml.ScalarNode {
		d.wrongKind(n, path, "a whole number")
		return
	}
	if n.Tag != "!!int" || !wholeNumber.MatchString(n.Value) {
		d.fault(path, n, quote(n.Value)+" is no whole number", "")
		return
	}
	i, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || i > math.MaxInt32 || i < math.MinInt32 {
		d.fault(path, n, n.Value+" is too large a number", "")
		return
	}
	if f.min != "" && i < tagInt(f.min) || f.max != "" && i > tagInt(f.max) {
		d.fault(path, n, n.Value+outside(f), "")
		return
	}
	v.SetInt(i)
}

func (d *decoder) duration(v reflect.Value, n *yaml.Node, path string, f field) {
	if n.Kind != yaml.ScalarNode {
		d.wrongKind(n, path, "a duration")
		return
	}
	got, problem, hint := parseDuration(n.Value)
	if problem != "" {
		d.fault(path, n, problem, hint)
		return
	}
	if f.min != "" && got < tagDuration(f.min) || f.max != "" && got > tagDuration(f.max) {
		d.fault(path, n, n.Value+outside(f), "")
		return
	}
	v.SetInt(int64(got))
}

func (d *decoder) truth(v reflect.Value, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode {
		d.wrongKind(n, path, "true or false")
		return
	}
	if n.Tag != "!!bool" {
		hint := map[string]string{"yes": "write true", "on": "write true", "no": "write false", "off": "write false"}
		d.fault(path, n, quote(n.Value)+" is neither true nor false", hint[strings.ToLower(n.Value)])
		return
	}
	v.SetBool(strings.EqualFold(n.Value, "true"))
}

func (d *decoder) ports(v reflect.Value, n *yaml.Node, path string) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	if len(items) > mostPorts {
		d.fault(path, n, fmt.Sprintf("more than %d items", mostPorts), "")
		return
	}
	var all Ports
	seen := map[int]bool{}
	for i, item := range items {
		at := path
		if n.Kind == yaml.SequenceNode {
			at += "[" + strconv.Itoa(i) + "]"
			d.at[at] = place{value: item}
		}
		item = follow(item)
		if !d.usable(item, at) {
			continue
		}
		if item.Kind != yaml.ScalarNode {
			d.wrongKind(item, at, "a port or a range of ports")
			continue
		}
		ports, problem, hint := parsePorts(item.Value)
		if problem != "" {
			d.fault(at, item, problem, hint)
			continue
		}
		if i := slices.IndexFunc(ports, func(p int) bool { return seen[p] }); i >= 0 {
			d.fault(at, item, fmt.Sprintf("port %d is here twice", ports[i]), "")
			continue
		}
		if len(all)+len(ports) > mostPorts {
			d.fault(at, item, fmt.Sprintf("more than %d ports", mostPorts), "")
			return
		}
		for _, p := range ports {
			seen[p] = true
		}
		all = append(all, ports...)
	}
	slices.Sort(all)
	v.Set(reflect.ValueOf(all))
}

func kindOf(n *yaml.Node) string {
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return "something else"
}

// outside says what range a value is not in.
func outside(f field) string {
	switch {
	case f.max == "":
		return " is less than " + f.min
	case f.min == "":
		return " is more than " + f.max
	}
	return " is not between " + f.min + " and " + f.max
}

// tagInt and tagDuration read what the tags of our own structs hold; a test
// reads all of them.
func tagInt(s string) int64 {
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic("config: bad number in a tag: " + s)
	}
	return i
}

func tagDuration(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic("config: bad duration in a tag: " + s)
	}
	return d
}
