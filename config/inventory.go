package config

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// InventoryGroup is one group of an Ansible inventory, the machines of its
// children included.
type InventoryGroup struct {
	Name string
	// Children are the groups it is made of, none for a plain one.
	Children []string
	// Machines are in the order of the file, each once. Their Name is "" where
	// it is the host's; User and Port are "" and 0 where the inventory has none.
	Machines []Machine
	// Keys are the private key files of its machines, each once.
	Keys []string
	// Local are the hosts left out because ansible_connection is local: no ssh
	// leads to them.
	Local []string
}

// Inventory reads an Ansible inventory in INI form and gives its groups in the
// order of the file; `all` is none of them, `ungrouped` only if it has hosts.
// It knows sections of hosts, children and vars, ranges of hosts, and the
// variables ansible_host, _port, _user, _ssh_private_key_file and _connection
// (and their older names); all others are passed over. The error joins every
// mistake, each beginning with "line N: ".
func Inventory(r io.Reader) ([]InventoryGroup, error) {
	data, err := io.ReadAll(io.LimitReader(r, largest+1))
	if err != nil {
		return nil, err
	}
	if len(data) > largest {
		return nil, fmt.Errorf("the inventory is larger than 1 MiB")
	}
	inv := inventory{hosts: map[string]settings{}, groups: map[string]*section{}}
	inv.group("all", 0).declared = true
	inv.group("ungrouped", 0).declared = true
	inv.read(linesOf(strings.TrimPrefix(string(data), "\ufeff")))
	if inv.wholly(); len(inv.faults) == 0 {
		out := inv.result()
		if len(inv.faults) == 0 {
			return out, nil
		}
	}
	return nil, errors.Join(inv.faults...)
}

// setting is a value and the line it stands on.
type setting struct {
	value string
	line  int
}

type settings map[string]setting

// section is a group as it is being read.
type section struct {
	name     string
	line     int // where it was first named
	declared bool
	hosts    []string
	has      map[string]bool // hosts
	children []setting
	vars     settings
	depth    int // how far below all, by the longest way; 0 is not known yet
}

type inventory struct {
	hosts  map[string]settings
	groups map[string]*section
	order  []*section
	named  int // hosts named so far, each time counted
	faults []error
}

func (inv *inventory) fault(line int, format string, args ...any) {
	inv.faults = append(inv.faults, fmt.Errorf("line %d: %w", line, fmt.Errorf(format, args...)))
}

func (inv *inventory) group(name string, line int) *section {
	g, ok := inv.groups[name]
	if !ok {
		g = &section{name: name, line: line, has: map[string]bool{}, vars: settings{}}
		inv.groups[name] = g
		inv.order = append(inv.order, g)
	}
	return g
}

var (
	sectionLine = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	groupLine   = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
	yamlLine    = regexp.MustCompile(`^(---|[A-Za-z0-9_]+:)\s*(#.*)?$`)
)

func (inv *inventory) read(lines []string) {
	at, kind := inv.groups["ungrouped"], "hosts"
	for i, line := range lines {
		if inv.named > mostHosts || len(inv.order) > mostGroups {
			inv.fault(i, "up to here there are more than %d machines or %d groups", mostHosts, mostGroups)
			return
		}
		line, n := strings.TrimSpace(line), i+1
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if r, bad := badRune(line, true); bad {
			inv.fault(n, "the character %U cannot stand here", r)
			continue
		}
		if m := sectionLine.FindStringSubmatch(line); m != nil {
			at, kind = inv.group(m[1], n), m[2]
			if kind != "vars" {
				at.declared = true
			}
			if !slices.Contains([]string{"", "hosts", "children", "vars"}, kind) {
				inv.fault(n, "[%s:%s] is no kind of section: hosts, children or vars", m[1], kind)
			}
			continue
		}
		switch {
		case yamlLine.MatchString(line) && kind == "hosts" && at.name == "ungrouped" && len(at.hosts) == 0:
			inv.fault(n, "this looks like YAML; only inventories in INI form are read (ansible-inventory --list shows what is in it)")
			return
		case kind == "children":
			inv.child(at, line, n)
		case kind == "vars":
			inv.groupVariable(at, line, n)
		case kind == "" || kind == "hosts":
			inv.host(at, line, n)
		}
	}
}

