package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// finding is one thing that was looked at before a rollout, and how it was found.
type finding struct {
	Name  string `json:"name"`            // what was looked at: ssh, balancer, …
	Where string `json:"where,omitempty"` // a machine or a backend
	Level string `json:"level"`           // ok, warn, fail
	Text  string `json:"text"`
	err   error
}

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

func (v *survey) ok(name, where, format string, args ...any) {
	v.findings = append(v.findings, finding{Name: name, Where: where, Level: "ok", Text: fmt.Sprintf(format, args...)})
}

func (v *survey) warn(name, where, format string, args ...any) {
	v.findings = append(v.findings, finding{Name: name, Where: where, Level: "warn", Text: fmt.Sprintf(format, args...)})
}

func (v *survey) fail(name, where string, err error) {
	v.findings = append(v.findings, finding{Name: name, Where: where, Level: "fail", Text: err.Error(), err: err})
}

// err gives everything that failed as one refusal; nil where nothing did.
func (v *survey) err() error {
	var all []error
	for _, f := range v.findings {
		if f.Level != "fail" {
			continue
		}
		if f.Where != "" && !strings.HasPrefix(f.Text, f.Where) {
			all = append(all, fmt.Errorf("%s %s: %w", f.Name, f.Where, f.err))
			continue
		}
		all = append(all, fmt.Errorf("%s: %w", f.Name, f.err))
	}
	if len(all) == 0 {
		return nil
	}
	return refusedError{errors.Join(all...)}
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
	for _, u := range s.unheard() {
		v.warn("config", "", "%s", u)
	}
	b, set, err := s.balancer()
	if err != nil {
		return v, err
	}
	v.balancer, v.settings = b, set
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

// readBalancer reads the load balancer and sets it against the fleet.
func (v *survey) readBalancer(ctx context.Context) {
	r, err := v.balancer.Read(ctx)
	if err != nil {
		v.fail("balancer", "", err)
		return
	}
	if v.known == nil {
		v.fleet, err = v.site.fleet(r)
	}
	if err != nil {
		v.fail("groups", "", err)
		return
	}
	v.reading = v.site.ours(r, v.fleet)
	if err := v.reading.Check(len(v.site.cfg.ULB.Ramp) > 0 || v.site.cfg.ULB.Shift == "weight"); err != nil {
		v.fail("balancer", "", err)
	}
	for _, w := range v.reading.Warnings() {
		v.warn("balancer", "", "%s", w)
	}
	v.before, err = backends(v.reading, v.fleet)
	if err != nil {
		v.fail("groups", "", err)
		return
	}
	v.healthy()
}

// healthy looks at what the balancer says of the health of the backends that are on.
func (v *survey) healthy() {
	on, off := map[string]int{}, map[string]int{}
	for _, b := range v.reading.Backends {
		g := v.before[b.ID].Group
		switch {
		case b.Weight > 0 && !b.Healthy:
			v.fail("backend", addr(b), fmt.Errorf("%s is on and reported unhealthy", b.ID))
		case b.Weight == 0:
			off[g]++
		default:
			on[g]++
		}
	}
	v.ok("balancer", "", "%s: %s, %s", v.reading.ID, plural(int64(len(v.reading.Listeners)), "listener"), plural(int64(len(v.reading.Backends)), "backend"))
	gs := v.fleet.Groups()
	for i, g := range gs {
		switch other := gs[1-i].Name; {
		case on[g.Name] == 0 && on[other] > 0 && off[g.Name] > 0:
			v.warn("group", g.Name, "it takes no new connections: a rollout that begins now updates it first, lets it serve while %s is updated, and leaves it off", other)
		case on[g.Name] == 0:
			v.fail("group", g.Name, errors.New("it has no healthy backend that is on, so it could not serve while the other one is out"))
		case off[g.Name] > 0:
			v.warn("group", g.Name, "%s off, and left so by a rollout that begins now", plural(int64(off[g.Name]), "backend"))
		}
	}
}

// machines logs in to every machine and looks at it. The error is ctx's only.
func (v *survey) machines(ctx context.Context, ms []groups.Machine) error {
	errs := make([]error, len(ms))
	together(len(ms), func(i int) { errs[i] = v.pool.Login(ctx, []string{ms[i].Host}) })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	up := true
	for i, m := range ms {
		if errs[i] != nil {
			v.fail("ssh", m.Name, errs[i])
			up = false
			continue
		}
		v.ok("ssh", m.Name, "logged in at %s", m.Host)
	}
	if !up || v.before == nil {
		return nil
	}
	if v.known == nil {
		v.running(ctx, ms)
	} else {
		v.processes(ctx)
		v.preflight(ctx)
	}
	v.answering(ctx)
	v.counted(ctx)
	v.capacity()
	return v.released(ctx)
}

// running asks each machine for the status of the service.
func (v *survey) running(ctx context.Context, ms []groups.Machine) {
	r, err := v.site.recipe(nil)
	if err != nil {
		v.fail("recipe", "", err)
		return
	}
	res := make([]error, len(ms))
	together(len(ms), func(i int) {
		for _, c := range r.Restart(groups.Group{Machines: ms[i : i+1]}) {
			if c.Do == plans.DoStatus {
				_, res[i] = v.pool.Run(ctx, c.Host, remote.Command{Line: c.Line, Dir: c.Dir, Within: v.site.cfg.SSH.Timeout})
			}
		}
	})
	for i, m := range ms {
		if res[i] != nil {
			v.fail("status", m.Name, fmt.Errorf("the service does not run: %w", res[i]))
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
			v.fail("ports", m.Name, faults[i])
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
			v.fail("sessions", g.Name, fmt.Errorf("cannot be counted: %w", err))
			continue
		}
		v.sessions[g.Name] = plans.Sessions{Total: n.Total, ByHost: n.ByHost, Unread: n.Unread}
		for _, h := range slices.Sorted(maps.Keys(n.Unread)) {
			v.fail("sessions", v.name(h), fmt.Errorf("cannot be counted: %s", n.Unread[h]))
		}
		for _, h := range n.Silent {
			v.fail("sessions", v.name(h), fmt.Errorf("no port of drain.ports listens there, so its count of 0 would mean nothing"))
		}
		if n.Known() && len(n.Silent) == 0 {
			v.ok("sessions", g.Name, "%d sessions", n.Total)
		}
	}
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
			v.fail("capacity", g.Name, fmt.Errorf("it would have to carry %d sessions, and its %d machines of %d carry %d", all, len(g.Machines), limit, room))
		default:
			v.warn("capacity", g.Name, "it would have to carry %d sessions, and its %d machines of %d carry %d", all, len(g.Machines), limit, room)
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
		v.fail("release", "", err)
		return nil
	}
	v.releases = rs
	if rs == nil {
		return nil
	}
	if all := distinct(rs); len(all) > 1 {
		v.warn("release", "", "the machines run different releases: %s", strings.Join(all, ", "))
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
