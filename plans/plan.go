package plans

import (
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
)

// Version is the version of the plan and event formats written by this build. A file with a higher one is refused.
const Version = 1

// Kind says what a step does.
type Kind string

// The five kinds of step.
const (
	Shift   Kind = "shift"   // bring the backends to the step's weights, raising before lowering
	Drain   Kind = "drain"   // wait until the group's sessions have ended, or the deadline
	Deploy  Kind = "deploy"  // run the deploy line on every machine of the group
	Restart Kind = "restart" // stop, prove that nothing is left, start
	Check   Kind = "check"   // every port answers and the health lines succeed, for a while
)

// Purpose says why a plan was made.
type Purpose string

// The purposes of a plan.
const (
	Update  Purpose = "update"  // restart both groups, one after the other
	Leaving Purpose = "retreat" // put back what the update before it had changed
)

// Plan is everything a rollout will do, as data: it can be printed, saved, compared and carried out by another process.
type Plan struct {
	Version  int                `json:"version"`
	ID       string             `json:"id"`       // the run's id, in every event, file name and message
	Purpose  Purpose            `json:"purpose"`  //
	Service  string             `json:"service"`  // the name of the lock
	Balancer string             `json:"balancer"` // the load balancer's id
	Made     time.Time          `json:"made"`
	By       string             `json:"by"`                // user@host who asked for it
	Config   string             `json:"config,omitempty"`  // sha256 of the rollout.yaml it was built from
	Release  string             `json:"release,omitempty"` // what the machines shall run (--ref); empty: not told
	Was      string             `json:"was,omitempty"`     // what they ran when the plan was made; empty: not known
	First    string             `json:"first"`             // the group updated first
	Second   string             `json:"second"`            // the other one
	Machines []Machine          `json:"machines"`
	Before   map[string]Backend `json:"before"`               // every backend of both groups as it was found, by id
	Taken    map[string]int     `json:"taken,omitempty"`      // the weights a run that is taken over has left, where they are not as it had found them
	Kept     []string           `json:"kept,omitempty"`       // the groups that are left as they are, since they run what is wanted
	Dirty    []string           `json:"dirty,omitempty"`      // the groups such a run has left restarted and not proven well
	Doubt    bool               `json:"doubt,omitempty"`      // such a run has left a request that may still take effect
	Back     bool               `json:"back,omitempty"`       // it brings a previous release back: its failure never begins another such plan
	Late     Seconds            `json:"late,omitempty"`       // a request that was not answered takes effect within this, or never
	Room     int                `json:"room,omitempty"`       // sessions that a machine is known to carry; 0: not known
	Strict   bool               `json:"strict,omitempty"`     // where the group that stays cannot carry everyone: stop, and not only say so
	OnFail   string             `json:"on_failure,omitempty"` // hold or rollback
	Steps    []Step             `json:"steps"`
}

// Machine is a machine as the plan needs it: its name for people, its host for ssh, and its group.
type Machine struct {
	Name  string `json:"name"`
	Host  string `json:"host"`
	Group string `json:"group"`
	Was   string `json:"was,omitempty"` // the release it ran when the plan was made; empty: not known
}

// Backend is one backend as it was found before the run, and as it is to be left.
type Backend struct {
	Addr   string `json:"addr"`   // host:port as the load balancer knows it
	Host   string `json:"host"`   // the machine's ssh host
	Group  string `json:"group"`  //
	Weight int    `json:"weight"` // 0: takes no new connections
	// Standby is the weight it has while its group must serve, where the whole group was found off; 0: it is not opened.
	Standby int `json:"standby,omitempty"`
}

// Serve gives the backend's weight while its group serves.
func (b Backend) Serve() int {
	if b.Weight > 0 {
		return b.Weight
	}
	return b.Standby
}

// Ports are some ports of one machine.
type Ports struct {
	Host  string `json:"host"`           // the machine's ssh host
	Addr  string `json:"addr"`           // the address the ports are dialled at
	Bind  string `json:"bind,omitempty"` // the local address sockets are counted on; empty: any
	Ports []int  `json:"ports"`
}

// Gates are the gates of a group, and where they shall send its players.
type Gates struct {
	Ports []Ports  `json:"ports"`
	Route string   `json:"route"` // of the request for a connector
	Field string   `json:"field"` // of the request that holds a user's number
	To    []string `json:"to"`    // host:port of each of the group's connectors, as players are told
}

// Act says what a command of a recipe is for.
type Act string

// The acts of a recipe.
const (
	DoDeploy  Act = "deploy"  // brings the new code
	DoStop    Act = "stop"    // ends the service; harmless where nothing runs
	DoReap    Act = "reap"    // ends by pid what a stop has left on a machine, or one process of it; exit 0: nothing is left
	DoStart   Act = "start"   // begins the service
	DoMend    Act = "mend"    // begins one process that a start has not brought up
	DoStatus  Act = "status"  // exit 0 while the service runs
	DoHealth  Act = "health"  // exit 0 while the service is well
	DoRelease Act = "release" // prints the release that the machine has
)

