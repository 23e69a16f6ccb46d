package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Lines turns events into lines for a log: one line for each event worth one, the time first, then what it is about, then what
// happened. Events come many times a second while a drain waits, so it remembers what it has said. The zero is ready for use.
type Lines struct {
	Lang  Lang   // its zero is English
	Flags string // of every command that is advised: -c game.yaml

	writes  int       // requests of the step under way that were accepted
	drained time.Time // of the last line about a drain; zero: none yet in this step
	first   int       // sessions at the first of them
	left    int       // sessions at the last of them
	missing string    // machines not read at the last of them
	noted   time.Time // of the last note
	head    string    // what the last note was about
	said    string    // the last line, to say nothing twice
}

const (
	drainEach = 15 * time.Second // between two lines about a drain, unless much has changed
	drainSoon = 5 * time.Second  // even if a machine comes and goes
	noteEach  = 15 * time.Second // between two notes that begin alike
)

// Next gives the line for e, without its end, and whether it is worth one. s is the state after e.
func (l *Lines) Next(s plans.State, e plans.Event) (string, bool) {
	kind, text, ok := l.Parts(s, e)
	if !ok {
		return "", false
	}
	return e.At.UTC().Format(time.RFC3339) + " " + pad(kind, 8) + " " + text, true
}

// Parts gives the line for e as Next does, without its time and taken apart: what it is about, and what happened.
func (l *Lines) Parts(s plans.State, e plans.Event) (kind, text string, ok bool) {
	kind, text = l.tell(s, e)
	text = strings.TrimSpace(oneLine(text))
	if text == "" || kind+text == l.said {
		return "", "", false
	}
	l.said = kind + text
	return kind, text, true
}

// tell gives what an event is about and what it says; empty where it is not worth a line.
func (l *Lines) tell(s plans.State, e plans.Event) (kind, text string) {
	switch e.What {
	case plans.Planned:
		return l.Lang.planning(s, e)
	case plans.Resumed:
		if st, ok := s.Current(); ok && (s.Step > 0 || s.Progress[s.Step].Status != plans.Pending) && s.Plan.Purpose == plans.Update {
			return l.Lang.Say("resume", "继续"), l.Lang.Say("run=%s by %s at %s", "运行编号 %s，由 %s 接手，%s", s.Plan.ID, e.By, l.Lang.numbered(s, st))
		}
		return "", ""
	case plans.Asked:
		return l.Lang.Say("asked", "要求"), l.Lang.asked(e)
	case plans.Adopted:
		return l.Lang.Say("adopted", "沿用"), l.Lang.ruled(s, e)
	case plans.Overruled:
		return l.Lang.Say("overruled", "改写"), l.Lang.ruled(s, e)
	case plans.Paused, plans.Held, plans.Interrupted, plans.Done, plans.Aborted:
		return l.Lang.Phase(s.Phase), l.Lang.ending(s, e, l.Flags)
	}
	if e.Step < 0 || e.Step >= len(s.Plan.Steps) {
		return l.Lang.Say("note", "备注"), l.Lang.Said(e.Note)
	}
	st := s.Plan.Steps[e.Step]
	return l.Lang.Kind(st.Kind), l.step(s, e, st)
}

// asked says what was asked for from elsewhere, and by whom.
func (l Lang) asked(e plans.Event) string {
	switch e.Request {
	case plans.AskPause:
		return l.Say("to pause after the step under way, by %s", "%s 要求在这一步之后暂停", e.By)
	case plans.AskResume:
		return l.Say("to go on, by %s", "%s 要求继续", e.By)
	case plans.AskAbort:
		return l.Say("to abort, by %s", "%s 要求中止", e.By)
	}
	return l.Say("to %s, by %s", "%[2]s 要求 %[1]s", e.Request, e.By)
}

// planning says what a new plan is for.
func (l Lang) planning(s plans.State, e plans.Event) (kind, text string) {
	if e.Plan == nil {
		return "", ""
	}
	if e.Plan.Purpose == plans.Leaving {
		return l.Say("retreat", "退回"), l.reason(e.Note) + l.Say("every backend back as it was found", "所有后端恢复原状")
	}
	return l.Say("start", "开始"), l.Say("%s %s run=%s order=%s,%s", "%s %s，运行编号 %s，先 %s 后 %s", s.Plan.Service, releases(s.Plan.Was, s.Plan.Release, "→"), s.Plan.ID, s.Plan.First, s.Plan.Second)
}

