package config

import (
	"fmt"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// pair is one key of a mapping and its value.
type pair struct {
	name       string
	key, value *yaml.Node
}

// pairs lists the keys of a mapping: its own, then those merged in by <<,
// which never replace one that is there. Keys that start with x- are left out;
// they are for anchors. taken holds the names that are there already.
func (d *decoder) pairs(n *yaml.Node, path string, taken map[string]bool) []pair {
	var own []pair
	var merged []*yaml.Node
	first := map[string]*yaml.Node{}
	if taken == nil {
		taken = map[string]bool{}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		named := follow(key)
		if named.Kind != yaml.ScalarNode {
			d.fault(path, key, "a key must be a single word", "")
			continue
		}
		name := named.Value
		if before := first[name]; before != nil {
			d.fault(under(path, name), key, fmt.Sprintf("is here twice, first on line %d", before.Line), "")
			continue
		}
		first[name] = key
		switch {
		case named.Tag == "!!merge":
			merged = append(merged, value)
		case strings.HasPrefix(name, "x-") || taken[name]:
		default:
			own = append(own, pair{name, key, value})
		}
	}
	for _, p := range own {
		taken[p.name] = true
	}
	for _, m := range merged {
		own = append(own, d.merge(m, path, taken)...)
	}
	return own
}

// merge lists the keys of what << names: a mapping or a list of them, the
// earlier ones winning.
func (d *decoder) merge(n *yaml.Node, path string, taken map[string]bool) []pair {
	target := follow(n)
	if target.Kind == yaml.MappingNode {
		return d.pairs(target, path, taken)
	}
	if target.Kind != yaml.SequenceNode {
		d.fault(path, n, "<< must name a map of keys or a list of them", "")
		return nil
	}
	var all []pair
	for _, item := range target.Content {
		if follow(item).Kind != yaml.MappingNode {
			d.fault(path, item, "<< must name a map of keys or a list of them", "")
			continue
		}
		all = append(all, d.pairs(follow(item), path, taken)...)
	}
	return all
}
