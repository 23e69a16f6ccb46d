package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
	"github.com/seed59ee9cdc/rollout/view"
)

// shell runs a plan's commands over ssh, each machine's output kept in the run's log.
type shell struct {
	pool  *remote.Pool
	log   func(name string) (io.WriteCloser, error)
	name  func(host string) string
	space string // the service: its commands are kept apart from those of others on a machine
	// secrets is what a command is told beside its own environment, so that neither plan nor journal holds it; nil: nothing.
	secrets func(plans.Command) map[string]string
}

// fresh is how old the look may be that a command rests on: so long a machine that cannot be reached is tried, and a command that a stuck connection
// brings later does not begin.
const fresh = 15 * time.Second

// Run gives the command's exit code; an error where that is not known. One that changes its machine begins once at most, but for an archive that is
// streamed, which the machine unpacks beside what is there.
func (s shell) Run(ctx context.Context, c plans.Command, within time.Duration) (steps.Result, error) {
	rc := remote.Command{Line: c.Line, Dir: c.Dir, Env: c.Env, Within: within}
	if s.secrets != nil {
		rc.Env = maps.Collect(maps.All(c.Env))
		maps.Insert(rc.Env, maps.All(s.secrets(c)))
	}
	if c.Send != "" {
		f, err := os.Open(c.Send)
		if err != nil {
			return steps.Result{}, err
		}
		defer func() { _ = f.Close() }()
		st, err := f.Stat()
		if err != nil {
			return steps.Result{}, err
		}
		rc.Stdin, rc.Env = f, maps.Clone(rc.Env)
		rc.Env["ROLLOUT_SIZE"] = strconv.FormatInt(st.Size(), 10)
	}
	if changes(c.Do) {
		out, err := s.log(s.name(c.Host))
		if err != nil {
			return steps.Result{}, err
		}
		defer func() { _ = out.Close() }()
		rc.Output = out
	}
	res, err := s.run(ctx, c, rc)
	text := strings.TrimSpace(view.Clean(res.Stdout + "\n" + res.Stderr)) // as it was printed it is in the machine's log alone
	if len(text) > shown {
		text = "…" + text[len(text)-shown:]
	}
	var exit *remote.ExitError
	if errors.As(err, &exit) && exit.Code >= 0 {
		return steps.Result{Code: exit.Code, Output: text}, nil
	}
	return steps.Result{Output: text}, unsent(c, err)
}

// unsent marks the error of a command that surely has not begun. Of one that may begin more than once that is not known.
func unsent(c plans.Command, err error) error {
	if err != nil && once(c) && !remote.MayHaveRun(err) {
		return fmt.Errorf("%w: %w", steps.ErrUnsent, err)
	}
	return err
}

// run sends a command the way that is right for it.
func (s shell) run(ctx context.Context, c plans.Command, rc remote.Command) (remote.Result, error) {
	switch {
	case !changes(c.Do):
		return s.pool.Run(ctx, c.Host, rc)
	case !once(c):
		return s.patient(ctx, c, rc)
	}
	for began := time.Now(); ; {
		o := s.once(c, rc)
		o.Fresh = max(time.Second, fresh-time.Since(began))
		res, err := s.pool.Once(ctx, c.Host, o)
		if err == nil || remote.MayHaveRun(err) || !passing(err) || time.Since(began) > fresh-2*time.Second {
			return res, s.worded(err)
		}
		if werr := wait(ctx, time.Second); werr != nil {
			return res, err
		}
	}
}

// passing says whether another try may help: the command surely has not begun, and nobody has refused it.
func passing(err error) bool {
	var tools *remote.MissingToolError
	var dir *remote.UnsafeDirError
	var stale *remote.StaleError
	var reused *remote.ReusedError
	var fenced *remote.FencedError
	return !errors.As(err, &tools) && !errors.As(err, &dir) && !errors.As(err, &stale) && !errors.As(err, &reused) && !errors.As(err, &fenced) &&
		!credentials(err)
}

// worded says what a refusal by a machine means for this run.
func (s shell) worded(err error) error {
	var fenced *remote.FencedError
	if errors.As(err, &fenced) {
		return fmt.Errorf("%s refuses commands of this run: another rollout has begun commands there since: %w", s.name(fenced.Host), err)
	}
	return err
}

// once gives a command as its machine keeps it.
func (s shell) once(c plans.Command, rc remote.Command) remote.Once {
	return remote.Once{Command: rc, ID: c.ID, Token: c.Token, Space: s.space}
}

// Ask tells what has become of a command that begins once at most.
func (s shell) Ask(ctx context.Context, c plans.Command) (steps.Begun, error) {
	st, err := s.pool.State(ctx, c.Host, s.once(c, remote.Command{Line: c.Line}))
	if err != nil {
		return "", err
	}
	switch st.Phase {
	case remote.Absent:
		return steps.Absent, nil
	case remote.Going:
		return steps.Going, nil
	case remote.Finished:
		return steps.Over, nil
	}
	return steps.Lost, nil
}

// once says whether a command begins once at most: it changes its machine, and nothing is streamed to it.
func once(c plans.Command) bool { return changes(c.Do) && c.Send == "" && c.ID != "" }

// changes says whether an act changes its machine; the others only look.
func changes(do plans.Act) bool {
	return do != plans.DoStatus && do != plans.DoHealth && do != plans.DoRelease
}

// shown is how much of a command's output goes into the journal; the run's log has far more of it.
const shown = 2000

// patient streams an archive to its end although the run leaves. Only the waiting ends.
func (s shell) patient(ctx context.Context, c plans.Command, rc remote.Command) (remote.Result, error) {
	type end struct {
		res remote.Result
		err error
	}
	ended := make(chan end, 1)
	go func() {
		res, err := s.pool.Run(context.WithoutCancel(ctx), c.Host, rc)
		ended <- end{res, err}
	}()
	select {
	case e := <-ended:
		return e.res, e.err
	case <-ctx.Done():
		return remote.Result{}, fmt.Errorf("%s: left running: %w", c.Host, context.Cause(ctx))
	}
}
