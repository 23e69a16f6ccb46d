package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/app"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/haproxy"
	"github.com/seed59ee9cdc/rollout/sandbox/lan"
	"github.com/seed59ee9cdc/rollout/sandbox/players"
)

// Home is the directory that every machine has for itself, and Game the application in it, unless Options.Releases is set.
const (
	Home = "/srv/game"
	Game = Home + "/game-server"
)

// front is where players find the balancer.
const front = "10.77.0.1:6150"

// Options say what the rig is like. NodeModules is required; the rest has usable zeroes.
type Options struct {
	Dir         string        // where everything is written; empty: a new temporary directory, removed by Close
	NodeModules string        // the directory that npm put pomelo into
	HAProxy     string        // its program; empty: the one in PATH
	Machines    int           // in each group; 0: 3
	Gates       int           // on each machine, and as many connectors; 0: 2
	Players     int           // 0: nobody plays
	Game        time.Duration // how long a game lasts; 0: 12 s
	Walk        time.Duration // from the gate's answer to the connector
	Deadline    time.Duration // of a drain; 0: three games
	Quiet       time.Duration // how long no session may have begun; 0: 10 s
	Cut         bool          // at a deadline sessions are cut; otherwise that pauses the run
	MaxStartups string        // of every sshd; empty: 100:30:200, with which a start loses no process
	Release     string        // what the machines run; empty: v1.0.0
	Releases    bool          // the game lies in releases/, and deploy.artifact, Archive, brings new ones
	NoDeploy    bool          // rollout.yaml has no deploy: the machines are restarted with what they have
	Seed        uint64
}

// Rig is the running game. Its fields are for reading, and for tests that break things.
type Rig struct {
	Dir       string
	Config    string // path of rollout.yaml
	Game      string // the application's directory on every machine
	Archive   string // the artifact's local path; written by Pack
	Groups    [2]Group
	LAN       *lan.LAN
	Cloud     *cloud.Cloud
	Proxy     *haproxy.Proxy
	Crowd     *players.Crowd // nil where nobody plays
	o         Options
	temporary bool
}

// Group is one group of machines; the first of a rig's is updated first.
type Group struct {
	Name     string
	Machines []lan.Machine // the first has the master
	app      app.Options
}

// Start brings the rig up: when it returns, every process of both groups runs and the players come in. ctx bounds the starting and the
// players' and the API's life; Close ends everything.
func Start(ctx context.Context, o Options) (*Rig, error) {
	r := &Rig{o: filled(o)}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("rig: %w", err), r.Close())
	}
	return r, nil
}

func filled(o Options) Options {
	set(&o.Machines, 3)
	set(&o.Gates, 2)
	set(&o.Game, 12*time.Second)
	set(&o.Deadline, 3*o.Game)
	set(&o.Quiet, 10*time.Second)
	set(&o.MaxStartups, "100:30:200")
	set(&o.Release, "v1.0.0")
	return o
}

