package lan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// On boots a machine that is off: the same disk, the same keys, no processes but sshd. It returns when ssh answers. A machine that
// is on is left alone.
func (l *LAN) On(ctx context.Context, name string) error {
	return l.do(name, func(m *machine) error {
		if m.on() {
			return nil
		}
		if err := l.boot(m); err != nil {
			return errors.Join(err, l.off(m))
		}
		if err := l.serve(ctx, m, l.o.MaxStartups); err != nil {
			return errors.Join(err, l.off(m)) //nolint:contextcheck // a half-booted machine is ended whatever became of ctx
		}
		return nil
	})
}

// Off cuts the machine's power: every process on it ends at once, and what it had not sent stays unsent. It returns when all is gone.
// A machine that is off stays off.
func (l *LAN) Off(_ context.Context, name string) error { return l.do(name, l.off) }

// Unplug pulls the machine's cable. What runs there goes on; nobody is told, packets just stop.
func (l *LAN) Unplug(_ context.Context, name string) error { return l.do(name, l.cable("down")) }

// Plug puts the machine's cable back.
func (l *LAN) Plug(_ context.Context, name string) error { return l.do(name, l.cable("up")) }

func (l *LAN) cable(way string) func(*machine) error {
	return func(m *machine) error {
		if !m.on() {
			return errors.New("it is off")
		}
		return ip(l.tools.ip, "link set "+m.link+" "+way+"\n")
	}
}

// PID is the machine's first process as the operator sees it, or 0 while it is off.
func (l *LAN) PID(name string) int {
	l.lock.Lock()
	defer l.lock.Unlock()
	if m := l.machines[name]; m != nil && m.on() {
		return m.init.Process.Pid
	}
	return 0
}

// Command is a program to be run on the machine, as root, in /, whether or not its cable is plugged. When ctx ends, it is killed
// with all of its process group.
func (l *LAN) Command(ctx context.Context, name string, argv ...string) *exec.Cmd {
	pid := l.PID(name)
	if pid == 0 || len(argv) == 0 {
		return &exec.Cmd{Err: fmt.Errorf("machine %s: %q: it is off, or there is none, or no program was given", name, argv)}
	}
	return l.command(ctx, pid, argv...)
}

func (l *LAN) command(ctx context.Context, pid int, argv ...string) *exec.Cmd {
	args := append([]string{"--target", strconv.Itoa(pid), "--net", "--pid", "--mount", "--uts", "--"}, argv...)
	cmd := exec.CommandContext(ctx, l.tools.nsenter, args...) //nolint:gosec // G702: to run what it is given is what it is for
	// nsenter forks to get into the process namespace: to end it alone would leave the program running.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// do does one thing to one machine, and nothing else at the same time.
func (l *LAN) do(name string, act func(*machine) error) error {
	l.lock.Lock()
	defer l.lock.Unlock()
	m := l.machines[name]
	if m == nil {
		return fmt.Errorf("machine %q: there is none of that name", name)
	}
	if err := act(m); err != nil {
		return fmt.Errorf("machine %s: %w", name, err)
	}
	return nil
}

// on says whether its first process lives.
func (m *machine) on() bool {
	if m.init == nil {
		return false
	}
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

// boot starts the machine's first process and gives it a cable, an address and its mounts.
func (l *LAN) boot(m *machine) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	o, err := l.order(m)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(m.dir, "boot.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(self)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	// A session of its own, or Ctrl-C at the operator's terminal would switch it off.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: spaces, Setsid: true}
	first, err := begin(cmd, machineInit)
	if err != nil {
		return err
	}
	defer first.close()
	ended := make(chan struct{})
	m.init, m.ended = cmd, ended
	go func() {
		_ = cmd.Wait() // it never ends by itself
		close(ended)
	}()
	ip4, _ := netip.ParseAddr(m.IP)
	b := ip4.As4()
	// Its own hardware address, the same after each boot: neighbours that remember it would else look for it in vain for a while.
	err = ip(l.tools.ip, fmt.Sprintf("link add %s type veth peer name eth0 address 02:00:%02x:%02x:%02x:%02x netns %d\nlink set %s master %s up\n",
		m.link, b[0], b[1], b[2], b[3], cmd.Process.Pid, m.link, bridge))
	if err != nil {
		return err
	}
	return first.tell(o)
}

// order is what a machine's first process does.
func (l *LAN) order(m *machine) (order, error) {
	root, err := user.LookupId("0")
	if err != nil {
		return order{}, err
	}
	network, err := netip.ParsePrefix(l.o.Operator)
	if err != nil {
		return order{}, err
	}
	mounts := []mount{
		{Source: filepath.Join(m.dir, "run"), Target: "/run/sshd"}, // sshd hides its children there
		{Source: filepath.Join(m.dir, "ssh"), Target: filepath.Join(root.HomeDir, ".ssh")},
	}
	for _, target := range l.o.Private {
		mounts = append(mounts, mount{Source: m.disk(target), Target: filepath.Clean(target)})
	}
	for _, mt := range mounts {
		if err := os.MkdirAll(mt.Source, 0o755); err != nil { //nolint:gosec // G301: a machine's directories are as open as a host's
			return order{}, err
		}
	}
	for _, s := range l.o.Shares {
		mounts = append(mounts, mount{Source: s.Source, Target: filepath.Clean(s.Target), ReadOnly: true})
	}
	return order{Name: m.Name, IP: l.tools.ip, Mounts: mounts,
		Batch: fmt.Sprintf("addr add %s/%d dev eth0\nlink set eth0 up\n", m.IP, network.Bits())}, nil
}

// off ends the machine's first process, and with it all others: the kernel sees to that before Wait returns.
func (l *LAN) off(m *machine) error {
	if m.on() {
		if err := m.init.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		<-m.ended
	}
	m.init = nil
	return unlink(l.tools.ip, m.link)
}
