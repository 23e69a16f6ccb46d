package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/notify"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// news is an ear that tells people in their chat. It only ever puts a message into the outbox: a receiver that hangs holds nothing up.
type news struct {
	newsworthy
	to  []config.Notify
	out *notify.Outbox
	say func(format string, args ...any)
}

// news gives the ear of a run that is about to be carried out from state st.
func (s *site) news(st plans.State) *news {
	n := &news{newsworthy: newsworthy{was: st}, to: s.cfg.Notify, say: s.env.say}
	if len(n.to) == 0 {
		return n
	}
	if s.env.outbox == nil {
		s.env.outbox = notify.NewOutbox(notify.NewSender(nil), receivers(n.to))
		for _, c := range n.to {
			if c.URL == "" {
				n.say("rollout: notify: %s is told nothing: a variable of its url or secret is not set here", c.To)
			}
		}
	}
	n.out = s.env.outbox
	if slices.ContainsFunc(n.to, func(c config.Notify) bool { return slices.Contains(c.On, onDrainSlow) }) {
		n.last = view.Lasted(update(st), s.past(st.Plan.ID))
	}
	return n
}

func receivers(cs []config.Notify) []notify.Receiver {
	var all []notify.Receiver
	for _, c := range cs {
		all = append(all, notify.Receiver{To: c.To, URL: notify.Secret(c.URL), Secret: notify.Secret(c.Secret)})
	}
	return all
}

func (n *news) hear(s plans.State, e plans.Event) {
	defer n.spare()
	if t, ok := n.of(s, e); ok {
		n.tell(t, s, e.At)
	}
}

// spare keeps a defect of the telling from ending what is told of.
func (n *news) spare() {
	if p := recover(); p != nil {
		n.say("rollout: notify: %v: this is a defect of rollout, please report it; the run goes on", p)
	}
}

// broken tells that the run could not go on since its journal could not be written. No event tells that.
func (n *news) broken(s plans.State, err error) {
	defer n.spare()
	if s.Phase == plans.PhaseRunning {
		n.tell(tiding{is: isBroken, keys: []string{onHeld, onFailed}, level: notify.Bad, why: err.Error()}, s, time.Now())
	}
}

// leftHeld tells that a run stays held after all: what was to follow it could not begin.
func (n *news) leftHeld(s plans.State, err error) {
	defer n.spare()
	n.tell(tiding{is: isHeld, keys: []string{onHeld, onFailed}, level: notify.Warn, why: err.Error()}, s, time.Now())
}

func (n *news) tell(t tiding, s plans.State, at time.Time) {
	for i, c := range n.to {
		if c.URL != "" && slices.ContainsFunc(t.keys, func(k string) bool { return slices.Contains(c.On, k) }) {
			n.out.Tell(i, t.message(s, at, tongue{view.Lang(c.Lang)}))
		}
	}
}

// How long the end of the process waits for news that is on its way. After a signal it is less: whoever sent it may soon send the one that kills.
const (
	lastWords      = 5 * time.Second
	lastWordsHasty = 2 * time.Second
)

// farewell waits a moment for news that is still on its way, and says what was not told. By then the result is printed and the lock is free: nobody
// waits for it but this process, and a signal ends that.
func (e *env) farewell(ctx context.Context) {
	if e.outbox == nil {
		return
	}
	within := lastWords
	if ctx.Err() != nil {
		ctx, within = context.WithoutCancel(ctx), lastWordsHasty
	}
	for _, m := range e.outbox.Close(ctx, within) {
		e.say("rollout: notify: %s (number %d) was not told %q: %v", m.To, m.Receiver+1, m.Message.Title, m.Err)
	}
}

// message writes a tiding for people of one language.
func (t tiding) message(s plans.State, at time.Time, in tongue) notify.Message {
	m := notify.Message{
		ID: fmt.Sprintf("%s-%d-%s", s.Plan.ID, s.Seq, t.keys[0]), Kind: t.keys[0], Level: t.level, Lang: string(in.Lang), At: at,
		Service: s.Plan.Service, Run: s.Plan.ID, From: s.Plan.Was, To: s.Plan.Release, By: s.By, Moved: s.Moved(), Cut: s.Cut(),
		Title: flat(in.title(t, s)),
	}
	if m.By == "" {
		m.By = s.Plan.By
	}
	switch {
	case t.is == isBroken:
		m.Next = []string{"rollout status"}
	case s.Phase != plans.PhaseRunning && t.is != fallsBackNext:
		for _, a := range view.Next(s) {
			m.Next = append(m.Next, a.Command)
		}
	}
	for _, l := range in.lines(t, s, m) {
		if l.Text = flat(l.Text); l.Text != "" {
			m.Lines = append(m.Lines, l)
		}
	}
	return m
}

// lineRunes is how much of one line is told. The rest is in the journal.
const lineRunes = 300

// flat makes one short line of a text that may have come from a machine.
func flat(text string) string {
	rs := []rune(strings.Join(strings.Fields(view.Clean(text)), " "))
	if len(rs) > lineRunes {
		return string(rs[:lineRunes-1]) + "…"
	}
	return string(rs)
}
