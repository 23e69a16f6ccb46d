package app

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

//go:embed game
var game embed.FS

// MasterPort is where the group's master listens.
const MasterPort = 3005

// The first port of each kind on every machine; each further process of that kind has the next.
const (
	GatePort         = 6150 // for players
	ConnectorPort    = 6200 // for players
	GateRPCPort      = 6050 // between the processes
	ConnectorRPCPort = 6100 // between the processes
)

// Options is one group's game.
type Options struct {
	Machines    []Machine // the group's, all of them, in the order that their processes are numbered; required
	Master      string    // IP of the machine where the master runs; "": the first one's
	Gates       int       // processes per machine; required
	Connectors  int       // processes per machine; required
	Release     string    // what VERSION says; required
	Group       string    // what the connectors say they belong to
	Env         string    // Pomelo's environment; "": production
	SSHPort     int       // by which the master reaches the other machines; 0: 59622
	NodeModules string    // directory with pomelo in it, linked as node_modules; "": none is linked
}

// Machine is one machine of the group.
type Machine struct {
	Name string
	IP   string // where its processes are started and where players reach it
}

// Fault is a way to misbehave, as a line of the file FAULT says it.
type Fault string

// Crash makes every process throw on the first line of app.js, the master too.
const Crash Fault = "crash"

// Hang makes the process with that id live without ever registering with the master.
func Hang(id string) Fault { return Fault("hang:" + id) }

// Slow makes every process but the master wait so many milliseconds before it starts.
func Slow(ms int) Fault { return Fault("slow:" + strconv.Itoa(ms)) }

// entry is one line of servers.json: so many processes on one machine. Pomelo counts a port that ends in ++ up.
type entry struct {
	Host         string `json:"host"`
	Port         string `json:"port"`
	ClientHost   string `json:"clientHost"`
	ClientPort   string `json:"clientPort"`
	ClusterCount int    `json:"clusterCount"`
	Frontend     bool   `json:"frontend"`
}

// Write writes the game into dir, which is made if need be, over whatever release was there; what processes write there (logs/)
// stays, and so does FAULT. All machines of a group are given the same files at the same path.
func Write(dir string, o Options) error {
	if len(o.Machines) == 0 || o.Gates < 1 || o.Connectors < 1 || o.Release == "" {
		return errors.New("game: Machines, Gates, Connectors and Release are required")
	}
	if o.Master == "" {
		o.Master = o.Machines[0].IP
	}
	if o.Env == "" {
		o.Env = "production"
	}
	if o.SSHPort == 0 {
		o.SSHPort = 59622
	}
	code, err := fs.Sub(game, "game")
	if err != nil {
		return fmt.Errorf("game: %w", err)
	}
	err = fs.WalkDir(code, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(code, name)
		if err != nil {
			return err
		}
		return write(dir, name, text)
	})
	if err != nil {
		return fmt.Errorf("game: %w", err)
	}
	for name, v := range o.config() {
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Errorf("game: %s: %w", name, err)
		}
		if err := write(dir, filepath.Join("config", name), append(text, '\n')); err != nil {
			return fmt.Errorf("game: %w", err)
		}
	}
	// pomelo start makes it on the master's machine only, and elsewhere a process would start without a log.
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil { //nolint:gosec // G301: it is meant for whoever runs the game
		return fmt.Errorf("game: %w", err)
	}
	if err := SetRelease(dir, o.Release); err != nil {
		return err
	}
	return link(dir, o.NodeModules)
}

// SetRelease writes VERSION alone: a deploy in miniature. Processes that run already go on saying the old one.
func SetRelease(dir, release string) error {
	if err := write(dir, "VERSION", []byte(release+"\n")); err != nil {
		return fmt.Errorf("game: %w", err)
	}
	return nil
}

// Break makes processes that start from now on misbehave in all these ways; in none, it mends.
func Break(dir string, faults ...Fault) error {
	var text string
	for _, f := range faults {
		text += string(f) + "\n"
	}
	if err := write(dir, "FAULT", []byte(text)); err != nil {
		return fmt.Errorf("game: %w", err)
	}
	return nil
}

// IDs is what Pomelo calls the group's processes, besides the master: gates, then connectors, each numbered through all machines.
func (o Options) IDs() []string {
	var ids []string
	for i := range o.Gates * len(o.Machines) {
		ids = append(ids, fmt.Sprintf("cluster-server-gate-%d", i))
	}
	for i := range o.Connectors * len(o.Machines) {
		ids = append(ids, fmt.Sprintf("cluster-server-connector-%d", i))
	}
	return ids
}

// write replaces a file in one go: a process that starts meanwhile sees the old or the new, and none sees half.
func write(dir, name string, text []byte) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // G301: it is meant for whoever runs the game
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil { //nolint:gosec // G306: it is meant for whoever runs the game
		return err
	}
	return os.Rename(path+".new", path)
}

// link makes node_modules lead to another directory.
func link(dir, to string) error {
	if to == "" {
		return nil
	}
	path := filepath.Join(dir, "node_modules")
	if now, err := os.Readlink(path); err == nil && now == to {
		return nil
	}
	if err := os.Symlink(to, path); err != nil {
		return fmt.Errorf("game: node_modules: %w", err)
	}
	return nil
}
