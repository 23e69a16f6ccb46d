package haproxy

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Options says what HAProxy carries and how. Dir and Fronts are required.
type Options struct {
	Binary string   // of HAProxy 2.2 or later; empty is haproxy in the PATH
	Under  []string // words before it, such as ip netns exec lb for another network than this process'; what they name must become HAProxy (exec), not start it
	Dir    string   // exists, is empty, and takes haproxy.cfg, haproxy.log and the socket; its path has at most 80 bytes

	Fronts map[string]Front // by listener id

	Every      time.Duration // between two checks of a server; 0 is 500 ms
	Rise, Fall int           // checks in a row until a server is up, or down; 0 is 2
	Idle       time.Duration // a connection without data is closed after this long; 0 is 10 min
	MaxConn    int           // connections at once, each of which takes two descriptors; 0 is 8000
}

// Front is one listener: an address players connect to.
type Front struct {
	Bind    string // such as 10.77.0.1:6150; the port must be given
	Servers []Server
}

// Server is one backend of a front. All begin enabled with weight 1.
type Server struct {
	ID   string // the backend's: letters, digits and -_.:
	Addr string // such as 10.77.1.4:6150
}

// filled returns o with its defaults, or says all that is wrong with it.
func (o Options) filled() (Options, error) {
	or(&o.Binary, "haproxy")
	or(&o.Every, 500*time.Millisecond)
	or(&o.Rise, 2)
	or(&o.Fall, 2)
	or(&o.Idle, 10*time.Minute)
	or(&o.MaxConn, 8000)
	var wrong []error
	if o.Every < time.Millisecond || o.Idle < time.Millisecond || o.Rise < 0 || o.Fall < 0 || o.MaxConn < 0 {
		wrong = append(wrong, errors.New("every, idle, rise, fall and maxconn cannot be negative, and no time below 1ms"))
	}
	if len(o.Fronts) == 0 {
		wrong = append(wrong, errors.New("there are no fronts"))
	}
	for _, id := range slices.Sorted(maps.Keys(o.Fronts)) {
		if err := o.Fronts[id].check(id); err != nil {
			wrong = append(wrong, fmt.Errorf("front %s: %w", id, err))
		}
	}
	dir, err := filepath.Abs(o.Dir)
	switch {
	case o.Dir == "":
		wrong = append(wrong, errors.New("dir is empty"))
	case err != nil:
		wrong = append(wrong, err)
	case len(dir) > 80: // a socket's path has 107 bytes, of which HAProxy wants some for a temporary name
		wrong = append(wrong, fmt.Errorf("dir %s: more than 80 bytes, too long for a socket in it; choose a shorter one", dir))
	}
	o.Dir = dir
	if len(wrong) > 0 {
		return o, fmt.Errorf("haproxy options: %w", errors.Join(wrong...))
	}
	return o, nil
}

func or[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// nameable is what HAProxy takes as the name of a proxy or server.
var nameable = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)

func (f Front) check(id string) error {
	if !nameable.MatchString(id) {
		return errors.New("the id is no name for HAProxy, which takes letters, digits and any of - _ . : only")
	}
	if err := address(f.Bind); err != nil {
		return fmt.Errorf("bind %w", err)
	}
	seen := map[string]bool{}
	for _, s := range f.Servers {
		if !nameable.MatchString(s.ID) {
			return fmt.Errorf("server %q: the id is no name for HAProxy, which takes letters, digits and any of - _ . : only", s.ID)
		}
		if seen[s.ID] {
			return fmt.Errorf("server %s: the id is used twice", s.ID)
		}
		seen[s.ID] = true
		if err := address(s.Addr); err != nil {
			return fmt.Errorf("server %s: %w", s.ID, err)
		}
	}
	return nil
}

func address(s string) error {
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return fmt.Errorf("address %q: %w", s, err)
	}
	if at.Port() == 0 {
		return fmt.Errorf("address %s: the port must be given", s)
	}
	return nil
}