// set fills in what is zero.
func set[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

func (r *Rig) start(ctx context.Context) error {
	if err := r.place(); err != nil {
		return err
	}
	r.Game, r.Archive = Game, filepath.Join(r.Dir, "game.tar.gz")
	if r.o.Releases {
		r.Game = Home + "/current/game-server"
	}
	r.form()
	var all []lan.Machine
	for _, g := range r.Groups {
		all = append(all, g.Machines...)
	}
	var err error
	r.LAN, err = lan.Start(ctx, lan.Options{Dir: filepath.Join(r.Dir, "lan"), Machines: all, Private: []string{Home}, MaxStartups: r.o.MaxStartups,
		Shares: []lan.Share{{Source: r.o.NodeModules, Target: Home + "/node_modules"}}})
	if err != nil {
		return err
	}
	if err := r.play(ctx); err != nil {
		return err
	}
	if err := r.balance(ctx); err != nil {
		return err
	}
	if err := r.write(); err != nil {
		return err
	}
	if r.o.Players > 0 {
		r.Crowd = players.Start(ctx, players.Options{Front: func() string { return front }, Protocol: players.Pomelo, Players: r.o.Players, Game: r.o.Game, Walk: r.o.Walk, Seed: r.o.Seed})
	}
	return nil
}

// place makes the rig's directory.
func (r *Rig) place() error {
	var err error
	if r.o.Dir == "" {
		r.temporary = true
		r.Dir, err = os.MkdirTemp("", "rig-")
	} else if r.Dir, err = filepath.Abs(r.o.Dir); err == nil {
		err = os.MkdirAll(r.Dir, 0o700)
	}
	if err != nil {
		return err
	}
	return os.MkdirAll(filepath.Join(r.Dir, "haproxy"), 0o700)
}

// form names the groups and their machines: m1, m2 … at 10.77.0.11, .12 ….
func (r *Rig) form() {
	n := r.o.Machines
	for i, name := range []string{"group2", "group1"} {
		g := Group{Name: name}
		for k := range n {
			at := (1-i)*n + k + 1
			g.Machines = append(g.Machines, lan.Machine{Name: "m" + strconv.Itoa(at), IP: "10.77.0." + strconv.Itoa(10+at)})
		}
		g.app = app.Options{Gates: r.o.Gates, Connectors: r.o.Gates, Release: r.o.Release, Group: name, NodeModules: Home + "/node_modules"}
		for _, m := range g.Machines {
			g.app.Machines = append(g.app.Machines, app.Machine{Name: m.Name, IP: m.IP})
		}
		r.Groups[i] = g
	}
}

// balance starts HAProxy and the API before it.
func (r *Rig) balance(ctx context.Context) error {
	const listener = "vserver-gate"
	var servers []haproxy.Server
	var backends []cloud.Backend
	for _, g := range r.Groups {
		for _, m := range g.Machines {
			for p := range r.o.Gates {
				port := app.GatePort + p
				id := backend(m, port)
				servers = append(servers, haproxy.Server{ID: id, Addr: net.JoinHostPort(m.IP, strconv.Itoa(port))})
				backends = append(backends, cloud.Backend{ID: id, ResourceID: "uhost-" + m.Name, Host: m.IP, Port: port, Enabled: true, Weight: 1})
			}
		}
	}
	var err error
	r.Proxy, err = haproxy.Start(ctx, haproxy.Options{Binary: r.o.HAProxy, Dir: filepath.Join(r.Dir, "haproxy"), Fronts: map[string]haproxy.Front{listener: {Bind: front, Servers: servers}}})
	if err != nil {
		return err
	}
	r.Cloud, err = cloud.Start(ctx, cloud.Options{
		PublicKey: publicKey, PrivateKey: privateKey, Region: region, ProjectID: project,
		ReadLag: 300 * time.Millisecond, Latency: 20 * time.Millisecond, HealthEvery: 500 * time.Millisecond, StatusLag: 500 * time.Millisecond,
		Plane: r.Proxy, Seed: r.o.Seed,
	}, []cloud.Balancer{{ID: "ulb-game", Kind: cloud.CLB, Name: "game", Listeners: []cloud.Listener{{ID: listener, Name: "gate", Front: front, Port: 6150, Backends: backends}}}})
	return err
}

// backend is the id of a gate's backend.
func backend(m lan.Machine, port int) string { return fmt.Sprintf("backend-%s-%d", m.Name, port) }

// Close ends the players, the balancer and every machine, and returns when they are gone.
func (r *Rig) Close() error {
	var err error
	if r.Crowd != nil {
		r.Crowd.Stop()
	}
	if r.Cloud != nil {
		err = errors.Join(err, r.Cloud.Close())
	}
	if r.Proxy != nil {
		err = errors.Join(err, r.Proxy.Close())
	}
	if r.LAN != nil {
		err = errors.Join(err, r.LAN.Close())
	}
	if r.temporary && r.Dir != "" {
		err = errors.Join(err, os.RemoveAll(r.Dir))
	}
	return err
}
