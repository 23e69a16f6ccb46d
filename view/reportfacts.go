package view

import (
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
)

// fact is one thing that every form of a report says of the run as a whole.
type fact struct{ Label, Text string }

// facts gives what is to be said of the run as a whole, the most important first.
func (d ReportDoc) facts() []fact {
	l := d.lang
	fs := []fact{
		{l.Say("Damaged", "运行记录损坏"), d.Damage},
		{l.Say("Why", "原因"), l.Said(d.Why)},
		{l.Say("Traffic", "流量"), capital(d.Traffic)},
		{l.Say("Safe", "安全"), d.safely()},
		{l.Say("Sessions", "长连接"), l.Say("%s ended by themselves, %s cut", "%s 条自然结束，%s 条被掐断", number(d.Sessions.Moved), number(d.Sessions.Cut))},
		{l.Say("When", "时间"), d.when()},
		{l.Say("Order", "顺序"), strings.Join(d.Order, l.Say(", then ", "，然后 "))},
		{l.Say("Requests", "请求"), l.tries(d.Requests, l.Say("%s sent", "发出 %s 次", number(d.Requests.Sent)), l.Say("refused", "被拒绝"))},
		{l.Say("Commands", "命令"), l.tries(d.Commands, l.Say("%s sent", "发出 %s 次", number(d.Commands.Sent)), l.Say("failed", "失败"))},
		{l.Say("Next", "接下来"), strings.Join(d.Next, l.Say(" or ", " 或 "))},
	}
	var said []fact
	for _, f := range fs {
		if f.Text != "" {
			said = append(said, fact{f.Label, oneLine(f.Text)})
		}
	}
	return said
}

// safely says whether a run that has stopped part-way has left a group that is proven to serve; nothing of one that is over.
func (d ReportDoc) safely() string {
	switch {
	case d.Safe == nil, d.Phase.Over():
		return ""
	case *d.Safe:
		return d.lang.Say("a group is proven to take new connections", "已证实有一组在接新连接")
	}
	return d.lang.Say("NOT PROVEN: no group is proven to take new connections", "未证实：没有一组被证实在接新连接")
}

// when says when the run began, how long it took, and who began it.
func (d ReportDoc) when() string {
	if d.Started == nil {
		return ""
	}
	return d.lang.Say("%s, %s, by %s", "%s，用时 %s，由 %s 发起", d.Started.Format("2006-01-02 15:04:05Z"), d.lang.lasting(d.DurationS), d.By)
}

func (l Lang) lasting(seconds float64) string {
	return l.Span(time.Duration(seconds * float64(time.Second)))
}

// tries says how much was sent and what of it went wrong; failed is the word for what surely was not done. Where nothing was sent it says nothing.
func (l Lang) tries(t plans.Tries, sent, failed string) string {
	if t.Sent == 0 {
		return ""
	}
	parts := []string{sent}
	for _, p := range []struct {
		n    int
		word string
	}{{t.Refused, failed}, {t.Unknown, l.Say("of unknown outcome", "结果未知")}, {t.Again, l.Say("sent again", "重发")}} {
		if p.n > 0 {
			parts = append(parts, l.Say("%[1]s %[2]s", "%[2]s %[1]s 次", number(p.n), p.word))
		}
	}
	return l.clauses(parts)
}

// title names a step.
func (s ReportStepDoc) title(l Lang) string { return l.title(s.Index+1, s.Kind, s.Group) }

// took says how long a step took; empty where it has not ended.
func (s ReportStepDoc) took(l Lang) string {
	if s.DurationS == nil {
		return ""
	}
	return l.lasting(*s.DurationS)
}

