package config

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// Proposal is what can be found out about a service, from which YAML makes a
// rollout.yaml. What is zero is left to the defaults, unless said otherwise.
type Proposal struct {
	// Service is required.
	Service string
	// UCloud is the account as it was given; nothing of it is needed.
	UCloud UCloud
	// ULB is the id of the load balancer, required; VServers those to shift,
	// where the default would take more.
	ULB      string
	VServers []string
	// Behind says in a few words what was found behind it.
	Behind string
	// SSH is how the machines were logged in to. Timeout is not written.
	SSH SSH
	// Groups are in the order of their update.
	Groups [2]ProposedGroup
	// Pomelo is the recipe; without it Systemd is. The password is never
	// written, only the name of a variable.
	Pomelo  *Pomelo
	Systemd *Systemd
	// Deadline and Quiet of the drain; the defaults where 0.
	Deadline, Quiet time.Duration
	// Sessions are the ports a drain counts and Answering those that must
	// answer. With Pomelo the former are only remarked, since servers.json rules.
	Sessions, Answering Ports
	// Release is the file on the machines that names their release.
	Release string
}

// ProposedGroup is a group and, in sentences of a few words, what was found
// about it and where.
type ProposedGroup struct {
	Group
	Found []string
}

// AdminVariable is the variable that a proposed file takes the password of
// Pomelo's admin port from.
const AdminVariable = "POMELO_ADMIN_PASSWORD"

// YAML writes the proposal as a rollout.yaml with a comment at whatever a
// person may want to change. Parse reads it back as these values; the error is
// *Faults where a value cannot stand there.
func (p Proposal) YAML() ([]byte, error) {
	var w draft
	w.line("# Written by `rollout init`. All keys: docs/configuration.md; for your editor: `rollout schema`.", "")
	w.line("# A commented key shows what holds without it, or what you may want to add.", "")
	w.line("", "")
	w.line("service: "+word(p.Service), "also the name of the lock: one update of it at a time")
	w.unless("ucloud: ", flow("profile", p.UCloud.Profile, "region", p.UCloud.Region, "project_id", p.UCloud.ProjectID, "base_url", p.UCloud.BaseURL), "")
	if len(p.VServers) > 0 {
		w.line("ulb:", p.Behind)
		w.line("  id: "+word(p.ULB), "")
		w.line("  vservers: "+list(p.VServers), "without it every VServer that holds a backend of either group")
	} else {
		w.line("ulb: "+word(p.ULB), p.Behind)
	}
	w.login(p.SSH)
	w.line("", "")
	w.groups(p.Groups)
	w.line("", "")
	w.recipe(p)
	w.line("", "")
	w.drain(p)
	w.line("", "")
	if p.Release != "" {
		w.line("release: {file: "+word(p.Release)+"}", "its first line is the release")
	} else {
		w.line("# release: {file: VERSION}", "a file on each machine whose first line is the release, so that the new one is seen to run")
	}
	w.line(`# deploy: {run: git fetch -q && git checkout -q "$ROLLOUT_REF"}`, "on each machine, before its group is restarted")
	w.line("# on_failure: hold", "all traffic stays on the healthy group until someone decides")
	data := []byte(w.String())
	if _, err := Parse("rollout.yaml", data, func(string) (string, bool) { return "x", true }); err != nil {
		return nil, err
	}
	return data, nil
}

// draft is a file being written.
type draft struct{ strings.Builder }

// remarkAt is the column of the remarks, where the line is not longer.
const remarkAt = 34

// line writes a line and a remark behind it. A remark may hold anything that
// was found: what could end it is taken out.
func (w *draft) line(text, remark string) {
	if remark = harmless(remark); remark != "" {
		text += strings.Repeat(" ", max(remarkAt-utf8.RuneCountInString(text), 2)) + "# " + remark
	}
	w.WriteString(text + "\n")
}

// unless writes a line unless its value is empty.
func (w *draft) unless(key, value, remark string) {
	if value != "" {
		w.line(key+value, remark)
	}
}

func (w *draft) login(s SSH) {
	port := ""
	if s.Port != 0 {
		port = strconv.Itoa(s.Port)
	}
	lone := flow("user", s.User, "port", port)
	if len(s.Keys) == 0 && len(s.Proxy) == 0 && s.KnownHosts == "" {
		if lone == "" {
			w.line("# ssh: {user: deploy, port: 22}", "without it as ~/.ssh/config says")
			return
		}
		w.line("ssh: "+lone, "the rest as ~/.ssh/config says")
		return
	}
	w.line("ssh:", "the rest as ~/.ssh/config says")
	w.unless("  user: ", optional(s.User), "")
	w.unless("  port: ", port, "")
	w.unless("  keys: ", list(s.Keys), "tried before the agent's")
	w.unless("  proxy: ", list(s.Proxy), "")
	w.unless("  known_hosts: ", optional(s.KnownHosts), "an unknown host is refused; `rollout trust` adds it")
}

