package remote

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Config says how machines are reached. Its zero value reaches them as a plain
// `ssh HOST` would: ~/.ssh/config, ~/.ssh/known_hosts, ~/.ssh/id_*.
type Config struct {
	// User logs in. Empty: User of ssh_config, else the user of this process.
	User string
	// Port of sshd on the machines. 0: Port of ssh_config, else 22.
	Port int
	// Keys are private key files, tried before all others; the agent may hold
	// them. "~/" is Home. One that cannot be read is an error.
	Keys []string
	// Proxy is a chain of jump hosts, "user@host:port", further ones after a
	// comma, the first reached first. Empty: ProxyJump of ssh_config. Without a
	// user it is ssh_config's, else User; without a port ssh_config's, else 22.
	Proxy string
	// KnownHosts is the file host keys are checked against. Empty:
	// UserKnownHostsFile of ssh_config, else ~/.ssh/known_hosts.
	KnownHosts string
	// SSHConfig is the file read as ssh_config. Empty: ~/.ssh/config, which
	// may be absent.
	SSHConfig string
	// NoSSHConfig reads no ssh_config at all.
	NoSSHConfig bool
	// Home stands for "~". Empty: the home directory of this process's user.
	Home string
	// Agent is the agent's unix socket, SSH_AUTH_SOCK by custom. Empty: none.
	Agent string
	// Timeout bounds dial and handshake of one hop, and the opening of one
	// session. 0: 10 s.
	Timeout time.Duration
	// Keepalive is the time between two questions whether the other side is
	// there; three unanswered in a row and the connection is dead. 0: 5 s.
	Keepalive time.Duration
	// Handshakes is how many are under way at once. 0: 8. sshd by default
	// begins to drop connections at 10 (MaxStartups).
	Handshakes int
	// Passphrase asks a person for the passphrase of a key file, when a machine
	// is ready to take that key. A wrong answer is asked for again, three times
	// in all; there are never two questions at once. Nil: an encrypted key is
	// of use only through the agent.
	Passphrase func(file string) ([]byte, error)
	// Hosts holds what is different for single machines, by the name given to
	// Run and the others.
	Hosts map[string]Host
}

// Host is what is different for one machine. A zero field means: as for all.
type Host struct {
	Addr string // name or IP address to connect to, without port
	User string
	Port int
}

// check reports everything that is wrong with c, without reading any file.
func (c Config) check() error {
	var all []error
	port := func(what string, n int) {
		if n < 0 || n > 65535 {
			all = append(all, fmt.Errorf("ssh port %d%s: a port is 1 to 65535", n, what))
		}
	}
	port("", c.Port)
	for _, name := range slices.Sorted(maps.Keys(c.Hosts)) {
		port(" of "+name, c.Hosts[name].Port)
	}
	negative := func(what string, value any, is bool) {
		if is {
			all = append(all, fmt.Errorf("ssh %s %v: cannot be negative", what, value))
		}
	}
	negative("timeout", c.Timeout, c.Timeout < 0)
	negative("keepalive", c.Keepalive, c.Keepalive < 0)
	negative("handshakes", c.Handshakes, c.Handshakes < 0)
	if _, err := parseJumps(c.Proxy); err != nil {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// or returns a unless it is zero, else b.
func or[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}
