package config

import "time"

// UCloud is the account and the region. Keys are never in the file.
type UCloud struct {
	// The profile in ~/.ucloud that holds the keys.
	Profile string `yaml:"profile"`
	// The region, e.g. cn-bj2.
	Region string `yaml:"region" is:"id"`
	// The project, e.g. org-xxxxxx.
	ProjectID string `yaml:"project_id" is:"id"`
	// Another endpoint of the API: https, or http on loopback.
	BaseURL string `yaml:"base_url" is:"api"`
	// A credential.json of its own, for this service only: the keys of the
	// environment and of ~/.ucloud are then not used.
	Credentials string `yaml:"credentials" is:"path"`
}

// ULB is the load balancer in front of the service.
type ULB struct {
	// The load balancer: ulb-…, alb-… or nlb-….
	ID string `yaml:"id" jsonschema:"required" is:"id" bare:"true"`
	// The VServers to shift; by default every one that holds a backend of
	// either group.
	VServers []string `yaml:"vservers" is:"id"`
	// How a backend is taken out: auto is enabled, and weight needs
	// WeightRoundrobin.
	Shift Shift `yaml:"shift" jsonschema:"enum=auto,enum=enabled,enum=weight,default=auto"`
	// The percentages of its weight that a closing group passes through,
	// falling, e.g. [50, 10].
	Ramp []int `yaml:"ramp" jsonschema:"minimum=1,maximum=99"`
	// How long to wait after the last write is read back, before the drain
	// counts.
	Settle time.Duration `yaml:"settle" jsonschema:"minimum=0s,maximum=10m,default=5s"`
	// How long a change that was accepted may take to reach every server of the
	// balancer. Together with staleness it is the least that settle can be.
	Propagation time.Duration `yaml:"propagation" jsonschema:"minimum=0s,maximum=10m,default=10s"`
	// How old the API's answers may be.
	Staleness time.Duration `yaml:"staleness" jsonschema:"minimum=0s,maximum=10m,default=5s"`
	// How long a request that was not answered may still take effect. So long
	// is waited, once there was one, before anything is built on it.
	Late time.Duration `yaml:"late" jsonschema:"minimum=0s,maximum=10m,default=30s"`
	// Writes many backends in one call (UpdateBackendBatch).
	Batch bool `yaml:"batch"`
	// How many connections are made through the balancer after each shift, as a
	// player makes them: one that a group which is off answers stops the run. 0
	// makes none.
	Probe int `yaml:"probe" jsonschema:"minimum=0,maximum=1000"`
	// For probe: where players connect, host:port; several take turns.
	Address []string `yaml:"address" is:"address" bare:"true"`
	// For probe without pomelo: the line sent on each of these connections; by
	// default the service speaks first. The first line of the answer that names
	// machines, by name, host or address, says which group it is from.
	Ask string `yaml:"ask" is:"shell"`
}

// Shift is how a backend is taken out of traffic.
type Shift string

const (
	// ShiftAuto leaves the choice to the load balancer's kind.
	ShiftAuto Shift = "auto"
	// ShiftEnabled disables backends, which keeps their connections.
	ShiftEnabled Shift = "enabled"
	// ShiftWeight demands a method that heeds weights, as a ramp does.
	ShiftWeight Shift = "weight"
)