func (w *draft) groups(gs [2]ProposedGroup) {
	if a, b := len(gs[0].Machines), len(gs[1].Machines); a-b > 1 || b-a > 1 {
		w.line("uneven: true", "the smaller group must carry everyone while the other one is out")
	}
	w.line("groups:", "updated in this order; to begin with the other, exchange the two entries")
	for _, g := range gs {
		for _, f := range g.Found {
			w.line("  # "+harmless(f), "")
		}
		if len(g.Machines) == 0 {
			w.line("  - "+flow("name", g.Name, "master", g.Master), "")
			continue
		}
		w.line("  - name: "+word(g.Name), "")
		w.unless("    master: ", optional(g.Master), "starts the group")
		w.line("    machines:", "")
		for _, m := range g.Machines {
			port := ""
			if m.Port != 0 {
				port = strconv.Itoa(m.Port)
			}
			w.line("      - "+flow("name", m.Name, "host", m.Host, "zone", m.Zone, "address", m.Address, "bind", m.Bind, "user", m.User, "port", port), "")
		}
	}
}

func (w *draft) recipe(p Proposal) {
	if p.Pomelo == nil {
		if p.Systemd != nil {
			sudo := ""
			if p.Systemd.Sudo {
				sudo = "true"
			}
			w.line("systemd: "+flow("unit", p.Systemd.Unit, "sudo", sudo), "sudo: true lets systemctl run as root, without a question")
		}
		return
	}
	w.line("pomelo:", "machines and ports are read from servers.json on each master")
	w.line("  dir: "+word(p.Pomelo.Dir), "the same on all machines")
	w.unless("  env: ", optional(p.Pomelo.Env), "")
	if len(p.Pomelo.Sessions) > 0 {
		w.line("  sessions: "+list(p.Pomelo.Sessions), "the server types that hold sessions; gates hold none")
	}
	if g := p.Pomelo.Gate; g != nil {
		w.line("  gate: "+flow("route", g.Route, "field", g.Field), "asked of every gate after a restart: where does it send players?")
	} else {
		w.line("  # gate: {route: gate.gateHandler.queryEntry}", "asks every gate after a restart where it sends players")
	}
	w.line("  # the account on the masters' admin ports; without a password here it is that of adminUser.json there", "")
	w.line("  admin: "+flow("user", p.Pomelo.Admin.User), "")
	w.line("  # admin: "+flow("user", p.Pomelo.Admin.User, "password", "${"+AdminVariable+"}"), "")
}

func (w *draft) drain(p Proposal) {
	w.line("drain:", "")
	deadline, quiet := p.Deadline, p.Quiet
	if deadline == 0 {
		deadline = Default().Drain.Deadline
	}
	w.line("  deadline: "+writeDuration(deadline), "longer than a session lasts; what is left then is for on_deadline")
	if quiet > 0 {
		w.line("  quiet: "+writeDuration(quiet), "no session may begin for so long: a player may be between gate and connector")
	}
	switch {
	case p.Pomelo == nil:
		w.line("  ports: ["+p.Sessions.String()+"]", "they hold sessions")
	case len(p.Sessions) > 0:
		w.line("  # ports: ["+p.Sessions.String()+"]", "the clientPorts of servers.json, those of gates too: their players are on the way to a session")
	}
	w.line("  # on_deadline: cut", "cut | wait | pause | abort: cut restarts, and records how many sessions were cut")
	if p.Pomelo == nil {
		w.line("health:", "")
		w.line("  ports: ["+p.Answering.String()+"]", "each answers a TCP connect")
	}
}

// word is a text as one value, quoted where it might be read otherwise.
func word(text string) string {
	data, err := yaml.Dump(textNode(text), yaml.WithLineWidth(-1))
	if err != nil || !utf8.ValidString(text) {
		return `"` + harmless(strings.ToValidUTF8(text, "?")) + `"`
	}
	return strings.TrimSuffix(string(data), "\n")
}

// optional is word, and nothing for nothing.
func optional(text string) string {
	if text == "" {
		return ""
	}
	return word(text)
}

func list(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	words := make([]string, len(texts))
	for i, t := range texts {
		words[i] = word(t)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// flow is a mapping on one line of the keys whose values are not empty.
// Numbers and truths are plain words too.
func flow(pairs ...string) string {
	var out []string
	key := ""
	for i, text := range pairs {
		if i%2 == 0 {
			key = text
			continue
		}
		if text == "" {
			continue
		}
		if key != "port" && key != "sudo" {
			text = word(text)
		}
		out = append(out, key+": "+text)
	}
	if len(out) == 0 {
		return ""
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// harmless is a text that can stand in a comment.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if _, bad := badRune(string(r), false); bad {
			return '?'
		}
		return r
	}, text)
}
