package main

import (
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/notify"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// tongue is the language people are told in. What machines have said stays as they said it.
type tongue struct{ view.Lang }

// title says in a line what has happened. The word rollout is in each: a robot of DingTalk or Feishu may want to see a word that it knows.
func (in tongue) title(t tiding, s plans.State) string {
	what := s.Plan.Service
	if r := brought(s.Plan); r != "" {
		what += " " + r
	}
	return "rollout " + what + ": " + in.happened(t)
}

// brought says which release is left and which is brought.
func brought(p plans.Plan) string {
	if p.Was != "" && p.Release != "" && p.Was != p.Release {
		return p.Was + " → " + p.Release
	}
	return p.Release
}

func (in tongue) happened(t tiding) string {
	switch t.is {
	case hasBegun:
		return in.Say("started", "已开始")
	case goesOn:
		return in.Say("goes on", "继续进行")
	case isPaused:
		return in.Say("paused", "已暂停")
	case isStuck:
		return in.Say("paused by itself, a person has to decide", "已自行暂停，需要人来决定")
	case isHeld:
		return in.Say("held, safe; a person has to decide", "暂停并保持，流量安全；需要人来决定")
	case fallsBackNext:
		return in.Say("held, safe; on_failure: rollback follows", "暂停并保持，流量安全；接下来按 on_failure: rollback 回滚")
	case isUnsafe:
		return in.Say("HELD, NOT PROVEN SAFE: a person is needed now", "暂停并保持，未证实安全：请立即处理")
	case isBroken:
		return in.Say("STOPPED, the journal cannot be written: a person is needed now", "已停止，运行记录无法写入：请立即处理")
	case isInterrupted:
		return in.Say("interrupted; a person has to resume or abort it", "已中断；需要人来继续或中止")
	case isPutBack:
		return in.Say("put back as it was found", "流量已恢复原状")
	case isNotBegun:
		return in.Say("not begun, nothing was touched", "未开始，什么都没有改动")
	case isDone:
		return in.Say("finished", "已完成")
	case isBroughtBack:
		return in.Say("rolled back", "已回滚")
	case drainsSlowly:
		return in.Say("the drain of %s takes longer than expected", "%s 的排空比预期慢", t.group)
	case isHurt:
		return in.Say("ALARM, %s, which serves, is hurt", "警报：正在服务的 %s 受损", t.group)
	case isWell:
		return in.Say("%s is well again", "%s 已恢复正常", t.group)
	}
	return in.Say("a test", "测试")
}

// lines says what people want to know of it. Empty ones are left out by the caller.
func (in tongue) lines(t tiding, s plans.State, m notify.Message) []notify.Line {
	stopped := s.Phase != plans.PhaseRunning
	var ls []notify.Line
	line := func(en, zh, text string) {
		label := en
		if in.Lang == view.Chinese {
			label = zh
		}
		ls = append(ls, notify.Line{Label: label, Text: text})
	}

	line("What", "情况", in.what(t, s))
	if t.is == isBroken {
		line("Traffic", "流量", in.Say("not known; ask `rollout status --from-cloud`", "未知；请用 rollout status --from-cloud 查看"))
	} else {
		line("Traffic", "流量", in.Traffic(s))
	}
	line("Sessions", "长连接", in.Say("%d ended by themselves, %d cut", "%d 条自然结束，%d 条被掐断", s.Moved(), s.Cut()))
	if st, ok := s.Current(); ok && !s.Phase.Over() {
		line("Step", "步骤", in.Say("%d of %d, %s", "第 %d 步，共 %d 步：%s", s.Step+1, len(s.Plan.Steps), in.Step(st)))
	}
	if t.is == isHurt || t.is == isWell || t.is == drainsSlowly {
		line("If it fails", "若此时失败", in.IfFails(s))
	}
	if stopped {
		line("Took", "用时", in.Span(s.Last.At.Sub(s.Began.At).Round(time.Second)))
	}
	line("Next", "下一步", in.advice(t, s, m.Next))
	line("Run", "运行编号", in.Say("%s by %s", "%s，由 %s 执行", s.Plan.ID, m.By))
	return ls
}

// advice says what may be typed now, and what each command would do.
func (in tongue) advice(t tiding, s plans.State, commands []string) string {
	if t.is == isBroken || len(commands) == 0 {
		return strings.Join(commands, "")
	}
	var all []string
	for _, a := range in.Next(s) {
		all = append(all, in.Say("%s (%s)", "%s（%s）", a.Command, a.Why))
	}
	return strings.Join(all, in.Say(", ", "，"))
}

// what says what it is about beyond its title.
func (in tongue) what(t tiding, s plans.State) string {
	switch t.is {
	case hasBegun:
		return in.Say("%s, then %s; %d steps", "先 %s，后 %s；共 %d 步", s.Plan.First, s.Plan.Second, len(s.Plan.Steps))
	case drainsSlowly:
		return in.slow(s)
	}
	return in.Said(t.why)
}

// slow says how far a drain is, and what follows at its deadline.
func (in tongue) slow(s plans.State) string {
	st, ok := s.Current()
	if !ok {
		return ""
	}
	p, c := s.Progress[s.Step], s.Sessions[st.Group]
	text := in.Say("%d sessions left on %s after %s", "%[2]s 排空 %[3]s后还有 %[1]d 条长连接", c.Total, st.Group, in.Span(s.Last.Sub(p.Began).Round(time.Second)))
	if n := len(c.Unread); n > 0 {
		text += in.Say(", and %d machines not read", "，另有 %d 台机器读不到", n)
	}
	if c.Empty != nil {
		text += in.Say("; empty in about %s", "；预计还需约 %s", in.Span(c.Empty.Duration().Round(time.Second)))
	}
	if st.Within <= 0 || st.Drain == nil {
		return text
	}
	left := max(0, st.Within.Duration()-s.Last.Sub(p.Began)).Round(time.Second)
	return text + in.Say("; deadline in %s, then %s", "；离截止时间还有 %s，届时%s", in.Span(left), in.then(st.Drain.OnDeadline))
}

// then says what follows a deadline with sessions left.
func (in tongue) then(d plans.Deadline) string {
	switch d {
	case plans.Wait:
		return in.Say("it goes on waiting", "继续等待")
	case plans.Pause:
		return in.Say("it pauses", "暂停")
	case plans.Abort:
		return in.Say("everything is put back", "全部恢复原状")
	}
	return in.Say("the restart cuts those that are left", "重启会掐断剩下的")
}
