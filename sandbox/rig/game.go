package rig

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox/app"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/lan"
)

// play writes the game onto every machine and starts both groups, each from its master as a person would.
func (r *Rig) play(ctx context.Context) error {
	for _, g := range r.Groups {
		for _, m := range g.Machines {
			if err := r.install(m.Name, g.app); err != nil {
				return err
			}
		}
	}
	for _, g := range r.Groups {
		if err := r.Master(ctx, g.Machines[0].Name, "start --env=production -D"); err != nil {
			return err
		}
	}
	for _, g := range r.Groups {
		for _, m := range g.Machines {
			if err := r.Listening(ctx, m.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// install writes the game onto a machine: plainly, or as its first release, whose configuration and logs are shared by all to come.
func (r *Rig) install(machine string, o app.Options) error {
	disk := r.LAN.Disk(machine, Home)
	if !r.o.Releases {
		return app.Write(filepath.Join(disk, "game-server"), o)
	}
	game := filepath.Join(disk, "releases", o.Release, "game-server")
	if err := app.Write(game, o); err != nil {
		return err
	}
	shared := filepath.Join(disk, "shared", "game-server")
	if err := os.MkdirAll(shared, 0o755); err != nil { //nolint:gosec // G301: it is meant for whoever runs the game
		return err
	}
	for _, dir := range []string{"config", "logs"} {
		if err := os.Rename(filepath.Join(game, dir), filepath.Join(shared, dir)); err != nil {
			return err
		}
		if err := os.Symlink("../../../shared/game-server/"+dir, filepath.Join(game, dir)); err != nil {
			return err
		}
	}
	return os.Symlink("releases/"+o.Release, filepath.Join(disk, "current"))
}

// Pack writes the artifact of a release, which may be broken.
func (r *Rig) Pack(ctx context.Context, release string, faults ...app.Fault) error {
	dir, err := os.MkdirTemp(r.Dir, "pack-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	o := r.Groups[0].app
	o.Release = release
	game := filepath.Join(dir, "game-server")
	if err := app.Write(game, o); err != nil {
		return err
	}
	if err := app.Break(game, faults...); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "tar", "-C", dir, "-czf", r.Archive, "--exclude=game-server/config", "--exclude=game-server/logs", "game-server").CombinedOutput(); err != nil {
		return fmt.Errorf("tar: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Master types a pomelo command line in the game's directory on a machine.
func (r *Rig) Master(ctx context.Context, machine, line string) error {
	cmd := r.LAN.Command(ctx, machine, "sh", "-c", "cd "+r.Game+" && ./node_modules/pomelo/bin/pomelo "+line)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pomelo %s on %s: %w: %s", line, machine, err, bytes.TrimSpace(out))
	}
	return nil
}

// Listening waits until every gate and connector of a machine listens.
func (r *Rig) Listening(ctx context.Context, machine string) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	for {
		out, err := r.LAN.Command(ctx, machine, "ss", "-Htln").Output()
		missing := ""
		for p := range r.o.Gates {
			for _, port := range []int{app.GatePort + p, app.ConnectorPort + p} {
				if !strings.Contains(string(out), ":"+strconv.Itoa(port)+" ") {
					missing += " " + strconv.Itoa(port)
				}
			}
		}
		if err == nil && missing == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: nobody listens on%s: %w", machine, missing, ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// Process is one process of the game on a machine.
type Process struct {
	PID int
	ID  string // "master" for the master
}

// Processes gives the processes of the game on a machine, by its own process table.
func (r *Rig) Processes(ctx context.Context, machine string) ([]Process, error) {
	out, err := r.LAN.Command(ctx, machine, "ps", "-eww", "-o", "pid=,args=").Output()
	if err != nil {
		return nil, fmt.Errorf("ps on %s: %w", machine, err)
	}
	var all []Process
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		f := strings.Fields(s.Text())
		if len(f) < 3 || !strings.HasSuffix(f[1], "node") || !strings.HasSuffix(f[2], "/app.js") {
			continue
		}
		pid, err := strconv.Atoi(f[0])
		if err != nil {
			return nil, err
		}
		p := Process{PID: pid, ID: "master"}
		for _, a := range f[3:] {
			if id, ok := strings.CutPrefix(a, "id="); ok {
				p.ID = id
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// Everyone gives the processes of the game on every machine, by the machine's name.
func (r *Rig) Everyone(ctx context.Context) (map[string][]Process, error) {
	all := map[string][]Process{}
	for _, g := range r.Groups {
		for _, m := range g.Machines {
			ps, err := r.Processes(ctx, m.Name)
			if err != nil {
				return nil, err
			}
			all[m.Name] = ps
		}
	}
	return all, nil
}

// Wanted gives how many processes of the game a machine should have.
func (r *Rig) Wanted(machine string) int {
	n := 2 * r.o.Gates
	for _, g := range r.Groups {
		if g.Machines[0].Name == machine {
			n++
		}
	}
	return n
}

// Group gives the group that a machine is of.
func (r *Rig) Group(machine string) Group {
	for _, g := range r.Groups {
		if slices.ContainsFunc(g.Machines, func(m lan.Machine) bool { return m.Name == machine }) {
			return g
		}
	}
	return Group{}
}

// Break makes processes that start from now on, on one machine, misbehave; without faults it mends.
func (r *Rig) Break(machine string, faults ...app.Fault) error {
	return app.Break(r.LAN.Disk(machine, Home)+"/game-server", faults...)
}

// Enable opens or closes all backends of a group at the load balancer, as somebody at its console would.
func (r *Rig) Enable(g Group, on bool) error {
	for _, m := range g.Machines {
		for p := range r.o.Gates {
			if err := r.Cloud.Set(backend(m, app.GatePort+p), func(b *cloud.Backend) { b.Enabled = on }); err != nil {
				return err
			}
		}
	}
	return nil
}
