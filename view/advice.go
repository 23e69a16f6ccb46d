package view

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Advice is a command worth typing now, and what it would do.
type Advice struct {
	Command string // without the flags of every command: rollout resume
	Why     string // lower case, no full stop
}

// With gives the command with flags that every command takes, such as -c game.yaml, by which it is about the same service.
func (a Advice) With(flags string) string { return With(a.Command, flags) }

// With is [Advice.With] of any command.
func With(command, flags string) string {
	if flags == "" {
		return command
	}
	return "rollout " + flags + strings.TrimPrefix(command, "rollout")
}

// Next is Lang.Next in English.
func Next(s plans.State) []Advice { return English.Next(s) }

// Next gives the commands that make sense for a run that has stopped, the likeliest first; none for one that is done.
func (l Lang) Next(s plans.State) []Advice {
	switch s.Phase {
	case plans.PhaseDone:
		return nil
	case plans.PhaseAborted:
		return []Advice{{"rollout start", l.Say("a new run, from the beginning", "从头开始一次新的更新")}}
	}
	var as []Advice
	if s.Phase == plans.PhaseHeld && !s.Safe {
		as = append(as, Advice{"rollout check", l.Say("see what does not answer", "看哪里没有应答")})
	}
	resume := l.ruling(s)
	if resume == nil {
		resume = []Advice{{"rollout resume", l.resumed(s)}}
	}
	var abort []Advice
	if _, ok := plans.Retreat(s); ok && s.Plan.Purpose == plans.Update {
		abort = []Advice{{"rollout abort", l.Say("stop for good: %s", "彻底停下：%s", l.retreated(s))}}
	}
	back := l.returned(s)
	switch {
	case s.Phase != plans.PhaseHeld:
	case back != "" && changed(s):
		resume = append(resume, Advice{"rollout rollback", back})
	case len(drifted(s)) == 0 || gone(s): // no machine has been changed: the shortest way is back
		return append(append(as, abort...), resume...)
	}
	return append(append(as, resume...), abort...)
}

// changed says whether the run, or the one that it takes over, has begun to deploy or to restart something.
func changed(s plans.State) bool {
	for _, c := range s.Chapters() {
		for i, p := range c.Progress {
			if k := c.Plan.Steps[i].Kind; !p.Began.At.IsZero() && (k == plans.Deploy || k == plans.Restart) {
				return true
			}
		}
	}
	return s.Dirty[s.Plan.First] || s.Dirty[s.Plan.Second]
}

// drifted gives the backends whose values somebody else has set, as last read.
func drifted(s plans.State) []string {
	if s.Weights == nil {
		return nil
	}
	return plans.Drifted(s, s.Weights)
}

// gone says whether one of the run's backends is no longer behind the load balancer.
func gone(s plans.State) bool {
	return slices.ContainsFunc(drifted(s), func(id string) bool { _, there := s.Weights[id]; return !there })
}

// mostNamed is how many backends a command names. Of more, each is a matter of its own.
const mostNamed = 6

// ruling gives the commands that say what becomes of values that somebody else has set: to resume without a word would hold again. There are none where
// there is nothing to rule, or a backend is gone.
func (l Lang) ruling(s plans.State) []Advice {
	ids := drifted(s)
	if len(ids) == 0 || gone(s) {
		return nil
	}
	want := wanted(s)
	var words, now, then []string
	for _, id := range ids {
		words, now, then = append(words, Typed(id)), append(now, strconv.Itoa(s.Weights[id])), append(then, strconv.Itoa(want[id]))
	}
	adopt := Advice{"rollout resume --adopt", l.Say("let %s stand, and go on", "保留 %s，然后继续", l.list(slices.Compact(now)))}
	if len(ids) > mostNamed {
		return []Advice{{adopt.Command, l.Say("let all %d values stand that this run did not set, and go on", "保留全部 %d 个不是本次更新设置的值，然后继续", len(ids))}}
	}
	return []Advice{{"rollout resume --overwrite " + strings.Join(words, ","), l.Say("put weight %s back, and go on", "把权重改回 %s，然后继续", l.list(slices.Compact(then)))}, adopt}
}

// Typed writes a word as a shell takes it for one.
func Typed(word string) string {
	plain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._:/@%+=-", r))
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// resumed says what resuming would do first.
func (l Lang) resumed(s plans.State) string {
	st, ok := s.Current()
	switch {
	case !ok:
		return l.Say("look once more that everything is as it should be", "再确认一遍一切正常")
	case s.Phase == plans.PhaseHeld:
		return l.Say("try %s again, and go on", "重试“%s”，然后继续", l.Step(st))
	}
	return l.Say("go on with %s", "继续%s", l.numbered(s, st))
}

// numbered names a step of a run by its number and what it does: step 2 of 11, drain group2.
func (l Lang) numbered(s plans.State, st plans.Step) string {
	return l.Say("step %d of %d, %s", "第 %d/%d 步：%s", s.Step+1, len(s.Plan.Steps), l.Step(st))
}

// returned says what a rollback would bring back; empty where the run brings nothing, or nobody knows what was there before it.
func (l Lang) returned(s plans.State) string {
	p := s.Plan
	if p.Purpose != plans.Update || p.Was == "" || p.Was == p.Release || strings.Contains(p.Was, "+") {
		return ""
	}
	if !slices.ContainsFunc(p.Steps, func(st plans.Step) bool { return st.Kind == plans.Deploy }) {
		return ""
	}
	return l.Say("%s back by the same safe path", "按同样安全的步骤换回 %s", p.Was)
}

// retreated says what a retreat would leave behind.
func (l Lang) retreated(s plans.State) string {
	var updated []string
	for _, d := range sidesOf(s) {
		if s.Updated[d.name] {
			updated = append(updated, d.name)
		}
	}
	what := l.Say("every backend as it was found", "所有后端恢复原状")
	if len(updated) > 0 && s.Plan.Release != "" {
		what += l.Say("; %s on %s", "；%s 已是 %s", l.list(updated), s.Plan.Release)
	}
	return what
}
