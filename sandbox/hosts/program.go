package hosts

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is one process of the game, as its flags describe it.
type program struct {
	role, name, host string
	machine, group   string
	ports            []int
	peersFile        string
	releaseFile      string
	runDir           string
	lease            string
	delay            time.Duration
	fault            Fault
	faultText        string
	detach           bool
}

func parseProgram(args []string) (program, error) {
	var p program
	var ports, fault string
	flags := flag.NewFlagSet("process", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&p.role, "role", "", "")
	flags.StringVar(&p.name, "name", "", "")
	flags.StringVar(&p.host, "host", "", "")
	flags.StringVar(&p.machine, "machine", "", "")
	flags.StringVar(&p.group, "group", "", "")
	flags.StringVar(&ports, "ports", "", "")
	flags.StringVar(&p.peersFile, "peers", "", "")
	flags.StringVar(&p.releaseFile, "release-file", "", "")
	flags.StringVar(&p.runDir, "run", "", "")
	flags.StringVar(&p.lease, "lease", "", "")
	flags.DurationVar(&p.delay, "start-delay", 0, "")
	flags.StringVar(&fault, "fault", "none", "")
	flags.BoolVar(&p.detach, "detach", false, "")
	if err := flags.Parse(args); err != nil {
		return p, fmt.Errorf("process: %w", err)
	}
	if flags.NArg() > 0 {
		return p, fmt.Errorf("process: %q is not a flag", flags.Arg(0))
	}
	if p.role != "gate" && p.role != "connector" {
		return p, fmt.Errorf("process: role %q is neither gate nor connector", p.role)
	}
	if p.name == "" {
		p.name = p.role
	}
	kind, text, _ := strings.Cut(fault, "=")
	p.fault, p.faultText = Fault(kind), text
	var err error
	p.ports, err = parsePorts(ports)
	return p, err
}

// load reads what the process must know before it serves.
func (p program) load() (*game, error) {
	release, err := os.ReadFile(p.releaseFile)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	g := &game{program: p, release: strings.TrimSpace(string(release)), conns: map[net.Conn]struct{}{}}
	if p.role != "gate" {
		return g, nil
	}
	text, err := os.ReadFile(p.peersFile)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	for _, addr := range strings.Fields(string(text)) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("peers %s: %w", p.peersFile, err)
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("peers %s: %w", p.peersFile, err)
		}
		g.peers = append(g.peers, peer{host, number})
	}
	if len(g.peers) == 0 {
		return nil, fmt.Errorf("peers %s: a gate without connectors", p.peersFile)
	}
	return g, nil
}

func (p program) listen(ctx context.Context) ([]net.Listener, error) {
	ports := p.ports
	if p.fault == Half {
		ports = ports[:len(ports)/2]
	}
	listeners := make([]net.Listener, 0, len(ports))
	for _, port := range ports {
		addr := net.JoinHostPort(p.host, strconv.Itoa(port))
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			if errors.Is(err, syscall.EADDRINUSE) { // the word that an operator of Node programs looks for
				err = fmt.Errorf("EADDRINUSE %s: %w", addr, err)
			}
			return nil, err
		}
		listeners = append(listeners, ln)
	}
	return listeners, nil
}

// ready tells game.sh that every port listens, and which release it is that does.
func (p program) ready(release string) error {
	if p.runDir == "" {
		return nil
	}
	path := filepath.Join(p.runDir, fmt.Sprintf("%s.%d.ready", p.name, os.Getpid()))
	//nolint:gosec // G703: game.sh says where, and it is this machine's own directory
	if err := os.WriteFile(path+".new", []byte(release+"\n"), 0o600); err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	return os.Rename(path+".new", path)
}
