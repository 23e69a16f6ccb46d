package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/seed59ee9cdc/rollout/groups"
	"github.com/seed59ee9cdc/rollout/pomelo"
	"github.com/seed59ee9cdc/rollout/remote"
)

// preflight looks at what keeps a Pomelo group from being started as a whole: on every machine, from each master to its machines, and in what all
// must have alike.
func (v *survey) preflight(ctx context.Context) {
	ms := v.fleet.Machines()
	facts, errs := make([]pomelo.Facts, len(ms)), make([]error, len(ms))
	together(len(ms), func(i int) { facts[i], errs[i] = v.look(ctx, ms[i]) })
	known := map[string]pomelo.Facts{} // by name
	for i, m := range ms {
		if errs[i] != nil {
			v.fail("machine", m.Name, "it takes a POSIX shell there, and the user that Pomelo runs as", errs[i])
			continue
		}
		known[m.Name] = facts[i]
		v.each("machine", "", facts[i].Check(m.Name))
	}
	for _, g := range v.fleet.Groups() {
		v.group(ctx, g, known)
	}
	err := pomelo.SameCode(known)
	if v.site.cfg.Deploy != nil { // it brings the same to all
		err = pomelo.Tolerate(err)
	}
	v.each("code", "bring the same to all machines, such as with deploy:; node in the same place and version", err)
	if err == nil && len(known) == len(ms) && len(ms) > 0 {
		f := known[ms[0].Name]
		v.ok("code", "", "the same on all machines: %s, Pomelo %s, node %s", short(f.Code), f.Pomelo, f.NodeVersion)
	}
}

// group looks at what the machines of one group must have alike, and at its master.
func (v *survey) group(ctx context.Context, g groups.Group, known map[string]pomelo.Facts) {
	c, rest, at := v.known[g.Name], map[string]pomelo.Facts{}, map[string]pomelo.Facts{}
	for _, m := range g.Machines {
		f, ok := known[m.Name]
		if !ok {
			continue
		}
		for _, h := range []string{m.Host, m.Address} {
			at[h] = f
		}
		if m.Name != g.Master {
			rest[m.Name] = f
		}
	}
	if master, ok := known[g.Master]; ok {
		err := pomelo.Compare(g.Name, master, rest)
		v.each("config", "", err)
		if err == nil && len(rest) > 0 {
			v.ok("config", g.Name, "the same files on %s", plural(int64(len(g.Machines)), "machine"))
		}
		reached := 0
		for _, p := range master.Peers {
			if p.Code == 0 {
				reached++
			}
		}
		if reached > 0 {
			v.ok("ssh", g.Master, "as the master it reaches %s over ssh", plural(int64(reached), "machine"))
		}
	}
	v.each("sshd", "", c.Startups(at))
	v.each("admin", "", c.Weak(pomelo.Secret(v.site.cfg.Pomelo.Admin.Password)))
	if port := strconv.Itoa(c.Master.Port); reachable(ctx, net.JoinHostPort(masterHost(g), port)) {
		v.warn("admin", g.Master, "let a firewall close it to all but the machines of the group", "its port %s is open to this machine: whoever reaches it may run code there", port)
	}
}

// look asks one machine for its facts; a master also tries ssh to the machines it starts processes on.
func (v *survey) look(ctx context.Context, m groups.Machine) (pomelo.Facts, error) {
	var peers []pomelo.Peer
	for _, g := range v.fleet.Groups() {
		c := v.known[g.Name]
		if m.Name != g.Master || m.Host != masterHost(g) {
			continue
		}
		for _, h := range c.Hosts() {
			if h != c.Master.Host {
				peers = append(peers, pomelo.Peer{Host: h, Port: v.site.cfg.SSH.Port})
			}
		}
	}
	r := v.site.pomelo(v.known)
	res, err := v.pool.Run(ctx, m.Host, remote.Command{Line: pomelo.Look(r.Dir, r.Root, r.Env, peers), Within: v.site.cfg.SSH.Timeout + 30*time.Second})
	if err != nil {
		return pomelo.Facts{}, err
	}
	f, err := pomelo.ParseFacts(res.Stdout)
	if err != nil {
		return f, fmt.Errorf("%s: %w", m.Name, err)
	}
	return f, nil
}

// reachable says whether a port answers from here.
func reachable(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// short cuts a hash in a text to what a person compares.
func short(code string) string {
	if len(code) > 24 {
		return code[:24] + "…"
	}
	return code
}
