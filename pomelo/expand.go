package pomelo

import (
	"math"
	"slices"
)

// most is how many processes one file may ask for. Pomelo has no limit: a
// slip of the keyboard makes it run until its memory is full.
const most = 10000

// expansion is the state of going through a servers.json.
type expansion struct {
	file string
	// next is the number of the next clone, for each type: it runs on over the
	// entries of a type, and so over machines.
	next map[string]float64
	// servers are in the order Pomelo meets them, which is that of the file but
	// for types whose names are numbers. A second one of an id takes the
	// place of the first, and the first is never started.
	servers []Server
	index   map[string]int
	faults  *faults
}

// expand turns servers.json into the processes Pomelo makes of it.
func expand(src source, faults *faults) []Server {
	x := &expansion{file: src.path, next: map[string]float64{}, index: map[string]int{}, faults: faults}
	types, ok := src.root.is.(object)
	if !ok {
		x.faults.add(x.file, src.root.at, "", "no object of server types")
		return nil
	}
	for _, name := range order(types.keys) {
		x.list(name, types.fields[name])
	}
	return x.servers
}

// list expands the entries of one type.
func (x *expansion) list(name string, v value) {
	if v.is == nil {
		x.faults.add(x.file, v.at, name, "null instead of a list of servers: %w", ErrThrows)
		return
	}
	entries, ok := v.is.([]value)
	if !ok {
		x.faults.add(x.file, v.at, name, "no list of servers, so pomelo starts none; if it is an environment, it is not the one asked for")
		return
	}
	for _, e := range entries {
		if e.is == nil {
			x.faults.add(x.file, e.at, name, "null instead of a server: %w", ErrThrows)
			continue
		}
		o, ok := e.is.(object)
		if !ok {
			x.faults.add(x.file, e.at, name, "no server: an entry is an object")
			continue
		}
		x.entry(name, e.at, o)
	}
}

// entry adds one server, or as many as clusterCount says.
func (x *expansion) entry(name string, at place, o object) {
	s := Server{Type: name, File: x.file, Line: at.line, Fields: map[string]any{}, at: at, places: map[string]place{}}
	for _, k := range o.keys {
		s.Fields[k], s.places[k] = o.fields[k].plain(), o.fields[k].at
	}
	s.Fields["serverType"] = name
	if !truthy(s.Fields["clusterCount"]) {
		x.add(s)
		return
	}
	if x.throws(s, o.keys) {
		return
	}
	x.cluster(s)
}

// throws says whether Pomelo throws at an entry with a clusterCount: each of
// its fields is turned into text to look for "++".
func (x *expansion) throws(s Server, keys []string) bool {
	bad := slices.DeleteFunc(slices.Clone(keys), func(k string) bool {
		_, ok := text(s.Fields[k])
		return ok && s.Fields[k] != nil
	})
	for _, k := range bad {
		what := "an object with a toString of its own"
		if s.Fields[k] == nil {
			what = "null"
		}
		x.faults.add(x.file, s.place(k), k, "%s beside a clusterCount: %w", what, ErrThrows)
	}
	return len(bad) > 0
}

// cluster adds the clones of an entry. A count that is no number, or negative,
// upsets the numbers of the entries after it too, as it does in Pomelo.
func (x *expansion) cluster(s Server) {
	written, _ := text(s.Fields["clusterCount"])
	count := parseInt(written)
	first := x.next[s.Type]
	if math.IsNaN(first) {
		first = 0
	}
	x.next[s.Type] = first + count
	if math.IsNaN(count) || count < 1 {
		x.faults.add(x.file, s.place("clusterCount"), "clusterCount", "%q yields no process", written)
		return
	}
	if count+float64(len(x.servers)) > most {
		x.faults.add(x.file, s.place("clusterCount"), "clusterCount", "%q makes it more than %d processes", written, most)
		return
	}
	counted := map[string]float64{}
	for k, v := range s.Fields {
		if from, ok := base(v); ok {
			counted[k] = from
		}
	}
	for i := range int(count) {
		c := s.clone()
		// The id of the file gives way, unless it has a "++" of its own.
		c.Fields["id"] = "cluster-server-" + s.Type + "-" + number(first+float64(i))
		for k, from := range counted {
			c.Fields[k] = from + float64(i)
		}
		x.add(c)
	}
}

// add puts a server where Pomelo's map of ids puts it.
func (x *expansion) add(s Server) {
	s.fill()
	key := s.ID
	_, has := s.Fields["id"]
	if !has {
		key = "undefined" // and so all servers without an id are one
	}
	if at, ok := x.index[key]; ok {
		if has {
			x.faults.add(x.file, s.place("id"), "id", "%s is there twice, first in line %d, and pomelo starts only the last", s.label(), x.servers[at].Line)
		}
		x.servers[at] = s
		return
	}
	x.index[key] = len(x.servers)
	x.servers = append(x.servers, s)
}
