package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
	"github.com/seed59ee9cdc/rollout/sandbox/players"
)

// Options say what the world is like. Binary is required; the rest has usable zeroes.
type Options struct {
	Dir      string        // where everything is written; empty: a new temporary directory, removed by Close
	Binary   string        // absolute path of a program that runs hosts.Process
	Args     []string      // the arguments that lead it there
	Kind     string        // clb, alb or nlb; empty: clb
	Method   string        // how the balancer picks a backend; empty: Roundrobin
	Machines int           // in each group; 0: 3
	Ports    int           // gates, and connectors, on each machine; 0: 8
	Players  int           // 0: nobody plays
	Game     time.Duration // how long a game lasts; 0: 6 s
	Walk     time.Duration // from the gate's answer to the connector
	Release  string        // what the machines run; empty: v1.0.0
	SSHD     string        // path of a real sshd to stand in for the machines' own ssh server; empty: the embedded one
	Deadline time.Duration // of a drain; 0: three games
	NoDeploy bool          // rollout.yaml has no deploy: the machines are restarted with what they have
	Real     bool          // UCloud's documented times (health checks, lag) instead of short ones
	Seed     uint64
}

// World is a running world. Its fields are for reading, and for tests that break things in ways the menu does not have.
type World struct {
	Dir       string
	Config    string // path of rollout.yaml
	Cloud     *cloud.Cloud
	Hosts     *hosts.Hosts
	Crowd     *players.Crowd // nil where nobody plays
	Listener  string         // id of the balancer's only listener
	Groups    [2]string      // the first is updated first
	o         Options
	began     time.Time
	before    []hosts.Truth
	temporary bool
	sshds     []*sshd
	disk      *disk
	amended   []func(*config.Config) // what faults want in rollout.yaml

	// Of the faults that wait for their time: spawn runs one until it returns or calm is called, which waits and gives what went wrong with them.
	spawn func(func(context.Context) error)
	calm  func() error
}

// Start brings a world up: machines with their game, the balancer, and the players, and writes Dir/rollout.yaml. ctx bounds the
// starting, and the players' and the cloud's life; Close ends everything.
func Start(ctx context.Context, o Options) (*World, error) {
	w := &World{o: filled(o), Groups: [2]string{"group2", "group1"}}
	w.spawn, w.calm = trouble(ctx)
	if err := w.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sandbox: %w", err), w.Close())
	}
	return w, nil
}

func filled(o Options) Options {
	set(&o.Kind, cloud.CLB)
	set(&o.Machines, 3)
	set(&o.Ports, 8)
	set(&o.Game, 6*time.Second)
	set(&o.Release, "v1.0.0")
	set(&o.Deadline, 3*o.Game)
	return o
}

// set fills in what is zero.
func set[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

func (w *World) start(ctx context.Context) error {
	if err := w.place(); err != nil {
		return err
	}
	ms, err := machines(w.Groups, w.o.Machines, w.o.Ports)
	if err != nil {
		return err
	}
	w.Hosts, err = hosts.Start(ctx, hosts.Options{Dir: w.Dir, Binary: w.o.Binary, Args: w.o.Args, Machines: ms, Release: w.o.Release, EmbeddedSSH: w.o.SSHD == ""})
	if err != nil {
		return err
	}
	if w.o.SSHD != "" {
		if err := w.openSSH(ctx); err != nil {
			return err
		}
	}
	if err := w.openCloud(ctx); err != nil {
		return err
	}
	if err := w.write(); err != nil {
		return err
	}
	if w.before, err = w.Hosts.Truth(); err != nil {
		return err
	}
	w.began = time.Now()
	if w.o.Players > 0 {
		front := w.Cloud.Front(w.Listener)
		w.Crowd = players.Start(ctx, players.Options{Front: func() string { return front }, Players: w.o.Players, Game: w.o.Game, Walk: w.o.Walk, Seed: w.o.Seed})
	}
	return nil
}

// place makes the world's directory.
func (w *World) place() error {
	var err error
	if w.o.Dir == "" {
		w.temporary = true
		w.Dir, err = os.MkdirTemp("", "rollout-sandbox-")
		return err
	}
	if w.Dir, err = filepath.Abs(w.o.Dir); err != nil {
		return err
	}
	return os.MkdirAll(w.Dir, 0o700)
}

// Close ends the players, the balancer, the ssh servers and every process of the game, and returns when they are gone.
func (w *World) Close() error {
	err := w.calm()
	if w.Crowd != nil {
		w.Crowd.Stop()
	}
	if w.Cloud != nil {
		err = errors.Join(err, w.Cloud.Close())
	}
	for _, s := range w.sshds {
		err = errors.Join(err, s.stop())
	}
	if w.Hosts != nil {
		err = errors.Join(err, w.Hosts.Close())
	}
	if w.disk != nil {
		err = errors.Join(err, w.disk.close())
		w.disk = nil
	}
	if w.temporary && w.Dir != "" {
		err = errors.Join(err, os.RemoveAll(w.Dir))
	}
	return err
}
