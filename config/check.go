package config

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// check finds what is wrong between keys. It asks given rather than the value,
// so that a key with a bad value is not called missing as well.
func (d *decoder) check(c Config) {
	d.checkRecipe()
	d.checkRelease()
	d.checkRamp(c)
	d.checkProbe(c)
	d.checkPorts()
	d.checkCount(c)
	d.checkTimes(c)
	d.checkState(c)
	d.checkNotify(c)
	d.checkGroups(c)
}

// exactlyOne wants one of some keys that stand side by side.
func (d *decoder) exactlyOne(in string, keys ...string) {
	var first string
	for _, k := range keys {
		switch at := under(in, k); {
		case !d.given(at):
		case first == "":
			first = k
		default:
			d.faultKey(at, "cannot stand beside "+first, "keep one of "+strings.Join(keys, ", "))
		}
	}
	if first == "" {
		d.faultKey(in, "needs one of "+strings.Join(keys, ", "), "")
	}
}

func (d *decoder) checkRecipe() {
	d.exactlyOne("", "pomelo", "systemd", "command")
}

func (d *decoder) checkRelease() {
	if d.given("release") && !d.faulty("release") {
		d.exactlyOne("release", "file", "run")
	}
	if d.given("deploy") && !d.faulty("deploy") && !d.given("deploy.run") && !d.given("deploy.artifact") {
		d.faultKey("deploy", "needs one of run, artifact", "")
	}
	if d.given("deploy.run") && d.given("deploy.artifact") {
		d.faultKey("deploy.artifact", "excludes deploy.run", "")
	}
	if d.given("deploy.artifact") && !d.given("deploy.root") {
		d.faultKey("deploy.root", "is required with artifact", "e.g. root: /data/game")
	}
	if d.given("deploy.root") && !d.given("deploy.artifact") {
		d.faultKey("deploy.root", "is only for artifact", "")
	}
}

func (d *decoder) checkRamp(c Config) {
	if !d.given("ulb.ramp") || d.faulty("ulb.ramp") {
		return
	}
	for i := 1; i < len(c.ULB.Ramp); i++ {
		if c.ULB.Ramp[i] >= c.ULB.Ramp[i-1] {
			d.faultValue("ulb.ramp["+strconv.Itoa(i)+"]", "a ramp must fall", "e.g. [50, 10]")
		}
	}
	if c.ULB.Shift == ShiftEnabled && len(c.ULB.Ramp) > 0 {
		d.faultKey("ulb.ramp", "needs weights, and shift is enabled", "write shift: weight")
	}
}

// checkProbe wants to know where test connections go and what they ask.
func (d *decoder) checkProbe(c Config) {
	if d.faulty("ulb.probe") || d.unreadable("ulb") {
		return
	}
	for _, k := range []string{"ulb.address", "ulb.ask"} {
		if d.given(k) && c.ULB.Probe == 0 {
			d.faultKey(k, "is only for probe", "e.g. probe: 20")
		}
	}
	if c.ULB.Probe == 0 {
		return
	}
	if !d.given("ulb.address") {
		d.faultKey("ulb.address", "is required with probe", "write where players connect, e.g. address: 203.0.113.7:6150")
	}
	if n := len(c.ULB.Address); c.ULB.Probe < n && !d.faulty("ulb.address") {
		d.faultValue("ulb.probe", "is less than one connection for each address", "write "+strconv.Itoa(n)+" or more")
	}
	switch {
	case !d.given("pomelo"):
	case d.given("ulb.ask"):
		d.faultKey("ulb.ask", "is only without pomelo, whose gates are asked by pomelo.gate", "")
	case !d.given("pomelo.gate") && !d.unreadable("pomelo"):
		d.faultKey("pomelo.gate", "is required with ulb.probe", "e.g. gate: {route: gate.gateHandler.queryEntry}")
	}
}

// checkPorts wants to be told what only servers.json of Pomelo tells.
func (d *decoder) checkPorts() {
	if d.given("pomelo") || !d.given("systemd") && !d.given("command") {
		return
	}
	if !d.given("drain.ports") && !d.unreadable("drain") {
		d.faultKey("drain.ports", "is required without pomelo", "name the ports that hold sessions")
	}
	if !d.given("health.ports") && !d.given("health.run") && !d.unreadable("health") {
		d.faultKey("health", "needs one of ports, run without pomelo", "")
	}
}

