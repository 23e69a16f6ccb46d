package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/journal"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// survey is the live state a plan is made from: everything that was looked at, and what was found.
type survey struct {
	site     *site
	findings []finding

	settings ulb.Settings
	balancer *ulb.Balancer
	pool     *remote.Pool
	fleet    groups.Fleet
	reading  ulb.Reading // ours only
	before   map[string]plans.Backend
	sessions map[string]plans.Sessions // by group
	releases map[string]string         // by host
	known    herds                     // of a Pomelo service: what its masters say
	artifact *plans.Artifact           // what draft would bring; nil: none
}

// close ends the connections.
func (v *survey) close() {
	if v.pool != nil {
		_ = v.pool.Close()
	}
}

// survey looks at everything a rollout needs. It changes nothing. The error is for what keeps it from looking at all; what it found
// wrong is in the findings.
func (s *site) survey(ctx context.Context) (*survey, error) {
	v := &survey{site: s}
	if err := s.unbuilt(); err != nil {
		return v, err
	}
	v.place()
	if err := v.account(); err != nil {
		return v, err
	}
	ms, err := s.machines()
	if err != nil {
		return v, usageError{err}
	}
	if v.pool, err = s.pool(ms); err != nil {
		return v, usageError{err}
	}
	if s.cfg.Pomelo != nil {
		if !v.masters(ctx) {
			return v, context.Cause(ctx)
		}
		ms = v.fleet.Machines()
	}
	v.readBalancer(ctx)
	if err := v.machines(ctx, ms); err != nil {
		return v, err
	}
	return v, nil
}

// place looks at where the journal would be.
func (v *survey) place() {
	fs := journal.Flaws(v.site.dir)
	for _, f := range fs {
		if f.Fatal {
			v.fail("state", "", "", f)
		} else {
			v.warn("state", "", f.Fix, "%s", f.What)
		}
	}
	if len(fs) == 0 {
		v.ok("state", "", "%s", v.site.dir)
	}
}

