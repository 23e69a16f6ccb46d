package rig

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
)

// The account of the pretend UCloud. It opens nothing anywhere else.
const (
	region     = "cn-sandbox"
	project    = "org-sandbox"
	publicKey  = "sandbox-public-key"
	privateKey = "sandbox-private-key"
)

// deploy is a deploy in miniature: the release is one file.
const deploy = `[ -z "$ROLLOUT_REF" ] || { printf '%s\n' "$ROLLOUT_REF" > VERSION.new && mv VERSION.new VERSION; }`

// Configuration is the rollout.yaml of this rig, as values: its machines are left to the masters to tell.
func (r *Rig) Configuration() config.Config {
	c := config.Default()
	c.Service = "game"
	c.UCloud = config.UCloud{Profile: "sandbox", Region: region, ProjectID: project, BaseURL: r.Cloud.URL(), Credentials: "credential.json"} //nolint:gosec // G101: the name of a file, of an account that exists nowhere else
	c.ULB.ID, c.ULB.Settle, c.ULB.Propagation, c.ULB.Staleness, c.ULB.Late = "ulb-game", time.Second, 500*time.Millisecond, 500*time.Millisecond, 5*time.Second
	c.ULB.Probe, c.ULB.Address = 20, []string{front}
	c.SSH.User, c.SSH.Port, c.SSH.Keys, c.SSH.KnownHosts = r.LAN.User, r.LAN.SSHPort, []string{r.LAN.Key}, r.LAN.KnownHosts
	c.Pomelo = &config.Pomelo{Dir: r.Game, Env: "production", Sessions: []string{"connector"}, Admin: config.Admin{User: "admin"},
		Gate: &config.Gate{Route: "gate.gateHandler.queryEntry", Field: "uid"}}
	c.Release = &config.Release{File: "VERSION"}
	if !r.o.NoDeploy {
		c.Deploy = &config.Deploy{Run: deploy, Timeout: time.Minute, Keep: 5}
	}
	if r.o.Releases {
		c.Deploy = &config.Deploy{Artifact: r.Archive, Root: Home, Keep: 1, Shared: []string{"game-server/config", "game-server/logs"}, Timeout: time.Minute}
	}
	c.Drain.Deadline, c.Drain.StableFor, c.Drain.Quiet, c.Drain.Interval = r.o.Deadline, min(2*time.Second, r.o.Deadline/2), min(r.o.Quiet, r.o.Deadline/2), 500*time.Millisecond
	c.Drain.OnDeadline = config.DeadlinePause
	if r.o.Cut {
		c.Drain.OnDeadline = config.DeadlineCut
	}
	c.Restart.Timeout, c.Restart.KillAfter = time.Duration(60+15*r.o.Gates)*time.Second, 15*time.Second
	c.Health.StableFor, c.Health.Timeout = 3*time.Second, 40*time.Second
	c.State = config.State{Backend: config.StateLocal, Dir: "state"}
	for _, g := range r.Groups {
		c.Groups = append(c.Groups, config.Group{Name: g.Name, Master: g.Machines[0].IP})
	}
	return c
}

// write puts rollout.yaml and the credentials where a rollout finds them.
func (r *Rig) write() error {
	creds, err := json.Marshal([]map[string]string{{"public_key": publicKey, "private_key": privateKey, "profile": "sandbox"}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.Dir, "credential.json"), creds, 0o600); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(r.Dir, "state"), 0o700); err != nil {
		return err
	}
	b, err := r.Configuration().Marshal()
	if err != nil {
		return fmt.Errorf("rollout.yaml: %w", err)
	}
	r.Config = filepath.Join(r.Dir, "rollout.yaml")
	return os.WriteFile(r.Config, b, 0o600)
}
