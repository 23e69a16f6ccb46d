package main

import (
	"context"
	"strings"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/drain"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/remote"
)

// counting counts the sessions of each group in the way the configuration says. Its channels to the machines stay open until close.
type counting struct {
	cfg     config.Config
	pool    *remote.Pool
	of      map[string]drain.Counter // by group
	watches []*drain.Watch
}

// startCounting opens the channels to every machine of the watched groups. They outlive ctx: close ends them.
func startCounting(ctx context.Context, cfg config.Config, pool *remote.Pool, watched map[string][]plans.Ports) *counting {
	c := &counting{cfg: cfg, pool: pool, of: map[string]drain.Counter{}}
	for group, watch := range watched {
		c.of[group] = c.counter(watch)
	}
	for _, w := range c.watches {
		w.Start(context.WithoutCancel(ctx))
	}
	return c
}

// watched gives the session ports of both groups of a plan.
func watched(p plans.Plan) map[string][]plans.Ports {
	all := map[string][]plans.Ports{}
	for _, st := range p.Steps {
		if st.Kind == plans.Drain {
			all[st.Group] = st.Watch
		}
	}
	return all
}

// Counter gives the counter of a group.
func (c *counting) Counter(group string, _ []plans.Ports) drain.Counter { return c.of[group] }

func (c *counting) counter(watch []plans.Ports) drain.Counter {
	var hosts []string
	for _, w := range watch {
		hosts = append(hosts, w.Host)
	}
	switch c.cfg.Drain.Count {
	case config.CountCommand:
		return drain.Command(func(ctx context.Context, host string) (string, error) {
			dir := ""
			if c.cfg.Command != nil {
				dir = c.cfg.Command.Dir
			}
			res, err := c.pool.Run(ctx, host, remote.Command{Line: c.cfg.Drain.Run, Dir: dir})
			return res.Stdout, err
		}, hosts)
	case config.CountHTTP:
		urls := map[string]string{}
		for _, h := range hosts {
			urls[h] = strings.ReplaceAll(c.cfg.Drain.URL, "{host}", h)
		}
		return drain.HTTP(urls, c.cfg.Drain.Field, drain.Web{})
	}
	var ts []drain.Target
	for _, w := range watch {
		ts = append(ts, drain.Target{Host: w.Host, Ports: w.Ports, Bind: w.Bind})
	}
	w := drain.Sockets(c.pool, ts, drain.Options{Interval: c.cfg.Drain.Interval})
	c.watches = append(c.watches, w)
	return w
}

// close ends the channels. Nothing is left on the machines.
func (c *counting) close() {
	together(len(c.watches), func(i int) { c.watches[i].Close() })
}
