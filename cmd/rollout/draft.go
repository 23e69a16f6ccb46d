package main

import (
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
)

// aim is what a rollout is to bring.
type aim struct {
	ref string // the release; empty: not told
	bad string // the release that is left for it because it is bad; empty: this is no way back
	// kept gives the groups that are to be left as they are; nil: none is.
	kept func(*survey) []string
}

// draft makes the plan from what the survey has found. left is the state of a run that was left part-way and is to be taken over; its zero
// is none.
func (v *survey) draft(id string, to aim, left plans.State) (plans.Plan, error) {
	c := v.site.cfg
	r, err := v.site.recipe(v.known)
	if err != nil {
		return plans.Plan{}, err
	}
	before, taken, dirty := v.before, map[string]int(nil), []string(nil)
	if left.Plan.ID != "" {
		before, taken, dirty = plans.TakeOver(left, before)
	}
	settle := max(c.ULB.Settle, c.ULB.Propagation+c.ULB.Staleness)
	o := plans.Options{
		ID: id, Service: c.Service, Balancer: v.reading.ID, By: by(), Config: c.Sum, Release: to.ref, Was: v.was(), Ran: v.releases, Made: time.Now().UTC(), OnFail: string(c.OnFailure),
		Ramp: c.ULB.Ramp, Settle: settle, Late: c.ULB.Late, Shift: shiftWithin(c.ULB, settle, len(before)),
		Try: c.ULB.Probe, Room: c.Capacity.MaxSessionsPerMachine, Strict: c.Capacity.OnShort == config.ShortAbort, Return: to.bad != "",
		DrainWithin: c.Drain.Deadline, DrainStable: max(c.Drain.StableFor, c.Drain.Quiet, c.Drain.Interval),
		Draining: plans.Draining{Until: c.Drain.Until, Interval: plans.Seconds(c.Drain.Interval), OnDeadline: plans.Deadline(c.Drain.OnDeadline), CutBudget: c.Drain.CutBudget,
			Spread: plans.Seconds(c.Drain.Spread)},
		RestartWithin: c.Restart.Timeout, KillAfter: max(c.Restart.KillAfter, time.Second),
		Health: c.Health.Run, CheckWithin: c.Health.Timeout, CheckStable: c.Health.StableFor,
	}
	if c.Deploy != nil {
		o.Deploy, o.DeployWithin = c.Deploy.Run, c.Deploy.Timeout
		if to.bad != "" && c.Deploy.Artifact != "" {
			o.Artifact, o.Back = &plans.Artifact{Root: c.Deploy.Root, Release: to.ref}, to.bad
		} else {
			v.artifact, o.Archive, err = v.site.artifact(to.ref)
			o.Artifact = v.artifact
		}
		if err != nil {
			return plans.Plan{}, err
		}
	}
	if c.Pomelo != nil {
		o.Gates = v.known.gates(v.fleet, *c.Pomelo)
		if c.Drain.Quiet == 0 {
			o.DrainStable = max(o.DrainStable, quietPomelo)
		}
	}
	if to.kept != nil {
		o.Kept = slices.DeleteFunc(to.kept(v), func(g string) bool { return slices.Contains(dirty, g) }) // what was put there is not known to run
		if len(o.Kept) == 2 {
			return plans.Plan{}, errHad
		}
	}
	if o.Releases, err = v.site.releaseLine(); err != nil {
		return plans.Plan{}, usageError{err}
	}
	p := plans.Build(v.ordered(), r, before, o)
	p.Taken, p.Dirty, p.Doubt = taken, dirty, left.Intent || !left.Doubt.At.IsZero()
	p.Steps = dirs(p.Steps, v.site.workDir())
	if err := p.Check(); err != nil {
		return p, refusedError{err}
	}
	return p, nil
}

// shiftWithin gives how long a shift may take: to write every backend at each step of the ramp and at its end, to wait between these, and for what was not
// answered.
func shiftWithin(u config.ULB, settle time.Duration, backends int) time.Duration {
	steps := time.Duration(len(u.Ramp))
	return max(2*time.Minute, 10*settle) + 2*u.Late + steps*settle + (steps+1)*time.Duration(backends)*100*time.Millisecond
}

// dirs lets deploy and health lines run where the recipe's lines do.
func dirs(steps []plans.Step, dir string) []plans.Step {
	for i := range steps {
		for j := range steps[i].Run {
			if steps[i].Run[j].Dir == "" {
				steps[i].Run[j].Dir = dir
			}
		}
	}
	return steps
}

// ordered gives the groups in the order they are updated: as configured, unless one takes no new connections now. That one goes first,
// since the other is the only one that serves.
func (v *survey) ordered() groups.Fleet {
	f := v.fleet
	on := map[string]bool{}
	for _, b := range v.before {
		on[b.Group] = on[b.Group] || b.Weight > 0
	}
	if on[f.First.Name] && !on[f.Second.Name] {
		f.First, f.Second = f.Second, f.First
	}
	return f
}

// newID makes the id of a run: when it was made, and four letters to tell it from others of that second.
func newID(now time.Time) (string, error) {
	b := make([]byte, 2)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(b), nil
}

// unfinished says whether a run has touched something and has not ended.
func unfinished(st plans.State) bool { return st.Plan.ID != "" && !st.Phase.Over() && st.Touched }

// same refuses to take up what a run has left where rollout.yaml is about another load balancer: all that the run had closed would count as gone.
func (s *site) same(p plans.Plan) error {
	if p.Balancer == s.cfg.ULB.ID {
		return nil
	}
	return refusedf("run %s is of what is behind %s, and rollout.yaml is about %s: set ulb.id to %s again; or, where that one is no more, move %s away",
		p.ID, p.Balancer, s.cfg.ULB.ID, p.Balancer, filepath.Join(s.dir, "runs", p.ID))
}

// latest gives the state of the newest run; a state without a plan where there is none.
func (s *site) latest() (plans.State, error) {
	id, ok, err := journal.Latest(s.dir)
	if err != nil || !ok {
		return plans.State{}, err
	}
	es, err := journal.Read(s.dir, id) // of a damaged journal the events before the damage
	var st plans.State
	for _, e := range es {
		st = st.Apply(e)
	}
	return st, err
}

// past gives the newest run before the one named that ended well; a state without a plan where there is none that can be read. It is only ever
// compared with, so a journal that cannot be read is passed over.
func (s *site) past(before string) plans.State {
	ids, _ := journal.Runs(s.dir)
	slices.Reverse(ids)
	if i := slices.Index(ids, before); i >= 0 {
		ids = ids[i+1:]
	}
	for _, id := range ids[:min(len(ids), 20)] {
		es, err := journal.Read(s.dir, id)
		if st := plans.Fold(slices.Values(es)); err == nil && st.Phase == plans.PhaseDone {
			return st
		}
	}
	return plans.State{}
}

// fresh refuses a saved plan that no longer fits the load balancer, or what the machines run, naming each change. readPlan has set it against the configuration.
func (v *survey) fresh(p plans.Plan) error {
	if p.Balancer != v.reading.ID {
		return refusedf("the plan is for what is behind %s, and rollout.yaml is about %s; make a new one with `rollout plan`", p.Balancer, v.reading.ID)
	}
	if ds := append(plans.Stale(p, v.before), plans.Outrun(p, v.releases)...); len(ds) > 0 {
		return refusedf("the plan is stale: %s; make a new one with `rollout plan`", strings.Join(ds, "; "))
	}
	return nil
}
