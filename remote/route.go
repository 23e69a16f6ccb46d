package remote

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// hop is one ssh connection on the way to a machine: a jump host, or the
// machine itself.
type hop struct {
	name       string // as the caller or the chain wrote it
	host       string // name or IP to connect to
	port       int
	user       string
	identities []string // IdentityFile of ssh_config
	known      []string // known_hosts files
}

// addr returns host:port.
func (h hop) addr() string { return net.JoinHostPort(h.host, strconv.Itoa(h.port)) }

// key tells connections apart: two routes of one key share a connection.
func key(route []hop) string {
	var b strings.Builder
	for _, h := range route {
		fmt.Fprintf(&b, "%s@%s>", h.user, h.addr())
	}
	return b.String()
}

// routes works out the hops to each machine.
type routes struct {
	Config
	log      *slog.Logger
	settings func() (settings, error) // the ssh_config, read once
}

func newRoutes(c Config, log *slog.Logger) routes {
	return routes{c, log, sync.OnceValues(func() (settings, error) {
		if c.NoSSHConfig {
			return settings{}, nil
		}
		path := or(c.SSHConfig, filepath.Join(c.Home, ".ssh", "config"))
		s, skipped, err := readSettings(path, c.SSHConfig != "")
		for _, line := range skipped {
			log.Warn("Match block of ssh_config left out: only `Match all` and `Match host` are heeded", "file", path, "line", line)
		}
		return s, err
	})}
}

// to returns the hops to host, the last being host itself.
func (r routes) to(host string) ([]hop, error) {
	s, err := r.settings()
	if err != nil {
		return nil, err
	}
	chain, err := parseJumps(r.Proxy)
	if err != nil {
		return nil, err
	}
	// A jump host may be asked for by name too, to trust it: then the chain
	// ends with it.
	_, own := r.Hosts[host]
	if i := slices.IndexFunc(chain, func(h hop) bool { return h.name == host }); i >= 0 && !own {
		return r.through(s, chain[:i+1], nil)
	}
	one := r.Hosts[host]
	last := hop{name: host, host: one.Addr, port: or(one.Port, r.Port), user: or(one.User, r.User)}
	return r.through(s, append(chain, last), nil)
}

// through completes the hops of chain, and where ssh_config leads to its first
// by a further jump, puts that before it. seen holds the names on the way
// already: `Host *` with a ProxyJump holds for the jump host too.
func (r routes) through(s settings, chain []hop, seen []string) ([]hop, error) {
	me, home := localUser(), r.Home
	for i, h := range chain {
		h.user = or(h.user, r.jumpUser(s, h.name))
		done, err := s.apply(h, home, me)
		if err != nil {
			return nil, err
		}
		if r.KnownHosts != "" {
			done.known = []string{r.KnownHosts}
		}
		if len(done.known) == 0 {
			done.known = []string{filepath.Join(home, ".ssh", "known_hosts")}
		}
		for i, f := range done.known {
			done.known[i] = tilde(f, home)
		}
		chain[i] = done
	}
	first := chain[0]
	if r.Proxy != "" || slices.Contains(seen, first.name) {
		return chain, nil
	}
	jump, err := s.jump(first, home, me)
	if err != nil || jump == "" {
		return chain, err
	}
	before, err := parseJumps(jump)
	if err != nil {
		return nil, fmt.Errorf("ssh_config %s: ProxyJump of %s: %w", s.path, first.name, err)
	}
	seen = append(seen, first.name)
	if slices.ContainsFunc(before, func(h hop) bool { return slices.Contains(seen, h.name) }) {
		return chain, nil
	}
	before, err = r.through(s, before, seen)
	return append(before, chain...), err
}

// jumpUser is who logs in at a jump host that names nobody: ssh_config's user,
// else the one of all machines.
func (r routes) jumpUser(s settings, name string) string {
	if u, err := s.get(name, "User"); err == nil && u != "" {
		return u
	}
	return r.User
}

// parseJumps reads "user@host:port,…"; user, port and a leading ssh:// may be
// left out, an IPv6 address with a port is in brackets.
func parseJumps(s string) ([]hop, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var chain []hop
	for _, part := range strings.Split(s, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "ssh://")
		var h hop
		rest := part
		if i := strings.LastIndexByte(part, '@'); i >= 0 {
			h.user, rest = part[:i], part[i+1:]
			if h.user == "" {
				return nil, fmt.Errorf("jump host %q: user is empty", part)
			}
		}
		if strings.HasPrefix(rest, "[") || strings.Count(rest, ":") == 1 {
			host, port, err := net.SplitHostPort(rest)
			if err != nil && strings.HasSuffix(rest, "]") {
				host, port, err = rest[1:len(rest)-1], "", nil
			}
			n, bad := strconv.ParseUint(or(port, "22"), 10, 16)
			if err != nil || bad != nil || n == 0 {
				return nil, fmt.Errorf("jump host %q: want user@host:port", part)
			}
			rest = host
			if port != "" {
				h.port = int(n)
			}
		}
		if rest == "" || strings.ContainsAny(rest, " \t\r\n/@[],") {
			return nil, fmt.Errorf("jump host %q: want user@host:port", part)
		}
		h.name = rest
		chain = append(chain, h)
	}
	return chain, nil
}

func tilde(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(home, rest)
	}
	return path
}

// localUser is who ssh would log in as when nobody is named.
func localUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
