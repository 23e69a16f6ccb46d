package config

import "time"

// Drain is when a group that takes no new connections counts as empty.
type Drain struct {
	// How long to wait for sessions to end.
	Deadline time.Duration `yaml:"deadline" jsonschema:"minimum=1s,maximum=24h,default=3m"`
	// How many sessions left count as empty.
	Until int `yaml:"until" jsonschema:"minimum=0"`
	// How long it must stay so.
	StableFor time.Duration `yaml:"stable_for" jsonschema:"minimum=0s,maximum=1h,default=5s"`
	// How sessions are counted: established sockets on the machines, Pomelo's
	// own count, a command on each machine, or an HTTP address.
	Count Count `yaml:"count" jsonschema:"enum=sockets,enum=pomelo,enum=command,enum=http,default=sockets"`
	// The ports that hold sessions; with pomelo by default the clientPorts of
	// servers.json, those of gates too, otherwise required.
	Ports Ports `yaml:"ports"`
	// How often sessions are counted.
	Interval time.Duration `yaml:"interval" jsonschema:"minimum=50ms,maximum=1m,default=1s"`
	// What happens to sessions left at the deadline: cut restarts and records
	// how many were cut, wait goes on waiting, pause stops for a person, abort
	// gives the traffic back.
	OnDeadline OnDeadline `yaml:"on_deadline" jsonschema:"enum=cut,enum=wait,enum=pause,enum=abort,default=cut"`
	// More sessions than this left at the deadline pause instead of cutting.
	CutBudget *int `yaml:"cut_budget" jsonschema:"minimum=0"`
	// Cuts them machine by machine over this time; not with pomelo, whose master
	// restarts a whole group.
	Spread time.Duration `yaml:"spread" jsonschema:"minimum=0s,maximum=1h"`
	// For count: command, the line for sh on each machine that prints a number.
	Run string `yaml:"run" is:"shell"`
	// For count: http, the address; {host} stands for each machine's host.
	URL string `yaml:"url" is:"url" expand:"true"`
	// For count: http, the field of the JSON answer that holds the number, with
	// dots between levels; without it the answer is the number.
	Field string `yaml:"field"`
	// How long no new session may have begun: at least the time a client takes
	// from a gate to its connector. With pomelo 10s by default; otherwise it is
	// left to stable_for.
	Quiet time.Duration `yaml:"quiet" jsonschema:"minimum=0s,maximum=1h"`
}

// Count is the way sessions are counted.
type Count string

const (
	// CountSockets counts established connections on the machines.
	CountSockets Count = "sockets"
	// CountPomelo asks the master's admin port.
	CountPomelo Count = "pomelo"
	// CountCommand runs a line on each machine.
	CountCommand Count = "command"
	// CountHTTP asks an HTTP address.
	CountHTTP Count = "http"
)

// OnDeadline is what happens to the sessions left at the deadline.
type OnDeadline string

const (
	// DeadlineCut restarts, and records how many sessions were cut.
	DeadlineCut OnDeadline = "cut"
	// DeadlineWait goes on waiting.
	DeadlineWait OnDeadline = "wait"
	// DeadlinePause stops for a person.
	DeadlinePause OnDeadline = "pause"
	// DeadlineAbort gives the traffic back.
	DeadlineAbort OnDeadline = "abort"
)

// Capacity is what one group must carry while the other is out.
type Capacity struct {
	// What a machine is known to carry; 0 is not known, and not checked.
	MaxSessionsPerMachine int `yaml:"max_sessions_per_machine" jsonschema:"minimum=0"`
	// What follows when one group could not carry all sessions.
	OnShort OnShort `yaml:"on_short" jsonschema:"enum=abort,enum=warn,default=abort"`
}

// OnShort is what follows when one group could not carry all sessions.
type OnShort string

const (
	// ShortAbort refuses to start.
	ShortAbort OnShort = "abort"
	// ShortWarn says so and goes on.
	ShortWarn OnShort = "warn"
)