// said says what came of a step and what it took more than it should have.
func (s ReportStepDoc) said(l Lang) string {
	var parts []string
	for _, p := range []string{s.Reached, s.Error} {
		if p != "" {
			parts = append(parts, oneLine(p))
		}
	}
	if s.Begun > 1 {
		parts = append(parts, l.Say("begun %s", "开始了 %s", l.often(s.Begun)))
	}
	if t := s.Requests; t.Refused+t.Unknown+t.Again > 0 {
		parts = append(parts, l.tries(t, l.Say("%s requests", "请求 %s 次", number(t.Sent)), l.Say("refused", "被拒绝")))
	}
	if t := s.Commands; t.Refused+t.Unknown+t.Again > 0 {
		parts = append(parts, l.tries(t, l.Say("%s commands", "命令 %s 次", number(t.Sent)), l.Say("failed", "失败")))
	}
	if len(parts) == 0 {
		return s.state(l)
	}
	return strings.Join(parts, l.Say("; ", "；"))
}

// state says where a step is that has reached nothing yet.
func (s ReportStepDoc) state(l Lang) string {
	switch {
	case s.Status == plans.Pending:
		return l.Say("not reached", "没有走到")
	case s.Status == plans.StepSkipped:
		return l.Say("left out: the way back came first", "略过：先退回了")
	case s.Status == plans.UnderWay && s.First != nil && s.Left != nil:
		return l.Say("%[1]s of %[2]s left", "%[2]s还剩 %[1]s 条", number(*s.Left), l.plural(*s.First, "session"))
	case s.Status == plans.UnderWay:
		return l.Say("not ended", "没有结束")
	}
	return l.status(s.Status)
}

// status names where a step is.
func (l Lang) status(s plans.Status) string {
	switch s {
	case plans.Pending:
		return l.Say("pending", "待开始")
	case plans.UnderWay:
		return l.Say("running", "进行中")
	case plans.StepDone:
		return l.Say("done", "已完成")
	case plans.StepFailed:
		return l.Say("failed", "失败")
	case plans.StepSkipped:
		return l.Say("skipped", "略过")
	}
	return string(s)
}

// often says how many times.
func (l Lang) often(n int) string {
	switch n {
	case 1:
		return l.Say("once", "1 次")
	case 2:
		return l.Say("twice", "2 次")
	}
	return l.Say("%d times", "%d 次", n)
}

// said says how a command failed.
func (f FaultDoc) said(l Lang) string {
	if f.Exit == nil {
		return oneLine(l.Say("%s on %s: outcome not known: %s", "%[2]s 上的%[1]s：结果未知：%[3]s", l.act(f.Act), f.Machine, f.Error))
	}
	return oneLine(l.Say("%s on %s: exit %d", "%[2]s 上的%[1]s：退出码 %[3]d", l.act(f.Act), f.Machine, *f.Exit))
}

// tailLines is how much of what a command printed a report shows.
const tailLines = 20

// tail gives the end of what the command printed.
func (f FaultDoc) tail() string {
	ls := strings.Split(strings.TrimRight(Clean(f.Output), "\n"), "\n")
	return strings.Join(ls[max(0, len(ls)-tailLines):], "\n")
}

// said says how a group stood at the end.
func (g GroupDoc) said(l Lang) string {
	parts := []string{side{total: g.Backends.Total, on: g.Backends.On}.backends(l)}
	if g.Backends.Sick > 0 {
		parts = append(parts, l.Say("%s not healthy", "其中 %s 不健康", number(g.Backends.Sick)))
	}
	if runs := (side{release: g.Release, proven: g.Proven}).runs(l); runs != "" {
		parts = append([]string{runs}, parts...)
	}
	return oneLine(l.clauses(parts))
}

// starts says how often the machines of a group were sent the command that starts them.
func (g GroupDoc) starts(l Lang) string {
	by := map[int][]string{}
	most := 0
	for _, m := range g.Machines {
		by[m.Starts] = append(by[m.Starts], m.Name)
		most = max(most, m.Starts)
	}
	var parts []string
	for n := most; n > 0; n-- {
		if len(by[n]) > 0 {
			parts = append(parts, l.Say("%s started %s", "%s 启动 %s", l.few(by[n]), l.often(n)))
		}
	}
	if len(parts) == 0 {
		return l.Say("none started", "都没有启动过")
	}
	return oneLine(strings.Join(parts, l.Say("; ", "；")))
}
