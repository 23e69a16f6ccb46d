package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// Config is rollout.yaml as plain values, with the defaults filled in. A
// section that may be absent is a pointer, nil when it is.
type Config struct {
	// Path is the file it was read from, as it was given; not a key.
	Path string `yaml:"-"`
	// Sum is the SHA-256 of the file's bytes in hex, by which a later run sees
	// that the file has changed; not a key.
	Sum string `yaml:"-"`

	// The version of this format.
	Version int `yaml:"version" jsonschema:"minimum=1,maximum=1,default=1"`
	// The name of the service, and of its lock: one update of it at a time.
	Service string `yaml:"service" jsonschema:"required" is:"id"`
	// The account at UCloud. Flags and UCLOUD_* variables go before it.
	UCloud UCloud `yaml:"ucloud"`
	// The load balancer in front of the service.
	ULB ULB `yaml:"ulb" jsonschema:"required"`
	// How the machines are logged in to.
	SSH SSH `yaml:"ssh"`
	// Exactly two groups; they are updated in this order.
	Groups []Group `yaml:"groups"`
	// All machines in one list, which split makes two groups of.
	Machines []Machine `yaml:"machines"`
	// How machines becomes two groups.
	Split *Split `yaml:"split"`
	// Allows the groups to differ by more than one machine.
	Uneven bool `yaml:"uneven"`
	// The recipe for a Pomelo service, started by the master of each group.
	Pomelo *Pomelo `yaml:"pomelo"`
	// The recipe for a systemd unit on each machine.
	Systemd *Systemd `yaml:"systemd"`
	// The recipe for any other service: its own command lines.
	Command *Command `yaml:"command"`
	// How to read which release a machine runs.
	Release *Release `yaml:"release"`
	// Puts the new code on the machines, before the restart of their group.
	Deploy *Deploy `yaml:"deploy"`
	// When a group counts as empty.
	Drain Drain `yaml:"drain"`
	// How long a restart may take.
	Restart Restart `yaml:"restart"`
	// When a group counts as healthy.
	Health Health `yaml:"health"`
	// What one group must carry while the other is out.
	Capacity Capacity `yaml:"capacity"`
	// What follows a failure: hold keeps all traffic on the healthy group and
	// stops; rollback also brings the old release back, once.
	OnFailure OnFailure `yaml:"on_failure" jsonschema:"enum=hold,enum=rollback,default=hold"`
	// Where the journal and the lock are kept.
	State State `yaml:"state"`
	// Who is told.
	Notify []Notify `yaml:"notify"`
	// What runs here before and after a rollout.
	Hooks Hooks `yaml:"hooks"`
	// The web page.
	Dashboard Dashboard `yaml:"dashboard"`
}

// OnFailure says what follows a failure.
type OnFailure string

const (
	// Hold keeps all traffic on the healthy group and stops.
	Hold OnFailure = "hold"
	// Rollback also brings the old release back, by the same safe path.
	Rollback OnFailure = "rollback"
)

// Default is a Config with every default and nothing else; what is required is
// still missing.
func Default() Config {
	var c Config
	setDefaults(reflect.ValueOf(&c).Elem())
	return c
}

// Local is a path of the file as this machine knows it: ~ is the home
// directory, and a relative path starts at the directory of rollout.yaml.
func (c Config) Local(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, path[1:])
		}
	}
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(c.Path), path)
}
