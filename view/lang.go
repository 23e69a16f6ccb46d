package view

import (
	"fmt"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Lang is a language in which a run can be told. Its zero is English. What machines have said themselves, such as an error, stays
// as it is in every language, and so do names, commands and the keys of rollout.yaml. For what steps have said see [Lang.Said].
type Lang string

// The languages.
const (
	English Lang = "en"
	Chinese Lang = "zh-CN"
)

// Say gives a sentence in l. Both formats are of the same arguments, so that a sentence stands once for each language and in one
// place, and the choice between two sentences is made once for both.
func (l Lang) Say(en, zh string, args ...any) string {
	if l == Chinese {
		return fmt.Sprintf(zh, args...)
	}
	return fmt.Sprintf(en, args...)
}

// measured are the nouns that are counted: in Chinese with the word that stands between a number and its noun.
var measured = map[string]string{
	"session": "条长连接", "backend": "个后端", "machine": "台机器", "process": "个进程", "port": "个端口",
	"connection": "个连接", "connector": "个 connector", "write": "次写入",
}

// plural writes n and its noun: 1 session, 1,284 sessions.
func (l Lang) plural(n int, noun string) string {
	switch zh, known := measured[noun]; {
	case l == Chinese && known:
		return number(n) + " " + zh
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		noun += "e"
	}
	return number(n) + " " + noun + "s"
}

// list joins words as people do: a, b and c.
func (l Lang) list(words []string) string { return joined(words, l.comma(), l.Say(" and ", " 和 ")) }

// phrases is list for what is longer than a word.
func (l Lang) phrases(parts []string) string {
	return joined(parts, l.Say(", ", "，"), l.Say(" and ", "，且 "))
}

func joined(words []string, comma, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	end := len(words) - 1
	return strings.Join(words[:end], comma) + and + words[end]
}

// few is list, but names no more than four machines of many.
func (l Lang) few(names []string) string {
	if len(names) > 5 {
		return l.Say("%s and %d more", "%s 和另外 %d 台", strings.Join(names[:4], l.comma()), len(names)-4)
	}
	return l.list(names)
}

// comma stands between the words of a list.
func (l Lang) comma() string { return l.Say(", ", "、") }

// clauses joins the parts of one sentence.
func (l Lang) clauses(parts []string) string { return strings.Join(parts, l.Say(", ", "，")) }

// Phase names where a run is as a whole.
func (l Lang) Phase(p plans.Phase) string {
	switch p {
	case plans.PhasePlanned:
		return l.Say("planned", "待开始")
	case plans.PhaseRunning:
		return l.Say("running", "进行中")
	case plans.PhasePaused:
		return l.Say("paused", "已暂停")
	case plans.PhaseHeld:
		return l.Say("held", "暂停并保持")
	case plans.PhaseInterrupted:
		return l.Say("interrupted", "已中断")
	case plans.PhaseDone:
		return l.Say("done", "已完成")
	case plans.PhaseAborted:
		return l.Say("aborted", "已中止")
	}
	return string(p)
}

// Kind names a kind of step.
func (l Lang) Kind(k plans.Kind) string {
	switch k {
	case plans.Shift:
		return l.Say("shift", "切流量")
	case plans.Drain:
		return l.Say("drain", "排空")
	case plans.Deploy:
		return l.Say("deploy", "部署")
	case plans.Restart:
		return l.Say("restart", "重启")
	case plans.Check:
		return l.Say("check", "检查")
	}
	return string(k)
}

// Step names a step: drain group2.
func (l Lang) Step(st plans.Step) string { return l.Say("%s %s", "%s %s", l.Kind(st.Kind), st.Group) }

// act names what a command is for.
func (l Lang) act(do plans.Act) string {
	switch do {
	case plans.DoDeploy:
		return l.Say("deploy", "部署")
	case plans.DoStop:
		return l.Say("stop", "停止")
	case plans.DoReap:
		return l.Say("reap", "清理")
	case plans.DoStart:
		return l.Say("start", "启动")
	case plans.DoMend:
		return l.Say("mend", "补启")
	case plans.DoStatus:
		return l.Say("status", "状态查询")
	case plans.DoHealth:
		return l.Say("health", "健康检查")
	case plans.DoRelease:
		return l.Say("release", "版本查询")
	}
	return string(do)
}