// machines logs in to every machine and looks at it. The error is ctx's only.
func (v *survey) machines(ctx context.Context, ms []groups.Machine) error {
	line, err := v.site.soundLine()
	if err != nil {
		return usageError{err}
	}
	errs, faults, said := make([]error, len(ms)), make([]error, len(ms)), make([]soundness, len(ms))
	together(len(ms), func(i int) {
		if errs[i] = v.pool.Login(ctx, []string{ms[i].Host}); errs[i] == nil {
			said[i], faults[i] = v.sound(ctx, ms[i], line)
		}
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var in []int
	for i, m := range ms {
		if errs[i] != nil {
			v.fail("ssh", m.Name, v.site.sshFix(m, errs[i]), errs[i])
			continue
		}
		in = append(in, i)
		v.ok("ssh", m.Name, "logged in at %s", m.Host)
	}
	v.fit(pick(ms, in), pick(said, in), pick(faults, in))
	if len(in) < len(ms) || v.before == nil {
		return nil
	}
	if v.known == nil {
		v.running(ctx, ms)
	} else {
		v.processes(ctx)
		v.preflight(ctx)
	}
	v.answering(ctx)
	v.reached(ctx)
	v.counted(ctx)
	v.capacity()
	return v.released(ctx)
}

// pick gives the elements of those indices.
func pick[T any](all []T, at []int) []T {
	some := make([]T, len(at))
	for i, n := range at {
		some[i] = all[n]
	}
	return some
}

// running asks each machine for the status of the service.
func (v *survey) running(ctx context.Context, ms []groups.Machine) {
	r, err := v.site.recipe(nil)
	if err != nil {
		v.fail("recipe", "", "give rollout.yaml one of pomelo:, command: and systemd:", err)
		return
	}
	res, start := make([]error, len(ms)), make([]string, len(ms))
	together(len(ms), func(i int) {
		for _, c := range r.Restart(groups.Group{Machines: ms[i : i+1]}) {
			switch c.Do {
			case plans.DoStart:
				start[i] = c.Line
			case plans.DoStatus:
				_, res[i] = v.pool.Run(ctx, c.Host, remote.Command{Line: c.Line, Dir: c.Dir, Within: v.site.cfg.SSH.Timeout})
			default: // it would change the machine
			}
		}
	})
	for i, m := range ms {
		if res[i] != nil {
			v.fail("status", m.Name, fmt.Sprintf("start it on %s: %s; where it runs, the status line of rollout.yaml is wrong", m.Name, start[i]), fmt.Errorf("the service does not run: %w", res[i]))
			continue
		}
		v.ok("status", m.Name, "the service runs")
	}
}

// answering tries every port that must answer.
func (v *survey) answering(ctx context.Context) {
	p := v.site.prober(v.pool)
	ms := v.fleet.Machines()
	of := plans.Answering(groups.Group{Machines: ms})
	faults := make([]error, len(ms))
	together(len(ms), func(i int) {
		var closed []string
		for _, port := range of[i].Ports {
			open, err := p.Probe(ctx, of[i], port)
			if err != nil {
				faults[i] = fmt.Errorf("port %d is not known to answer: %w", port, err)
				return
			}
			if !open {
				closed = append(closed, strconv.Itoa(port))
			}
		}
		if len(closed) > 0 {
			faults[i] = fmt.Errorf("%d of %d ports do not answer: %s", len(closed), len(ms[i].Ports), strings.Join(closed, ", "))
		}
	})
	for i, m := range ms {
		if faults[i] != nil {
			v.fail("ports", m.Name, fmt.Sprintf("see what listens there (ss -ltn on %s) and start what is missing, or correct health.ports, or bind: of the machine", m.Name), faults[i])
			continue
		}
		v.ok("ports", m.Name, "%d ports answer", len(m.Ports))
	}
}

// counted counts the sessions of both groups.
func (v *survey) counted(ctx context.Context) {
	w := map[string][]plans.Ports{}
	for _, g := range v.fleet.Groups() {
		w[g.Name] = plans.Watching(g)
	}
	c := startCounting(ctx, v.site.cfg, v.pool, w)
	defer c.close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	v.sessions = map[string]plans.Sessions{}
	for _, g := range v.fleet.Groups() {
		n, err := c.of[g.Name].Count(ctx)
		if err != nil {
			v.fail("sessions", g.Name, v.site.countFix(), fmt.Errorf("cannot be counted: %w", err))
			continue
		}
		v.sessions[g.Name] = plans.Sessions{Total: n.Total, ByHost: n.ByHost, Unread: n.Unread}
		for _, h := range slices.Sorted(maps.Keys(n.Unread)) {
			v.fail("sessions", v.name(h), v.site.countFix(), fmt.Errorf("cannot be counted: %s", n.Unread[h]))
		}
		for _, h := range n.Silent {
			v.fail("sessions", v.name(h), "name as drain.ports the ports that players are connected to there (ss -ltn), or start what listens on them", fmt.Errorf("no port of drain.ports listens there, so its count of 0 would mean nothing"))
		}
		if n.Known() && len(n.Silent) == 0 {
			v.ok("sessions", g.Name, "%d sessions", n.Total)
		}
	}
}

// countFix says what to do where sessions cannot be counted.
func (s *site) countFix() string {
	switch s.cfg.Drain.Count {
	case config.CountCommand:
		return "let the line of drain.run print one whole number and nothing else: try it on the machine"
	case config.CountHTTP:
		return "let drain.url answer with one whole number, or with JSON that has it as drain.field: try it with curl from here"
	}
	return "it takes awk, and ss or /proc/net/tcp, for the user who logs in: install mawk and iproute2 there"
}

// name gives a machine's name by its host.
func (v *survey) name(host string) string {
	for _, m := range v.fleet.Machines() {
		if m.Host == host {
			return m.Name
		}
	}
	return host
}

// capacity asks whether one group can carry everyone.
func (v *survey) capacity() {
	limit := v.site.cfg.Capacity.MaxSessionsPerMachine
	if limit == 0 {
		return
	}
	const fix = "wait until fewer are connected, or raise capacity.max_sessions_per_machine if the machines carry more"
	all := 0
	for _, n := range v.sessions {
		all += n.Total
	}
	for _, g := range v.fleet.Groups() {
		room := limit * len(g.Machines)
		switch {
		case all <= room:
			v.ok("capacity", g.Name, "%d sessions on %d machines of %d", all, len(g.Machines), limit)
		case v.site.cfg.Capacity.OnShort == "abort":
			v.fail("capacity", g.Name, fix, fmt.Errorf("it would have to carry %d sessions, and its %d machines of %d carry %d", all, len(g.Machines), limit, room))
		default:
			v.warn("capacity", g.Name, fix, "it would have to carry %d sessions, and its %d machines of %d carry %d", all, len(g.Machines), limit, room)
		}
	}
}

// released reads the releases. The error is ctx's only.
func (v *survey) released(ctx context.Context) error {
	var hosts []string
	for _, m := range v.fleet.Machines() {
		hosts = append(hosts, m.Host)
	}
	rs, err := v.site.releases(ctx, v.pool, hosts)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		v.each("release", "let release: in rollout.yaml name a file or a line that tells the release there: try it on the machine", err)
		return nil
	}
	v.releases = rs
	if rs == nil {
		return nil
	}
	if len(distinct(rs)) > 1 {
		v.warn("release", "", "bring all to one: rollout start --ref RELEASE; or look why some were left behind", "the machines run different releases: %s", v.spread())
		return nil
	}
	v.ok("release", "", "all machines run %s", v.was())
	return nil
}

// distinct gives the different values of a map, sorted.
func distinct(m map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(m)))
}

// was names what the machines run now: one release, or all that were found.
func (v *survey) was() string { return strings.Join(distinct(v.releases), "+") }

// spread names the machines by what they run.
func (v *survey) spread() string {
	on := map[string][]string{}
	for _, m := range v.fleet.Machines() {
		r := or(v.releases[m.Host], "none")
		on[r] = append(on[r], m.Name)
	}
	var all []string
	for _, r := range slices.Sorted(maps.Keys(on)) {
		all = append(all, r+" on "+strings.Join(on[r], ", "))
	}
	return strings.Join(all, "; ")
}
