package view

import (
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/plans"
)

// Traffic says in one sentence, without a full stop, which group takes new connections as far as the state knows: how many of
// its backends are on, whether the load balancer calls them healthy, and its sessions.
func (l Lang) Traffic(s plans.State) string { return l.traffic(s) + l.strays(s) }

// Traffic is Lang.Traffic in English.
func Traffic(s plans.State) string { return English.Traffic(s) }

// strays says that the load balancer was found to send players to a group all of whose backends it calls off; nothing where it was not.
func (l Lang) strays(s plans.State) string {
	if s.Phase == plans.PhaseRunning || s.Phase.Over() {
		return ""
	}
	for _, d := range sidesOf(s) {
		n, all := 0, 0
		for host, hits := range s.Hits {
			all += hits
			if slices.Contains(s.Plan.Hosts(d.name), host) {
				n += hits
			}
		}
		if d.on == 0 && n > 0 {
			return l.Say("; but %d of %s through the load balancer were answered by %s, which it calls off",
				"；但经负载均衡的 %[2]s中有 %[1]d 个由 %[3]s 应答，而负载均衡称它已关闭", n, l.plural(all, "connection"), d.name)
		}
	}
	return ""
}

func (l Lang) traffic(s plans.State) string {
	ss := sidesOf(s)
	if s.Phase == plans.PhaseHeld && !s.Safe {
		return l.Say("no group is proven to take new connections; %s", "未能证实有哪一组在接新连接；%s", l.lastRead(s, ss))
	}
	if s.Unlooked && s.Phase != plans.PhaseRunning {
		return l.Say("not known: writes were sent and not looked at any more; %s", "未知：写请求已发出，之后没有再读回；%s", l.lastRead(s, ss))
	}
	var on []side
	for _, d := range ss {
		if d.on > 0 {
			on = append(on, d)
		}
	}
	switch {
	case len(s.Plan.Before) == 0:
		return l.Say("not known: no backend has been read", "未知：还没有读到任何后端")
	case len(on) == 0:
		return l.Say("no group takes new connections: all %s are off", "没有一组在接新连接：全部 %s都已关闭", l.plural(len(s.Plan.Before), "backend"))
	case !s.Touched && s.Weights == nil:
		return l.Say("as it was found, nothing has been touched: %s", "保持原状，什么都没有改动：%s", l.partly(ss))
	case len(on) == 1 && on[0].on >= on[0].found:
		d := on[0]
		return l.Say("all new connections on %s: %s%s%s", "新连接全部进 %s：%s%s%s", d.named(l), d.backends(l), l.health(d), l.also(d.sessions(l)))
	case len(on) == 2 && on[0].serves() && on[1].serves() && asFound(s):
		all := side{total: on[0].total + on[1].total, on: on[0].on + on[1].on, sick: on[0].sick + on[1].sick, read: on[0].read}
		return l.Say("both groups take new connections, as they were found: %s%s", "两组都在接新连接，与原状一致：%s%s", all.backends(l), l.health(all))
	}
	return l.partly(ss)
}

// lastRead says of each group how many backends are on, and how old the reading is that this rests on.
func (l Lang) lastRead(s plans.State, ss []side) string {
	if s.Weights == nil {
		return l.Say("as found: %s", "原状是：%s", l.partly(ss))
	}
	return l.Say("as last read at %s: %s", "%s 最后一次读到：%s", clock(s.Looked.At), l.partly(ss))
}

// partly says of each group how many backends are on.
func (l Lang) partly(ss []side) string {
	var parts []string
	for _, d := range ss {
		parts = append(parts, l.Say("%s %s%s", "%s：%s%s", d.named(l), d.backends(l), l.health(d)))
	}
	return strings.Join(parts, l.Say("; ", "；"))
}

// health says what the load balancer reports of the backends that are on; nothing where it was not read.
func (l Lang) health(d side) string {
	switch {
	case !d.read || d.on == 0:
		return ""
	case d.sick > 0:
		return l.Say(", %s not healthy", "，其中 %s 个不健康", number(d.sick))
	}
	return l.Say(", healthy", "，健康")
}

