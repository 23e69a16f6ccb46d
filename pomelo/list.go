package pomelo

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// figure is a number that Pomelo writes as a number or as a string of it.
type figure float64

// UnmarshalJSON takes both.
func (n *figure) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = string(b)
	}
	v, err := decimal(s)
	*n = figure(v)
	return err
}

func decimal(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s is no number", shown(s))
	}
	return v, nil
}

// process makes a Process of what was told, uptime in minutes.
func process(id, kind string, pid, rss, total, used, uptime figure) (Process, error) {
	for _, s := range []string{id, kind} {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return Process{}, fmt.Errorf("process %s: its id or type is empty or cannot be printed", shown(id))
		}
	}
	if pid != figure(math.Trunc(float64(pid))) || pid < 1 || pid > math.MaxInt32 {
		return Process{}, fmt.Errorf("process %s: pid %v", id, float64(pid))
	}
	const century = 100 * 366 * 24 * 60
	if min(rss, total, used, uptime) < 0 || uptime > century {
		return Process{}, fmt.Errorf("process %s: memory %v %v %v MB, uptime %v minutes", id, rss, total, used, uptime)
	}
	return Process{
		ID: id, Type: kind, PID: int(pid), RSS: float64(rss), HeapTotal: float64(total), HeapUsed: float64(used),
		Uptime: time.Duration(math.Round(float64(uptime)*100)) * (time.Minute / 100),
	}, nil
}

// colour is how Pomelo paints its table.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// ParseList reads what `pomelo list` printed, in the natural order of ids. The
// lines before the table are passed by, as are Node's warnings where stderr was
// mixed in; any other line that is no process is an error. The command exits 0
// with no table when no master listens; where it says that the login was
// refused the error is ErrDenied.
//
// The command must not be run at a master that has only just begun to listen,
// which List may be: see there.
func ParseList(text string) ([]Process, error) {
	all := []Process{}
	table := false
	said := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(colour.ReplaceAllString(line, ""))
		fields := strings.Fields(line)
		if !table {
			table = len(fields) == 7 && fields[0] == "serverId" && fields[2] == "pid"
			if strings.Contains(line, "Fail to connect to admin console server") {
				_, why, _ := strings.Cut(line, "server.")
				return nil, fmt.Errorf("pomelo list: %w: %s", ErrDenied, shown(why))
			}
			if line != "" && !warning(line) {
				said = line
			}
			continue
		}
		if line == "" || warning(line) {
			continue
		}
		p, err := row(line)
		if err != nil {
			return nil, fmt.Errorf("pomelo list: line %d: %w", i+1, err)
		}
		all = append(all, p)
	}
	if !table {
		return nil, fmt.Errorf("pomelo list: no table, so no master listens there: its last line is %q", shown(said))
	}
	return inOrder(all), nil
}

// warning reports whether a line is one of Node's own.
func warning(line string) bool {
	return strings.HasPrefix(line, "(node:") || strings.HasPrefix(line, "(Use `node ")
}

// row reads a line of the table. It is cut from its end: an id may hold spaces.
func row(line string) (Process, error) {
	var numbers [5]figure
	rest := line
	for i := len(numbers) - 1; i >= 0; i-- {
		cut := strings.LastIndexByte(rest, ' ')
		if cut < 0 {
			return Process{}, fmt.Errorf("%q has not the seven columns of a process", shown(line))
		}
		v, err := decimal(rest[cut+1:])
		if err != nil {
			return Process{}, fmt.Errorf("%q is no process: %w", shown(line), err)
		}
		numbers[i], rest = figure(v), strings.TrimRight(rest[:cut], " ")
	}
	cut := strings.LastIndexByte(rest, ' ')
	if cut < 0 {
		return Process{}, errors.New("no type")
	}
	return process(strings.TrimRight(rest[:cut], " "), rest[cut+1:], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
}

// inOrder sorts by id, connector-2 before connector-10.
func inOrder(all []Process) []Process {
	slices.SortFunc(all, func(a, b Process) int {
		return cmp.Or(natural(a.ID, b.ID), cmp.Compare(a.PID, b.PID))
	})
	return all
}

// natural compares runs of digits by their value and the rest by its bytes.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		p, q := digits(x), digits(y)
		if p > 0 && q > 0 {
			n, m := strings.TrimLeft(x[:p], "0"), strings.TrimLeft(y[:q], "0")
			if c := cmp.Or(cmp.Compare(len(n), len(m)), cmp.Compare(n, m)); c != 0 {
				return c
			}
			x, y = x[p:], y[q:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits is how many s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
