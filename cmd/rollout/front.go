package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/seed59ee9cdc/rollout/config"
	"github.com/seed59ee9cdc/rollout/plans"
	"github.com/seed59ee9cdc/rollout/pomelo"
)

// front makes connections through the load balancer, as a player does, and looks which machine of the plan answers each.
type front struct {
	at     []string      // host:port where players connect; they take turns
	within time.Duration // how long one connection may take, from the connect to the answer
	// ask gives the host of the plan that answers on a connection, and closes it. An error says that this is not known.
	ask func(context.Context, net.Conn) (string, error)
}

// front gives the way test connections are made; nil where rollout.yaml wants none.
func (s *site) front(p plans.Plan, known herds) *front {
	if s.cfg.ULB.Probe == 0 {
		return nil
	}
	f, who := &front{at: s.cfg.ULB.Address, within: s.cfg.SSH.Timeout}, s.faces(p, known)
	f.ask = asker(s.cfg.ULB.Ask, who)
	if s.cfg.Pomelo != nil && s.cfg.Pomelo.Gate != nil {
		f.ask = gateAsker(*s.cfg.Pomelo.Gate, who)
	}
	return f
}

// reached tries the load balancer as a shift will: what is wrong with that shall be known before a group is closed.
func (v *survey) reached(ctx context.Context) {
	var p plans.Plan
	for _, g := range v.fleet.Groups() {
		for _, m := range g.Machines {
			p.Machines = append(p.Machines, plans.Machine{Name: m.Name, Host: m.Host, Group: g.Name})
		}
	}
	f := v.site.front(p, v.known)
	if f == nil {
		return
	}
	const fix = "mend ulb.address and ulb.ask, or leave ulb.probe out; try it by hand: connect as a player does, the answer must name a machine"
	hits, err := f.Try(ctx, v.site.cfg.ULB.Probe)
	if err != nil {
		v.fail("front", "", fix, err)
		return
	}
	all := 0
	for _, n := range hits {
		all += n
	}
	v.ok("front", "", "%s through the load balancer, answered by %s", plural(int64(all), "connection"), plural(int64(len(hits)), "machine"))
}

// atOnce is how many test connections there are at one time: a probe must not look like an attack.
const atOnce = 20

// Try makes n new connections and gives, for each host of the plan that answered, how many it did. One that is refused, says nothing or says
// of no machine whose it is makes all of it unknown: what is not known is no proof.
func (f front) Try(ctx context.Context, n int) (map[string]int, error) {
	count := map[string]int{}
	for done := 0; done < n; done += atOnce {
		some := min(atOnce, n-done)
		hosts, errs := make([]string, some), make([]error, some)
		together(some, func(i int) { hosts[i], errs[i] = f.one(ctx, f.at[(done+i)%len(f.at)]) })
		bad := 0
		var first error
		for i, err := range errs {
			if err == nil {
				count[hosts[i]]++
				continue
			}
			if bad++; first == nil {
				first = err
			}
		}
		if first != nil {
			return nil, fmt.Errorf("%d of %s through the load balancer did not tell who answers: %w", bad, plural(int64(some), "connection"), first)
		}
	}
	return count, nil
}

// one makes one connection.
func (f front) one(ctx context.Context, at string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, f.within, fmt.Errorf("no answer within %s", f.within))
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", at)
	var host string
	if err == nil {
		host, err = f.ask(ctx, c)
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // says more than a connection that was cut short for it
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	return host, nil
}

// gateAsker asks a Pomelo gate for a connector: who is named has answered, since a gate names those of its own group.
func gateAsker(g config.Gate, who faces) func(context.Context, net.Conn) (string, error) {
	return func(ctx context.Context, c net.Conn) (string, error) {
		to, err := pomelo.Directions(ctx, c, g.Route, g.Field, 1)
		if err != nil {
			return "", err
		}
		for addr := range to {
			return who.of(addr)
		}
		return "", errors.New("the gate names no connector")
	}
}

// mostAsked is how much of an answer is looked through for a machine.
const mostAsked = 16 << 10

// asker sends a line, where there is one, and takes the first line of the answer that names machines.
func asker(line string, who faces) func(context.Context, net.Conn) (string, error) {
	if line != "" && !strings.HasSuffix(line, "\n") {
		line += "\n"
	}
	return func(ctx context.Context, c net.Conn) (string, error) {
		defer part(c)
		defer context.AfterFunc(ctx, func() { _ = c.Close() })()
		if _, err := io.WriteString(c, line); err != nil {
			return "", err
		}
		read, first := bufio.NewReader(io.LimitReader(c, mostAsked)), ""
		for {
			l, err := read.ReadString('\n')
			if host, ferr := who.named(l); host != "" || ferr != nil {
				return host, ferr
			}
			if first == "" {
				first = strings.TrimSpace(l)
			}
			switch {
			case errors.Is(err, io.EOF) && first == "":
				return "", errors.New("closed without an answer")
			case errors.Is(err, io.EOF):
				return "", fmt.Errorf("the answer %.80q names no machine", first)
			case err != nil:
				return "", err
			}
		}
	}
}

// part ends a connection by FIN: bytes that lie unread would make an RST of it, which some services take for a crash.
func part(c net.Conn) {
	if half, ok := c.(*net.TCPConn); ok && half.CloseWrite() == nil && c.SetDeadline(time.Now().Add(time.Second)) == nil {
		_, _ = io.CopyN(io.Discard, c, 1<<20)
	}
	_ = c.Close()
}
