package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/pomelo"
)

// masters reads what both masters of a Pomelo service know and makes the fleet of it. It is false where that is not possible; the findings say why.
func (v *survey) masters(ctx context.Context) bool {
	c := v.site.cfg
	f, err := c.Fleet()
	if err != nil && !errors.Is(err, config.ErrNeedsMasters) {
		v.fail("groups", "", "correct groups: in rollout.yaml", err)
		return false
	}
	known, err := v.site.masters(ctx, v.pool, f)
	v.each("pomelo", "let pomelo.dir and pomelo.env name the application there, and the user who logs in read its config/", err)
	if len(known) < 2 {
		if err == nil {
			v.fail("pomelo", "", "name as pomelo.env the environment that servers.json has the processes of", errors.New("servers.json of a group starts no process"))
		}
		return false
	}
	full, err := known.fill(f, c)
	v.each("pomelo", "let rollout.yaml list the machines that servers.json and master.json name, or no machines at all", err)
	if err != nil {
		return false
	}
	for _, g := range full.Groups() {
		v.each("pomelo", "correct servers.json on every machine of the group", known[g.Name].Check(c.Pomelo.Sessions, v.outside(g, known[g.Name])))
		n := known[g.Name]
		v.ok("pomelo", g.Name, "%d processes on %s, %d of them hold sessions; master %s", len(n.Servers)+1, plural(int64(len(g.Machines)), "machine"), len(n.Sessions(c.Pomelo.Sessions)), g.Master)
	}
	v.each("pomelo", "let servers.json of each group name machines and addresses of its own group only", pomelo.Isolated(known[full.First.Name], known[full.Second.Name], c.Pomelo.Sessions))
	if err := full.Check(c.Uneven); err != nil {
		v.each("groups", "correct groups: in rollout.yaml, or servers.json on the masters", err)
		return false
	}
	v.fleet, v.known = full, known
	return true
}

// outside gives the machine behind each address that players are told, where that is not its host: as rollout.yaml says, or, where it says
// nothing and all processes that use the address run on one machine, that machine.
func (v *survey) outside(g groups.Group, c pomelo.Cluster) map[string]string {
	behind := map[string]string{}
	for _, listed := range v.site.cfg.Groups {
		for _, m := range listed.Machines {
			if m.Public != "" {
				behind[m.Public] = m.Host
			}
		}
	}
	guess, mixed := map[string]string{}, map[string]bool{}
	for _, s := range c.Servers {
		if _, said := behind[s.ClientHost]; said || s.ClientHost == "" || !s.Frontend || slices.Contains(c.Hosts(), s.ClientHost) {
			continue
		}
		if h, ok := guess[s.ClientHost]; ok && h != c.Machine(s.Host) {
			mixed[s.ClientHost] = true
		}
		guess[s.ClientHost] = c.Machine(s.Host)
	}
	for told, host := range guess {
		if !mixed[told] {
			behind[told] = host
			v.warn("pomelo", g.Name, fmt.Sprintf("say so in rollout.yaml: public: %s on the machine %s", told, host), "players are told %s for %s, which is taken on trust", told, host)
		}
	}
	return behind
}

// processes compares what runs with what the masters would start. What is odd is a warning: a restart is what cures it.
func (v *survey) processes(ctx context.Context) {
	r, gs, found, errs := v.call(ctx)
	for i, g := range gs {
		switch {
		case errors.Is(errs[i], pomelo.ErrDenied):
			v.fail("admin", g.Master, "name the account of adminUser.json there as pomelo.admin", errs[i])
		case errs[i] != nil:
			v.warn("processes", g.Name, "see on the master what its log says; a restart of the group brings a dead one back", "%v", errs[i])
		}
		if len(found[i]) == 0 {
			continue
		}
		odd := v.odd(r, g, found[i], errs[i])
		if len(odd) > 4 {
			odd = append(odd[:3], fmt.Sprintf("and %d more", len(odd)-3))
		}
		for _, o := range odd {
			v.warn("processes", g.Name, "a rollout's restart cures it; rollout status --processes shows each", "%s", o)
		}
		if len(odd) == 0 && errs[i] == nil {
			v.ok("processes", g.Name, "%d run, as configured", len(found[i]))
		}
	}
}

// call calls the roll of both groups. Where an error is not nil, not all of that group's is known.
func (v *survey) call(ctx context.Context) (pomelo.Recipe, [2]groups.Group, [2][]plans.Found, [2]error) {
	l, gs := v.site.roll(v.pool, v.known), v.fleet.Groups()
	for _, g := range gs {
		l.add(g.Name, g.Hosts(), l.recipe.Restart(g), l.recipe.Processes(g))
	}
	var found [2][]plans.Found
	var errs [2]error
	together(len(gs), func(i int) { found[i], errs[i] = l.Call(ctx, gs[i].Name, true) })
	return l.recipe, gs, found, errs
}

// odd says how the processes of a group differ from what its configuration starts. Where its master could not be asked, nobody is unknown to it.
func (v *survey) odd(r pomelo.Recipe, g groups.Group, found []plans.Found, asked error) []string {
	if len(found) == 0 {
		return nil
	}
	ageless := func(plans.Found) bool { return false }
	odd := plans.Odd(r.Processes(g), found, ageless, v.name)
	if asked != nil {
		odd = slices.DeleteFunc(odd, func(o string) bool { return strings.HasSuffix(o, plans.Unknowing) })
	}
	return odd
}
