package main

import (
	"context"
	"errors"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/view"
)

// processesDoc is every process of a service now, for programs.
type processesDoc struct {
	Schema  string            `json:"schema"`
	Service string            `json:"service"`
	Groups  []processGroupDoc `json:"groups"`
}

type processGroupDoc struct {
	Name      string            `json:"name"`
	Processes []view.ProcessDoc `json:"processes"`
	Odd       []string          `json:"odd"`             // a sentence for each way in which they are not as configured
	Error     string            `json:"error,omitempty"` // why not all is known
}

// processes asks the machines and masters of a Pomelo service for every process now, and prints them.
func (s *site) processes(ctx context.Context) error {
	if s.cfg.Pomelo == nil {
		return usagef("--processes is for a Pomelo service: rollout.yaml has no pomelo:")
	}
	v := &survey{site: s}
	defer v.close()
	ms, err := s.machines()
	if err != nil {
		return usageError{err}
	}
	if v.pool, err = s.pool(ms); err != nil {
		return usageError{err}
	}
	if !v.masters(ctx) {
		return errors.Join(v.err(), context.Cause(ctx))
	}
	r, gs, found, errs := v.call(ctx)
	doc := processesDoc{Schema: "rollout.processes/v1", Service: s.cfg.Service}
	p := planOf(gs[:])
	for i, g := range gs {
		odd := v.odd(r, g, found[i], errs[i])
		d := processGroupDoc{Name: g.Name, Processes: view.ProcessesOf(p, found[i]), Odd: append([]string{}, odd...)}
		if errs[i] != nil {
			d.Error = errs[i].Error()
			odd = append(odd, d.Error)
		}
		doc.Groups = append(doc.Groups, d)
		if s.env.text() {
			if err := view.Processes(s.env.stdout, p, g.Name, found[i], odd, s.env.width); err != nil {
				return err
			}
		}
	}
	if s.env.text() {
		return nil
	}
	return s.env.document(doc)
}

// planOf names the machines of some groups as a plan does.
func planOf(gs []groups.Group) plans.Plan {
	var p plans.Plan
	for _, g := range gs {
		for _, m := range g.Machines {
			p.Machines = append(p.Machines, plans.Machine{Name: m.Name, Host: m.Host, Group: g.Name})
		}
	}
	return p
}
