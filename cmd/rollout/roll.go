package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/remote"
	"github.com/seed59ee9cdc/rollout/steps"
)

// listWithin is how long a master may take to list: it waits 10 s for a process that does not answer, and then leaves it out.
const listWithin = 15 * time.Second

// roll calls the processes of a Pomelo service: what runs on each machine, by its own process table, and what the master knows of that.
type roll struct {
	pool    *remote.Pool
	within  time.Duration
	status  map[string]plans.Command // by host
	hosts   map[string][]string      // by group
	masters map[string]plans.Process // by group
	recipe  pomelo.Recipe
	account func(group string) pomelo.Account
}

// roll gives a roll that knows no group yet. known is what the masters say.
func (s *site) roll(pool *remote.Pool, known herds) roll {
	return roll{pool: pool, within: s.cfg.SSH.Timeout, recipe: s.pomelo(known),
		account: func(group string) pomelo.Account { return known.account(group, s.cfg.Pomelo.Admin) },
		status:  map[string]plans.Command{}, hosts: map[string][]string{}, masters: map[string]plans.Process{}}
}

// add lets the roll of a group be called: on which hosts, by which commands of its restart, and which processes it should have.
func (l roll) add(group string, hosts []string, run []plans.Command, want []plans.Process) {
	l.hosts[group] = hosts
	for _, c := range run {
		if c.Do == plans.DoStatus {
			l.status[c.Host] = c
		}
	}
	for _, p := range want {
		if p.Type == pomelo.MasterType {
			l.masters[group] = p
		}
	}
}

// Call gives every process of the application on the machines of a group. A master that has only just begun is not asked, and is taken to know
// nobody: one that is asked before it knows itself has been seen to end of it.
func (l roll) Call(ctx context.Context, group string, master bool) ([]plans.Found, error) {
	found, err := l.table(ctx, group)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w on the machines of %s", steps.ErrNobody, group)
	}
	if !master {
		for i := range found {
			found[i].Listed = true
		}
		return found, nil
	}
	if !askable(found) {
		return found, nil
	}
	listed, err := l.listed(ctx, group)
	if err != nil {
		return found, err
	}
	for i, f := range found {
		p, ok := listed[f.ID]
		found[i].Listed = ok && p.PID == f.PID
		if found[i].Listed {
			found[i].Memory = p.RSS
		}
	}
	return found, nil
}

// askable says whether a master has begun others long enough ago to be asked about them.
func askable(found []plans.Found) bool {
	for _, f := range found {
		settled := 2 * time.Second
		if f.Type == pomelo.MasterType {
			settled = 10 * time.Second // it may have nobody to begin
		}
		if f.Age.Duration() >= settled {
			return true
		}
	}
	return false
}

// table gives the processes that run on the machines of a group, by the machines' own tables.
func (l roll) table(ctx context.Context, group string) ([]plans.Found, error) {
	hosts := l.hosts[group]
	tables, errs := make([][]pomelo.Running, len(hosts)), make([]error, len(hosts))
	together(len(hosts), func(i int) {
		c := l.status[hosts[i]]
		res, err := l.pool.Run(ctx, hosts[i], remote.Command{Line: c.Line, Dir: c.Dir, Env: c.Env, Within: l.within})
		var exit *remote.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.Code != 1) { // 1: there is none
			errs[i] = err
			return
		}
		if tables[i], err = pomelo.ParseProcesses(res.Stdout); err != nil {
			errs[i] = fmt.Errorf("%s: %w", hosts[i], err)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var all []plans.Found
	for i, host := range hosts {
		for _, p := range tables[i] {
			all = append(all, plans.Found{Process: plans.Process{ID: p.ID, Type: p.Type, Host: host}, PID: p.PID, Age: plans.Seconds(p.Age)})
		}
	}
	return all, nil
}

// listed gives what the master of a group knows, by id.
func (l roll) listed(ctx context.Context, group string) (map[string]pomelo.Process, error) {
	m := l.masters[group]
	ctx, cancel := context.WithTimeout(ctx, listWithin)
	defer cancel()
	conn, err := l.pool.Dial(ctx, m.Host, net.JoinHostPort("127.0.0.1", strconv.Itoa(m.Port)))
	if err != nil {
		return nil, fmt.Errorf("the master on %s does not answer: %w", m.Host, err)
	}
	ps, err := pomelo.List(ctx, conn, l.account(group))
	if errors.Is(err, pomelo.ErrNotSpoken) {
		ps, err = l.typed(ctx, group)
	}
	if err != nil {
		return nil, fmt.Errorf("the master on %s: %w", m.Host, err)
	}
	all := map[string]pomelo.Process{}
	for _, p := range ps {
		all[p.ID] = p
	}
	return all, nil
}

// typed asks the master by its own command line.
func (l roll) typed(ctx context.Context, group string) ([]pomelo.Process, error) {
	c := l.recipe.List(l.masters[group])
	res, err := l.pool.Run(ctx, c.Host, remote.Command{Line: c.Line, Dir: c.Dir, Env: adminEnv(l.account(group)), Within: listWithin})
	if err != nil {
		return nil, err
	}
	return pomelo.ParseList(res.Stdout)
}

// adminEnv lets a line log in at a master without its plan or a log holding the password.
func adminEnv(a pomelo.Account) map[string]string {
	return map[string]string{"POMELO_ADMIN_USER": a.User, "POMELO_ADMIN_PASSWORD": string(a.Password)}
}
