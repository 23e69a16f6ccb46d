package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/ulb"
)

// cloudDoc is what the load balancer says now, for programs.
type cloudDoc struct {
	Schema   string         `json:"schema"`
	Service  string         `json:"service"`
	Balancer string         `json:"balancer"`
	ReadAt   time.Time      `json:"read_at"`
	Groups   []cloudGroup   `json:"groups"`
	Backends []cloudBackend `json:"backends"`
	Journal  string         `json:"journal"` // what is wrong with the journal; empty where it can be read
}

// cloudGroup counts the backends of a group; the one without a name has those that are on no known machine.
type cloudGroup struct {
	Name      string `json:"name"`
	Total     int    `json:"total"`
	On        int    `json:"on"`
	Unhealthy int    `json:"unhealthy"` // of those that are on
	Odd       int    `json:"odd"`       // whose weight is not the one that the newest run had found
}

// cloudBackend is one backend.
type cloudBackend struct {
	ID      string `json:"id"`
	Addr    string `json:"addr"`
	Group   string `json:"group"`
	Weight  int    `json:"weight"`
	Healthy bool   `json:"healthy"`
	Before  *int   `json:"before"` // as the newest run had found it; null where nobody knows
}

// fromCloud tells what the load balancer says now, and of the journal only what can be read of it: for when that is damaged, or on another machine.
func (s *site) fromCloud(ctx context.Context) error {
	b, _, err := s.balancer()
	if err != nil {
		return err
	}
	r, err := b.Read(ctx)
	if err != nil {
		return err
	}
	d := cloudDoc{Schema: "rollout.cloud/v1", Service: s.cfg.Service, Balancer: r.ID, ReadAt: time.Now().UTC().Truncate(time.Second), Backends: []cloudBackend{}}
	st, err := s.latest()
	if err != nil {
		d.Journal = err.Error()
	}
	of := map[string]string{}                                    // by address of the machine
	if f, err := s.fleet(r); err == nil && s.cfg.Pomelo == nil { // what a Pomelo service's masters would tell, the newest plan does
		for _, g := range f.Groups() {
			for _, m := range g.Machines {
				of[m.Host], of[m.Address] = g.Name, g.Name
			}
		}
	}
	for _, known := range st.Plan.Before {
		if host, _, err := net.SplitHostPort(known.Addr); err == nil {
			of[host] = known.Group
		}
	}
	for _, be := range r.Backends {
		c := cloudBackend{ID: be.ID, Addr: addr(be), Group: of[be.Host], Weight: be.Weight, Healthy: be.Healthy}
		if known, ok := st.Plan.Before[be.ID]; ok {
			c.Before = &known.Weight
		}
		d.Backends = append(d.Backends, c)
		d.count(c)
	}
	slices.SortFunc(d.Groups, func(a, b cloudGroup) int { return strings.Compare(a.Name, b.Name) })
	if !s.env.text() {
		return s.env.document(d)
	}
	return s.env.cloud(d, r)
}

// count adds a backend to its group.
func (d *cloudDoc) count(c cloudBackend) {
	i := slices.IndexFunc(d.Groups, func(g cloudGroup) bool { return g.Name == c.Group })
	if i < 0 {
		i, d.Groups = len(d.Groups), append(d.Groups, cloudGroup{Name: c.Group})
	}
	g := &d.Groups[i]
	g.Total++
	if c.Weight > 0 {
		g.On++
		if !c.Healthy {
			g.Unhealthy++
		}
	}
	if c.Before != nil && *c.Before != c.Weight {
		g.Odd++
	}
}

// cloud prints it for people.
func (e *env) cloud(d cloudDoc, r ulb.Reading) error {
	_, _ = fmt.Fprintf(e.stdout, "%s as read just now, at %s; what runs on the machines and the sessions are not looked at\n", r.ID, d.ReadAt.Format(time.RFC3339))
	if d.Journal != "" {
		_, _ = fmt.Fprintf(e.stdout, "! %s\n", d.Journal)
	}
	for _, g := range d.Groups {
		name := g.Name
		if name == "" {
			name = "of no known machine"
		}
		line := fmt.Sprintf("  %-20s %d of %d backends on", name, g.On, g.Total)
		if g.Unhealthy > 0 {
			line += fmt.Sprintf(", %d of them not healthy", g.Unhealthy)
		}
		if g.Odd > 0 {
			line += fmt.Sprintf(", %d not as the newest run had found them", g.Odd)
		}
		_, _ = fmt.Fprintln(e.stdout, line)
	}
	for _, c := range d.Backends {
		if c.Before != nil && *c.Before != c.Weight {
			_, _ = fmt.Fprintf(e.stdout, "  %s (%s) is %s and was %s\n", c.ID, c.Addr, plans.OnOff(c.Weight), plans.OnOff(*c.Before))
		}
	}
	return nil
}
