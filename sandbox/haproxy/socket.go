package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// answerLimit is far above the state of all servers of a sandbox.
const answerLimit = 16 << 20

// ask sends one command over a connection of its own, and returns the answer
// without the blank lines around it. HAProxy closes behind the answer.
func (p *Proxy) ask(ctx context.Context, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", p.socket)
	if err != nil {
		return "", p.gone(err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", p.gone(err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, answerLimit))
	if err != nil {
		return "", p.gone(err)
	}
	return strings.TrimSpace(string(answer)), nil
}

// tell sends a command that is answered with nothing when it is done. HAProxy
// has no other sign of an error than text.
func (p *Proxy) tell(ctx context.Context, command string) error {
	answer, err := p.ask(ctx, command)
	if err != nil {
		return err
	}
	if answer != "" {
		first, _, _ := strings.Cut(answer, "\n")
		return fmt.Errorf("%s: %s", command, first)
	}
	return nil
}

// server is what HAProxy says of one.
type server struct {
	name   string
	addr   string
	up     bool // by its checks; drained or not
	ready  bool // neither drained nor in maintenance by command
	weight int
}

// The bits of srv_admin_state that commands set.
const (
	forcedMaintenance = 0x01
	forcedDrain       = 0x08
)

// servers returns the state of a listener's servers, by name.
func (p *Proxy) servers(ctx context.Context, listener string) (map[string]server, error) {
	command := "show servers state " + listener
	answer, err := p.ask(ctx, command)
	if err != nil {
		return nil, err
	}
	all, err := parse(answer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return all, nil
}

// parse reads the answer to show servers state: the version, the names of the
// columns behind a #, and a line for each server.
func parse(answer string) (map[string]server, error) {
	version, rest, _ := strings.Cut(answer, "\n")
	if version != "1" {
		return nil, fmt.Errorf("got %q, want version 1", version)
	}
	header, rest, _ := strings.Cut(rest, "\n")
	columns := map[string]int{}
	for i, c := range strings.Fields(strings.TrimPrefix(header, "#")) {
		columns[c] = i
	}
	all := map[string]server{}
	for line := range strings.Lines(rest) {
		s, err := parseServer(columns, strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", strings.TrimSpace(line), err)
		}
		all[s.name] = s
	}
	return all, nil
}

func parseServer(columns map[string]int, fields []string) (server, error) {
	var missing []error
	text := func(column string) string {
		i, ok := columns[column]
		if !ok || i >= len(fields) {
			missing = append(missing, errors.New("there is no "+column))
			return "0"
		}
		return fields[i]
	}
	number := func(column string) int {
		n, err := strconv.Atoi(text(column))
		if err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", column, err))
		}
		return n
	}
	admin := number("srv_admin_state")
	return server{
		name: text("srv_name"), addr: net.JoinHostPort(text("srv_addr"), text("srv_port")),
		up: number("srv_op_state") != 0, ready: admin&(forcedMaintenance|forcedDrain) == 0,
		weight: number("srv_uweight"),
	}, errors.Join(missing...)
}
