package sandbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/sandbox/cloud"
	"github.com/seed59ee9cdc/rollout/sandbox/hosts"
)

// draining is how long the first group has been off when a fault of its drain comes: what closed it has been read back by then.
const draining = 1500 * time.Millisecond

// of gives the machines of a group.
func (w *World) of(group string) []hosts.Machine {
	return slices.DeleteFunc(slices.Clone(w.Hosts.Machines), func(m hosts.Machine) bool { return m.Group != group })
}

// first names a machine of the group that is updated first.
func (w *World) first() string { return w.of(w.Groups[0])[0].Name }

// ssh gives the ssh server of a machine.
func (w *World) ssh(machine string) (*hosts.SSHServer, error) {
	s := w.Hosts.SSH[machine]
	if s == nil {
		return nil, errors.New("it is a fault of the sandbox's own ssh server: leave --sshd out")
	}
	return s, nil
}

// answerLate lets the first two writes, which close backends, take effect after their group is open again, for a rollout that does not wait for them.
func answerLate(w *World) error {
	const late = 15 * time.Second
	for _, f := range []cloud.Fault{{Kind: "hang", Executed: true, Delay: 200 * time.Millisecond}, {Kind: "late", Delay: late}} { // both strike the same calls
		f.Actions, f.Count = []string{"write"}, 2
		if err := w.Cloud.Break(f); err != nil {
			return err
		}
	}
	return w.amend(func(c *config.Config) { c.ULB.Late = late + 3*time.Second })
}

// dropSSH drops connections at random once the first group is off, and surely while each machine of the first group is being stopped and started.
func dropSSH(w *World) error {
	var all []*hosts.SSHServer
	for _, m := range w.Hosts.Machines {
		s, err := w.ssh(m.Name)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	for _, m := range w.of(w.Groups[0]) {
		for _, verb := range []string{"stop", "start"} {
			w.when(w.acted(m.Name, verb), 0, func(context.Context) error { return w.Hosts.SSH[m.Name].Break(hosts.SSHDrop) })
		}
	}
	lot := rand.New(rand.NewPCG(w.o.Seed, 2))
	w.when(w.off(w.Groups[0]), 0, func(ctx context.Context) error {
		for pause(ctx, time.Second+time.Duration(lot.Int64N(int64(3*time.Second)))) {
			if err := all[lot.IntN(len(all))].Break(hosts.SSHDrop); err != nil {
				return err
			}
		}
		return nil
	})
	// A machine is not counted for a moment after each: the time to find a group empty is longer, and the players' games are not.
	return w.amend(func(c *config.Config) { c.Drain.Deadline = max(c.Drain.Deadline, time.Minute) })
}

func hangSSH(w *World) error {
	m := w.first()
	s, err := w.ssh(m)
	if err != nil {
		return err
	}
	w.when(w.acted(m, "stop"), 0, func(context.Context) error { return errors.Join(s.Break(hosts.SSHHang), s.Break(hosts.SSHFreeze)) })
	return nil
}

// failCount breaks a tool that counting needs, and the connection over which it is under way.
func failCount(w *World) error {
	m := w.first()
	s, err := w.ssh(m)
	if err != nil {
		return err
	}
	w.when(w.off(w.Groups[0]), 0, func(context.Context) error { return errors.Join(w.Hosts.Spoil(m, "awk"), s.Break(hosts.SSHDrop)) })
	return nil
}

func freeze(w *World) error {
	if w.o.Players < 2 {
		return errors.New("it is a fault of players: name some with --players")
	}
	w.when(w.off(w.Groups[0]), 0, func(context.Context) error {
		w.Crowd.Freeze(w.o.Players / 2)
		return nil
	})
	return w.amend(func(c *config.Config) { c.Drain.OnDeadline = config.DeadlinePause })
}

func edit(w *World) error {
	at := w.of(w.Groups[1])[0].Host
	for _, b := range w.backends() {
		if b.Host == at {
			w.when(w.off(w.Groups[0]), draining, func(context.Context) error { return w.Cloud.Set(b.ID, func(b *cloud.Backend) { b.Weight = 7 }) })
			return nil
		}
	}
	return errors.New("no machine of the serving group has a backend")
}

func hurt(w *World) error {
	m := w.of(w.Groups[1])[0].Name
	w.when(w.off(w.Groups[0]), draining, func(context.Context) error { return w.Hosts.Kill(m) })
	return nil
}

func fillDisk(w *World) error {
	d, err := newDisk(w.Dir)
	if err != nil {
		return err
	}
	w.disk = d
	w.when(w.off(w.Groups[0]), 0, func(context.Context) error { return d.fill() })
	return w.amend(func(c *config.Config) { c.State.Dir = d.dir })
}
