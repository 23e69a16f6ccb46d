package config

import "time"

// Release is how to read which release a machine runs: exactly one of the two.
type Release struct {
	// A file on the machine whose first line is the release.
	File string `yaml:"file" is:"path"`
	// A line for sh on the machine that prints the release.
	Run string `yaml:"run" is:"shell"`
}

// Deploy puts the new code on the machines of a group, before its restart.
type Deploy struct {
	// A line for sh on each machine; $ROLLOUT_REF is the release.
	Run string `yaml:"run" is:"shell"`
	// How long it may take on one machine.
	Timeout time.Duration `yaml:"timeout" jsonschema:"minimum=1s,maximum=24h,default=5m"`
	// Instead of run: a local archive (.tar or .tar.gz) with the new code. It is
	// unpacked on each machine under root as releases/RELEASE, and the link
	// root/current then names it. The release is that of --ref.
	Artifact string `yaml:"artifact" is:"path"`
	// With artifact: the directory on each machine that holds releases, shared
	// and current.
	Root string `yaml:"root" is:"dir"`
	// With artifact: how many releases are kept besides the current one and the
	// one before it.
	Keep int `yaml:"keep" jsonschema:"minimum=1,default=5"`
	// With artifact: paths inside a release that are links into root/shared,
	// e.g. game-server/config and game-server/logs.
	Shared []string `yaml:"shared" is:"path"`
}

// Restart is how long a restart may take.
type Restart struct {
	// How long the start of one machine may take.
	Timeout time.Duration `yaml:"timeout" jsonschema:"minimum=1s,maximum=24h,default=90s"`
	// How long a stop may take, and again how long until nothing answers any more.
	KillAfter time.Duration `yaml:"kill_after" jsonschema:"minimum=0s,maximum=1h,default=20s"`
}

// Health is when a restarted group counts as healthy.
type Health struct {
	// The ports that must answer a TCP connect on each machine; with pomelo by
	// default those of servers.json.
	Ports Ports `yaml:"ports"`
	// A line for sh on each machine; exit 0 is healthy.
	Run string `yaml:"run" is:"shell"`
	// How long it must stay healthy.
	StableFor time.Duration `yaml:"stable_for" jsonschema:"minimum=0s,maximum=1h,default=10s"`
	// How long it may take to become healthy.
	Timeout time.Duration `yaml:"timeout" jsonschema:"minimum=1s,maximum=24h,default=2m"`
}
