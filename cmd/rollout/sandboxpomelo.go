package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seed59ee9cdc/rollout/sandbox"
	"github.com/seed59ee9cdc/rollout/sandbox/lan"
	"github.com/seed59ee9cdc/rollout/sandbox/rig"
)

// runSandboxPomelo updates real Pomelo groups on machines that are namespaces of this host, while people play.
func runSandboxPomelo(ctx context.Context, e *env, o sandboxOptions) error {
	if len(o.faults) > 0 || o.sshd != "" || o.real {
		return usagef("--fault, --sshd and --documented-times are for the pretend game, without --pomelo")
	}
	modules, err := o.modules()
	if err != nil {
		return err
	}
	if !lan.Inside() {
		code, err := lan.Enter(os.Args[1:], nil)
		if err != nil {
			return err
		}
		return codeError(code)
	}
	opts := rig.Options{Dir: o.dir, NodeModules: modules, Machines: o.machines, Gates: o.ports, Players: o.players, Game: o.game, Walk: o.walk, Deadline: o.deadline, NoDeploy: o.ref == ""}
	if e.text() && !e.flags.quiet {
		_, _ = fmt.Fprintf(e.stdout, "Bringing up %d machines with %d processes of Pomelo …\n", 2*o.machines, 2*(2*o.machines*o.ports+1))
	}
	r, err := rig.Start(context.WithoutCancel(ctx), opts)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if r.Crowd != nil {
		_ = wait(ctx, o.game)
	}
	before, err := r.Truths(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	res, runErr := sandboxUpdate(ctx, e, r.Config, o)
	took := time.Since(began)
	if r.Crowd != nil && runErr == nil {
		_ = wait(ctx, min(o.game, 3*time.Second)) // who would be cut by what came last is seen now
	}
	after, err := r.Truths(context.WithoutCancel(ctx))
	if err != nil && runErr == nil {
		return err
	}
	report := sandbox.Report{Releases: map[string]sandbox.Releases{}, Restarts: map[string]int{}}
	if r.Crowd != nil {
		report.Players = r.Crowd.Stats()
	}
	for name, is := range after {
		report.Releases[name] = sandbox.Releases{Before: before[name].String(), After: is.String()}
		if is.New(before[name]) {
			report.Restarts[name] = 1
		}
	}
	return e.concluded(ctx, report, res, took, runErr)
}

// modules finds the node_modules that npm put pomelo into.
func (o *sandboxOptions) modules() (string, error) {
	dir, err := filepath.Abs(o.pomelo)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "pomelo", "package.json")); err != nil {
		return "", usagef("--pomelo: no pomelo in %s: `make pomelo-world` brings it from npm, or name another node_modules with --pomelo=DIR", o.pomelo)
	}
	if _, err := exec.LookPath("haproxy"); err != nil {
		return "", usagef("--pomelo: no haproxy in PATH: apt-get install haproxy")
	}
	if lan.Inside() {
		return dir, nil
	}
	if err := lan.Possible(); err != nil {
		return "", usagef("--pomelo: %v", err)
	}
	return dir, nil
}
