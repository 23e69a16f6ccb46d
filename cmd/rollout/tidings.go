package main

import (
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/notify"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/steps"
)

// tiding is one piece of news: which event it was, and what of it people are told.
type tiding struct {
	is    happening
	keys  []string // of notify.on: the kind first, then the others that want it as well
	level notify.Level
	why   string // the run's own words
	group string // that it is about; empty: the whole run
}

// happening is what has happened, as a title says it.
type happening string

const (
	hasBegun      happening = "started"
	goesOn        happening = "resumed"
	isPaused      happening = "paused"
	isStuck       happening = "stuck" // paused, and nobody had asked for it
	isHeld        happening = "held"
	fallsBackNext happening = "falls back" // held, and on_failure: rollback follows
	isUnsafe      happening = "unsafe"
	isBroken      happening = "broken" // the journal cannot be written
	isInterrupted happening = "interrupted"
	isPutBack     happening = "put back"
	isNotBegun    happening = "not begun"
	isDone        happening = "finished"
	isBroughtBack happening = "brought back"
	drainsSlowly  happening = "drain slow"
	isHurt        happening = "hurt"
	isWell        happening = "well"
	isTest        happening = "test"
)

// The words of notify.on.
const (
	onStarted    = "started"
	onPaused     = "paused"
	onHeld       = "held"
	onFailed     = "failed"
	onRolledBack = "rolled_back"
	onFinished   = "finished"
	onDrainSlow  = "drain_slow"
	onAlarm      = "alarm"
)

// enough is how often one process tells of a kind, so that no receiver is flooded by a group that is hurt and well in turn. The services let a robot
// say twenty things a minute.
func enough(kind string) int {
	switch kind {
	case onAlarm, onDrainSlow:
		return 4
	case onFinished:
		return 1
	}
	return 3
}

// newsworthy picks from the events of a run what is worth telling. It knows nothing but those events and an earlier run.
type newsworthy struct {
	was  plans.State     // before the event
	last []time.Duration // how long the like of each step took in the last run that ended well; 0: not known
	told map[string]int  // by kind
	slow bool            // of the drain under way that was told
	hurt bool            // the alarm was told, and not its end
}

// of gives the news of an event, after which the run is in state s; false where there is none.
func (n *newsworthy) of(s plans.State, e plans.Event) (tiding, bool) {
	t, worth := n.tiding(s, e)
	n.was = s
	if !worth || n.told[t.keys[0]] >= enough(t.keys[0]) {
		return tiding{}, false
	}
	if n.told == nil {
		n.told = map[string]int{}
	}
	n.told[t.keys[0]]++
	return t, true
}

func (n *newsworthy) tiding(s plans.State, e plans.Event) (tiding, bool) {
	switch e.What {
	case plans.Resumed:
		if s.Plan.Purpose == plans.Leaving { // how the way back ends is told
			return tiding{}, false
		}
		if n.was.Phase == plans.PhasePlanned {
			return tiding{is: hasBegun, keys: []string{onStarted}, level: notify.Info}, true
		}
		return tiding{is: goesOn, keys: []string{onStarted}, level: notify.Info}, true
	case plans.Began:
		n.slow = false
	case plans.Counted:
		return n.drains(s, e)
	case plans.Alarmed:
		return n.alarm(e)
	case plans.Paused:
		if n.was.Asked == plans.AskPause {
			return tiding{is: isPaused, keys: []string{onPaused}, level: notify.Info, why: e.Note}, true
		}
		return tiding{is: isStuck, keys: []string{onPaused, onHeld, onFailed}, level: notify.Warn, why: e.Note}, true
	case plans.Held:
		t := tiding{is: isHeld, keys: []string{onHeld, onFailed}, level: notify.Warn, why: e.Error}
		switch {
		case !e.Safe:
			t.is, t.level = isUnsafe, notify.Bad
		case fallsBack(s.Plan) && !strings.Contains(e.Error, steps.ErrStays.Error()):
			t.is = fallsBackNext
		}
		return t, true
	case plans.Interrupted:
		return tiding{is: isInterrupted, keys: []string{onHeld, onFailed}, level: notify.Warn, why: e.Note}, true
	case plans.Aborted:
		t := tiding{is: isPutBack, keys: []string{onRolledBack, onFailed}, level: notify.Warn, why: because(s, e)}
		if !s.Touched {
			t.is = isNotBegun
		}
		return t, true
	case plans.Done:
		if s.Plan.Back {
			return tiding{is: isBroughtBack, keys: []string{onRolledBack, onFinished}, level: notify.Good}, true
		}
		return tiding{is: isDone, keys: []string{onFinished}, level: notify.Good}, true
	}
	return tiding{}, false
}

// because says why everything was put back, and what has come of that.
func because(s plans.State, e plans.Event) string {
	var all []string
	for _, part := range []string{e.Error, s.Why, e.Note} {
		if part != "" {
			all = append(all, part)
		}
	}
	return strings.Join(all, "; ")
}

// alarm tells that the group that serves is hurt, once until it is well again, and then that.
func (n *newsworthy) alarm(e plans.Event) (tiding, bool) {
	was := n.hurt
	n.hurt = e.Error != ""
	switch {
	case n.hurt && !was:
		return tiding{is: isHurt, keys: []string{onAlarm}, level: notify.Bad, why: e.Error, group: e.Group}, true
	case was && !n.hurt:
		return tiding{is: isWell, keys: []string{onAlarm}, level: notify.Info, why: e.Note, group: e.Group}, true
	}
	return tiding{}, false
}

// drains tells once of a drain that takes longer than expected.
func (n *newsworthy) drains(s plans.State, e plans.Event) (tiding, bool) {
	st, ok := s.Current()
	if !ok || st.Kind != plans.Drain || e.Group != st.Group || e.Step != s.Step || e.Sessions == nil || n.slow {
		return tiding{}, false
	}
	until := 0
	if st.Drain != nil {
		until = st.Drain.Until
	}
	if e.Sessions.Known() && e.Sessions.Total <= until {
		return tiding{}, false
	}
	var last time.Duration
	if s.Step < len(n.last) && s.Plan.Purpose == plans.Update {
		last = n.last[s.Step]
	}
	if most, known := expected(st.Within.Duration(), last); !known || e.Sub(s.Progress[s.Step].Began) < most {
		return tiding{}, false
	}
	n.slow = true
	return tiding{is: drainsSlowly, keys: []string{onDrainSlow}, level: notify.Warn, group: st.Group}, true
}

// expected is how long a drain may take until it is news: half as long again as the last time and half a minute longer at least, or longer than the last
// time with nine tenths of its deadline gone. Where there is no last time, four fifths of its deadline. It is false where there is neither.
func expected(deadline, last time.Duration) (time.Duration, bool) {
	switch {
	case last > 0 && deadline > 0:
		return min(max(last*3/2, last+30*time.Second), max(last, deadline/10*9)), true
	case last > 0:
		return max(last*3/2, last+30*time.Second), true
	}
	return deadline / 5 * 4, deadline > 0
}
