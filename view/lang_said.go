package view

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// ours are the sentences that the steps themselves write into the journal as a note, a reason or an error, and how Chinese says them. Each %d stands for a
// number, each %s for a name or another sentence of ours; what comes after "since" and "but for" may be anything.
var ours = compiled([][2]string{
	{"every backend is as it was found", "所有后端恢复原状"},
	{"every backend this run had changed is as it was found", "本次更新改动过的后端都恢复原状"},
	{"every backend this run had changed is as it was found, but for %s", "本次更新改动过的后端都恢复原状，例外：%s"},
	{"%d changed by somebody else are left as they are", "%s 个被别人改动的保持不动"},
	{"%d gone from the load balancer: %s", "%s 个已不在负载均衡中：%s"},
	{"%d with another address now: %s", "%s 个现在是另一个地址：%s"},
	{"%d left closed: %s, since %s", "%s 个保持关闭：%s，原因：%s"},
	{"all new connections go to %s, which is healthy", "新连接全部进 %s，该组健康"},
	{"both groups take new connections and are healthy", "两组都在接新连接，都健康"},
	{"no group is proven to take new connections", "未能证实有哪一组在接新连接"},
	{"machines of %s, which is not proven well, take new connections, too", "未证实正常的 %s 也有机器在接新连接"},
	{"asked by %s", "由 %s 要求"},
	{"%d sessions left on %s at the deadline", "到截止时 %[2]s 还剩 %[1]s 条长连接"},
	{"%d sessions left on %s at the deadline, more than the cut_budget of %d", "到截止时 %[2]s 还剩 %[1]s 条长连接，超过 cut_budget 的 %[3]s"},
	{"%d sessions left on %s at the deadline, and %d cut already, more than the cut_budget of %d", "到截止时 %[2]s 还剩 %[1]s 条长连接，已掐断 %[3]s 条，超过 cut_budget 的 %[4]s"},
	{"%s answers; it must go on for %s", "%s 已应答；还须持续 %s"},
	{"%s, which serves, is hurt (%s): %s is opened again", "正在服务的 %s 受损（%s）：重新开启 %s"},
	{"%s is hurt: %s is opened ahead of schedule", "%s 受损：提前开启 %s"},
	{"%s is whole again", "%s 恢复完好"},
	{"backend %s (%s) is off", "后端 %s（%s）已关闭"},
	{"backend %s (%s) is reported unhealthy", "后端 %s（%s）被报告为不健康"},
	{"a signal came before anything was touched", "在改动任何东西之前收到信号"},
	{"a signal ended the process that ran it", "执行更新的进程被信号结束"},
	{"nothing had been touched", "没有改动任何东西"},
})

// saying is one of them, ready to be found.
type saying struct {
	is     *regexp.Regexp
	en, zh string
}

func compiled(pairs [][2]string) []saying {
	var all []saying
	for _, p := range pairs {
		is := strings.NewReplacer("since %s", "since (.+)", "but for %s", "but for (.+)", "%s", "([^;]+?)", "%d", "([0-9]+)").Replace(regexp.QuoteMeta(p[0]))
		all = append(all, saying{regexp.MustCompile("^" + is + "$"), p[0], p[1]})
	}
	return all
}

// Said gives what the run has said of itself in l, as far as it is a sentence of ours, or several of them. What a machine or the API has
// said stays as it is.
func (l Lang) Said(text string) string {
	if l != Chinese || text == "" {
		return text
	}
	if zh, ok := l.whole(text); ok {
		return zh
	}
	for _, between := range [][2]string{{"; ", "；"}, {", and ", "，以及 "}} {
		head, tail, more := strings.Cut(text, between[0])
		if !more {
			continue
		}
		first, ok := l.whole(head)
		rest := l.Said(tail)
		if ok {
			return first + between[1] + rest
		}
		if rest != tail {
			return head + between[1] + rest
		}
	}
	return text
}

// whole says a single sentence of ours; false where it is none.
func (l Lang) whole(text string) (string, bool) {
	for _, s := range ours {
		found := s.is.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		args := make([]any, len(found)-1)
		for i, part := range found[1:] {
			args[i] = l.Said(part)
			if d, err := time.ParseDuration(part); err == nil && part != "0" {
				args[i] = l.Span(d)
			}
		}
		return fmt.Sprintf(s.zh, args...), true
	}
	return "", false
}
