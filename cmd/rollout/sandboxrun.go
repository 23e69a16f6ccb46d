package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/sandbox"
	"github.com/seed59ee9cdc/rollout/sandbox/players"
	"github.com/seed59ee9cdc/rollout/view"
)

// sandboxDoc is the result of sandbox run for programs.
type sandboxDoc struct {
	Schema     string                      `json:"schema"`
	Result     string                      `json:"result"`
	StepsDone  int                         `json:"steps_done"`
	StepsTotal int                         `json:"steps_total"`
	Sessions   sandboxSessions             `json:"sessions"`
	Connect    sandboxConnects             `json:"connect"`
	Games      sandboxGames                `json:"games"`
	Releases   map[string]sandbox.Releases `json:"releases"`
	Restarts   map[string]int              `json:"restarts"`
	Weights    map[string]int              `json:"weights"` // of each backend, by machine:port, as the balancer acts on them; 0: off
	DurationS  float64                     `json:"duration_s"`
	Rollout    *view.ResultDoc             `json:"rollout,omitempty"` // what the rollout itself believes
	Error      string                      `json:"error,omitempty"`
	ExitCode   int                         `json:"exit_code"`
}

// sandboxSessions counts sessions as the players saw them.
type sandboxSessions struct {
	Cut      int64 `json:"cut"`
	Reported int   `json:"reported_cut"` // as the rollout counted them
	Moved    int   `json:"moved"`
}

type sandboxConnects struct {
	Failed int64            `json:"failed"`
	By     map[string]int64 `json:"by"`
}

type sandboxGames struct {
	Begun    int64   `json:"begun"`
	Finished int64   `json:"finished"`
	WaitP50S float64 `json:"wait_p50_s"` // from a game's end to the beginning of the next
	WaitP99S float64 `json:"wait_p99_s"`
}

