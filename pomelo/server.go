package pomelo

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
)

// Server is one process of a group, called so because Pomelo does: an entry of
// servers.json, or one of the clones that clusterCount makes of it.
type Server struct {
	// ID is its name at the master: "cluster-server-<type>-<number>", or the id
	// of a plain entry.
	ID string
	// Type is the key of servers.json it stands under: gate, connector, chat.
	Type string
	// Host is where it is started and where other servers call it, as written.
	Host string
	// Port is for calls between servers, inside the group; 0 is none, or none
	// that can be read.
	Port int
	// ClientHost is the host that a gate tells players; nothing listens by it.
	ClientHost string
	// ClientPort is where players connect to; 0 is none, or none that can be
	// read.
	ClientPort int
	// Frontend is whether players may connect; without it Pomelo never opens
	// ClientPort.
	Frontend bool
	// File and Line are the entry it comes from.
	File string
	Line int
	// Fields are all fields as Pomelo passes them to the process: nil, bool,
	// float64 (a NaN where "++" counted no number), string, []any or
	// map[string]any.
	Fields map[string]any

	at     place            // of the entry
	places map[string]place // of its fields
}

// place is where a field stands, or the entry that lacks it.
func (s Server) place(field string) place {
	if p, ok := s.places[field]; ok {
		return p
	}
	return s.at
}

// label is how a fault speaks of a process that may lack an id.
func (s Server) label() string {
	if s.ID == "" {
		return "a " + s.Type
	}
	return s.ID
}

// fill reads the named fields out of Fields.
func (s *Server) fill() {
	if v, ok := s.Fields["id"]; ok {
		s.ID, _ = text(v)
	}
	s.Host, _ = s.Fields["host"].(string)
	s.ClientHost, _ = s.Fields["clientHost"].(string)
	s.Port, _ = port(s.Fields["port"])
	s.ClientPort, _ = port(s.Fields["clientPort"])
	// Pomelo compares with the word, which true becomes on a command line.
	s.Frontend = s.Fields["frontend"] == true || s.Fields["frontend"] == "true"
}

// clone is a copy that shares nothing that changes.
func (s Server) clone() Server {
	s.Fields = maps.Clone(s.Fields)
	return s
}

// port reads a port as it is after it went through a command line, where the
// text "6200" and the number are the same. The number may be out of range and
// is 0 when it is none; the error says what is wrong with it.
func port(v any) (int, error) {
	var f float64
	switch x := v.(type) {
	case float64:
		f = x
	case string:
		n, err := strconv.Atoi(x)
		if err != nil && strings.Contains(x, "++") {
			return 0, fmt.Errorf("%q counts only beside a clusterCount, and needs a number before the ++", x)
		}
		if err != nil {
			return 0, fmt.Errorf("%q is no port", x)
		}
		f = float64(n)
	default:
		return 0, fmt.Errorf("%v is no port", v)
	}
	switch {
	case math.IsNaN(f):
		return 0, fmt.Errorf("NaN is no port: what stands before the ++ is no number")
	case f != math.Trunc(f):
		return 0, fmt.Errorf("%s is no whole number", number(f))
	case f > 65535:
		return int(min(f, math.MaxInt32)), fmt.Errorf("%s is over 65535", number(f))
	case f < 1:
		return int(max(f, math.MinInt32)), fmt.Errorf("%s is not over 0", number(f))
	}
	return int(f), nil
}