func (l Lang) also(s string) string {
	if s == "" {
		return ""
	}
	return l.Say(", %s", "，%s", s)
}

// asFound says whether every backend has the weight it was found with.
func asFound(s plans.State) bool {
	for id, b := range s.Plan.Before {
		if w, ok := actual(s, id); !ok || w != b.Weight {
			return false
		}
	}
	return true
}

// cuts says how many sessions the run has cut, and that those on what is ill are nobody's promise.
func (l Lang) cuts(s plans.State) string {
	n := s.Cut()
	switch {
	case n == 0 && ill(s):
		return l.Say("the update cut nobody; sessions on what is ill may be lost", "更新没有掐断任何长连接；有故障的后端上的长连接可能丢失")
	case n == 0:
		return l.Say("nobody was cut", "没有掐断任何长连接")
	}
	if ill(s) {
		return l.Say("the update cut %s; others on what is ill may be lost", "更新掐断了 %s；有故障的后端上的其他长连接可能丢失", l.plural(n, "session"))
	}
	if n == 1 {
		return l.Say("1 session was cut", "掐断了 1 条长连接")
	}
	return l.Say("%s sessions were cut", "掐断了 %s 条长连接", number(n))
}

// ill says whether a group was hurt in the run, or a backend that takes new connections is not healthy now.
func ill(s plans.State) bool {
	return len(s.Hurt) > 0 || slices.ContainsFunc(sidesOf(s), func(d side) bool { return d.sick > 0 })
}

// IfFails is Lang.IfFails in English.
func IfFails(s plans.State) string { return English.IfFails(s) }

// IfFails says what would follow if the step under way failed now; empty where no step is under way.
func (l Lang) IfFails(s plans.State) string {
	st, ok := s.Current()
	if !ok || s.Phase != plans.PhaseRunning {
		return ""
	}
	stays := s.Plan.Other(st.Group)
	var traffic string
	switch {
	case s.Alarm != "" && s.Plan.Purpose != plans.Leaving && st.Kind != plans.Shift:
		if !s.Dirty[st.Group] {
			return l.Say("it goes back: %s is hurt, so %s is opened again", "退回：%s 受损，重新开启 %s", stays, st.Group)
		}
		return l.Say("it holds: %s is hurt, so the machines of %s that are well are opened", "暂停并保持：%s 受损，开启 %s 中已经正常的机器", stays, st.Group)
	case s.Plan.Purpose == plans.Leaving:
		return l.Say("it stops, and a person decides; a group that takes new connections goes on taking them", "停下，由人决定；正在接新连接的组继续接")
	case st.Kind == plans.Shift:
		traffic = l.Say("no further backend is closed, and what is open stays open", "不再关闭后端，已开启的保持开启")
	default:
		traffic = l.Say("traffic stays on %s", "流量留在 %s", stays)
	}
	who := l.Say("nobody is cut", "不掐断任何长连接")
	if s.Cut() > 0 {
		who = l.Say("nobody more is cut", "不再掐断长连接")
	}
	if s.Alarm != "" {
		who = l.Say("the update cuts nobody", "更新不掐断任何长连接")
	}
	if s.Plan.OnFail != "rollback" {
		return l.Say("it holds: %s, %s (on_failure: hold)", "暂停并保持：%s，%s（on_failure: hold）", traffic, who)
	}
	_, back := plans.Retreat(s) // a group that is restarted and not proven must stay closed
	switch release := l.returned(s); {
	case back && len(s.Updated) == 0:
		return l.Say("it goes back: %s, %s (on_failure: rollback)", "退回：%s，%s（on_failure: rollback）", l.retreated(s), who)
	case release != "" && !s.Plan.Back:
		return l.Say("it brings %s: %s, %s (on_failure: rollback)", "回滚：%s，%s，%s（on_failure: rollback）", release, traffic, who)
	}
	return l.Say("it holds: %s, %s", "暂停并保持：%s，%s", traffic, who)
}