func runSandbox(ctx context.Context, e *env, o sandboxOptions) error {
	if slices.Contains(o.faults, "list") {
		return listFaults(e)
	}
	if err := o.check(); err != nil {
		return err
	}
	w, err := o.world(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	if e.text() && !e.flags.quiet {
		introduce(e.stdout, w, o)
	}
	if err := warm(ctx, w, o); err != nil {
		return err
	}
	began := time.Now()
	res, runErr := sandboxUpdate(ctx, e, w.Config, o)
	took := time.Since(began)
	if w.Crowd != nil && runErr == nil {
		_ = wait(ctx, min(o.game, 3*time.Second)) // who would be cut by what came last is seen now
	}
	r, err := w.Report()
	if err != nil {
		return errors.Join(err, runErr)
	}
	return e.concluded(ctx, r, res, took, runErr)
}

// concluded says what really happened in a world, and gives the error that decides the exit code.
func (e *env) concluded(ctx context.Context, r sandbox.Report, res *view.ResultDoc, took time.Duration, runErr error) error {
	code := exitCode(runErr, cause(ctx))
	if !e.text() {
		if err := e.document(sandboxResult(r, res, took, runErr, code)); err != nil {
			return err
		}
	} else {
		conclude(e.stdout, r, runErr == nil, r.Took > 0)
	}
	if runErr == nil && r.Players.Cut+r.Players.Failed.Total() > 0 {
		return toldError{fmt.Errorf("%s cut, %s failed", plural(r.Players.Cut, "session"), plural(r.Players.Failed.Total(), "connect"))}
	}
	if runErr != nil && e.text() {
		return runErr
	}
	if runErr != nil {
		return toldError{runErr}
	}
	return nil
}

// warm waits until the players are in their games.
func warm(ctx context.Context, w *sandbox.World, o sandboxOptions) error {
	if w.Crowd == nil {
		return nil
	}
	until := time.Now().Add(10 * time.Second)
	for w.Crowd.Stats().Playing < o.players*9/10 && time.Now().Before(until) {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error { return drain.Wall{}.Wait(ctx, d) }

// sandboxUpdate runs `rollout start` on the world, as a user would, and gives its result.
func sandboxUpdate(ctx context.Context, e *env, config string, o sandboxOptions) (*view.ResultDoc, error) {
	inner := *e
	inner.terminal = false
	inner.flags.config, inner.flags.stateDir, inner.flags.yes = config, "", true
	var out bytes.Buffer
	if !e.text() {
		inner.flags.output, inner.flags.json = "json", true
		inner.stdout = &out
	}
	err := runStart(ctx, &inner, startOptions{ref: o.ref})
	if e.text() {
		return nil, err
	}
	var doc view.ResultDoc
	if jerr := json.NewDecoder(&out).Decode(&doc); jerr != nil {
		return nil, err // the run has not begun
	}
	return &doc, err
}

func sandboxResult(r sandbox.Report, res *view.ResultDoc, took time.Duration, err error, code int) sandboxDoc {
	f := r.Players.Failed
	d := sandboxDoc{
		Schema: "rollout.sandbox/v1", Result: "failed", Releases: r.Releases, Restarts: r.Restarts, Weights: r.Weights, DurationS: took.Seconds(), Rollout: res, ExitCode: code,
		Sessions: sandboxSessions{Cut: r.Players.Cut},
		Connect: sandboxConnects{Failed: f.Total(), By: map[string]int64{"balancer_refused": f.BalancerRefused, "balancer_closed": f.BalancerClosed,
			"gate_nonsense": f.GateNonsense, "connector_refused": f.ConnectorRefused, "connector_closed": f.ConnectorClosed}},
		Games: sandboxGames{Begun: r.Players.Begun, Finished: r.Players.Finished, WaitP50S: r.Players.WaitP50.Seconds(), WaitP99S: r.Players.WaitP99.Seconds()},
	}
	if res != nil {
		d.Result, d.StepsDone, d.StepsTotal = res.Result, res.StepsDone, res.StepsTotal
		d.Sessions.Reported, d.Sessions.Moved = res.Sessions.Cut, res.Sessions.Moved
	}
	if err != nil {
		d.Error = err.Error()
	}
	return d
}

// introduce says what the world is.
func introduce(out io.Writer, w *sandbox.World, o sandboxOptions) {
	_, _ = fmt.Fprintf(out, "A pretend game on loopback: %s, each with %d gates behind a balancer and %d connectors beside it;\n",
		plural(int64(len(w.Hosts.Machines)), "machine"), o.ports, o.ports)
	_, _ = fmt.Fprintf(out, "%s play games of %s and come back through the balancer. This is what updating it looks like:\n\n", plural(int64(o.players), "player"), o.game)
}

// conclude says who noticed.
func conclude(out io.Writer, r sandbox.Report, done, next bool) {
	p := r.Players
	_, _ = fmt.Fprintf(out, "\nWhat the players saw   %s finished, %s cut, %s failed%s\n", plural(p.Finished, "game"), plural(p.Cut, "session"),
		plural(p.Failed.Total(), "connect"), indent(incidents(p.Incidents, 3)))
	_, _ = fmt.Fprintf(out, "What the machines run ")
	for _, name := range slices.Sorted(maps.Keys(r.Releases)) {
		rel := r.Releases[name]
		_, _ = fmt.Fprintf(out, " %s %s→%s", name, rel.Before, rel.After)
	}
	_, _ = fmt.Fprintln(out)
	if done && next {
		_, _ = fmt.Fprintf(out, "Next                   rollout sandbox serve --dir world, and then in another terminal: rollout -c world/rollout.yaml check\n")
	}
}

// incidents lists what went wrong for the first players.
func incidents(is []players.Incident, most int) string {
	var b strings.Builder
	for _, i := range is[:min(len(is), most)] {
		_, _ = fmt.Fprintf(&b, "\n%s user %d %s %s: %s", i.At.UTC().Format(time.TimeOnly), i.User, i.Where, i.Addr, i.Error)
	}
	return b.String()
}
