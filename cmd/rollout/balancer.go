package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed59ee9cdc/rollout/ulb"
)

// account finds the keys to the load balancer. Without them the machines are looked at all the same.
func (v *survey) account() error {
	b, set, err := v.site.balancer()
	v.settings = set
	var auth *ulb.AuthError
	switch {
	case errors.As(err, &auth):
		v.fail("ucloud", "", v.keyFix(auth), err)
	case err != nil:
		return usageError{err}
	default:
		v.balancer = b
	}
	return nil
}

// readBalancer reads the load balancer and sets it against the fleet.
func (v *survey) readBalancer(ctx context.Context) {
	if v.balancer == nil {
		return
	}
	r, err := v.balancer.Read(ctx)
	if err != nil {
		v.fail("balancer", "", v.apiFix(err), err)
		return
	}
	const regroup = "correct groups: in rollout.yaml, or split:"
	if v.known == nil {
		v.fleet, err = v.site.fleet(r)
	}
	if err != nil {
		v.each("groups", regroup, err)
		return
	}
	v.reading = v.ours(r)
	v.each("balancer", "", v.reading.Check(len(v.site.cfg.ULB.Ramp) > 0 || v.site.cfg.ULB.Shift == "weight"))
	for _, w := range v.reading.Warnings() {
		v.warn("balancer", "", w.Fix, "%s", w.What)
	}
	v.before, err = backends(v.reading, v.fleet)
	if err != nil {
		for _, e := range apart(err) {
			v.fail("groups", "", matchFix(e), e)
		}
		v.before = nil
		return
	}
	v.healthy()
}

// ours keeps the listeners of a reading that hold a backend of the fleet, and tells of the others.
func (v *survey) ours(r ulb.Reading) ulb.Reading {
	at := map[string]bool{}
	for _, m := range v.fleet.Machines() {
		at[m.Address] = true
	}
	held := map[string]bool{}
	for _, b := range r.Backends {
		held[b.Listener] = held[b.Listener] || at[b.Host]
	}
	for _, l := range r.Listeners {
		switch {
		case held[l.ID]:
		case len(v.site.cfg.ULB.VServers) > 0:
			v.fail("listener", l.ID, "take it out of ulb.vservers, or add its backends in the console", fmt.Errorf("%s is named in ulb.vservers and has no backend of these machines", l))
		default:
			v.warn("listener", l.ID, "add its backends in the console; or, where it is another service's, name ours as ulb.vservers", "%s has no backend of these machines and is left alone", l)
		}
	}
	r.Listeners = slices.DeleteFunc(slices.Clone(r.Listeners), func(l ulb.Listener) bool { return !held[l.ID] })
	r.Backends = slices.DeleteFunc(slices.Clone(r.Backends), func(b ulb.Backend) bool { return !held[b.Listener] })
	return r
}

// healthy looks at what the balancer says of the health of the backends that are on.
func (v *survey) healthy() {
	on, off := map[string]int{}, map[string]int{}
	for _, b := range v.reading.Backends {
		own := v.before[b.ID]
		switch {
		case b.Weight > 0 && !b.Healthy:
			v.fail("backend", addr(b), fmt.Sprintf("see on %s what listens on port %d (ss -ltn) and what its log says, or switch the backend off in the console", v.name(own.Host), b.Port),
				fmt.Errorf("%s is on and reported unhealthy", b.ID))
		case b.Weight == 0:
			off[own.Group]++
		default:
			on[own.Group]++
		}
	}
	v.ok("balancer", "", "%s: %s, %s", v.reading.ID, plural(int64(len(v.reading.Listeners)), "listener"), plural(int64(len(v.reading.Backends)), "backend"))
	const open = "switch its backends on in the console, unless they are meant to be off"
	gs := v.fleet.Groups()
	for i, g := range gs {
		switch other := gs[1-i].Name; {
		case on[g.Name] == 0 && on[other] > 0 && off[g.Name] > 0:
			v.warn("group", g.Name, open, "it takes no new connections: a rollout that begins now updates it first, lets it serve while %s is updated, and leaves it off", other)
		case on[g.Name] == 0:
			v.fail("group", g.Name, fmt.Sprintf("bring the service of %s up, and switch its backends on in the console", g.Name), errors.New("it has no healthy backend that is on, so it could not serve while the other one is out"))
		case off[g.Name] > 0:
			v.warn("group", g.Name, open, "%s off, and left so by a rollout that begins now", plural(int64(off[g.Name]), "backend"))
		}
	}
}
