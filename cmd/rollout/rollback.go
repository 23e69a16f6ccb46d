package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
	"github.com/seed59ee9cdc/rollout/view"
)

func newRollbackCommand(e *env) *cobra.Command {
	var to, dashboard string
	cmd := &cobra.Command{
		Use:     "rollback",
		Aliases: []string{"undo"},
		Short:   "The previous release, by the same safe path",
		Long: `Bring the previous release back, by the same safe path: group by group, drained, restarted and checked. A group that runs it already is
left alone. A run that was left part-way is taken over, and what it had changed at the load balancer is put back. One that is under way in another
terminal is stopped first, as by ` + "`rollout abort`" + `.

Which release that is, the machines tell where deploy.artifact keeps releases on them: the one before, which is not marked bad. The one
that is left is marked bad, and is not deployed again unless its archive changes. With deploy.run it is what the machines ran before the
newest rollout. --to names another one.

` + exitCodes,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRollback(cmd.Context(), e, to, dashboard) },
	}
	cmd.Flags().StringVar(&to, "to", "", "the `RELEASE` to go back to")
	dashboardFlag(cmd.Flags(), &dashboard)
	return cmd
}

func runRollback(ctx context.Context, e *env, to, dashboard string) error {
	if err := errors.Join(checkRef("--to", to), checkDashboard(dashboard)); err != nil {
		return err
	}
	s, err := e.site()
	if err != nil {
		return err
	}
	if s.cfg.Deploy == nil {
		return usagef("rollback: rollout.yaml has no deploy:, so nothing here can bring a release back")
	}
	id, err := newID(time.Now())
	if err != nil {
		return err
	}
	question := "Bring the previous release of " + s.cfg.Service + " back?"
	if err := e.askable(question); err != nil {
		return err
	}
	if question, err = s.stopFirst(ctx, question); err != nil {
		return err
	}
	store, err := s.lock("rollback", id)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	defer s.present(ctx, dashboard)()
	return s.bringBack(ctx, store, id, to, question)
}

// stopFirst lets a run that is under way elsewhere come to its stop: what it has changed at the load balancer is put back, where that can be. It asks
// the question first, and gives what is left to be asked.
func (s *site) stopFirst(ctx context.Context, question string) (string, error) {
	st, held, err := s.underWay()
	if err != nil || !held {
		return question, err
	}
	if err := s.env.confirm(fmt.Sprintf("Stop run %s, which is under way? %s", st.Plan.ID, question)); err != nil {
		return "", err
	}
	if _, err := s.stopRun(ctx, st); err != nil {
		return "", err
	}
	for until := time.Now().Add(10 * time.Second); ; { // its process has told the end, and is about to leave
		_, held, err := s.underWay()
		switch {
		case err != nil:
			return "", err
		case !held || time.Now().After(until):
			return "", nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return "", err
		}
	}
}

// bringBack plans the way to the previous release, or the one named, and carries it out as a new run.
func (s *site) bringBack(ctx context.Context, store *journal.Store, id, to, question string) error {
	newest, err := s.latest()
	if err != nil {
		return err
	}
	a, err := s.previous(ctx, newest, to)
	if err != nil {
		return err
	}
	left := plans.State{}
	if unfinished(newest) {
		left = newest
	}
	v, p, err := s.decide(ctx, id, a, nil, left)
	defer v.close()
	switch {
	case errors.Is(err, errHad) && left.Plan.ID != "":
		return v.putBack(ctx, store, left, question)
	case errors.Is(err, errHad):
		s.env.say("all machines run %s already; there is nothing to bring back", a.ref)
		if s.env.text() {
			return nil
		}
		return s.env.document(view.NoResult(s.cfg.Service))
	case err != nil:
		return err
	}
	return v.begin(ctx, store, p, question)
}

// errHad says that every machine runs the release that is to be brought.
var errHad = errors.New("all machines run it already")

// putBack ends a run that was left part-way as an abort does: where every machine runs what is wanted, the load balancer is all that is left to put back.
func (v *survey) putBack(ctx context.Context, store *journal.Store, left plans.State, question string) error {
	if question != "" {
		if err := v.site.env.confirm(question); err != nil {
			return err
		}
	}
	v.site.env.say("all machines run that release already: what run %s has changed at the load balancer is put back", left.Plan.ID)
	run, st, err := store.Continue(left.Plan.ID)
	if err != nil {
		return err
	}
	e, err := run.Append(ctx, plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: by()})
	if err != nil {
		return err
	}
	c := &carrier{site: v.site, balancer: v.balancer, pool: v.pool, run: run, known: v.known}
	if err := c.carry(ctx, st.Apply(e)); !errors.Is(err, steps.ErrAborted) {
		return err
	}
	return nil
}

