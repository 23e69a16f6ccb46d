package config

import (
	"math"

	yaml "go.yaml.in/yaml/v4"
)

// mostAliased bounds how many values the aliases of a file may stand for
// together. Ten lines of aliases to aliases can stand for billions.
const mostAliased = 50_000

// bomb refuses a file whose aliases stand for too much, or for themselves. It
// looks at the whole file, the ignored x- keys too.
func (d *decoder) bomb(doc *yaml.Node) bool {
	b := bomb{size: map[*yaml.Node]int{}}
	total := b.measure(doc)
	switch {
	case b.loop != nil:
		d.fault("", b.loop, "*"+b.loop.Value+" stands inside what it stands for", "")
	case total-b.own > mostAliased:
		d.fault("", b.worst, "the aliases stand for too many values", "write them out")
	default:
		return false
	}
	return true
}

type bomb struct {
	size  map[*yaml.Node]int // with aliases followed; 0 while being measured
	own   int                // nodes in the file
	loop  *yaml.Node         // an alias inside its own anchor
	worst *yaml.Node         // the alias that stands for most
}

func (b *bomb) measure(n *yaml.Node) int {
	if size, known := b.size[n]; known {
		return size
	}
	b.size[n] = 0
	b.own++
	size := 1
	for _, c := range n.Content {
		size = plus(size, b.measure(c))
	}
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		target := b.measure(n.Alias)
		if target == 0 && b.loop == nil {
			b.loop = n
		}
		size = plus(size, target)
		if b.worst == nil || size > b.size[b.worst] {
			b.worst = n
		}
	}
	b.size[n] = size
	return size
}

func plus(a, b int) int {
	if a > math.MaxInt32-b {
		return math.MaxInt32
	}
	return a + b
}
