package hosts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// errWorldGone ends a process whose world has ended.
var errWorldGone = errors.New("the world is gone")

// Process is the game's program, one process of it: the hidden subcommand to which Options.Args lead. args are its flags:
//
//	--role gate|connector   --host 127.0.1.4   --ports 6150-6157   --machine game-4   --group group2
//	--peers FILE            gate: the connectors of its own group, host:port a line, in order
//	--release-file FILE     read once, at the start: the release it runs
//	--run DIR --name NAME   DIR/NAME.<pid>.ready is written when every port listens
//	--lease FILE            end when nobody holds the lock on FILE
//	--start-delay 300ms     wait before listening          --detach   leave the caller's process group
//	--fault none|crash|crash-after=2s|hang-before-listen|half|mute|ignore-term
//
// It returns when ctx ends or with the error that kept it from serving, which the caller prints before it exits with 1;
// a port in use is named with EADDRINUSE. On SIGTERM the process dies at once with all its sessions, like Pomelo.
func Process(ctx context.Context, args []string) error {
	p, err := parseProgram(args)
	if err != nil {
		return err
	}
	if err := p.live(ctx); err != nil {
		return fmt.Errorf("%s on %s: %w", p.name, p.machine, err)
	}
	return nil
}

func (p program) live(outer context.Context) error {
	if p.detach {
		detach()
	}
	if p.fault == IgnoreTerm {
		ignoreTerm()
	}
	ctx, end := context.WithCancelCause(outer)
	defer end(nil)
	// ended is nil when the caller asked us to end, else the reason.
	ended := func() error {
		if outer.Err() != nil {
			return nil
		}
		return context.Cause(ctx)
	}
	if err := p.hold(end); err != nil {
		return err
	}
	if p.fault == HangBeforeListen {
		<-ctx.Done()
		return ended()
	}
	if p.fault == Crash {
		return errors.New("crashed at the start: a planted fault")
	}
	if err := pause(ctx, p.delay); err != nil {
		return ended()
	}
	g, err := p.load()
	if err != nil {
		return err
	}
	listeners, err := p.listen(ctx)
	if err != nil {
		return err
	}
	if err := p.ready(g.release); err != nil {
		return err
	}
	fmt.Printf("%s %s on %s runs %s, pid %d, ports %s\n", time.Now().UTC().Format(time.RFC3339), p.name, p.machine,
		g.release, os.Getpid(), joinPorts(p.ports))
	if p.fault == CrashAfter {
		after, err := time.ParseDuration(p.faultText)
		if err != nil {
			after = 2 * time.Second
		}
		defer time.AfterFunc(after, func() { end(fmt.Errorf("crashed after %s: a planted fault", after)) }).Stop()
	}
	g.serve(ctx, listeners)
	return ended()
}

// hold ends the process with the world. Its goroutine is not waited for: it sits in the kernel until the lock goes, and the
// process does not outlive its Process call.
func (p program) hold(end context.CancelCauseFunc) error {
	if p.lease == "" {
		return nil
	}
	file, err := os.Open(p.lease)
	if err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	go func() {
		defer func() { _ = file.Close() }()
		if err := awaitLease(file); err != nil {
			end(fmt.Errorf("lease %s: %w", p.lease, err))
			return
		}
		end(errWorldGone)
	}()
	return nil
}