// checkCount wants the keys that belong to the way of counting, and no others.
func (d *decoder) checkCount(c Config) {
	if d.faulty("drain.count") || d.unreadable("drain") {
		return
	}
	for _, k := range []struct {
		key      string
		count    Count
		required bool
	}{
		{"run", CountCommand, true},
		{"url", CountHTTP, true},
		{"field", CountHTTP, false},
	} {
		at := under("drain", k.key)
		switch {
		case c.Drain.Count == k.count && k.required && !d.given(at):
			d.faultKey(at, "is required with count: "+string(k.count), "")
		case c.Drain.Count != k.count && d.given(at):
			d.faultKey(at, "is only for count: "+string(k.count), "")
		}
	}
	if c.Drain.Count == CountPomelo && !d.given("pomelo") {
		d.faultValue("drain.count", "pomelo is only for the recipe pomelo", "")
	}
	if d.given("drain.cut_budget") && !d.faulty("drain.on_deadline") && c.Drain.OnDeadline != DeadlineCut {
		d.faultKey("drain.cut_budget", "is only for on_deadline: cut", "")
	}
	switch {
	case !d.given("drain.spread") || d.faulty("drain.on_deadline"):
	case c.Drain.OnDeadline != DeadlineCut:
		d.faultKey("drain.spread", "is only for on_deadline: cut", "")
	case d.given("pomelo"):
		d.faultKey("drain.spread", "cannot be done with pomelo: the master restarts its group as a whole", "leave it out")
	}
}

// checkTimes refuses waits that could never end well.
func (d *decoder) checkTimes(c Config) {
	for _, t := range []struct {
		short, long string
		a, b        time.Duration
	}{
		{"drain.stable_for", "drain.deadline", c.Drain.StableFor, c.Drain.Deadline},
		{"drain.quiet", "drain.deadline", c.Drain.Quiet, c.Drain.Deadline},
		{"drain.quiet", "drain.deadline", c.Drain.Quiet, c.Drain.Deadline},
		{"health.stable_for", "health.timeout", c.Health.StableFor, c.Health.Timeout},
		{"restart.kill_after", "restart.timeout", c.Restart.KillAfter, c.Restart.Timeout},
	} {
		if t.a < t.b || d.faulty(t.short) || d.faulty(t.long) {
			continue
		}
		at := t.short
		if !d.given(at) {
			at = t.long // the default is fine, what was written beside it is not
		}
		d.faultKey(at, name(t.short)+" ("+writeDuration(t.a)+") must be shorter than "+
			name(t.long)+" ("+writeDuration(t.b)+")", "")
	}
}

// name is the last part of a path.
func name(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func (d *decoder) checkState(c Config) {
	if d.faulty("state.backend") || d.unreadable("state") {
		return
	}
	forEtcd := []string{"endpoints", "prefix", "ttl", "user", "password", "ca", "cert", "key"}
	if c.State.Backend == StateEtcd {
		if !d.given("state.endpoints") {
			d.faultKey("state.endpoints", "is required with backend: etcd", "")
		}
		if d.given("state.cert") != d.given("state.key") {
			d.faultKey("state", "cert and key need each other", "")
		}
		forEtcd = nil
	}
	for _, k := range forEtcd {
		if at := under("state", k); d.given(at) {
			d.faultKey(at, "is only for backend: etcd", "")
		}
	}
	if c.State.Backend == StateEtcd && d.given("state.dir") {
		d.faultKey("state.dir", "is only for backend: local", "")
	}
}

// checkNotify wants a key where something is signed by it, and none where nothing is; and no password in an address, since a receiver may say it
// back in more forms than can be hidden.
func (d *decoder) checkNotify(c Config) {
	for i, n := range c.Notify {
		at := "notify[" + strconv.Itoa(i) + "]"
		key := under(at, "secret")
		if u, err := url.Parse(string(n.URL)); err == nil && u.User != nil {
			d.faultValue(under(at, "url"), "holds a user or a password before its host", "take an address with a token in its path instead")
		}
		if d.unreadable(at) || d.faulty(under(at, "to")) {
			continue
		}
		switch n.To {
		case "webhook":
			if !d.given(key) {
				d.faultKey(key, "is required with to: webhook", "it proves to the receiver who tells")
			}
		case "wecom", "slack":
			if d.given(key) {
				d.faultKey(key, "is not for "+n.To+", where nothing is signed", "its url is the secret")
			}
		}
	}
}