func (inv *inventory) child(at *section, line string, n int) {
	m := groupLine.FindStringSubmatch(line)
	if m == nil {
		inv.fault(n, "the name of a group was expected")
		return
	}
	at.children = append(at.children, setting{m[1], n})
}

// literal is the value of a Python literal with a comment behind it, which is
// how Ansible reads what it can; any other value goes to the end of the line.
var literal = regexp.MustCompile(`^("[^"]*"|'[^']*'|[0-9]+)(?:\s*#.*)?$`)

func plainValue(text string) string {
	m := literal.FindStringSubmatch(text)
	switch {
	case m == nil:
		return text
	case m[1][0] == '"' || m[1][0] == '\'':
		return m[1][1 : len(m[1])-1]
	}
	return m[1]
}

func (inv *inventory) groupVariable(at *section, line string, n int) {
	key, value, ok := strings.Cut(line, "=")
	if !ok {
		inv.fault(n, "key=value was expected") // without the text: it may be a password
		return
	}
	at.vars[strings.TrimSpace(key)] = setting{plainValue(strings.TrimSpace(value)), n}
}

func (inv *inventory) host(at *section, line string, n int) {
	words, err := shellWords(line)
	if err != nil {
		inv.fault(n, "%w", err)
		return
	}
	if len(words) == 0 {
		return
	}
	pattern, port := cutPort(words[0])
	names, err := expandHosts(pattern)
	if isIP(pattern) {
		names, err = []string{pattern}, nil
	}
	if err != nil {
		inv.fault(n, "%w", err)
		return
	}
	inv.named += len(names)
	given := settings{}
	if port != "" {
		given["ansible_port"] = setting{port, n}
	}
	for i, w := range words[1:] {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			inv.fault(n, "word %d is not key=value", i+2) // without the text: it may be a password
			return
		}
		given[key] = setting{plainValue(value), n}
	}
	for _, name := range names {
		if inv.hosts[name] == nil {
			inv.hosts[name] = settings{}
		}
		for k, v := range given {
			inv.hosts[name][k] = v
		}
		if !at.has[name] {
			at.has[name] = true
			at.hosts = append(at.hosts, name)
		}
	}
}

var bracketed = regexp.MustCompile(`^\[([0-9A-Fa-f:.]+)\](?::([0-9]+))?$`)

// cutPort takes the port off a host pattern: host:2222, [::1]:2222. The colons
// of ranges and of bare IPv6 addresses are none.
func cutPort(word string) (string, string) {
	if m := bracketed.FindStringSubmatch(word); m != nil && isIP(m[1]) {
		return m[1], m[2]
	}
	i := strings.LastIndexByte(word, ':')
	if i < 0 || isIP(word) || strings.Contains(word[i:], "]") {
		return word, ""
	}
	if _, err := strconv.Atoi(word[i+1:]); err != nil {
		return word, ""
	}
	return word[:i], word[i+1:]
}

// shellWords splits a line as a shell would: quotes, backslashes, and # begins
// a comment even inside a word.
func shellWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	open, in := rune(0), false // open: the quote we are in
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '\\' && open != '\'' && i+1 < len(runes) && (open == 0 || runes[i+1] == '"' || runes[i+1] == '\\'):
			i++
			word.WriteRune(runes[i])
			in = true
		case open != 0 && r == open:
			open = 0
		case open != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			open, in = r, true
		case r == '#':
			i = len(runes)
		case r == ' ' || r == '\t':
			if in {
				words = append(words, word.String())
			}
			word.Reset()
			in = false
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if open != 0 {
		return nil, fmt.Errorf("the quote %c is not closed", open)
	}
	if in {
		words = append(words, word.String())
	}
	return words, nil
}