// fallBack follows on_failure: rollback. A run that was held before it had restarted anything puts everything back; one that had is followed by one
// that brings the previous release back, and that one by none. ended is how the run ended, and what is given where nothing follows.
func (c *carrier) fallBack(ctx context.Context, store *journal.Store, ended error) error {
	s := c.site
	st, err := s.latest()
	var held *steps.HeldError
	if err != nil || !errors.As(ended, &held) || !held.Safe || ctx.Err() != nil {
		return ended
	}
	p := st.Plan
	if !fallsBack(p) || s.cfg.Deploy == nil || errors.Is(ended, steps.ErrStays) {
		return ended
	}
	if !st.Dirty[p.First] && !st.Dirty[p.Second] && len(st.Updated) == 0 {
		s.env.say("on_failure: rollback: everything is put back")
		e, err := c.run.Append(ctx, plans.Event{What: plans.Asked, Step: -1, Request: plans.AskAbort, By: "on_failure: rollback"})
		if err != nil {
			return errors.Join(ended, err)
		}
		return c.carry(ctx, st.Apply(e))
	}
	s.env.say("on_failure: rollback: the previous release is brought back")
	id, err := newID(time.Now())
	if err == nil {
		err = store.Leave()
	}
	if err == nil {
		err = s.bringBack(ctx, store, id, "", "")
	}
	var stuck *steps.HeldError
	switch {
	case errors.As(err, &stuck): // it has begun: now that is how it stands
		return err
	case err != nil:
		s.env.say("rollout: rollback: %v", err)
		s.news(st).leftHeld(st, fmt.Errorf("on_failure: rollback: %w", err))
		return ended
	}
	return toldError{fmt.Errorf("%w: the previous release was brought back", steps.ErrAborted)}
}

// fallsBack says whether on_failure: rollback follows where a plan is held and a group is proven to serve.
func fallsBack(p plans.Plan) bool {
	return p.OnFail == string(config.Rollback) && p.Purpose == plans.Update && !p.Back
}

// previous finds out which release to go back to, and from which.
func (s *site) previous(ctx context.Context, newest plans.State, to string) (aim, error) {
	if s.cfg.Deploy.Artifact != "" {
		return s.unpacked(ctx, newest, to)
	}
	p := update(newest)
	if to == "" {
		to = p.Was
	}
	switch {
	case to == "":
		return aim{}, refusedf("nobody has told which release came before: name it with --to RELEASE")
	case strings.Contains(to, "+"):
		return aim{}, refusedf("before the newest rollout the machines ran different releases (%s): name one with --to RELEASE", to)
	}
	if err := checkRef("the machines' release", to); err != nil {
		return aim{}, refusedf("%v", err)
	}
	if to == p.Release && (!p.Back || !unfinished(newest)) { // of a job that passes its own tag on, say; a way back that was held may be asked for again
		return aim{}, refusedf("%s is what the newest rollout brings; name another one with --to RELEASE", to)
	}
	return aim{ref: to, bad: p.Release, kept: func(v *survey) []string { return v.having(v.releases, to) }}, nil
}

// unpacked asks the machines which releases they have.
func (s *site) unpacked(ctx context.Context, newest plans.State, to string) (aim, error) {
	ms, err := s.machines()
	if err != nil {
		return aim{}, usageError{err}
	}
	var hosts []string
	if p := update(newest); len(p.Machines) > 0 { // of a Pomelo service, rollout.yaml may list the masters alone
		for _, m := range p.Machines {
			hosts = append(hosts, m.Host)
		}
	} else {
		for _, m := range ms {
			hosts = append(hosts, m.Host)
		}
	}
	pool, err := s.pool(ms)
	if err != nil {
		return aim{}, usageError{err}
	}
	defer func() { _ = pool.Close() }()
	current, err := s.tell(ctx, pool, hosts, plans.Current(s.cfg.Deploy.Root))
	if err != nil {
		return aim{}, err
	}
	before, err := s.tell(ctx, pool, hosts, plans.Previous(s.cfg.Deploy.Root))
	if err != nil {
		return aim{}, err
	}
	bad := update(newest).Release
	if all := distinct(current); len(all) == 1 {
		bad = all[0]
	}
	candidates := map[string]string{}
	for _, h := range hosts {
		if candidates[h] = current[h]; current[h] == bad {
			candidates[h] = before[h]
		}
	}
	if to == "" {
		all := distinct(candidates)
		if len(all) != 1 || all[0] == "" {
			return aim{}, refusedf("the machines do not agree on the release before %s: %s; name one with --to RELEASE", bad, listing(candidates))
		}
		to = all[0]
	}
	if err := plans.CheckRelease(to); err != nil {
		return aim{}, refusedError{err}
	}
	if to == bad {
		return aim{}, refusedf("%s is what the machines have; name another one with --to RELEASE", to)
	}
	return aim{ref: to, bad: bad, kept: func(v *survey) []string { return v.having(current, to) }}, nil
}

// tell runs a line on every host and gives what it prints.
func (s *site) tell(ctx context.Context, pool *remote.Pool, hosts []string, line string) (map[string]string, error) {
	said, errs := make([]string, len(hosts)), make([]error, len(hosts))
	together(len(hosts), func(i int) {
		res, err := pool.Run(ctx, hosts[i], remote.Command{Line: line, Within: s.cfg.SSH.Timeout})
		said[i], errs[i] = strings.TrimSpace(res.Stdout), err
	})
	all := map[string]string{}
	for i, h := range hosts {
		all[h] = said[i]
	}
	if err := errors.Join(errs...); err != nil {
		return nil, refusedError{err}
	}
	return all, nil
}

// having gives the groups all of whose machines have a release.
func (v *survey) having(of map[string]string, release string) []string {
	var all []string
	for _, g := range v.fleet.Groups() {
		if !slices.ContainsFunc(g.Hosts(), func(h string) bool { return of[h] != release }) {
			all = append(all, g.Name)
		}
	}
	return all
}

// listing writes a map from host to release.
func listing(of map[string]string) string {
	var all []string
	for _, h := range slices.Sorted(maps.Keys(of)) {
		is := of[h]
		if is == "" {
			is = "none"
		}
		all = append(all, fmt.Sprintf("%s on %s", is, h))
	}
	return strings.Join(all, ", ")
}
