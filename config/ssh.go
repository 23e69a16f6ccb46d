package config

import "time"

// SSH is how the machines are logged in to. What is left out comes from
// ~/.ssh/config.
type SSH struct {
	// Who logs in.
	User string `yaml:"user" is:"user"`
	// The port of sshd.
	Port int `yaml:"port" jsonschema:"minimum=1,maximum=65535"`
	// Key files; by default the agent, then ~/.ssh/config, then ~/.ssh/id_*.
	Keys []string `yaml:"keys" is:"path" bare:"true"`
	// Jump hosts in the order they are passed, each user@host:port with user
	// and port optional; by default ProxyJump of ~/.ssh/config.
	Proxy []string `yaml:"proxy" is:"jump" bare:"true"`
	// The file of known hosts. An unknown host is refused.
	KnownHosts string `yaml:"known_hosts" jsonschema:"default=~/.ssh/known_hosts" is:"path"`
	// How long one login may take.
	Timeout time.Duration `yaml:"timeout" jsonschema:"minimum=1s,maximum=10m,default=10s"`
}