func (l Lang) reason(note string) string {
	if note == "" {
		return ""
	}
	return l.Say("%s: ", "%s：", l.Said(note))
}

// ending says how a run stopped, where traffic is, and what to type.
func (l Lang) ending(s plans.State, e plans.Event, flags string) string {
	took := l.Span(s.Last.At.Sub(s.Began.At))
	sum := l.Say("%d sessions moved, %d cut", "%d 条长连接自然结束，%d 条被掐断", s.Moved(), s.Cut())
	switch e.What {
	case plans.Done:
		return l.Say("%s %s in %s, %s", "%s %s，用时 %s，%s", s.Plan.Service, releases(s.Plan.Was, s.Plan.Release, "→"), took, sum)
	case plans.Aborted:
		return l.Say("after %s, %s; %s", "用时 %s，%s；%s", took, sum, l.Traffic(s))
	case plans.Held:
		if !s.Safe {
			return l.Say("NOT PROVEN SAFE: %s", "未证实安全：%s", l.Traffic(s)+l.advised(s, flags))
		}
		return l.Say("safe: %s", "安全：%s", l.Traffic(s)+l.advised(s, flags))
	}
	return l.reason(e.Note) + l.Traffic(s) + l.advised(s, flags)
}

// advised names the commands that go on from here.
func (l Lang) advised(s plans.State, flags string) string {
	var cs []string
	for _, a := range Next(s) {
		cs = append(cs, a.With(flags))
	}
	if len(cs) == 0 {
		return ""
	}
	return l.Say("; next: %s", "；下一步：%s", strings.Join(cs, l.Say(" or ", " 或 ")))
}

// step says what an event tells about the step it belongs to.
func (l *Lines) step(s plans.State, e plans.Event, st plans.Step) string {
	switch e.What {
	case plans.Began:
		*l = Lines{Lang: l.Lang, Flags: l.Flags, said: l.said}
		switch st.Kind {
		case plans.Shift, plans.Drain: // the first says what it did, the second how many sessions there are
			return l.Lang.Said(e.Note)
		}
		return l.Lang.does(s.Plan, e.Step, PlanOptions{})
	case plans.Wrote:
		return l.wrote(e.Answers)
	case plans.Counted:
		return l.counted(s, e, st)
	case plans.Called:
		return l.Lang.called(e)
	case plans.Alarmed:
		return l.Lang.alarmed(e)
	case plans.Tried:
		return l.Lang.tried(s, e)
	case plans.Ran:
		return l.Lang.commandEnded(s.Plan, e)
	case plans.Noted:
		return l.note(e)
	case plans.Ended:
		return l.Lang.Say("ok %s", "完成：%s", l.ended(s, e, st))
	case plans.Failed:
		why := strings.TrimPrefix(e.Error, string(st.Kind)+" "+st.Group+": ")
		return l.Lang.Say("FAILED %s: %s", "%s 失败：%s", st.Group, l.Lang.Said(why))
	}
	return ""
}

// alarmed says that the group that serves is hurt while the other is out, or is whole again.
func (l Lang) alarmed(e plans.Event) string {
	if e.Error == "" {
		return l.Say("%s is whole again", "%s 恢复完好", e.Group)
	}
	return l.Say("ALARM %s, which serves, is hurt: %s", "警报：正在服务的 %s 受损：%s", e.Group, l.Said(e.Error))
}

// tried says which group answered the connections made through the load balancer.
func (l Lang) tried(s plans.State, e plans.Event) string {
	all, by := 0, map[string]int{}
	for host, n := range e.Hits {
		all += n
		for _, m := range s.Plan.Machines {
			if m.Host == host {
				by[m.Group] += n
			}
		}
	}
	var parts []string
	for _, g := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s %d", g, by[g]))
	}
	return l.Say("%s through the load balancer, answered by %s", "经负载均衡建立 %s，应答的是 %s", l.plural(all, "connection"), strings.Join(parts, l.comma()))
}

// ruled says what a person has said of values that somebody else had set.
func (l Lang) ruled(s plans.State, e plans.Event) string {
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(e.Weights)) {
		word := l.Say("%s (%s) keeps weight %d", "%s（%s）保留权重 %d", id, s.Plan.Before[id].Addr, e.Weights[id])
		if e.What == plans.Overruled {
			word = l.Say("%s (%s) may be put back from weight %d", "%s（%s）的权重 %d 可以改回", id, s.Plan.Before[id].Addr, e.Weights[id])
		}
		parts = append(parts, word)
	}
	return l.Say("%s, by %s", "%s，由 %s 决定", l.clauses(parts), e.By)
}

