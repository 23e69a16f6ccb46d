package lan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// bridge is what all cables are plugged into.
const bridge = "lan0"

// Start makes the network and brings every machine up; each answers to ssh when it returns. ctx bounds the starting only; Close
// ends everything. After an error nothing is left. Disks and keys that a former LAN left in o.Dir are used again.
func Start(ctx context.Context, o Options) (*LAN, error) {
	if !Inside() {
		return nil, ErrOutside
	}
	t, err := find(o.SSHD)
	if err != nil {
		return nil, err
	}
	if o.Operator == "" {
		o.Operator = "10.77.0.1/24"
	}
	if o.SSHPort == 0 {
		o.SSHPort = 59622
	}
	if err := o.settle(); err != nil {
		return nil, fmt.Errorf("lan: %w", err)
	}
	l := &LAN{Machines: o.Machines, User: "root", SSHPort: o.SSHPort, o: o, tools: t, machines: map[string]*machine{}}
	for i, m := range o.Machines {
		l.machines[m.Name] = &machine{Machine: m, link: fmt.Sprintf("lan-%d", i+1), dir: filepath.Join(o.Dir, "machines", m.Name)}
	}
	if err := l.writeKeys(); err != nil {
		return nil, fmt.Errorf("lan: %w", err)
	}
	if hasLink(bridge) {
		return nil, fmt.Errorf("lan: bridge %s is there already: close the other LAN first", bridge)
	}
	if err := ip(t.ip, fmt.Sprintf("link add %s type bridge\naddr add %s dev %s\nlink set %s up\n", bridge, o.Operator, bridge, bridge)); err != nil {
		return nil, errors.Join(fmt.Errorf("lan: bridge %s: %w", bridge, err), l.Close())
	}
	for _, m := range o.Machines {
		if err := l.On(ctx, m.Name); err != nil {
			return nil, errors.Join(err, l.Close()) //nolint:contextcheck // what was started is ended whatever became of ctx
		}
	}
	return l, nil
}

// settle makes the paths absolute and finds what is wrong with the options.
func (o *Options) settle() error {
	if o.Dir == "" || len(o.Machines) == 0 {
		return errors.New("options: Dir and Machines are required")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	o.Dir = dir
	network, err := netip.ParsePrefix(o.Operator)
	if err != nil || !network.Addr().Is4() {
		return fmt.Errorf("operator %q: not an IPv4 address with its network, such as 10.77.0.1/24", o.Operator)
	}
	taken := map[string]string{network.Addr().String(): "the operator"}
	for _, m := range o.Machines {
		ip, err := netip.ParseAddr(m.IP)
		if err != nil || !network.Contains(ip) {
			return fmt.Errorf("machine %s: %q is no address in %s", m.Name, m.IP, network.Masked())
		}
		if m.Name == "" || strings.Trim(strings.ToLower(m.Name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return fmt.Errorf("machine %q: no host name: letters, digits and hyphens", m.Name)
		}
		for _, key := range []string{ip.String(), m.Name} {
			if taken[key] != "" {
				return fmt.Errorf("machine %s: %s is taken by %s", m.Name, key, taken[key])
			}
			taken[key] = m.Name
		}
	}
	targets := append([]string{}, o.Private...)
	for _, s := range o.Shares {
		targets = append(targets, s.Source, s.Target)
	}
	for _, path := range targets {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("directory %q: not an absolute path", path)
		}
	}
	return nil
}

// Close ends every machine and takes the network down; it returns when no process and no link is left. Disks, logs and keys stay
// in Options.Dir. Closing twice is fine.
func (l *LAN) Close() error {
	l.lock.Lock()
	defer l.lock.Unlock()
	var errs []error
	for _, m := range l.machines {
		errs = append(errs, l.off(m))
	}
	errs = append(errs, unlink(l.tools.ip, bridge))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("lan: %w", err)
	}
	return nil
}

// Disk is where the operator finds what the machine sees at target, one of Options.Private; "" if there is no such machine.
func (l *LAN) Disk(name, target string) string {
	m := l.machines[name]
	if m == nil {
		return ""
	}
	return m.disk(target)
}

func (m *machine) disk(target string) string { return filepath.Join(m.dir, "disk", target) }

// hasLink asks the kernel whether this network namespace has a link of that name. /sys tells of the namespace it was mounted in.
func hasLink(name string) bool {
	list, err := os.ReadFile("/proc/self/net/dev")
	for line := range strings.Lines(string(list)) {
		if before, _, ok := strings.Cut(line, ":"); err == nil && ok && strings.TrimSpace(before) == name {
			return true
		}
	}
	return false
}

// unlink takes a link down. The kernel does so too, in its own time, once the namespace of its other end is gone, and may be about to.
func unlink(path, link string) error {
	if !hasLink(link) {
		return nil
	}
	err := ip(path, "link del "+link+"\n")
	if err != nil && !hasLink(link) {
		return nil
	}
	return err
}
