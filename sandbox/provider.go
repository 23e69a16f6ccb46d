package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// The account of the pretend UCloud. It opens nothing anywhere else.
const (
	region     = "cn-sandbox"
	project    = "org-sandbox"
	publicKey  = "sandbox-public-key"
	privateKey = "sandbox-private-key"
)

// openCloud starts the API and the balancer.
func (w *World) openCloud(ctx context.Context) error {
	o := cloud.Options{
		PublicKey: publicKey, PrivateKey: privateKey, Region: region, ProjectID: project,
		Workers: 4, Spread: 600 * time.Millisecond, ReadLag: 300 * time.Millisecond, Latency: 20 * time.Millisecond,
		HealthEvery: 500 * time.Millisecond, Rise: 2, Fall: 2, StatusLag: 500 * time.Millisecond, Seed: w.o.Seed,
	}
	if w.o.Real {
		real := cloud.Documented()
		real.PublicKey, real.PrivateKey, real.Region, real.ProjectID = publicKey, privateKey, region, project
		real.Spread, real.ReadLag, real.Latency, real.Seed = 4*time.Second, 2*time.Second, 100*time.Millisecond, w.o.Seed
		o = real
	}
	var err error
	b := cloud.Balancer{Kind: w.o.Kind, Name: "game", Listeners: []cloud.Listener{{Name: "gate", Front: "127.0.0.1:0", Method: w.o.Method, Backends: backends(w.Hosts.Machines)}}}
	if w.Cloud, err = cloud.Start(ctx, o, []cloud.Balancer{b}); err != nil {
		return err
	}
	w.Listener = w.Cloud.Snapshot()[0].Listeners[0].ID
	return nil
}

// home is where a machine's commands find its game.
const home = `~/game`

// Configuration is the rollout.yaml of this world, as values.
func (w *World) Configuration() config.Config {
	settle, propagation, staleness, late := time.Second, 800*time.Millisecond, 400*time.Millisecond, 5*time.Second
	if w.o.Real {
		settle, propagation, staleness, late = 5*time.Second, 10*time.Second, 5*time.Second, 30*time.Second
	}
	c := config.Config{
		Version: 1,
		Service: w.service(),
		UCloud:  config.UCloud{Profile: "sandbox", Region: region, ProjectID: project, BaseURL: w.Cloud.URL(), Credentials: "keys/credential.json"}, //nolint:gosec // G101: the name of a file, of an account that exists nowhere else
		ULB: config.ULB{ID: w.Cloud.Snapshot()[0].ID, Shift: config.ShiftAuto, Settle: settle, Propagation: propagation, Staleness: staleness, Late: late,
			Probe: 20, Address: []string{w.Cloud.Front(w.Listener)}, Ask: `{"user":0}`},
		SSH:     config.SSH{User: w.user(), Keys: []string{"keys/client"}, KnownHosts: "keys/known_hosts", Timeout: 10 * time.Second},
		Command: &config.Command{Dir: "/", Stop: "cd " + home + " && ./game.sh stop", Start: "cd " + home + " && ./game.sh start", Status: "cd " + home + " && ./game.sh status"},
		Release: &config.Release{Run: "cat " + home + "/RELEASE"},
		Deploy:  &config.Deploy{Run: `[ -z "$ROLLOUT_REF" ] || echo "$ROLLOUT_REF" > ` + home + "/RELEASE", Timeout: time.Minute},
		Drain: config.Drain{Deadline: w.o.Deadline, StableFor: max(2*time.Second, w.o.Walk+time.Second), Count: config.CountSockets,
			Ports: w.Hosts.Machines[0].Connectors, Interval: 500 * time.Millisecond, OnDeadline: config.DeadlineCut},
		Restart:   config.Restart{Timeout: 30 * time.Second, KillAfter: 10 * time.Second},
		Health:    config.Health{Ports: append(append([]int{}, w.Hosts.Machines[0].Gates...), w.Hosts.Machines[0].Connectors...), StableFor: 2 * time.Second, Timeout: 30 * time.Second},
		Capacity:  config.Capacity{OnShort: config.ShortAbort},
		OnFailure: config.Hold,
		State:     config.State{Backend: config.StateLocal, Dir: "state"},
	}
	if w.o.NoDeploy {
		c.Deploy = nil
	}
	for _, g := range w.Groups {
		c.Groups = append(c.Groups, config.Group{Name: g, Machines: listed(w.Hosts.Machines, g)})
	}
	for _, amend := range w.amended {
		amend(&c)
	}
	return c
}

// user is who logs in: anybody at the embedded ssh server, and whoever runs the world at a real one.
func (w *World) user() string {
	if u, err := user.Current(); err == nil && w.o.SSHD != "" {
		return u.Username
	}
	return "sandbox"
}

// service names the world after its subnet: each has its own state directory, and its own lock.
func (w *World) service() string {
	at := strings.Split(w.Hosts.Machines[0].Host, ".")
	return "sandbox-" + at[1] + "-" + at[2]
}

func listed(ms []hosts.Machine, group string) []config.Machine {
	var of []config.Machine
	for _, m := range ms {
		if m.Group == group {
			of = append(of, config.Machine{Name: m.Name, Host: m.Host, Bind: m.Host, Port: m.SSHPort})
		}
	}
	return of
}

// write puts rollout.yaml and the credentials where a rollout finds them.
func (w *World) write() error {
	creds, err := json.Marshal([]map[string]string{{"public_key": publicKey, "private_key": privateKey, "profile": "sandbox"}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(w.Dir, "keys", "credential.json"), creds, 0o600); err != nil {
		return err
	}
	b, err := w.Configuration().Marshal()
	if err != nil {
		return fmt.Errorf("rollout.yaml: %w", err)
	}
	w.Config = filepath.Join(w.Dir, "rollout.yaml")
	return os.WriteFile(w.Config, b, 0o600)
}