// EnvProcess is the environment variable by which a reap or a mend is told the one process it is about; a reap without it is about all.
const EnvProcess = "ROLLOUT_PROCESS"

// Command is one line run by a shell on one machine.
type Command struct {
	Host string            `json:"host"`
	Do   Act               `json:"do"`
	Dir  string            `json:"dir,omitempty"` // where it runs; empty: the login directory
	Line string            `json:"line"`
	Env  map[string]string `json:"env,omitempty"`
	For  string            `json:"for,omitempty"` // reap, mend, once it is run: the id of the process that it is about
	// ID names one attempt at a command that changes a machine, and Token is higher in each process that takes the run up: by them a
	// machine begins it once at most, and refuses a process that was replaced. They follow from the journal and are not written into it.
	ID    string `json:"-"`
	Token int64  `json:"-"`
	Send  string `json:"send,omitempty"` // deploy: the local file that is streamed to the line's standard input
}

// Step is one step of a plan. Which fields are set depends on its Kind.
type Step struct {
	Kind    Kind           `json:"kind"`
	Group   string         `json:"group"`             // the group worked on; shift: the group that is closed, or opened by the last one
	Hosts   []string       `json:"hosts"`             // every machine of that group, since commands may name only one of them
	Weights map[string]int `json:"weights,omitempty"` // shift: every backend → weight wanted
	Ramp    []int          `json:"ramp,omitempty"`    // shift: percent of its weight the closing group passes through
	Try     int            `json:"try,omitempty"`     // shift: connections made through the load balancer once it is reached
	Watch   []Ports        `json:"watch,omitempty"`   // drain, restart: established connections on these are sessions
	Probe   []Ports        `json:"probe,omitempty"`   // shift: of the group that stays; restart, check: of Group. Each must answer
	Run     []Command      `json:"run,omitempty"`     // deploy, restart, check
	Gates   *Gates         `json:"gates,omitempty"`   // check: each is asked where it sends players
	Want    []Process      `json:"want,omitempty"`    // restart, check: exactly these processes, where the service knows its processes by name
	Within  Seconds        `json:"within"`            // the step's deadline
	Stable  Seconds        `json:"stable,omitempty"`  // how long the state reached must stay so before it is believed
	Kill    Seconds        `json:"kill,omitempty"`    // restart: how long a stop may take
	Drain   *Draining      `json:"drain,omitempty"`   // drain, restart
}

// By gives the host whose command does an act to host: its own where it has one, else the one that does it to the whole group.
func (s Step) By(do Act, host string) string {
	by := host
	for _, c := range s.Run {
		switch {
		case c.Do == do && c.Host == host:
			return host
		case c.Do == do && by == host:
			by = c.Host
		}
	}
	return by
}

// Deadline says what a drain does when its deadline comes before its zero.
type Deadline string

// The policies at a drain's deadline.
const (
	Cut   Deadline = "cut"   // restart, and record how many sessions were cut
	Wait  Deadline = "wait"  // go on waiting
	Pause Deadline = "pause" // stop here; a person decides
	Abort Deadline = "abort" // put everything back
)

// Draining is a drain's policy.
type Draining struct {
	Until      int      `json:"until"`                // sessions left that count as none
	Interval   Seconds  `json:"interval"`             // between two counts
	OnDeadline Deadline `json:"on_deadline"`          //
	CutBudget  *int     `json:"cut_budget,omitempty"` // more left than this at the deadline pauses instead of cutting
	Spread     Seconds  `json:"spread,omitempty"`     // restart: where sessions are cut, the machines follow one another over this time
}

// Recipe knows the commands that restart a group.
type Recipe interface {
	// Restart gives the stop, reap, start, mend and status commands of a group, each act for every machine it is to be run on. Where one
	// machine starts a whole group, stop and start name that one only, and reap and status all.
	Restart(g groups.Group) []Command
	// Processes gives the processes of a started group; nil where the service does not know them by name.
	Processes(g groups.Group) []Process
}

// Name gives the name people use for the machine at host; the host itself where the plan has no such machine.
func (p Plan) Name(host string) string {
	for _, m := range p.Machines {
		if m.Host == host {
			return m.Name
		}
	}
	return host
}

// Other gives the name of the group that is not g.
func (p Plan) Other(g string) string {
	if g == p.First {
		return p.Second
	}
	return p.First
}

// Weights gives the weight of every backend as it was found.
func (p Plan) Weights() map[string]int {
	w := make(map[string]int, len(p.Before))
	for id, b := range p.Before {
		w[id] = b.Weight
	}
	return w
}

// Hosts gives the hosts of a group's machines in the plan's order.
func (p Plan) Hosts(group string) []string {
	var hs []string
	for _, m := range p.Machines {
		if m.Group == group {
			hs = append(hs, m.Host)
		}
	}
	return hs
}