// note says a note, unless one that begins alike was said a moment ago: which port is the first silent one changes each second.
func (l *Lines) note(e plans.Event) string {
	head, _, _ := strings.Cut(e.Note, ":")
	if head == l.head && e.At.Sub(l.noted) < noteEach {
		return ""
	}
	l.head, l.noted = head, e.At
	return l.Lang.Said(e.Note)
}

// commandEnded says how a command failed; nothing where it did not.
func (l Lang) commandEnded(p plans.Plan, e plans.Event) string {
	switch {
	case e.Command == nil:
		return ""
	case e.EndedBy == plans.Absent:
		return l.Say("%s on %s: not begun: %s", "%[2]s 上的%[1]s：没有开始：%[3]s", l.act(e.Command.Do), p.Name(e.Command.Host), e.Error)
	case e.Error != "":
		return l.Say("%s on %s: outcome not known: %s", "%[2]s 上的%[1]s：结果未知：%[3]s", l.act(e.Command.Do), p.Name(e.Command.Host), e.Error)
	case e.Code != 0:
		return l.Say("%s on %s: exit %d%s", "%[2]s 上的%[1]s：退出码 %[3]d%[4]s", l.act(e.Command.Do), p.Name(e.Command.Host), e.Code, l.last(e.Output))
	}
	return ""
}

// last gives the last line a command printed, after a colon.
func (l Lang) last(output string) string {
	if said := lastLine(output); said != "" {
		return l.Say(": %s", "：%s", said)
	}
	return ""
}

// wrote says what became of some requests, where not every one was accepted.
func (l *Lines) wrote(as []plans.Answer) string {
	count := map[plans.Outcome]int{}
	why := map[string]int{}
	most := ""
	for _, a := range as {
		count[a.Outcome]++
		if a.Outcome == plans.Refused && a.Error != "" {
			if why[a.Error]++; most == "" || why[a.Error] > why[most] {
				most = a.Error
			}
		}
	}
	l.writes += count[plans.Accepted]
	if count[plans.Accepted] == len(as) {
		return ""
	}
	parts := []string{l.Lang.Say("%d of %d accepted", "%d/%d 次写入被接受", count[plans.Accepted], len(as))}
	if n := count[plans.Refused]; n > 0 {
		part := l.Lang.Say("%d refused", "%d 次被拒绝", n)
		if most != "" {
			part += l.Lang.Say(" (%s)", "（%s）", cut(oneLine(most), 80))
		}
		parts = append(parts, part)
	}
	if n := count[plans.Unknown]; n > 0 {
		parts = append(parts, l.Lang.Say("%d unknown", "%d 次结果未知", n))
	}
	return l.Lang.Say("%s; looking", "%s；正在读回", l.Lang.clauses(parts))
}

// ended says what a step that ended well has reached.
func (l *Lines) ended(s plans.State, e plans.Event, st plans.Step) string {
	p := s.Progress[e.Step]
	d := l.Lang.Span(took(p))
	switch st.Kind {
	case plans.Shift:
		if l.writes == 0 {
			return l.Lang.Say("%s (nothing to write, %s, read back)", "%s（不用写入，%s，已读回）", l.Lang.shiftDone(s.Plan, e.Step), d)
		}
		return l.Lang.Say("%s (%s, %s, read back)", "%s（%s，%s，已读回）", l.Lang.shiftDone(s.Plan, e.Step), l.Lang.plural(l.writes, "write"), d)
	case plans.Drain:
		if e.EndedBy == "deadline" {
			return l.Lang.Say("%s %s left at the deadline after %s, to be cut by the restart", "%s 用时 %[3]s，到截止时还剩 %[2]s，将被重启掐断", st.Group, l.Lang.sessions(p.Left), d)
		}
		return l.Lang.Say("%s %s after %s, %d cut", "%s 用时 %[3]s，剩 %[2]s，掐断 %[4]d 条", st.Group, l.Lang.sessions(p.Left), d, p.Cut)
	case plans.Restart:
		return l.Lang.Say("%s after %s, %d cut", "%s 用时 %s，掐断 %d 条", st.Group, d, p.Cut)
	}
	return l.Lang.Say("%s after %s", "%s 用时 %s", st.Group, d)
}

// sessions writes a count without commas, since a log is read by programs too.
func (l Lang) sessions(n int) string {
	if n == 1 {
		return l.plural(n, "session")
	}
	return l.Say("%d sessions", "%d 条长连接", n)
}
